"""What is done about a guarded alias: only a new move that fails is put back, and to what holds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aims_gate.errors import SourceError
from aims_gate.reconcile.case import Act
from tests.reconcile.conftest import Watched
from tests.support.laws import nightly
from tests.support.promoting import ALIAS
from tests.support.proofs import new_signer, refused
from tests.support.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations

BACK = [(Act.REVERTED, "2", "1")]


@pytest.fixture
def at_one(watched: Watched) -> Watched:
    """Version 1 is champion, promoted, and was looked at."""
    watched.house.promote(watched.house.version())
    assert watched.judge() is None
    assert watched.live() == {ALIAS: ("1", True)}
    return watched


def test_what_is_live_on_day_one_is_recorded_and_never_put_back(watched: Watched) -> None:
    """Ten models without evidence: each stays, and a person is told once."""
    house = watched.house
    names = [f"{house.name}-{number}" for number in range(10)]
    for name in names:
        house.name = name
        house.version(gated=False)
        house.by_hand("1")
    for _twice in range(2):
        for name in names:
            house.name = name
            assert watched.judge() is None
            assert house.champion() == "1"
            assert sorted(watched.told()) == [
                (Act.ALERT, "", "1"),
                (Act.SEEN, "", "1"),
            ]
            assert watched.live() == {ALIAS: ("1", False)}


def test_a_proven_move_stays_whoever_made_it(at_one: Watched) -> None:
    """And who did it is known where that is signed."""
    house = at_one.house
    house.now += timedelta(seconds=5)
    house.promote(house.version())
    at_one.judge()
    house.version()
    house.by_hand("3")
    house.now += timedelta(seconds=5)
    at_one.judge()
    at_one.judge()
    moved = at_one.actions(Act.MOVED)
    assert [(one.from_version, one.to_version, one.who) for one in moved] == [
        ("1", "2", "gate"),
        ("2", "3", ""),
    ]
    assert all(one.evidence.startswith("sha256:") for one in moved)
    assert at_one.actions(Act.ALERT, Act.REVERT) == []
    assert house.champion() == "3"


@pytest.mark.parametrize(
    "kind", ["missing", pytest.param("refused", marks=nightly), "forged", "swapped"]
)
def test_an_unproven_move_is_put_back_and_the_reason_is_said(at_one: Watched, kind: str) -> None:
    house = at_one.house
    match kind:
        case "missing":
            version = house.version(gated=False)
        case "refused":
            version = house.version(**refused())
        case "forged":
            signer, house.lab.signer = house.lab.signer, new_signer()
            version = house.version()
            house.lab.signer = signer
        case _:
            version = house.version()
            house.overwrite(version)
    house.by_hand(version)
    for _twice in range(2):
        assert at_one.judge() is None
        assert house.champion() == "1"
        assert at_one.told(Act.REVERTED) == BACK
        assert at_one.actions(Act.MOVED) == []
    said = at_one.reverted(version)
    assert "back to version 1: " in said
    assert {"swapped": "forged"}.get(kind, kind) in said
    assert house.flags() == []


def test_it_is_only_told_in_observe_and_with_report(at_one: Watched) -> None:
    """What was let stand is never put back later, by a stricter file."""
    house = at_one.house
    house.by_hand(house.version(gated=False))
    at_one.guarded = {"mode": "observe"}
    at_one.judge()
    assert "stays (observe): it belongs at version 1" in at_one.alerts()
    house.by_hand(house.version(gated=False))
    at_one.guarded = {"on_fail": "report"}
    at_one.judge()
    assert "stays (report): it belongs at version 1" in at_one.alerts()
    at_one.guarded = {}
    at_one.judge()
    assert house.champion() == "3"
    assert at_one.actions(Act.REVERT) == []


def test_with_nothing_proven_to_go_back_to_it_stays(watched: Watched) -> None:
    """An alias is never left empty, and what was live on day one is no target."""
    house = watched.house
    house.version(gated=False)
    house.by_hand("1")
    watched.judge()
    house.by_hand(house.version(gated=False))
    watched.judge()
    assert house.champion() == "2"
    assert "no proven version to go back to" in watched.alerts()
    assert watched.live() == {ALIAS: ("2", False)}


@nightly
def test_a_new_alias_on_a_known_model_is_a_move(at_one: Watched) -> None:
    """Another spelling of a guarded alias is guarded."""
    house = at_one.house
    version = house.version(gated=False)
    house.content.client.set_registered_model_alias(house.name, "Champion", version)
    at_one.judge()
    assert "Champion is at version 2, missing" in at_one.alerts()


def test_an_alias_that_is_taken_away_is_told_and_left(at_one: Watched) -> None:
    """What comes next is a move, and goes back to what was proven last."""
    house = at_one.house
    house.content.client.delete_registered_model_alias(house.name, ALIAS)
    at_one.judge()
    at_one.judge()
    assert (house.champion(), at_one.live()) == (None, {ALIAS: ("", False)})
    assert at_one.told(Act.GONE) == [(Act.GONE, "1", "")]
    assert at_one.alerts() == "somebody took the alias away"
    house.by_hand(house.version(gated=False))
    at_one.judge()
    assert house.champion() == "1"


def test_a_model_that_was_deleted_and_made_anew_is_another(at_one: Watched) -> None:
    """Its version 1 is no more the version 1 that was proven."""
    house = at_one.house
    house.content.client.delete_registered_model(house.name)
    house.version(gated=False)
    house.by_hand("1")
    at_one.judge()
    assert "version 1, missing" in at_one.alerts()
    assert at_one.live() == {ALIAS: ("1", False)}


def test_stale_evidence_moves_nothing(at_one: Watched) -> None:
    """On what stands, and on a new move; a refusal does not age."""
    house = at_one.house
    at_one.later = timedelta(days=7)
    at_one.judge()
    assert "version 1, stale: the evidence of" in at_one.alerts()
    house.by_hand(house.version())
    at_one.judge()
    assert house.champion() == "2"
    assert "version 2, stale" in at_one.alerts()
    house.by_hand(house.version(**refused()))
    at_one.judge()
    assert at_one.told(Act.REVERTED) == [(Act.REVERTED, "3", "2")]


def test_a_clock_that_jumps_back_moves_nothing(at_one: Watched) -> None:
    """Evidence is then from the future, which is nobody's forgery."""
    house = at_one.house
    house.by_hand(house.version())
    at_one.later = timedelta(days=-2)
    at_one.judge()
    assert house.champion() == "2"
    assert "version 2, stale: the evidence is from the future" in at_one.alerts()


