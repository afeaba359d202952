"""Attempts to blind the receiver: whoever may write to MLflow stops no protection and no alert."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aims_gate.errors import GateError
from aims_gate.reconcile import aliases, put_back
from aims_gate.reconcile.case import Act, Case
from aims_gate.reconcile.proof import VersionProof, prove_version
from tests.reconcile.conftest import Watched

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


@pytest.fixture
def at_one(watched: Watched) -> Watched:
    """Version 1 is champion, promoted, and was looked at."""
    watched.house.promote(watched.house.version())
    assert watched.judge() is None
    return watched


def unreadable(watched: Watched) -> str:
    """Register a version with the evidence of another, whose files lie where no gate may read."""
    house, tag = watched.house, "aims_gate.production.evidence"
    client = house.content.client
    version = house.content.version(house.name, "s3://nowhere/model", "")
    pointer = client.get_model_version(house.name, "1").tags[tag]
    client.set_model_version_tag(house.name, version, tag, pointer)
    return version


def test_an_alias_that_cannot_be_judged_hides_no_other(at_one: Watched) -> None:
    """An alias that is guarded for its likeness comes first, and fails each time."""
    house = at_one.house
    house.content.client.set_registered_model_alias(house.name, "CHAMPION", unreadable(at_one))
    house.by_hand(house.version(gated=False))
    with pytest.raises(GateError):
        at_one.judge()
    assert house.champion() == "1"


def test_what_cannot_be_judged_is_told_once(at_one: Watched) -> None:
    house = at_one.house
    house.by_hand(unreadable(at_one))
    for _twice in range(2):
        with pytest.raises(GateError):
            at_one.judge()
    assert house.champion() == "2"
    assert len(at_one.actions(Act.ALERT)) == 1
    assert "cannot be judged" in at_one.alerts()


def test_a_crash_is_told_without_its_words_and_hides_no_other(
    at_one: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = at_one.house

    def prove(case: Case, number: str, *, alias: str) -> VersionProof:
        if alias == "champion":
            raise ZeroDivisionError("the row of a customer")
        return prove_version(case, number, alias=alias)

    monkeypatch.setattr(aliases, "prove_version", prove)
    house.by_hand(house.version())
    house.content.client.set_registered_model_alias(house.name, "CHAMPION", "2")
    with pytest.raises(ZeroDivisionError):
        at_one.judge()
    assert at_one.alerts() == "champion cannot be judged: crashed: ZeroDivisionError"
    assert at_one.live()["CHAMPION"] == ("2", True)


def test_many_unproven_versions_do_not_hide_the_proven_one(
    at_one: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever insists until the budget is spent wins the hour, and not every hour after it."""
    house = at_one.house
    monkeypatch.setattr(put_back, "MOST", 2)
    at_one.guarded = {"mode": "observe"}
    for _move in range(3):
        at_one.later += timedelta(seconds=1)
        house.by_hand(house.version(gated=False))
        at_one.judge()
    at_one.guarded = {}
    at_one.later = timedelta(hours=2)
    house.by_hand(house.version(gated=False))
    at_one.judge()
    assert house.champion() == "1"


def test_the_same_bad_move_is_told_again(at_one: Watched) -> None:
    house = at_one.house
    at_one.guarded = {"on_fail": "report"}
    bad = house.version(gated=False)
    for told in (1, 2):
        house.by_hand(bad)
        at_one.judge()
        at_one.judge()
        assert len(at_one.actions(Act.ALERT)) == told
        house.by_hand("1")
        at_one.judge()
