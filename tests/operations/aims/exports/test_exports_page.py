"""docs/aims-exports.md: its commands, in their order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.operations.aims.exports import EXPORTS
from tests.support.gated import Gated
from tests.test_docs import blocks, commands


def test_the_page_of_exports_runs(
    gate: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder without records, where all is missing; each export is on it."""
    (summary,) = gate.folder.rglob("vsa.statement.json")
    shutil.copytree(summary.parent, tmp_path / "evidence")
    for name in ("trust.yaml", "gate.key.pub"):
        shutil.copy(gate.lab.folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert guarded(["evidence", "key", "generate", "--out", "records.key"]) == 0
    trust = yaml.safe_load(Path("trust.yaml").read_text(encoding="utf-8"))
    entry = {"person": "bo@acme.example", "public_key": "records.key.pub", "roles": ["records"]}
    trust["keys"].append(entry)
    Path("trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    readme = "---\nlicense: mit\nlanguage: [en]\n---\n# A model of others\n"
    Path("README.md").write_text(readme, encoding="utf-8")
    lines = [line for block in blocks("docs/aims-exports.md") for line in commands(block)]
    assert {arguments[2] for arguments, _ in lines if arguments[1] == "export"} == {*EXPORTS}
    for arguments, code in lines:
        assert guarded(arguments) == code, arguments
