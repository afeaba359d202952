"""Every move, whoever made it, and where an alias was on a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aims_gate.errors import UsageError
from aims_gate.reconcile.history import Move, history, standing_at
from aims_gate.reconcile.judge import judge
from tests.reconcile.conftest import Watched
from tests.reconcile.test_races import between
from tests.support.promoting import ALIAS

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


def told(moves: tuple[Move, ...]) -> list[tuple[str, str, str, bool]]:
    return [(one.frm, one.to, one.who, bool(one.evidence)) for one in moves]


def test_promotions_moves_by_hand_and_reverts_are_one_history(watched: Watched) -> None:
    """With who signed; a promotion that was overwritten before anybody looked is there, too."""
    house = watched.house
    start = house.now
    house.promote(house.version())
    watched.judge()
    house.now += timedelta(minutes=10)
    house.promote(house.version())  # never looked at
    house.now += timedelta(minutes=1)
    house.by_hand(house.version(gated=False))
    watched.guarded = {"on_fail": "report"}
    watched.judge()
    watched.guarded = {}
    house.now += timedelta(minutes=10)
    house.by_hand(house.version(gated=False))
    watched.judge()
    moves = history(house.name, watched.controller, watched.inbox)
    assert told(moves) == [
        ("", "1", "gate", True),
        ("1", "2", "gate", True),
        ("1", "3", "", False),
        ("3", "4", "", False),
        ("4", "2", "", True),
    ]
    assert [one.by_gate for one in moves] == [False, False, False, False, True]
    assert "release, CHG-12" in moves[0].reason
    for minutes, version in ((0, "1"), (10, "2"), (11, "3"), (30, "2")):
        found = standing_at(moves, start + timedelta(minutes=minutes))
        assert found[ALIAS].to == version
    assert standing_at(moves, start - timedelta(minutes=1)) == {}


def slow(watched: Watched) -> None:
    """Judge, with a clock that goes on by a minute before each effect."""

    def tick() -> None:
        watched.later += timedelta(minutes=1)

    judge(watched.key, watched.controller, watched.inbox, tick)


def test_a_move_that_was_put_back_stood_from_when_it_was_seen(watched: Watched) -> None:
    """It is a move of its own, unproven; the gate's own move names what it rests on."""
    house = watched.house
    house.promote(house.version())
    watched.judge()
    house.by_hand(house.version(gated=False))
    house.now += timedelta(minutes=10)
    seen = house.now
    slow(watched)
    moves = history(house.name, watched.controller, watched.inbox)
    assert told(moves) == [
        ("", "1", "gate", True),
        ("1", "2", "", False),
        ("2", "1", "", True),
    ]
    assert (moves[1].at, moves[1].by_gate, moves[2].by_gate) == (seen, False, True)
    assert "there is no evidence" in moves[1].reason
    for minutes, version, proven in ((-1, "1", True), (0, "2", False), (5, "1", True)):
        found = standing_at(moves, seen + timedelta(minutes=minutes))[ALIAS]
        assert (found.to, bool(found.evidence)) == (version, proven)


def test_who_signed_a_move_that_was_put_back_is_named_and_proves_nothing(watched: Watched) -> None:
    """A promotion whose evidence is refused is one move, unproven."""
    house = watched.house
    house.promote(house.version())
    watched.judge()
    house.now += timedelta(minutes=10)
    house.promote(house.version())
    house.overwrite("2")
    watched.judge()
    moves = history(house.name, watched.controller, watched.inbox)
    assert told(moves) == [
        ("", "1", "gate", True),
        ("1", "2", "gate", False),
        ("2", "1", "", True),
    ]


@pytest.mark.parametrize("then", ["4", "2"])
def test_whoever_overtakes_the_receiver_moved_on_from_where_it_was_seen(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """Back to where it was, too: else the history would end at a version that is not there."""
    house = watched.house
    house.promote(house.version())
    watched.judge()
    watched.guarded = {"on_fail": "report"}
    house.by_hand(house.version(gated=False))
    watched.judge()
    watched.guarded = {}
    house.by_hand(house.version(gated=False))
    house.version(gated=False)

    def killed() -> None:
        raise KeyboardInterrupt

    between(monkeypatch, "set_alias", killed)
    with pytest.raises(KeyboardInterrupt):
        watched.judge()
    house.by_hand(then)
    watched.guarded = {"on_fail": "report"}
    for _look in range(2):
        watched.judge()
    assert told(history(house.name, watched.controller, watched.inbox)) == [
        ("", "1", "gate", True),
        ("1", "2", "", False),
        ("2", "3", "", False),
        ("3", then, "", False),
    ]


def test_without_an_inbox_signed_promotions_are_the_history(watched: Watched) -> None:
    watched.house.promote(watched.house.version())
    moves = history(watched.house.name, watched.controller, watched.inbox)
    assert told(moves) == [("", "1", "gate", True)]
    assert not moves[0].first


def test_a_promotion_before_the_first_look_keeps_what_it_signed_was_there(
    watched: Watched,
) -> None:
    """The receiver knows of nothing before; the promoter signed what was."""
    house = watched.house
    house.version()
    house.by_hand("1")
    house.promote(house.version())
    watched.judge()
    moves = history(house.name, watched.controller, watched.inbox)
    assert told(moves) == [("1", "2", "gate", True)]


def test_what_was_live_first_says_that_its_beginning_is_not_known(watched: Watched) -> None:
    watched.house.version()
    watched.house.by_hand("1")
    watched.judge()
    (move,) = history(watched.house.name, watched.controller, watched.inbox)
    assert (move.first, move.to, move.who) == (True, "1", "")


def test_a_model_that_is_not_guarded_has_none(watched: Watched) -> None:
    watched.guarded = {"pattern": "other-*"}
    with pytest.raises(UsageError, match="is not guarded"):
        history(watched.house.name, watched.controller, watched.inbox)
