"""Receivers that are killed at random while models move: what was promised must be kept."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from aims_gate.inbox.contract import Waiting
from aims_gate.inbox.database import open_inbox
from tests.support.deliveries import Sender, body_of, signed
from tests.support.registry_world import World
from tests.support.servers import environment, free_port

ROOT = Path(__file__).parents[2]
LEASE = 2.0
MODELS = 8


def until(true: Callable[[], bool], seconds: float = 30.0) -> float:
    """Wait until something is true; gives the seconds that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + seconds, "it did not come true"
        time.sleep(0.01)
    return time.monotonic() - began


@dataclass(kw_only=True)
class Program:
    """A receiver in a process of its own, or one after the other."""

    inbox: str
    world: World
    pid: Path
    again: bool = False
    """Whether another is started when it is killed."""
    lease: float = LEASE
    seconds: tuple[float, float] = (0.0, 0.02)
    patience: float = 20.0
    port: int = field(default_factory=free_port)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        settings = {
            name: getattr(self, name)
            for name in ("inbox", "again", "lease", "seconds", "patience", "port")
        }
        settings |= {"world": str(self.world.path), "pid": str(self.pid)}
        command = [sys.executable, str(ROOT / "tests" / "support" / "receiver_program.py")]
        with (
            self.pid.with_suffix(".log").open("ab") as log,
            subprocess.Popen(
                [*command, json.dumps(settings)],
                cwd=ROOT,
                env=environment({"PYTHONPATH": str(ROOT)}),
                stderr=log,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    @property
    def sender(self) -> Sender:
        return Sender(port=self.port)

    def answers(self) -> bool:
        with suppress(OSError, HTTPException):
            return self.sender.get("/readyz").status == 200
        return False

    def signal(self, number: int) -> None:
        """Send a signal to the receiver itself."""
        with suppress(OSError, ValueError):
            os.kill(int(self.pid.read_text()), number)

    @property
    def judging(self) -> Path:
        """Is there once a judgement has begun."""
        return self.pid.with_suffix(".judging")


@dataclass(kw_only=True)
class Tally:
    """What a run of kills came to."""

    kills: int = 0
    sent: int = 0
    acknowledged: int = 0
    judgements: int = 0
    put_back: int = 0
    lost: list[str] = field(default_factory=list)
    """Models that were not judged after their last acknowledged delivery."""
    twice: list[tuple[str, int]] = field(default_factory=list)
    """Versions that were put back more than once."""


def killed(url: str, world: World, folder: Path, kills: int) -> Tally:
    """Kill at random one receiver on sqlite, or two that share PostgreSQL."""
    count = 1 if url.startswith("sqlite") else 2
    programs = [
        Program(inbox=url, world=world, pid=folder / f"{n}.pid", again=True) for n in range(count)
    ]
    with ExitStack() as stack:
        for program in programs:
            stack.enter_context(program.running())
            until(program.answers)
        return _kill_at_random(programs, world, kills, url)


def _kill_at_random(programs: Sequence[Program], world: World, kills: int, url: str) -> Tally:
    """Move models and deliver, while each program is killed again and again, *kills* in all."""
    tally = Tally()
    done = threading.Event()
    dice = random.Random()  # noqa: S311 - no secret

    def kill() -> None:
        victim = dice.choice(programs)
        before = victim.pid.read_text()
        if dice.random() < 0.7:  # else while it starts
            until(victim.answers)
        time.sleep(dice.uniform(0.0, 0.3))
        victim.signal(signal.SIGKILL)
        tally.kills += 1
        until(lambda: victim.pid.read_text() != before)

    def kill_all() -> None:
        try:
            while tally.kills < kills:
                kill()
        finally:
            done.set()

    killer = threading.Thread(target=kill_all)
    killer.start()
    promised: dict[str, int] = {}
    while not done.is_set():
        tally.sent += 1
        # half of them once: no later delivery about them hides that theirs was lost
        model = f"m{dice.randrange(MODELS) if dice.random() < 0.5 else tally.sent + MODELS}"
        change = world.move(model, tally.sent, bad=dice.random() < 0.3)
        if _acknowledged(dice.choice(programs).sender, model):
            tally.acknowledged += 1
            promised[model] = change
    killer.join()
    inbox = open_inbox(url)
    until(lambda: _settled(inbox.waiting()), 60)
    inbox.close()
    judged = world.judged()
    tally.lost = [name for name, change in promised.items() if judged.get(name, 0) < change]
    effects = Counter(world.effects())
    tally.put_back = len(effects)
    tally.twice = [effect for effect, times in effects.items() if times > 1]
    tally.judgements = world.judgements()
    return tally


def _settled(waiting: Sequence[Waiting]) -> bool:
    return {each.state for each in waiting} == {"clean"}


def _acknowledged(sender: Sender, model: str) -> bool:
    """Deliver as MLflow does: a few tries under one id and signature, then no more."""
    body = body_of(model)
    headers = signed(body)
    for _ in range(4):
        with suppress(OSError, HTTPException):
            if sender.raw(body, headers).status in {200, 202}:
                return True
        time.sleep(0.01)
    return False
