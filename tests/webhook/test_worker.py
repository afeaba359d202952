"""Workers: every dirty model is judged, failures come later, and stopping loses nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aims_gate.errors import SourceError
from aims_gate.inbox.contract import Hold, Inbox, InboxError, LeaseLostError, ModelKey
from aims_gate.inbox.database import open_inbox
from aims_gate.inbox.sql import SqlInbox
from aims_gate.inbox.worker import Workers

KEYS = [ModelKey(server="prod", workspace="", model=f"m{n}") for n in range(20)]


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[SqlInbox]:
    inbox = open_inbox(f"sqlite:///{tmp_path}/inbox.db")
    yield inbox
    inbox.close()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def states(inbox: Inbox) -> set[str]:
    return {each.state for each in inbox.waiting()}


def test_every_dirty_model_is_judged_and_not_more_at_a_time_than_there_are_threads(
    inbox: SqlInbox,
) -> None:
    running, most, judged = 0, 0, []
    lock = threading.Lock()

    def judge(key: ModelKey, _inbox: Inbox, _hold: Hold) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
            judged.append(key)

    workers = Workers(inbox, judge, count=3)
    workers.start()
    alive = [workers.alive]
    inbox.mark(KEYS)
    workers.wake()
    until(lambda: states(inbox) == {"clean"})
    workers.stop()
    assert [*alive, workers.alive] == [True, False]
    assert sorted(judged) == sorted(KEYS)
    assert 1 < most <= 3


def test_a_mark_during_a_judgement_is_judged_after_it_and_wakes_at_once(inbox: SqlInbox) -> None:
    """Well below the second after which workers look by themselves."""
    seen: list[float] = []
    ended: list[str] = []

    def judge(key: ModelKey, inbox: Inbox, _hold: Hold) -> None:
        seen.append(time.monotonic())
        if len(seen) == 1:
            inbox.mark([key])

    workers = Workers(inbox, judge, count=1, ended=lambda outcome, _seconds: ended.append(outcome))
    workers.start()
    time.sleep(0.1)
    inbox.mark(KEYS[:1])
    began = time.monotonic()
    workers.wake()
    until(lambda: len(seen) == 2 and states(inbox) == {"clean"})
    workers.stop()
    assert seen[1] - began < 0.7
    assert ended == ["done", "done"]


def test_drain_works_off_what_is_due_and_tells_how_each_ended(
    inbox: SqlInbox, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash's own message may hold a row, so that only its type is kept."""
    ended: list[str] = []

    def judge(key: ModelKey, _inbox: Inbox, _hold: Hold) -> float | None:
        match key.model:
            case "m0":
                return None
            case "m1":
                return 60.0
            case "m2":
                raise SourceError("cannot reach MLflow", where="http://user:pw@host")
            case _:
                raise ValueError(f"row {17}: Alice")

    inbox.mark(KEYS[:4])
    with caplog.at_level(logging.INFO, "aims_gate.worker"):
        Workers(inbox, judge, ended=lambda outcome, _seconds: ended.append(outcome)).drain()
    assert sorted(ended) == ["again", "done", "failed", "failed"]
    told = {each.key.model: (each.state, each.attempts, each.error) for each in inbox.waiting()}
    assert told == {
        "m0": ("clean", 0, ""),
        "m1": ("delayed", 0, ""),
        "m2": ("delayed", 1, "http://host: cannot reach MLflow"),
        "m3": ("delayed", 1, "crashed: ValueError"),
    }
    assert "row 17: Alice" not in str([vars(each) for each in caplog.records])


def test_a_judgement_longer_than_its_lease_keeps_it(inbox: SqlInbox) -> None:
    """The heartbeat renews it, so that no other worker judges the model as well."""
    judged: list[str] = []

    def judge(_key: ModelKey, _inbox: Inbox, hold: Hold) -> None:
        time.sleep(0.8)
        hold()
        judged.append("once")

    inbox.mark(KEYS[:1])
    workers = Workers(inbox, judge, count=2, lease=0.3)
    workers.start()
    until(lambda: states(inbox) == {"clean"})
    workers.stop()
    assert judged == ["once"]


def test_a_worker_whose_lease_another_has_does_nothing_more(inbox: SqlInbox) -> None:
    """As after a long sleep of its machine: `hold`, just before the effect, stops it."""
    effects: list[str] = []
    ended: list[str] = []

    def judge(key: ModelKey, inbox: Inbox, hold: Hold) -> None:
        with inbox._engine.begin() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql("UPDATE subject SET owner = 'another', lease = lease + 60")
        hold()
        effects.append(key.model)

    inbox.mark(KEYS[:1])
    Workers(inbox, judge, ended=lambda outcome, _seconds: ended.append(outcome)).drain()
    assert (effects, ended) == ([], ["lost"])
    assert states(inbox) == {"judging"}


def test_stopping_waits_for_judgements_that_end_soon(inbox: SqlInbox) -> None:
    began, judged = threading.Event(), threading.Event()

    def judge(_key: ModelKey, _inbox: Inbox, hold: Hold) -> None:
        began.set()
        time.sleep(0.3)
        hold()
        judged.set()

    inbox.mark(KEYS[:1])
    workers = Workers(inbox, judge)
    workers.start()
    assert began.wait(10)
    workers.stop(patience=10)
    assert judged.is_set()
    assert states(inbox) == {"clean"}


def test_stopping_gives_back_judgements_that_go_on_and_they_do_nothing_more(
    inbox: SqlInbox,
) -> None:
    began, go, stopped = threading.Event(), threading.Event(), threading.Event()

    def judge(_key: ModelKey, _inbox: Inbox, hold: Hold) -> None:
        began.set()
        go.wait(10)
        try:
            hold()
        except LeaseLostError:
            stopped.set()
            raise

    inbox.mark(KEYS[:2])
    workers = Workers(inbox, judge, count=1)
    workers.start()
    assert began.wait(10)
    workers.stop(patience=0.05)
    assert states(inbox) == {"waiting"}
    assert {each.attempts for each in inbox.waiting()} == {0}
    go.set()
    assert stopped.wait(10)


def test_an_inbox_that_cannot_be_reached_for_a_while_stops_no_worker(
    inbox: SqlInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its judgement is not lost either: the lease runs out, and the model is judged again."""
    failing = {"claim": 2, "finish": 1}
    judged: list[str] = []

    class Flaky:
        """The inbox behind a line that is cut now and then."""

        def __getattr__(self, name: str) -> object:
            if failing.get(name, 0) > 0:
                failing[name] -= 1
                return self._cut
            return getattr(inbox, name)

        def _cut(self, *_arguments: object) -> None:
            raise InboxError("the line is cut")

    def judge(key: ModelKey, _inbox: Inbox, _hold: Hold) -> None:
        judged.append(key.model)

    monkeypatch.setattr("aims_gate.inbox.worker._POLL", 0.05)
    inbox.mark(KEYS[:1])
    workers = Workers(Flaky(), judge, count=1, lease=0.3)  # type: ignore[arg-type]
    workers.start()
    until(lambda: states(inbox) == {"clean"})
    workers.stop()
    assert judged == ["m0", "m0"]
