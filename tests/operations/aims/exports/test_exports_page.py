"""docs/aims-exports.md: its commands, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.aims.exports import EXPORTS
from tests.test_docs import blocks, commands


def test_the_page_of_exports_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, where all is missing; each export is on it."""
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("docs/aims-exports.md") for line in commands(block)]
    assert {arguments[2] for arguments, _ in lines if arguments[1] == "export"} == {*EXPORTS}
    for arguments, code in lines:
        assert guarded(arguments) == code, arguments
