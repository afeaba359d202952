"""Data split over files, formats and days, gated as their user does; what evidence says of them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather

from aims_gate.__main__ import guarded

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: arrival, version: "1", owner: tests@example.org}
data:
  evaluation:
    label: y
    prediction: p
    positive: 1
    key: id
    time: at
    max_age_days: 31
    window: {days: 30}
    join:
      - {source: "file:labels.jsonl", on: id}
      - {source: "file:people.feather", on: id, columns: [sex]}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.7}}
  - {id: BIAS-02, check: fairness.impact_ratio, with: {by: [sex]}, require: {at_least: 0.8}}
  - {id: INTEG-02, check: integrity.data}
"""
SIZE = 4_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Answers in CSV, labels in JSON lines, people in Feather; half of the rows are old."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w.txt").write_bytes(b"1")
    (tmp_path / "policy.yaml").write_text(POLICY)
    answers(tmp_path, datetime.now(UTC) - timedelta(days=1))
    labels = [{"id": i, "y": i % 2} for i in reversed(range(SIZE))]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels))
    people = {"id": list(range(SIZE)), "sex": ["F" if i % 3 else "M" for i in range(SIZE)]}
    feather.write_feather(pa.table({**people, "name": ["n"] * SIZE}), tmp_path / "people.feather")
    return tmp_path


def answers(folder: Path, newest: datetime) -> None:
    """Rows whose newer half is right nine times in ten, and whose older half is all wrong."""
    lines = ["id,p,at"]
    for i in range(SIZE):
        new = i >= SIZE // 2
        at = newest if new else newest - timedelta(days=60)
        right = new and i % 10
        lines.append(f"{i},{i % 2 if right else 1 - i % 2},{at:%Y-%m-%dT%H:%M:%SZ}")
    (folder / "answers.csv").write_text("\n".join(lines) + "\n")


def gated() -> tuple[int, dict[str, Any]]:
    out = Path("evidence")
    arguments = ["run", "--model=file:model", "--data=evaluation=answers.csv", "--unsigned"]
    code = guarded([*arguments, f"--out={out}", "--quiet"])
    statement: dict[str, Any] = json.loads((out / "evaluation.statement.json").read_text())
    predicate: dict[str, Any] = statement["predicate"]
    return code, predicate


def test_evidence_names_every_file_and_the_window(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, predicate = gated()
    outcomes = {result["rule"]: result["outcome"] for result in predicate["results"]}
    assert (code, outcomes) == (0, {"PERF-01": "PASS", "BIAS-02": "PASS", "INTEG-02": "PASS"})
    named = {data["name"]: data for data in predicate["datasets"]}
    for name, role, rows in (
        ("answers.csv", "evaluation", SIZE // 2),
        ("labels.jsonl", "evaluation.join", SIZE),
        ("people.feather", "evaluation.join", SIZE),
    ):
        assert (
            named[name]["digest"]["sha256"]
            == hashlib.sha256((project / name).read_bytes()).hexdigest()
        )
        assert named[name]["annotations"]["role"] == role
        assert named[name]["annotations"]["rows"] == rows
    assert named["answers.csv"]["annotations"]["window"].startswith("after ")
    assert "window" not in named["labels.jsonl"]["annotations"]
    assert capsys.readouterr().out.count("joined") == 2


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-40, (1, "STALE")), (-32, (1, "STALE")), (-30, (0, "PASS")), (30, (3, "ERROR"))],
)
def test_the_newest_row_says_how_old_the_data_are(
    project: Path, days: int, expected: tuple[int, str]
) -> None:
    """And one of the future does not make them new: its window is not believed."""
    answers(project, datetime.now(UTC) + timedelta(days=days))
    code, predicate = gated()
    outcomes = {result["rule"]: result["outcome"] for result in predicate["results"]}
    assert (code, outcomes["PERF-01"]) == expected


def test_a_row_of_the_future_does_not_make_old_data_new(project: Path) -> None:
    answers(project, datetime.now(UTC) + timedelta(days=30))
    policy = project / "policy.yaml"
    policy.write_text(policy.read_text().replace("    window: {days: 30}\n", ""))
    code, predicate = gated()
    (perf,) = (result for result in predicate["results"] if result["rule"] == "PERF-01")
    assert (code, perf["rawOutcome"]) == (1, "FAIL")  # all rows count now, the wrong ones too
    ages = [s for s in perf["statistics"] if s["name"] == "age_days"]
    assert [(s["value"], "in the future" in s["reason"]) for s in ages] == [(None, True)]
