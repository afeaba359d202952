"""Engines reached by an address that the operator wrote down, for reading and nothing else."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aims_gate.errors import DataError, MissingExtraError, SourceError, near
from aims_gate.frames.held_file import HeldFile, database_stamps
from aims_gate.frames.ibis_session import (
    MOST_BYTES,
    SECONDS,
    EngineSession,
    EngineTable,
    duckdb_schema,
)
from aims_gate.time_limit import patiently

_CLOSED = "set enable_external_access = false"
"""A DuckDB file answers from itself: once it is open, no view in it reads another, or a host."""
_OPTIMIZERS = "set disabled_optimizers = "
_FROM_ROWS = f"{_OPTIMIZERS}'statistics_propagation,filter_pushdown'"
"""Answers come from rows, and from no statistics that whoever wrote the file put beside them."""
_CLOSED_TO_US = {
    "set lock": "another process has it open for writing: wait for that, or name a copy",
    "different configuration": "this process has it open in another way: close that connection, or "
    "hand its table over",
    "not a valid": "it is no DuckDB file",
}
"""What DuckDB says, in part, where it opens no file, and what to do; its own words have the path.
"""
_SHARE = "60%"
"""Of this machine's memory, or its control group's, what DuckDB may take; more goes to disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """An engine that was reached."""

    find: _Find = field(repr=False)

    def table(self, name: str, version: int | None = None) -> EngineTable:
        """The table of this name, as it is now or in one *version*.

        Args:
            name: `catalog.schema.name`, the first two where they are needed.
            version: A snapshot of Iceberg, or a version of Delta, where the engine keeps them.

        Raises:
            DataError: There is no such table or version, or the engine cannot be asked.
        """
        found = self.find(name, version)
        if version is not None and found.snapshot != str(version):
            what = (
                f"{found.session.engine} has no version {version} of {name}, only what is there now"
            )
            hint = "hand the rows of that version over with --data, or a frame that reads them"
            raise DataError(what, hint=hint)
        return found


_Find = Callable[[str, int | None], EngineTable]


def connect(url: str, *, timeout: float, max_bytes: int) -> Connected:
    """Reach an engine; one budget of bytes is for all of its tables.

    Args:
        url: `duckdb:///PATH` for a file; `pyspark://MASTER`, such as `pyspark://local[2]`, or
            `sc://HOST` (Spark Connect) for a Spark session.
        timeout: Seconds that one question may take.
        max_bytes: Bytes that all answers may have.

    Raises:
        MissingExtraError: Ibis or the engine's own library is not installed.
        SourceError: The engine cannot be reached. No error repeats the address.
    """
    scheme, mark, rest = url.partition("://")
    if scheme not in _SCHEMES:
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        hint = f"there are {known}; of others it is not tested what their answers mean"
        if not (mark and scheme.isalnum()):
            raise SourceError("its url has no scheme", hint="write duckdb://PATH for a DuckDB file")
        raise SourceError(f"connections to {scheme[:40]!a} are not made", hint=hint)
    return Connected(find=_SCHEMES[scheme](rest, url, timeout, max_bytes))


def parquet(paths: Sequence[Path]) -> EngineTable:
    """Parquet files as one table of a DuckDB of this process, which reads nothing beside them.

    DataError if they cannot be read together.
    """
    import duckdb

    names = [str(path) for path in paths]
    con = duckdb.connect(config=_limits())
    con.execute("set allowed_paths = ?", [names])
    con.execute(_CLOSED)
    try:
        con.read_parquet(names).create_view("files")
    except duckdb.Error as error:
        what = f"the files are no one table: {type(error).__name__}"
        raise DataError(what, hint="write all files with one schema") from error
    return _find(con, _session(con, SECONDS, MOST_BYTES), "files")


def _duckdb(rest: str, _url: str, timeout: float, max_bytes: int) -> _Find:
    if "?" in rest:
        hint = "write duckdb://PATH and no more; a ? of a file's name is %3F"
        raise SourceError("the url of a DuckDB file has no options", hint=hint)
    path = Path(unquote(rest))
    if not path.is_file():
        what = "is no file" if path.exists() else "is not there"
        hint = "its path begins beside the operator's file, unless it begins with /"
        raise SourceError(f"the DuckDB file {what}", hint=hint)
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError.for_library("duckdb", "ibis", "a duckdb: connection") from error
    try:
        stamps = database_stamps(path)
        con = duckdb.connect(str(path), read_only=True, config=_limits())
    except (duckdb.Error, OSError) as error:
        what = f"the DuckDB file cannot be opened: {type(error).__name__}"
        hints = (hint for sign, hint in _CLOSED_TO_US.items() if sign in str(error))
        raise SourceError(what, hint=next(hints, "open it with DuckDB, which says why")) from error
    con.execute(_CLOSED)
    con.execute(_FROM_ROWS)
    _refuse_shadows(con)
    session = _session(con, timeout, max_bytes)
    file = HeldFile.of(path, stamps)
    return lambda name, _version: replace(_find(con, session, name), file=file)


