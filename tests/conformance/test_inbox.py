"""Every database of `Inbox`: what is acknowledged is judged, in order, by one worker at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from aims_gate.errors import UsageError
from aims_gate.inbox.contract import (
    LONGEST_DELAY,
    LONGEST_LEASE,
    MOST_ATTEMPTS,
    Action,
    Delivery,
    InboxError,
    LiveVersion,
    ModelKey,
)
from aims_gate.inbox.database import database_url, open_inbox
from aims_gate.inbox.sql import SqlInbox
from aims_gate.inbox.tables import METADATA
from tests.support.laws import nightly
from tests.support.postgres import Cluster

DAY = 86_400.0
ONE = ModelKey(server="prod", workspace="", model="one")
TWO = ModelKey(server="prod", workspace="", model="two")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture(scope="module")
def database(postgres_cluster: Cluster) -> str:
    """URL of a database of PostgreSQL."""
    return postgres_cluster.database("conformance")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.tool("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/inbox.db"
    made: str = request.getfixturevalue("database")
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(url: str, clock: Clock) -> Iterator[SqlInbox]:
    inbox = open_inbox(url, clock)
    yield inbox
    inbox.close()


def delivery(name: str, *marks: ModelKey, received: float = 1.0) -> Delivery:
    return Delivery(
        id=name, workspace="theirs", model="m", body=b"{}", received=received, marks=marks
    )


def states(inbox: SqlInbox) -> dict[str, str]:
    return {each.key.model: each.state for each in inbox.waiting()}


def test_a_delivery_marks_its_model_and_a_second_of_its_id_changes_nothing(
    inbox: SqlInbox,
) -> None:
    assert inbox.receive([delivery("a", ONE), delivery("a", ONE), delivery("b", TWO)]) == {"a", "b"}
    lease = inbox.claim("w", 60)
    assert lease is not None
    assert inbox.finish(lease)
    assert inbox.receive([delivery("a", ONE), delivery("c")]) == {"c"}
    assert sorted(states(inbox).values()) == ["clean", "waiting"]
    assert inbox.receive([]) == frozenset()


def test_ten_deliveries_are_one_judgement(inbox: SqlInbox) -> None:
    inbox.receive([delivery(str(n), ONE) for n in range(10)])
    for n in range(10, 20):
        inbox.receive([delivery(str(n), ONE)])
    lease = inbox.claim("w", 60)
    assert lease is not None
    assert inbox.finish(lease)
    assert inbox.claim("w", 60) is None


def test_a_model_is_leased_to_one_worker_and_others_go_on_with_the_next(
    inbox: SqlInbox, clock: Clock
) -> None:
    inbox.mark([ONE])
    clock.time += 1
    inbox.mark([TWO])
    first, second = inbox.claim("a", 60), inbox.claim("b", 60)
    assert first is not None
    assert second is not None
    assert (first.key, second.key) == (ONE, TWO)
    assert inbox.claim("c", 60) is None


def test_what_is_heard_during_a_judgement_is_judged_after_it(inbox: SqlInbox) -> None:
    inbox.mark([ONE])
    first = inbox.claim("w", 60)
    assert first is not None
    inbox.receive([delivery("late", ONE)])
    assert inbox.claim("w", 60) is None
    assert inbox.finish(first)
    again = inbox.claim("w", 60)
    assert again is not None
    assert again.generation == first.generation + 1


def test_a_lease_that_ran_out_is_taken_over_and_its_first_owner_can_do_nothing(
    inbox: SqlInbox, clock: Clock
) -> None:
    """A worker that slept must not end, prolong or give back what is another's now."""
    inbox.mark([ONE])
    asleep = inbox.claim("a", 60)
    clock.time += 61
    taken = inbox.claim("a", 60)
    assert asleep is not None
    assert taken is not None
    late = (inbox.renew(asleep, 60), inbox.finish(asleep), inbox.release(asleep))
    assert late == (False, False, False)
    assert not inbox.fail(asleep, "late", 1)
    assert states(inbox) == {"one": "judging"}
    assert inbox.renew(taken, 60)
    clock.time += 59
    assert inbox.claim("b", 60) is None
    assert inbox.finish(taken)
    assert states(inbox) == {"one": "clean"}


