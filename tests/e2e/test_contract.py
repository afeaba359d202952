"""Command line, Python API and pytest give the verdict, outcomes and exit that a case expects."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.errors import GateError
from aims_gate.operations.run import run
from tests.pytest_plugin.repos import ALONE

CASES = Path(__file__).parents[1] / "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What `case.yaml` says."""

    model: str
    data: dict[str, str]
    exit_code: int
    stage: str | None = None
    verdict: str | None = None
    outcomes: dict[str, str] = field(default_factory=dict)
    message: str = ""


@pytest.fixture(params=sorted(path.parent.name for path in CASES.glob("*/case.yaml")))
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Stand in a copy of a case's folder, as its user would."""
    folder = tmp_path / "case"
    shutil.copytree(CASES / request.param, folder)
    monkeypatch.chdir(folder)
    return Case(**yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8")))


def test_command_line(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """`aims-gate run` exits as the case says, and its evidence holds the outcomes."""
    arguments = ["run", "--model", case.model, "--unsigned", "--out", "evidence", "--quiet"]
    arguments += [f"--data={role}={path}" for role, path in case.data.items()]
    arguments += [f"--stage={case.stage}"] if case.stage else []
    assert guarded(arguments) == case.exit_code
    report = Path("evidence/report.json")
    if case.verdict is None:
        assert case.message in capsys.readouterr().err
        assert not report.exists()
        return
    told = json.loads(report.read_text(encoding="utf-8"))
    found = {result["rule"]: result["outcome"] for result in told["results"]}
    assert (told["verdict"], told["exit_code"]) == (case.verdict, case.exit_code)
    assert found == case.outcomes
    assert guarded(["evidence", "key", "generate"]) == 0
    signing = ["evidence", "sign", "evidence", "--model", case.model, "--key", "gate.key"]
    signing += [f"--stage={case.stage}"] if case.stage else []
    assert guarded(signing) == case.exit_code, "judged again in a job of its own it is the same"


def test_python_api(case: Case) -> None:
    """`aims_gate.run` gives the same verdict, or raises the error with the same exit code."""
    if case.verdict is None:
        with pytest.raises(GateError) as caught:
            run("policy.yaml", case.model, data=case.data, stage=case.stage)
        assert caught.value.exit_code == case.exit_code
        assert case.message in str(caught.value)
        return
    verdict = run("policy.yaml", case.model, data=case.data, stage=case.stage)
    found = {result.rule: result.outcome.value for result in verdict.results}
    assert (verdict.decision, verdict.exit_code) == (case.verdict, case.exit_code)
    assert found == case.outcomes
    assert verdict.passed == (case.exit_code == 0)


def test_pytest_plugin(pytester: pytest.Pytester, case: Case) -> None:
    """The plugin gives the same verdict; pytest exits 0 for 0, 2 for 2 and 1 for 1 and 3.

    A policy file that is not there is a usage error of pytest's own, 4.
    """
    arguments = ["--aims-gate=policy.yaml", f"--aims-gate-model={case.model}", *ALONE]
    arguments += [f"--aims-gate-data={role}={path}" for role, path in case.data.items()]
    arguments += [f"--aims-gate-stage={case.stage}"] if case.stage else []
    done = pytester.runpytest_inprocess(*arguments, "--aims-gate-evidence=kept")
    reports = list(Path("kept").rglob("report.json"))
    if case.verdict is None:
        usual = 4 if not Path("policy.yaml").exists() else {2: 2, 3: 1}[case.exit_code]
        assert done.ret == usual
        assert case.message in f"{done.stdout}{done.stderr}"
        assert not reports
        return
    assert done.ret == min(case.exit_code, 1)
    (report,) = reports
    told = json.loads(report.read_text(encoding="utf-8"))
    found = {result["rule"]: result["outcome"] for result in told["results"]}
    assert (told["verdict"], told["exit_code"]) == (case.verdict, case.exit_code)
    assert found == case.outcomes
    lines = str(done.stdout)
    assert all(f"policy.yaml::{rule}" in lines for rule in _failing(told))
    assert f"{len(_failing(told))} failed" in lines or not _failing(told)


def _failing(told: dict[str, Any]) -> list[str]:
    return [result["rule"] for result in told["results"] if result["blocking"]]
