"""Requests: an evaluation once the run is finished, limited and without others' secrets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.errors import UndecidedError
from aims_gate.reconcile import evaluate
from aims_gate.reconcile.case import Act
from aims_gate.reconcile.judge import judge
from aims_gate.reconcile.requests import WAIT
from aims_gate.sources.scoring.process import Limits
from tests.reconcile.conftest import Watched
from tests.support.command_line import call
from tests.support.laws import nightly
from tests.support.promoting import House
from tests.support.registry_content import FILES

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0"}
rules:
  - {id: INTEG-01, check: integrity.model, with: {deny: [pickle]}}
"""
ANSWER = "aims_gate.production.request"
BAD = {**FILES, "model.pkl": b"cos\nsystem\n(S'true'\ntR."}


def register(house: House, *, bad: bool = False, finished: bool = True) -> tuple[str, str]:
    """Register a version without evidence; its number and its run."""
    run = house.content.run(end=finished)
    source = f"models:/{house.content.model(run, BAD if bad else FILES)}"
    return house.content.version(house.name, source, run), run


def tags(house: House, version: str) -> dict[str, str]:
    found = house.content.client.get_model_version(house.name, version).tags
    return {key: str(value) for key, value in found.items()}


def ask(house: House, version: str, value: str = "please") -> None:
    house.content.client.set_model_version_tag(house.name, version, "gate.request", value)


@pytest.fixture
def gated(watched: Watched) -> Watched:
    """A watched house with a policy, a key in a file, and both triggers."""
    folder = watched.house.trust_file.parent
    assert call(folder, "evidence", "key", "generate", "--out", "gate.key").code == 0
    watched.house.use_key(folder / "gate.key")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    trigger = {"alias": "candidate", "tag": "gate.request"}
    watched.guarded = {"policy": "policy.yaml", "trigger": trigger}
    watched.key_file = folder / "gate.key"
    return watched


def test_a_tag_asks_for_an_evaluation_once_the_run_is_finished(gated: Watched) -> None:
    """Its answer is signed evidence and a tag; the same value asks nothing again."""
    house = gated.house
    version, run = register(house, finished=False)
    ask(house, version)
    assert gated.judge() == WAIT
    assert ANSWER not in tags(house, version)
    house.content.client.set_terminated(run)
    assert gated.judge() is None
    said = tags(house, version)
    assert said["aims_gate.production.verdict"] == "passed"
    assert said[ANSWER] == "proven: the policy credit@1.0.0 was met"
    gated.judge()
    ask(house, version, "again")
    gated.judge()
    done = [one for one in gated.inbox.actions(gated.key) if one.kind == Act.EVALUATED]
    assert [one.to_version for one in done] == [version, version]
    assert house.promote(version).moved


@nightly
def test_an_alias_asks_too_and_evidence_that_is_there_answers_it(
    gated: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = gated.house
    version, _run = register(house, bad=True)
    house.content.client.set_registered_model_alias(house.name, "candidate", version)
    gated.judge()
    assert tags(house, version)[ANSWER].startswith("refused: the policy credit@1.0.0 was not met")

    def never(*_args: object) -> None:
        raise AssertionError("the gate was run again")

    monkeypatch.setattr(evaluate, "evaluate", never)
    gated.judge()
    policy = house.trust_file.parent / "policy.yaml"
    policy.write_text(POLICY.replace("1.0.0", "1.0.1"), encoding="utf-8")
    gated.judge()


def test_a_moved_alias_without_evidence_is_evaluated_and_stays_or_goes_back(
    gated: Watched,
) -> None:
    house = gated.house
    good, _run = register(house)
    house.by_hand(good)
    gated.judge()  # the first look
    assert gated.live() == {"champion": (good, False)}
    better, _run = register(house)
    house.by_hand(better)
    gated.judge()
    assert gated.live() == {"champion": (better, True)}
    bad, _run = register(house, bad=True)
    house.by_hand(bad)
    gated.judge()
    assert house.champion() == better
    assert "refused" in gated.reverted(bad)


@nightly
def test_an_evaluation_that_cannot_decide_moves_nothing_and_is_told(gated: Watched) -> None:
    """Without a key there is no evidence; a person is told, and it is tried again."""
    house = gated.house
    good, _run = register(house)
    ask(house, good)
    gated.judge()
    house.by_hand(good)
    gated.judge()
    other, _run = register(house)
    house.by_hand(other)
    gated.key_file = None
    with pytest.raises(UndecidedError, match="could not decide"):
        gated.judge()
    assert house.champion() == other
    assert "the gate could not decide (exit code 2)" in gated.alerts()
    assert gated.actions(Act.REVERT) == []


@nightly
def test_a_wrong_policy_is_answered_once_and_anew_when_it_is_mended(gated: Watched) -> None:
    house = gated.house
    version, _run = register(house)
    ask(house, version)
    policy = house.trust_file.parent / "policy.yaml"
    policy.write_text(POLICY.replace("integrity.model", "integrity.modle"), encoding="utf-8")
    gated.judge()
    assert tags(house, version)[ANSWER].startswith("error: the gate could not decide (exit code 2)")
    gated.judge()
    policy.write_text(POLICY, encoding="utf-8")
    gated.judge()
    assert tags(house, version)[ANSWER].startswith("proven")


@nightly
def test_an_evaluation_ends_at_its_limits(gated: Watched) -> None:
    house = gated.house
    version, _run = register(house)
    ask(house, version)
    for limits, words in (
        (Limits(seconds=0.05), "it took longer than 0.05 s"),
        (Limits(memory=48 * 2**20, reserved=2**40), "exit code"),
    ):
        controller = replace(gated.controller, limits=limits)
        with pytest.raises(UndecidedError) as caught:
            judge(gated.key, controller, gated.inbox, lambda: None)
        assert words in str(caught.value)
    assert "aims_gate.production.verdict" not in tags(house, version)


def test_an_evaluation_gets_what_it_needs_and_no_other_secret() -> None:
    given = {
        "PATH": "/bin",
        "MLFLOW_TRACKING_TOKEN": "t",
        "AWS_SECRET_ACCESS_KEY": "a",
        "AIMS_GATE_WEBHOOK_SECRET": "w",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "e",
        "MLFLOW_BACKEND_STORE_URI": "postgresql://u:p@h/d",
        "PGPASSWORD": "p",
        "GATE_HOOK_SECRET": "h",
        "GITHUB_TOKEN": "g",
    }
    kept = evaluate.needed(given)
    assert set(kept) == {"PATH", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY"}


def test_a_pack_is_found_by_its_name_and_a_file_beside_the_registry_file(gated: Watched) -> None:
    controller = gated.controller
    assert controller.policy("pack:release@1.1.0") == "pack:release@1.1.0"
    assert Path(controller.policy("policy.yaml")).parent == gated.house.trust_file.parent
