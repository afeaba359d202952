"""Engines as a policy's author meets them: the command line, the evidence, a missing library."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aims_gate.__main__ import guarded
from aims_gate.engines import reference

CONTRACT = Path(__file__).parents[1] / "contract"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "case"
    shutil.copytree(CONTRACT / "both-engines", folder)
    monkeypatch.chdir(folder)
    return folder


COMMAND = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--unsigned"]


def test_the_evidence_names_who_agreed_and_in_which_version(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Result line, report and signed statement say it."""
    from importlib.metadata import version

    assert guarded([*COMMAND, "--out", "evidence"]) == 0
    versions = {name: version(name) for name in ("fairlearn", "scikit-learn")}
    shown = capsys.readouterr().out
    assert f"scikit-learn {versions['scikit-learn']} agrees" in shown
    report = json.loads((folder / "evidence/report.json").read_text(encoding="utf-8"))
    told = report["evidence"]["versions"]
    assert versions.items() <= told.items()
    assert {"engine:both", "engine:reference"} <= told.keys()
    assert "evidently" not in told
    by_rule: dict[str, Any] = {result["rule"]: result["statistics"] for result in report["results"]}
    said = {s["engine"] for s in by_rule["BIAS-02"] if s["judged"]}
    assert f"native 0.1.0; fairlearn {versions['fairlearn']} agrees" in said
    assert f"fairlearn {versions['fairlearn']}" in {s["engine"] for s in by_rule["BIAS-03"]}
    statement = (folder / "evidence/evaluation.statement.json").read_text(encoding="utf-8")
    assert f"fairlearn {versions['fairlearn']} agrees" in statement


def test_a_missing_library_is_refused_before_anything_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the policy chooses the engine, never what happens to be installed."""
    monkeypatch.setitem(reference.MODULES, "fairlearn", "fairlearn_that_is_not_there")
    shutil.rmtree("model")
    assert guarded([*COMMAND, "--out", "evidence"]) == 2
    assert "pip install 'aims-gate[gate]'" in capsys.readouterr().err
    assert not Path("evidence").exists()


def test_a_child_that_cannot_answer_leaves_the_stage_undecided(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both engines' rules are ERROR, exit 3, and the evidence says why."""
    monkeypatch.setattr(reference, "TIMEOUT", 0.0)
    assert guarded([*COMMAND, "--out", "evidence"]) == 3
    report = json.loads((folder / "evidence/report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "undecided"
    outcomes = {result["rule"]: result["outcome"] for result in report["results"]}
    assert outcomes == {"PERF-01": "ERROR", "BIAS-02": "ERROR", "BIAS-03": "ERROR"}
    assert "reference process" in report["results"][0]["reason"]


def test_explain_says_who_computes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["explain", "policy.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "engine: both: fairlearn must agree with our value" in shown
    assert "engine: reference: fairlearn gives it" in shown
