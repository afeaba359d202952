"""Kill -9: models are judged after their last acknowledged delivery, and nothing is done twice."""

from __future__ import annotations

import signal
import uuid
from pathlib import Path

import pytest

from aims_gate.inbox.contract import Hold, Inbox, ModelKey
from aims_gate.inbox.database import open_inbox
from aims_gate.inbox.worker import Workers
from tests.support.killing import LEASE, Program, killed, until
from tests.support.laws import TIMES
from tests.support.registry_world import World

KILLS = 10 * TIMES
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.tool("postgresql"))]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty inbox, whose schema is there."""
    made = f"sqlite:///{tmp_path}/inbox.db"
    if request.param == "postgresql":
        cluster = request.getfixturevalue("postgres_cluster")
        made = cluster.database(f"kills-{uuid.uuid4().hex}")
    open_inbox(made).close()
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path / "world.db")


@pytest.mark.timeout(1800)
def test_kills_at_random_lose_nothing_and_do_nothing_twice(
    url: str, world: World, tmp_path: Path
) -> None:
    """One receiver on sqlite, two that share PostgreSQL."""
    tally = killed(url, world, tmp_path, KILLS)
    assert tally.lost == []
    assert tally.twice == []
    assert tally.kills >= KILLS
    assert tally.acknowledged > KILLS
    assert tally.put_back > 0


def test_what_a_killed_worker_had_is_another_ones_within_a_lease(
    url: str, world: World, tmp_path: Path
) -> None:
    """For good: nobody starts it again."""
    world.move("m", 1, bad=True)
    victim = Program(inbox=url, world=world, pid=tmp_path / "victim", seconds=(60.0, 60.0))
    judged: list[str] = []

    def judge(key: ModelKey, _inbox: Inbox, hold: Hold) -> None:
        hold()
        judged.append(key.model)

    with victim.running() as process:
        until(victim.answers)
        assert victim.sender.event("m").status == 202
        until(victim.judging.exists)
        victim.signal(signal.SIGKILL)
        process.wait(10)
    inbox = open_inbox(url)
    workers = Workers(inbox, judge, lease=LEASE)
    workers.start()
    assert until(lambda: judged == ["m"]) < LEASE + 2  # and a look a second
    workers.stop()
    inbox.close()
    assert world.effects() == []


def test_a_receiver_that_is_told_to_stop_ends_what_it_judges(world: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/inbox.db"
    world.move("m", 1, bad=True)
    program = Program(inbox=url, world=world, pid=tmp_path / "pid", seconds=(0.5, 0.5))
    with program.running() as process:
        until(program.answers)
        assert program.sender.event("m").status == 202
        until(program.judging.exists)
        program.signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert world.effects() == [("m", 1)]
    inbox = open_inbox(url)
    assert [each.state for each in inbox.waiting()] == ["clean"]
    inbox.close()


def test_a_receiver_that_is_told_to_stop_gives_back_what_takes_too_long(
    world: World, tmp_path: Path
) -> None:
    """Free at once, whatever its lease."""
    url = f"sqlite:///{tmp_path}/inbox.db"
    program = Program(
        inbox=url,
        world=world,
        pid=tmp_path / "pid",
        seconds=(60.0, 60.0),
        patience=0.2,
        lease=300.0,
    )
    world.move("m", 1, bad=True)
    with program.running() as process:
        until(program.answers)
        assert program.sender.event("m").status == 202
        until(program.judging.exists)
        program.signal(signal.SIGTERM)
        assert process.wait(20) == 0
    inbox = open_inbox(url)
    (waiting,) = inbox.waiting()
    inbox.close()
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    assert world.effects() == []
