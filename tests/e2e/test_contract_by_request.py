"""What is asked for in MLflow is judged as on the command line: the contract through a receiver."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.errors import UndecidedError
from tests.e2e.test_contract import CASES, Case
from tests.reconcile.conftest import Watched, watched
from tests.reconcile.test_requests import ANSWER, gated, tags
from tests.support.command_line import call
from tests.support.laws import nightly

__all__ = ["gated", "watched"]
pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations

ALWAYS = {"met", "biased", "nan-scores", "unknown-check"}
"""One of each exit code; the others at night, since each starts a gate of its own."""
OWN_WORDS = {"rule-for-another-model", "stale-rows"}
"""Whose results name the model, or tell how old rows are, which is more a moment later."""
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.yaml"))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else nightly) for name in NAMES]
)
def test_a_request_is_answered_as_on_the_command_line(name: str, gated: Watched) -> None:
    """The tags say the verdict, and the signed evidence holds the same results, to the digit."""
    folder = gated.house.trust_file.parent
    case = set_up(name, folder)
    if name == "rule-for-another-model":  # whose rules apply to the names of registered models
        gated.house.name = f"credit-{gated.house.name}"
    gated.guarded["stage"] = case.stage or "production"
    version = register(gated, folder / case.model.removeprefix("file:"))
    gated.house.content.client.set_registered_model_alias(gated.house.name, "candidate", version)
    if case.exit_code == 3 and case.verdict is None:
        with pytest.raises(UndecidedError):
            gated.judge()  # and is tried again
        assert published(gated, version, gated.guarded["stage"]) is None
        return
    assert gated.judge() is None
    said = tags(gated.house, version)
    report = published(gated, version, gated.guarded["stage"])
    if case.verdict is None:
        wrong = f"error: the gate could not decide (exit code {case.exit_code}): "
        assert said[ANSWER].startswith(wrong)
        assert report is None
        return
    stage = gated.guarded["stage"]
    command = ["run", "policy.yaml", "--model", case.model, "--stage", stage, "--unsigned"]
    done = call(folder, *command, "--out", "by-hand", "--quiet", "--no-defaults")
    by_hand = json.loads((folder / "by-hand" / "report.json").read_text(encoding="utf-8"))
    assert report is not None
    assert said[f"aims_gate.{stage}.verdict"] == report["verdict"] == case.verdict
    assert report["exit_code"] == done.code == case.exit_code
    assert {one["rule"]: one["outcome"] for one in report["results"]} == case.outcomes
    if name not in OWN_WORDS:
        assert report["results"] == by_hand["results"]


def set_up(name: str, folder: Path) -> Case:
    """Lay a case beside the registry file; its policy names the data, as nobody hands them over."""
    (folder / "policy.yaml").unlink()
    shutil.copytree(CASES / name, folder, dirs_exist_ok=True)
    case = Case(**yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8")))
    policy = folder / "policy.yaml"
    text = policy.read_text(encoding="utf-8") if policy.exists() else ""
    for role, path in case.data.items() if text else ():
        begin = rf"^((?:data: \{{|  ){role}:\s*)\{{"
        text, found = re.subn(begin, rf"\1{{source: 'file:{path}', ", text, flags=re.MULTILINE)
        assert found == 1
        policy.write_text(text, encoding="utf-8")
    return case


def register(gated: Watched, model: Path) -> str:
    """Register the model's files, of no run, as a version."""
    files = {
        path.relative_to(model).as_posix(): path.read_bytes()
        for path in model.rglob("*")
        if path.is_file()
    }
    content = gated.house.content
    source = f"models:/{content.model(None, files)}"
    return content.version(gated.house.name, source)


def published(gated: Watched, version: str, stage: str) -> dict[str, Any] | None:
    """The report beside the evidence that the version's tag points at, if there is one."""
    pointer = tags(gated.house, version).get(f"aims_gate.{stage}.evidence")
    if pointer is None:
        return None
    run, _, path = pointer.partition(" runs:/")[2].partition("/")
    private = gated.house.lab.folder / uuid.uuid4().hex
    private.mkdir()
    client = gated.house.content.client
    report = client.download_artifacts(run, f"{path}/report.json", str(private))
    told: dict[str, Any] = json.loads(Path(report).read_text(encoding="utf-8"))
    return told