def test_a_lease_given_back_is_free_at_once_and_counts_as_no_attempt(inbox: SqlInbox) -> None:
    inbox.mark([ONE])
    lease = inbox.claim("a", 60)
    assert lease is not None
    assert inbox.release(lease)
    again = inbox.claim("b", 60)
    assert again is not None
    assert (again.attempts, again.generation) == (0, lease.generation)


def test_a_judgement_that_wants_to_look_again_does_so_later_or_when_something_is_heard(
    inbox: SqlInbox, clock: Clock
) -> None:
    inbox.mark([ONE])
    lease = inbox.claim("w", 60)
    assert lease is not None
    assert inbox.finish(lease, again=30)
    assert states(inbox) == {"one": "delayed"}
    assert inbox.claim("w", 60) is None
    clock.time += 30
    lease = inbox.claim("w", 60)
    assert lease is not None
    inbox.mark([ONE])
    assert inbox.finish(lease, again=30)
    assert states(inbox) == {"one": "waiting"}


def test_failures_are_tried_later_then_the_model_is_dead_until_something_is_heard(
    inbox: SqlInbox, clock: Clock
) -> None:
    """And one success forgets them."""
    inbox.mark([ONE])
    for attempt in range(MOST_ATTEMPTS):
        lease = inbox.claim("w", 60)
        assert lease is not None
        assert lease.attempts == attempt
        assert inbox.fail(lease, "cannot\nreach \x00MLflow", 10)
        assert inbox.claim("w", 60) is None
        clock.time += 10
    assert inbox.claim("w", 60) is None
    (dead,) = inbox.waiting()
    assert (dead.state, dead.attempts) == ("dead", MOST_ATTEMPTS)
    assert dead.error == "cannot reach ?MLflow"
    inbox.mark([ONE])
    lease = inbox.claim("w", 60)
    assert lease is not None
    assert inbox.fail(lease, "still", 10)
    assert states(inbox) == {"one": "dead"}
    inbox.mark([ONE])
    lease = inbox.claim("w", 60)
    assert lease is not None
    assert inbox.finish(lease)
    (clean,) = inbox.waiting()
    assert (clean.state, clean.attempts, clean.error) == ("clean", 0, "")


def test_a_model_of_which_something_is_heard_while_it_fails_is_due_at_once_and_not_dead(
    inbox: SqlInbox,
) -> None:
    inbox.mark([ONE])
    for _ in range(MOST_ATTEMPTS):
        lease = inbox.claim("w", 60)
        assert lease is not None
        inbox.mark([ONE])
        assert inbox.fail(lease, "no", LONGEST_DELAY)
    assert states(inbox) == {"one": "waiting"}


def test_a_clock_that_jumps_back_strands_no_model(inbox: SqlInbox, clock: Clock) -> None:
    """A year ahead by mistake, then right: no lease and no delay of that year holds."""
    clock.time += 365 * DAY
    inbox.mark([ONE, TWO])
    assert inbox.claim("w", 60) is not None
    delayed = inbox.claim("w", 60)
    assert delayed is not None
    assert inbox.fail(delayed, "no", 60)
    clock.time -= 365 * DAY
    assert sorted(states(inbox).values()) == ["waiting", "waiting"]
    assert inbox.claim("w", 60) is not None
    assert inbox.claim("w", 60) is not None


def test_a_clock_that_jumps_ahead_lets_no_two_workers_end_one_judgement(
    inbox: SqlInbox, clock: Clock
) -> None:
    inbox.mark([ONE])
    first = inbox.claim("a", 10 * LONGEST_LEASE)
    clock.time += LONGEST_LEASE + 1
    second = inbox.claim("b", 60)
    assert first is not None
    assert second is not None
    assert [inbox.finish(second), inbox.finish(first)] == [True, False]


def test_the_log_takes_an_action_once_and_never_changes_it(
    inbox: SqlInbox, caplog: pytest.LogCaptureFixture
) -> None:
    def action(name: str, key: ModelKey, at: float, reason: str = "FAIL") -> Action:
        move = {"alias": "champion", "kind": "revert", "from_version": "2", "to_version": "1"}
        return Action(id=name, key=key, at=at, reason=reason, **move)

    with caplog.at_level(logging.INFO, "aims_gate.inbox"):
        assert inbox.act(action("x", ONE, 20))
        assert not inbox.act(action("x", ONE, 30, "other"))
    assert [vars(each)["action"] for each in caplog.records] == ["x"]
    assert inbox.act(action("y", ONE, 10))
    assert inbox.act(action("z", TWO, 5))
    # in the order of entry, though the clock was set back meanwhile
    assert inbox.actions(ONE) == (action("x", ONE, 20), action("y", ONE, 10))
    assert inbox.actions(ONE, since=15) == (action("x", ONE, 20),)
    assert [each.id for each in inbox.actions()] == ["x", "y", "z"]


