"""Inbox in a relational database: sqlite of one host, PostgreSQL where several workers share it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Engine,
    Table,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from aims_gate.harmless import plain
from aims_gate.inbox.contract import (
    LONGEST_DELAY,
    LONGEST_LEASE,
    MOST_ATTEMPTS,
    Action,
    Delivery,
    InboxError,
    Lease,
    LiveVersion,
    ModelKey,
    Waiting,
)
from aims_gate.inbox.tables import action, delivery, live, subject

_log = logging.getLogger("aims_gate.inbox")
_SHORT = 600
"""Characters that are kept of an error."""
_NEW = {"gen": 1, "done": 0, "lease": 0.0, "owner": "", "attempts": 0, "dead": False, "error": ""}
"""A model that is heard of for the first time."""
_LIVE = ("version", "sha256", "evidence", "source")


class SqlInbox:
    """Implementation of `Inbox`; a *clock* replaces that of the database's host, for tests."""

    def __init__(self, engine: Engine, clock: Callable[[], float] | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._insert: Any = (postgresql if engine.dialect.name == "postgresql" else sqlite).insert

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def receive(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries and mark their models dirty; ids that were not there before."""
        # in one order everywhere, so that two writers never wait for each other
        rows = {each.id: each for each in sorted(deliveries, key=lambda each: each.id)}
        if not rows:
            return frozenset()
        names = delivery.columns.keys()
        values = [{name: getattr(each, name) for name in names} for each in rows.values()]
        stored = self._insert(delivery).on_conflict_do_nothing()
        with self._transaction() as connection:
            # RETURNING: psycopg tells no count of the rows of such a statement
            found = connection.execute(stored.returning(delivery.c.id), values)
            new = frozenset(row.id for row in found)
            self._mark(connection, (key for name in new for key in rows[name].marks))
        return new

    def mark(self, keys: Iterable[ModelKey]) -> None:
        """Mark models dirty."""
        with self._transaction() as connection:
            self._mark(connection, keys)

    def _mark(self, connection: Connection, keys: Iterable[ModelKey]) -> None:
        rows = [{**asdict(key), **_NEW} for key in sorted(set(keys))]
        if rows:
            new = self._insert(subject).values(due=self._instant())
            again = {"gen": subject.c.gen + 1, "due": new.excluded.due, "dead": False}
            connection.execute(
                new.on_conflict_do_update(index_elements=subject.primary_key, set_=again), rows
            )

    def claim(self, worker: str, seconds: float) -> Lease | None:
        """Lease the model that is due longest; None if none is."""
        now = self._instant()
        dirty = and_(subject.c.gen > subject.c.done, subject.c.dead.is_(False))
        due = or_(subject.c.due <= now, subject.c.due > now + LONGEST_DELAY)
        free = or_(subject.c.lease <= now, subject.c.lease > now + LONGEST_LEASE)
        first = select(subject).where(dirty, due, free).order_by(subject.c.due).limit(1)
        owner = f"{worker}/{secrets.token_hex(8)}"
        with self._transaction() as connection:
            row = connection.execute(first.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            key = _key(row)
            taken = subject.update().where(_of(subject, key))
            connection.execute(taken.values(lease=self._lease_end(seconds), owner=owner))
        return Lease(key=key, generation=row.gen, owner=owner, attempts=row.attempts)

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Prolong a lease; whether it still held."""
        return self._change(lease, lease=self._lease_end(seconds))

    def finish(self, lease: Lease, again: float | None = None) -> bool:
        """End a lease whose generation is judged, due *again* in seconds; whether it still held."""
        judged = lease.generation if again is None else lease.generation - 1
        due = self._due(lease, again or 0.0)
        return self._end(lease, done=judged, due=due, attempts=0, error="")

    def fail(self, lease: Lease, error: str, delay: float) -> bool:
        """End a lease after a failed attempt, due in *delay* seconds; whether it still held."""
        attempts = lease.attempts + 1
        dead = and_(subject.c.gen == lease.generation, literal(attempts >= MOST_ATTEMPTS))
        shown = plain(error, most=_SHORT)
        due = self._due(lease, delay)
        return self._end(lease, attempts=attempts, error=shown, dead=dead, due=due)

    def release(self, lease: Lease) -> bool:
        """End a lease as if it had never been; whether it still held."""
        return self._end(lease)

    def live(self, key: ModelKey) -> tuple[LiveVersion, ...]:
        """What a model's guarded aliases pointed at when they were last judged, by alias."""
        names = ("alias", *_LIVE)
        wanted = select(*(live.c[name] for name in names)).where(_of(live, key))
        with self._transaction() as connection:
            rows = connection.execute(wanted.order_by(live.c.alias)).mappings().all()
        return tuple(LiveVersion(key=key, **row) for row in rows)

    def set_live(self, live_version: LiveVersion) -> None:
        """Replace what is known of one alias."""
        new = self._insert(live).values(_row(live_version))
        changed = {name: new.excluded[name] for name in _LIVE}
        with self._transaction() as connection:
            connection.execute(
                new.on_conflict_do_update(index_elements=live.primary_key, set_=changed)
            )

    def drop_live(self, key: ModelKey, alias: str) -> None:
        """Forget an alias that is not there any more."""
        with self._transaction() as connection:
            connection.execute(live.delete().where(_of(live, key), live.c.alias == alias))

    def act(self, done: Action) -> bool:
        """Append to the log; whether its id was new."""
        new = self._insert(action).values(_row(done)).on_conflict_do_nothing()
        with self._transaction() as connection:
            entered = connection.execute(new.returning(action.c.id)).first() is not None
        if entered:
            told = {"action": done.id, "model": done.key.model, "alias": done.alias}
            _log.info("action", extra={**told, "kind": done.kind, "reason": done.reason})
        return entered

    def actions(self, key: ModelKey | None = None, *, since: float = 0) -> tuple[Action, ...]:
        """The log of a model, or of all, from a time on, in the order in which it was written."""
        wanted = select(action).where(action.c.at >= since).order_by(action.c.number)
        with self._transaction() as connection:
            of = wanted if key is None else wanted.where(_of(action, key))
            rows = connection.execute(of).all()
        names = {field.name for field in fields(Action)} - {"key"}
        return tuple(
            Action(key=_key(row), **{name: getattr(row, name) for name in names}) for row in rows
        )

    def waiting(self) -> tuple[Waiting, ...]:
        """Every model that was ever dirty, with its state."""
        with self._transaction() as connection:
            now = float(connection.execute(select(self._instant())).scalar_one())
            rows = connection.execute(select(subject).order_by(*subject.primary_key.columns)).all()
        return tuple(_waiting(row, now) for row in rows)

    def forget(self, before: float) -> int:
        """Delete deliveries received before a time; how many."""
        old = delivery.delete().where(delivery.c.received < before)
        with self._transaction() as connection:
            return len(connection.execute(old.returning(delivery.c.id)).all())

    def now(self) -> float:
        """The time by the clock that leases are kept by."""
        with self._transaction() as connection:
            return float(connection.execute(select(self._instant())).scalar_one())

    def _instant(self) -> ColumnElement[float]:
        """The time as SQL: PostgreSQL's own clock, which all its workers share, or this host's."""
        if self._clock is None and self._engine.dialect.name == "postgresql":
            return cast(extract("epoch", func.clock_timestamp()), Double)
        return literal((self._clock or time.time)(), Double)

    def _lease_end(self, seconds: float) -> ColumnElement[float]:
        return self._instant() + min(seconds, LONGEST_LEASE)

    def _due(self, lease: Lease, delay: float) -> ColumnElement[float]:
        """In *delay* seconds, or as it was if something new was heard meanwhile."""
        then = self._instant() + min(delay, LONGEST_DELAY)
        return case((subject.c.gen == lease.generation, then), else_=subject.c.due)

    def _end(self, lease: Lease, /, **values: Any) -> bool:
        return self._change(lease, lease=0.0, owner="", **values)

    def _change(self, lease: Lease, /, **values: Any) -> bool:
        """Change a model's row if this very lease still holds it."""
        held = subject.update().where(_of(subject, lease.key), subject.c.owner == lease.owner)
        with self._transaction() as connection:
            changed = connection.execute(held.values(values).returning(subject.c.gen))
            return changed.first() is not None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise unusable(error) from error


def unusable(error: SQLAlchemyError) -> InboxError:
    """The database's own words in one line, without a value of a row."""
    cause = getattr(error, "orig", None) or error
    return InboxError(plain(str(cause), most=_SHORT) or type(cause).__name__, where="inbox")


def _of(table: Table, key: ModelKey) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in asdict(key).items()))


def _key(row: Any) -> ModelKey:
    return ModelKey(server=row.server, workspace=row.workspace, model=row.model)


def _row(value: LiveVersion | Action) -> dict[str, Any]:
    """Columns of a value: its key's three, and its own fields."""
    row = asdict(value)
    return {**row.pop("key"), **row}


def _waiting(row: Any, now: float) -> Waiting:
    leased = now < row.lease <= now + LONGEST_LEASE
    if leased:
        state, since = "judging", row.lease
    elif row.gen <= row.done:
        state, since = "clean", row.due
    elif row.dead:
        state, since = "dead", row.due
    else:
        state, since = "delayed" if now < row.due <= now + LONGEST_DELAY else "waiting", row.due
    return Waiting(key=_key(row), state=state, since=since, attempts=row.attempts, error=row.error)