def _refuse_shadows(con: Any) -> None:
    """Refuse macros of the file that stand before DuckDB's own functions: `sha256` or `sum`."""
    # no function in it, and its own by its whole name: a macro could answer for those as well
    asked = "select function_name, internal from system.main.duckdb_functions()"
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for name, internal in con.execute(asked).fetchall():
        names[internal].add(name.casefold())
    shadows = sorted(names[True] & names[False])
    if shadows:
        what = f"the DuckDB file has a macro {shadows[0]!a} in place of DuckDB's own"
        raise SourceError(what, hint="rename the macro")


def _limits() -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": _SHARE,
        "temp_directory": tempfile.gettempdir(),
        # nothing is loaded for what a file says it needs, nor taken for a table of its name
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }


def _session(con: Any, timeout: float, max_bytes: int) -> EngineSession:
    import duckdb

    return EngineSession.on_duckdb(con, duckdb.__version__, seconds=timeout, most_bytes=max_bytes)


def _find(con: Any, session: EngineSession, name: str) -> EngineTable:
    import duckdb
    import ibis

    *above, own = name.split(".")
    quoted = ".".join(f'"{part}"' for part in (*above, own))
    try:
        relation = con.sql(f"from {quoted}")
    except duckdb.Error as error:
        asked = "select table_schema, table_name from information_schema.tables"
        known = (f"{schema}.{table}" for schema, table in con.execute(asked).fetchall())
        hint = near(".".join([*above, own][-2:]) if above else f"main.{own}", known)
        raise DataError(f"the engine has no table {name!a}", hint=hint) from error
    catalog, schema = (None, None, *above)[-2:]
    if not _is_stored(con, own):
        # a view answers each question anew, and may read which one it is: it is asked once
        own, catalog, schema = f"aims_gate_{secrets.token_hex(8)}", None, None
        copied = f'create temp table "{own}" as from {quoted}'
        con.execute(f"{_OPTIMIZERS}''")  # or joins of a view are not found; it is judged as copied
        try:
            session.in_time(lambda: con.execute(copied), where=name)
        finally:
            con.execute(_FROM_ROWS)
    table = ibis.table(duckdb_schema(relation), name=own, catalog=catalog, database=schema)
    return EngineTable(session=session, table=table)


def _is_stored(con: Any, name: str) -> bool:
    """Whether every table and view of this name, in whatever schema, is rows and no expression."""
    views = con.execute(
        "select count(*) from duckdb_views() where lower(view_name) = lower(?)", [name]
    )
    if views.fetchall()[0][0]:
        return False
    tables = con.execute(
        "select sql from duckdb_tables() where lower(table_name) = lower(?)", [name]
    )
    written = [sql or "" for (sql,) in tables.fetchall()]
    return bool(written) and not any("generated" in sql.lower() for sql in written)


def _spark(rest: str, url: str, timeout: float, max_bytes: int) -> _Find:
    try:
        from pyspark.sql import SparkSession

        from aims_gate.frames.spark_tables import spark_table
        from aims_gate.frames.spark_versions import named_rows
    except ImportError as error:
        raise MissingExtraError.for_library("pyspark", "ibis", "a Spark connection") from error
    builder = SparkSession.builder
    try:
        if url.startswith("sc://"):
            spark = builder.remote(url).create()
        else:
            spark = builder.master(rest).getOrCreate()
            _refuse_other_master(spark.sparkContext.master, rest)
    except SourceError:
        raise
    except Exception as error:
        what = f"Spark cannot be reached: {type(error).__name__}"
        raise SourceError(what) from error
    whole: list[EngineSession] = []

    def find(name: str, version: int | None) -> EngineTable:
        try:
            found = patiently(lambda: named_rows(spark, name, version), seconds=timeout)
            held = spark_table(found.frame, name, once=found.once, seconds=timeout)
        except DataError:
            raise
        except Exception as error:
            which = "" if version is None else f" of version {version}"
            what = f"Spark has no table {name!a}{which}: {type(error).__name__}"
            raise DataError(what) from error
        if not whole:
            held.session.most_bytes = max_bytes
            whole.append(held.session)
        return replace(held, session=whole[0], snapshot=found.snapshot)

    return find


def _refuse_other_master(found: str, asked: str) -> None:
    """Refuse the session that this process has already, where it is another engine's."""
    if found != asked:
        what = "this process has a Spark session with another master already"
        hint = "name one connection to Spark, and hand no Spark frame over beside it"
        raise SourceError(what, hint=hint)


_SCHEMES = {"duckdb": _duckdb, "pyspark": _spark, "sc": _spark}