def test_what_is_live_is_one_version_an_alias(inbox: SqlInbox) -> None:
    def version(alias: str, number: str, key: ModelKey = ONE) -> LiveVersion:
        return LiveVersion(key=key, alias=alias, version=number, sha256="ab", evidence="runs:/1")

    for each in (version("b", "1"), version("a", "1"), version("b", "2"), version("a", "9", TWO)):
        inbox.set_live(each)
    assert inbox.live(ONE) == (version("a", "1"), version("b", "2"))
    inbox.drop_live(ONE, "a")
    assert inbox.live(ONE) == (version("b", "2"),)
    assert inbox.live(TWO) == (version("a", "9", TWO),)


def test_a_name_that_no_database_can_hold_hides_no_other_model(inbox: SqlInbox) -> None:
    """MLflow over sqlite takes NUL in names and sources; PostgreSQL holds it in no text."""
    odd = ModelKey(server="prod", workspace="", model="o\0dd")
    inbox.mark([ONE, odd])
    assert [one.key.model for one in inbox.waiting()] == ["one", "o\N{SYMBOL FOR NULL}dd"]
    live = LiveVersion(
        key=ONE, alias="champion", version="1", sha256="", evidence="", source="s3://a/\0"
    )
    inbox.set_live(live)
    assert [one.source for one in inbox.live(ONE)] == ["s3://a/\N{SYMBOL FOR NULL}"]


def test_old_deliveries_are_forgotten_and_marks_stay(inbox: SqlInbox) -> None:
    inbox.receive([delivery("old", ONE, received=1.0), delivery("new", ONE, received=9.0)])
    assert inbox.forget(5.0) == 1
    assert inbox.receive([delivery("new", ONE, received=9.0)]) == frozenset()
    assert states(inbox) == {"one": "waiting"}


def test_many_models_are_marked_and_each_is_claimed_once_by_threads(inbox: SqlInbox) -> None:
    keys = [ModelKey(server="prod", workspace="", model=f"m{n}") for n in range(60)]
    inbox.mark(keys)
    claimed: list[str] = []

    def work() -> None:
        while lease := inbox.claim("w", 60):
            claimed.append(lease.key.model)
            assert inbox.finish(lease)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(key.model for key in keys)


def test_a_second_process_opens_the_same_inbox(url: str, inbox: SqlInbox, clock: Clock) -> None:
    inbox.mark([ONE])
    other = open_inbox(url, clock)
    try:
        lease = other.claim("other", 60)
        assert lease is not None
        assert inbox.claim("w", 60) is None
        assert other.finish(lease)
    finally:
        other.close()
    assert states(inbox) == {"one": "clean"}


def test_receivers_that_start_together_migrate_once(url: str) -> None:
    """None of them fails for another's half-made schema."""
    opened: list[SqlInbox] = []

    def start() -> None:
        opened.append(open_inbox(url))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for number, inbox in enumerate(opened):
        assert inbox.receive([delivery(str(number), ONE)]) == {str(number)}
        inbox.close()


def test_migrations_make_the_tables_that_the_code_knows(url: str, inbox: SqlInbox) -> None:
    with inbox._engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_schema_of_a_newer_version_is_refused(url: str, inbox: SqlInbox) -> None:
    with inbox._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="upgrade this one"):
        open_inbox(url)


def test_the_clock_is_the_databases_where_workers_share_it(url: str) -> None:
    inbox = open_inbox(url)
    try:
        assert abs(inbox.now() - time.time()) < 60
    finally:
        inbox.close()


