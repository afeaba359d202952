"""docs/audits.md: its commands, in their order, over a small organisation."""

from __future__ import annotations

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.test_gap import Company, company
from tests.test_docs import blocks, commands

__all__ = ["company"]


def test_the_page_of_audits_runs(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(company.folder)
    lines = [line for block in blocks("docs/audits.md") for line in commands(block)]
    assert lines
    for arguments, code in lines:
        read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
        assert guarded([*arguments, *read]) == code, arguments
