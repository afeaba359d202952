"""Others at the same time: controllers that insist, promoters in between, killed workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aims_gate.errors import SourceError
from aims_gate.inbox.contract import Inbox, LeaseLostError
from aims_gate.reconcile.case import Act
from aims_gate.reconcile.judge import judge
from aims_gate.registry.rest import RestRegistry
from aims_gate.sinks import alias as moving
from tests.reconcile.conftest import Watched
from tests.support.laws import nightly
from tests.support.promoting import ALIAS

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


@pytest.fixture
def bad(watched: Watched) -> Watched:
    """Version 1 is proven and known, and the alias was moved by hand to version 2, unproven."""
    watched.house.promote(watched.house.version())
    watched.judge()
    watched.house.by_hand(watched.house.version(gated=False))
    return watched


def test_another_controller_that_insists_wins_after_the_budget_and_a_person_is_told(
    bad: Watched,
) -> None:
    """Three times within an hour; a clock that is set back does not give more."""
    for minute in range(3):
        bad.later = timedelta(minutes=minute)
        bad.judge()
        assert bad.house.champion() == "1"
        bad.house.by_hand("2")
    bad.later = timedelta(minutes=-30)
    bad.judge()
    assert bad.house.champion() == "2"
    assert "it was put back 3 times within an hour, and somebody insists" in bad.alerts()
    bad.later = timedelta(hours=2)
    bad.judge()
    assert bad.house.champion() == "2"
    assert len(bad.actions(Act.REVERTED)) == 3


@nightly
def test_the_budget_is_of_an_hour(bad: Watched) -> None:
    bad.more = {"reverts": 1}
    bad.judge()
    bad.later = timedelta(minutes=61)
    bad.house.by_hand("2")
    bad.judge()
    assert bad.house.champion() == "1"


@nightly
def test_no_revert_at_all_may_be_asked_for(bad: Watched) -> None:
    bad.more = {"reverts": 0}
    bad.judge()
    assert bad.house.champion() == "2"


def between(
    monkeypatch: pytest.MonkeyPatch, method: str, do: Callable[[], Any], *, after: bool = False
) -> None:
    """Do something once, just before or after the controller's next call of a *method*."""
    usual = getattr(RestRegistry, method)
    left = [do]

    def called(self: RestRegistry, *args: Any, **named: Any) -> Any:
        now = left.pop() if left else None
        if now is not None and not after:
            now()
        found = usual(self, *args, **named)
        if now is not None and after:
            now()
        return found

    monkeypatch.setattr(RestRegistry, method, called)


def test_a_third_move_before_the_last_look_is_not_overwritten(
    bad: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = bad.house.version()
    between(monkeypatch, "set_version_tag", lambda: bad.house.by_hand(third))
    assert bad.judge() is not None  # soon again
    assert bad.house.champion() == third
    bad.judge()
    assert bad.house.champion() == third
    assert (Act.OVERTAKEN, "2", "1") in bad.told()
    assert bad.live() == {ALIAS: ("3", True)}


def test_a_promotion_that_was_overwritten_is_done_again(
    bad: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came between the last look and the move, which MLflow has no lock against."""
    monkeypatch.setattr(moving, "POLLS", 2)  # the other's flag stands until it is back in its turn
    third = bad.house.version()
    bad.house.now += timedelta(seconds=5)
    between(monkeypatch, "set_alias", lambda: bad.house.promote(third))
    bad.judge()
    assert bad.house.champion() == third
    assert bad.told(Act.REPAIRED) == [(Act.REPAIRED, "1", "3")]
    assert bad.live() == {ALIAS: ("3", True)}
    assert bad.house.flags() == []
    assert bad.house.tags(third)[f"aims_gate.alias.{ALIAS}.promotion"]


class Killed(BaseException):
    """As SIGKILL would."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "at",
    [
        "set_alias",
        pytest.param("set_version_tag", marks=nightly),
        pytest.param("delete_version_tag", marks=nightly),
    ],
)
def test_who_comes_after_a_killed_worker_finishes_what_it_began_once(
    bad: Watched, monkeypatch: pytest.MonkeyPatch, at: str, *, after: bool
) -> None:
    """Its writes are all there or not: the alias tells which, and the record has each once."""

    def killed() -> None:
        raise Killed

    between(monkeypatch, at, killed, after=after)
    with pytest.raises(Killed):
        bad.judge()
    bad.judge()
    bad.judge()
    assert bad.house.champion() == "1"
    assert sorted(bad.told(Act.REVERT, Act.REVERTED, Act.MOVED)) == [
        (Act.REVERT, "2", "1"),
        (Act.REVERTED, "2", "1"),
    ]
    assert "back to version 1" in bad.reverted("2")
    assert bad.house.flags() == []


def test_nothing_is_done_to_a_model_that_is_another_workers_by_now(bad: Watched) -> None:
    def lost() -> None:
        raise LeaseLostError("lost")

    inbox: Inbox = bad.inbox
    with pytest.raises(LeaseLostError):
        judge(bad.key, bad.controller, inbox, lost)
    assert bad.house.champion() == "2"
    assert bad.house.flags() == []


def test_a_move_that_mlflow_refuses_is_tried_again(
    bad: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def refuse(*_args: object) -> None:
            raise SourceError("403")

        patch.setattr(RestRegistry, "set_alias", refuse)
        with pytest.raises(SourceError):
            bad.judge()
    assert bad.house.flags() == []
    bad.judge()
    assert bad.house.champion() == "1"
    assert len(bad.actions(Act.REVERT)) == 1


def test_two_workspaces_with_one_name_are_two_models(bad: Watched) -> None:
    """What is remembered of one counts for nothing in the other."""
    other = replace(bad.key, workspace="other")
    judge(other, bad.controller, bad.inbox, lambda: None)
    found = sorted(one.kind for one in bad.inbox.actions(other) if one.alias)
    assert found == [Act.ALERT, Act.SEEN]
