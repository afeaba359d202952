"""A model registry small enough to be killed around: aliases, and a log of who was put back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where a model's alias points at one moment; *change* counts its moves, whoever made them."""

    version: int
    bad: bool
    good: int
    """The last good version."""
    change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """As a server keeps it: each call is one transaction, and done or not."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> World:
        world = cls(path=path)
        with world._database() as database:
            database.executescript(
                """
                PRAGMA journal_mode=WAL;
                CREATE TABLE model
                  (name TEXT PRIMARY KEY, version INT, bad INT, good INT, change INT);
                CREATE TABLE effect (model TEXT, version INT);
                CREATE TABLE judged (model TEXT, change INT);
                """
            )
        return world

    def move(self, name: str, version: int, *, bad: bool) -> int:
        """Somebody sets the alias; gives the number of the change."""
        with self._database() as database:
            (change,) = database.execute(
                """
                INSERT INTO model VALUES (:name, :version, :bad, :good, 1)
                ON CONFLICT DO UPDATE SET version = :version, bad = :bad, change = change + 1,
                  good = CASE WHEN :bad THEN good ELSE :version END
                RETURNING change
                """,
                {"name": name, "version": version, "bad": bad, "good": 0 if bad else version},
            ).fetchone()
        return int(change)

    def look(self, name: str) -> Seen:
        with self._database() as database:
            row = database.execute(
                "SELECT version, bad, good, change FROM model WHERE name = ?", (name,)
            ).fetchone()
        return Seen(version=row[0], bad=bool(row[1]), good=row[2], change=row[3])

    def put_back(self, name: str, seen: Seen) -> None:
        """The gate sets the alias to the last good version: one call, without compare-and-swap."""
        with self._database() as database:
            database.execute(
                "UPDATE model SET version = good, bad = 0, change = change + 1 WHERE name = ?",
                (name,),
            )
            database.execute("INSERT INTO effect VALUES (?, ?)", (name, seen.version))

    def saw(self, name: str, change: int) -> None:
        with self._database() as database:
            database.execute("INSERT INTO judged VALUES (?, ?)", (name, change))

    def judged(self) -> dict[str, int]:
        """The last change of each model that was judged."""
        with self._database() as database:
            return dict(database.execute("SELECT model, max(change) FROM judged GROUP BY model"))

    def judgements(self) -> int:
        with self._database() as database:
            (number,) = database.execute("SELECT count(*) FROM judged").fetchone()
        return int(number)

    def effects(self) -> list[tuple[str, int]]:
        with self._database() as database:
            return list(database.execute("SELECT model, version FROM effect"))

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=60)
        try:
            with database:
                database.execute("PRAGMA synchronous=OFF")
                yield database
        finally:
            database.close()
