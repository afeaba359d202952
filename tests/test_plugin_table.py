"""Lazy tables of implementations."""

from __future__ import annotations

import sys

import pytest

from aims_gate.errors import UsageError
from aims_gate.plugin_table import Table


def test_a_row_is_imported_only_when_it_is_named() -> None:
    """Listing and counting import nothing."""
    table: Table[object] = Table("thing", {"it": "this_module_is_not_there:x", "pi": "math:pi"})
    assert (list(table), len(table), "it" in table) == (["it", "pi"], 2, True)
    assert "this_module_is_not_there" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        table["it"]
    assert table["pi"] == pytest.approx(3.14159, abs=1e-4)


def test_an_unknown_name_is_refused_with_the_near_ones() -> None:
    """A misspelt name never becomes a default."""
    table: Table[object] = Table("check", {"drift.columns": "math:pi"})
    with pytest.raises(UsageError, match=r"unknown check 'drift.colums'; did you mean") as caught:
        table["drift.colums"]
    assert caught.value.exit_code == 2
