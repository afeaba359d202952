"""`run`, then `github publish`, as the action calls them: real policies, models and evidence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.__main__ import guarded
from aims_gate.attest import keys
from aims_gate.attest.statement import statement_file
from tests.github.test_publish import outputs, publish
from tests.support.sarif_schema import sarif_log

CONTRACT = Path(__file__).parents[1] / "contract"
RUN = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--quiet"]


@pytest.mark.parametrize(
    ("case", "code"), [("met", 0), ("biased", 1), ("champion-worse", 1), ("null-labels", 3)]
)
def test_what_is_published_is_what_was_signed(
    step: Path, case: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CONTRACT / case, step / case)
    monkeypatch.chdir(step / case)
    keys.generate(Path("gate.key"), password=None)
    line = [*RUN, "--key", "gate.key", "--out", "evidence", "--report", "json=report.json"]
    line += ["--data", "champion=champion.csv"] * (case == "champion-worse")
    assert guarded([*line, "--report", "sarif=gate.sarif"]) == code
    assert sarif_log(Path("gate.sarif").read_text(encoding="utf-8"))
    assert publish(code, "--also", "sarif=gate.sarif") == code
    found = outputs(step)
    statement = Path("evidence") / statement_file("vsa")
    assert found["evidence-digest"] == f"sha256:{canonical.sha256_file(statement)}"
    assert found["evidence-path"] == "evidence"
    assert found["report-sarif"] == "gate.sarif"
    summary = (step / "summary").read_text(encoding="utf-8")
    assert found["model-digest"] in summary
    assert found["evidence-digest"] in summary
    assert ("┊" in summary) or code == 3
    assert ("What changed since the champion" in summary) is (case == "champion-worse")
