"""Past evaluations count by their signatures: tags of runs only say where to look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest import trust_file
from aims_gate.evidence.evaluation_history import HistoryQuestion
from aims_gate.registry.choose import open_registry
from aims_gate.sources.mlflow.evidence import TAG_EVALUATION, TAG_NAME, TAG_POLICY
from aims_gate.sources.mlflow.facts import served_models
from tests.conftest import Store
from tests.support.promoting import House
from tests.support.proofs import new_signer, verdict_of


@pytest.fixture
def house(mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.chdir(tmp_path)
    return House.build(mlflow_store.uri, tmp_path / "house")


def monitored(house: House, version: str, days: int) -> str:
    """Publish a monitoring run of so many days ago; the place of its evidence."""
    policy = verdict_of(house.lab.manifest, house.signer).policy
    at = house.now - timedelta(days=days)
    named = replace(policy, id="credit-monitoring")
    return house.gate(version, policy=named, started=at, finished=at)


def asked(house: House, **changes: Any) -> HistoryQuestion:
    question = HistoryQuestion(
        name=house.name,
        trust=trust_file.load(house.trust_file),
        now=house.now,
        environ=house.environ,
    )
    return replace(question, **changes)


def test_signed_runs_of_every_version_are_listed_by_their_policy(house: House) -> None:
    first, second = house.version(), house.version(gated=False)
    monitored(house, first, 8)
    monitored(house, second, 1)
    found = asked(house).evaluations("*monitoring*")
    assert {(one.version, one.decided, one.problem) for one in found} == {
        (first, True, ""),
        (second, True, ""),
    }
    ages = {house.now - one.when for one in found if one.when}
    assert ages == {timedelta(days=1), timedelta(days=8)}
    assert len(asked(house).evaluations("*")) == 3
    assert asked(house, name="another").evaluations("*") == ()


def test_no_trust_a_stranger_and_the_future_count_nothing(house: House) -> None:
    version = house.version(gated=False)
    monitored(house, version, 1)
    (nobody,) = asked(house, trust=None).evaluations("*")
    assert nobody.when is None
    assert "no trust file" in nobody.problem
    (early,) = asked(house, now=house.now - timedelta(days=2)).evaluations("*")
    assert "in the future" in early.problem
    house.lab.signer = new_signer()  # the trust file keeps the other key
    monitored(house, version, 0)
    found = asked(house).evaluations("*")
    assert sorted((one.when is None, bool(one.problem)) for one in found) == [
        (False, False),
        (True, True),
    ]


def test_tags_of_a_run_that_say_another_model_or_policy_prove_nothing(house: House) -> None:
    """Somebody points a run of theirs at the evidence of another one."""
    place = monitored(house, house.version(gated=False), 1)
    run, evaluation = place.split("/")[1], place.split("/")[3]
    tag = house.content.client.set_tag
    tag(run, TAG_NAME, "victim")
    (other,) = asked(house, name="victim").evaluations("*")
    assert "it is about" in other.problem
    tag(run, TAG_NAME, house.name)
    tag(run, TAG_POLICY, "fraud-monitoring@1 sha256:0")
    (renamed,) = asked(house).evaluations("fraud-*")
    assert "'credit-monitoring' was applied" in renamed.problem
    tag(run, TAG_EVALUATION, evaluation[:-1])
    (gone,) = asked(house).evaluations("fraud-*")
    assert "is not there" in gone.problem


def test_every_registered_model_is_listed_with_what_serves(house: House) -> None:
    version, newest = house.version(gated=False), house.version(gated=False)
    house.by_hand(version)
    house.content.client.create_registered_model("empty")
    listed = {one.name: one for one in served_models(open_registry(house.environ))}
    assert listed["empty"].newest == ""
    assert listed[house.name].aliases == {"champion": version}
    assert listed[house.name].newest == newest
