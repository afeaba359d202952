"""Multiple-granularity locking of places in the artifact store, shared by all workers of a server.

A write locks its own place exclusively and everything above it for sharing (intention locks), so
that a write below a model and a decision about the model never overlap, and all else goes on at
once. Locks end with their holder, however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from aims_gate.guard.refusal import Busy

SECONDS = 10.0
"""How long a write waits for another one."""
_SLOTS = 1024
_POLL = 0.005
_BUSY = "another write to the same files is under way"


class Locks(Protocol):
    """Locks on places of the artifact store."""

    def hold(self, *places: str) -> Any:
        """Context in which the places are locked exclusively, and what is above them shared.

        Raises Busy where that takes longer than `SECONDS`.
        """
        ...


def keys(places: Sequence[str]) -> dict[int, bool]:
    """Lock keys of places and of all above them, ascending; True for those that are exclusive."""
    found: dict[int, bool] = {}
    for place in places:
        names = place.split("/")[:-1]
        for depth in range(1, len(names) + 1):
            key, own = _key("/".join(names[:depth])), depth == len(names)
            found[key] = found.get(key, False) or own
    return dict(sorted(found.items()))


def _key(place: str) -> int:
    digest = hashlib.sha256(place.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], signed=True)


class FileLocks:
    """Locks of the processes of one machine: the server's database is a file of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def hold(self, *places: str) -> Iterator[None]:
        """Hold the locks; Busy where that takes too long."""
        slots: dict[int, bool] = {}
        for key, own in keys(places).items():
            slots[key % _SLOTS] = slots.get(key % _SLOTS, False) or own
        deadline = time.monotonic() + SECONDS
        with ExitStack() as held:
            for slot, own in sorted(slots.items()):
                file = os.open(self._folder / f"{slot:03x}", os.O_RDWR | os.O_CREAT, 0o600)
                held.callback(os.close, file)
                _flock(file, fcntl.LOCK_EX if own else fcntl.LOCK_SH, deadline)
            yield


def _flock(file: int, how: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy(_BUSY) from None
            time.sleep(_POLL)


class AdvisoryLocks:
    """Locks of PostgreSQL, held by all servers of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def hold(self, *places: str) -> Iterator[None]:
        """Hold the locks; Busy where that takes too long."""
        with self._engine.begin() as connection:
            try:
                connection.execute(text(f"SET LOCAL lock_timeout = {int(SECONDS * 1000)}"))
                for key, own in keys(places).items():
                    name = "pg_advisory_xact_lock" + ("" if own else "_shared")
                    connection.execute(text(f"SELECT {name}(:key)"), {"key": key})
            except OperationalError as error:
                raise Busy(_BUSY) from error
            yield


def locks_of(engine: Engine) -> Locks:
    """Locks that all workers over a database share; beside it where it is a file."""
    if engine.dialect.name == "postgresql":
        return AdvisoryLocks(engine)
    database = Path(engine.url.database or "mlflow.db").resolve()
    return FileLocks(database.with_name(f"{database.name}.aims-gate"))
