"""Opening the inbox's database: which there are, durable commits, and the schema's migrations."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from aims_gate.errors import MissingExtraError, UsageError
from aims_gate.inbox.sql import SqlInbox, unusable

_PATIENCE = 15.0
"""Seconds to wait for another process's transaction."""
_MIGRATING = 0x61696D73
"""PostgreSQL's advisory lock for it: one worker migrates, others wait."""
_EXAMPLE = "such as sqlite:////var/lib/aims-gate/inbox.db or postgresql:///aims_gate"


def open_inbox(url: str, clock: Callable[[], float] | None = None) -> SqlInbox:
    """Open the inbox of a database *url*, and bring its schema up to date.

    Raises:
        UsageError: The URL is of no such database, or holds a password; or the schema is newer.
        InboxError: The database cannot be reached or written.
    """
    engine = _engine(_parsed(url))
    try:
        with engine.begin() as connection:
            _migrate(connection)
    except CommandError as error:
        engine.dispose()
        hint = "its schema is of a newer aims-gate: upgrade this one"
        raise UsageError(str(error), where="inbox", hint=hint) from error
    except SQLAlchemyError as error:
        engine.dispose()
        raise unusable(error) from error
    return SqlInbox(engine, clock)


def database_url(written: str, beside: Path) -> str:
    """The database that a registry file in the folder *beside* names: files count from there."""
    if not written:
        written = "sqlite:///inbox.db"
    scheme, slashes, path = written.partition(":///")
    if not (slashes and path and scheme.startswith("sqlite")):
        return written
    return f"sqlite:///{beside.resolve() / path}"


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError("is no URL of a database", where="inbox", hint=_EXAMPLE) from None
    if parsed.password is not None:
        hint = "leave it out and set PGPASSFILE or PGPASSWORD for the process"
        raise UsageError("the URL holds a password", where="inbox", hint=hint)
    backend = parsed.get_backend_name()
    if backend == "sqlite" and (parsed.database or ":memory:") != ":memory:":
        return parsed.set(drivername="sqlite")
    if backend == "postgresql":
        if find_spec("psycopg") is None:
            raise MissingExtraError.for_library("psycopg", "postgres", "an inbox in PostgreSQL")
        return parsed.set(drivername="postgresql+psycopg")
    raise UsageError(
        f"{parsed.render_as_string()} is no file of sqlite and no PostgreSQL",
        where="inbox",
        hint=_EXAMPLE,
    )


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10)
    with suppress(OSError):  # sqlite itself will say what is wrong
        Path(url.database or "").touch(mode=0o600)
    # one connection: the pool is the queue of this process's writers, and wakes the next at once,
    # where sqlite itself would sleep and ask again
    connect = {"timeout": _PATIENCE, "isolation_level": None}
    one = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 2 * _PATIENCE}
    engine = create_engine(url, hide_parameters=True, connect_args=connect, **one)
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    return engine


def _durable(connection: object, _record: object) -> None:
    """A commit is on the disk when it returns: also after power loss."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take sqlite's write lock at once: a transaction that read first could not get it later."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "aims_gate.inbox:migrations")
    command.upgrade(config, "head")