def test_changed_bytes_under_a_live_alias_are_told(at_one: Watched) -> None:
    at_one.house.overwrite("1")
    at_one.judge()
    at_one.judge()
    assert at_one.house.champion() == "1"
    assert at_one.alerts().count("version 1, forged: the model is not the one") == 1


def test_an_unreachable_server_moves_nothing_and_is_tried_again(at_one: Watched) -> None:
    """The move is judged when it answers."""
    house = at_one.house
    house.by_hand(house.version(gated=False))
    key, before = at_one.key, at_one.told()
    at_one.environ = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}"}
    at_one.more = {"server": key.server}
    with pytest.raises(SourceError):
        at_one.judge()
    at_one.environ, at_one.more = {}, {}
    assert at_one.told() == before
    at_one.judge()
    assert house.champion() == "1"


@nightly
def test_the_target_is_proven_today_or_the_one_before_it_is_taken(at_one: Watched) -> None:
    house = at_one.house
    house.promote(house.version())
    at_one.judge()
    house.overwrite("2")
    house.by_hand(house.version(gated=False))
    at_one.judge()
    assert house.champion() == "1"


def test_a_promotion_that_nobody_told_of_is_the_past_too(at_one: Watched) -> None:
    """Its signed statement says so: the alias goes back to it, not to what was looked at last."""
    house = at_one.house
    house.now += timedelta(seconds=5)
    house.promote(house.version())
    house.by_hand(house.version(gated=False))
    at_one.judge()
    assert house.champion() == "2"
    assert at_one.told(Act.REVERTED) == [(Act.REVERTED, "3", "2")]