def test_a_database_that_is_gone_is_an_error_in_one_line(inbox: SqlInbox) -> None:
    with inbox._engine.begin() as connection:
        connection.execute(text("DROP TABLE subject"))
    with pytest.raises(InboxError, match="subject") as refused:
        inbox.mark([ONE])
    assert "\n" not in str(refused.value)
    assert inbox.receive([delivery("kept")]) == {"kept"}
    with pytest.raises(InboxError):
        inbox.receive([delivery("lost", ONE)])
    assert inbox.receive([delivery("lost")]) == {"lost"}  # nothing of it was kept


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite://", "no file of sqlite"),
        ("sqlite:///:memory:", "no file of sqlite"),
        ("mysql://host/db", "no file of sqlite"),
        ("inbox.db", "no URL"),
        ("postgresql://user:hunter2@host/db", "holds a password"),
    ],
)
def test_other_databases_are_refused(url: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        open_inbox(url)
    assert "hunter2" not in str(refused.value)


def test_a_file_counts_from_the_folder_of_the_registry_file(tmp_path: Path) -> None:
    assert database_url("", tmp_path) == f"sqlite:///{tmp_path}/inbox.db"
    assert database_url("sqlite:///a/b.db", tmp_path) == f"sqlite:///{tmp_path}/a/b.db"
    assert database_url("sqlite:////a/b.db", tmp_path) == "sqlite:////a/b.db"
    for url in ("postgresql:///gate", "postgresql://host/gate", "sqlite://"):
        assert database_url(url, tmp_path) == url


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(InboxError, match="unable to open"):
        open_inbox("sqlite:////nowhere/at/all/inbox.db")


def test_a_full_sqlite_keeps_nothing_of_a_delivery_and_recovers(tmp_path: Path) -> None:
    """The sender hears of it and tries again; what was acknowledged before is all there."""
    inbox = open_inbox(f"sqlite:///{tmp_path}/inbox.db")
    with inbox._engine.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 8}")
    stored = []

    def store(name: str) -> None:
        big = b"x" * 4_000
        one = Delivery(id=name, workspace="", model="", body=big, received=1.0, marks=(ONE,))
        inbox.receive([one])
        stored.append(name)

    with pytest.raises(InboxError, match="full"):
        list(map(store, map(str, range(100))))
    assert stored
    lost = str(len(stored))
    assert inbox.claim("w", 60) is not None  # judging goes on
    with inbox._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert inbox.receive([delivery(name) for name in [*stored, lost]]) == {lost}
    inbox.close()


@pytest.mark.tool("postgresql")
def test_a_postgresql_that_was_restarted_is_used_again(postgres_cluster: Cluster) -> None:
    """What is sent meanwhile is refused, and taken later."""
    inbox = open_inbox(postgres_cluster.database("restarted"))
    assert inbox.receive([delivery("before", ONE)]) == {"before"}
    postgres_cluster.stop()
    try:
        with pytest.raises(InboxError):
            inbox.receive([delivery("meanwhile", ONE)])
    finally:
        postgres_cluster.start()
    assert inbox.receive([delivery("before", ONE), delivery("meanwhile", ONE)]) == {"meanwhile"}
    inbox.close()


@nightly
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_small_file_system_that_is_full_loses_nothing(tmp_path: Path) -> None:
    """A tmpfs of 1 MiB that something else fills up, and frees again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        inbox = open_inbox(f"sqlite:///{disk}/inbox.db")
        assert inbox.receive([delivery("before", ONE)]) == {"before"}
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 512):
                pass
        stored, told = [], ""
        for number in range(1000):
            try:
                inbox.receive([delivery(str(number), ONE)])
            except InboxError as error:
                told = str(error)
                break
            stored.append(str(number))
        assert re.search("full|I/O", told)
        filler.unlink()
        again = [delivery(name) for name in ("before", *stored, "after")]
        assert inbox.receive(again) == {"after"}
        assert states(inbox) == {"one": "waiting"}
        inbox.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_what_sqlite_keeps_is_for_its_user_alone(tmp_path: Path) -> None:
    """Bodies carry what tags and descriptions say."""
    inbox = open_inbox(f"sqlite:///{tmp_path}/inbox.db")
    inbox.mark([ONE])
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    inbox.close()
    assert modes == dict.fromkeys(("inbox.db", "inbox.db-wal", "inbox.db-shm"), 0o600)


def test_sqlite_commits_are_on_the_disk_when_they_return(tmp_path: Path) -> None:
    inbox = open_inbox(f"sqlite:///{tmp_path}/inbox.db")
    with inbox._engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    inbox.close()
