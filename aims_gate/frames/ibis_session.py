"""Questions to the engine that holds a table, written by Ibis as SQL and answered within limits."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pyarrow as pa

from aims_gate.errors import DataError, GateError
from aims_gate.frames.engine_tables import library_of
from aims_gate.frames.held_file import HeldFile
from aims_gate.frames.ibis_engines import FORMS
from aims_gate.frames.ibis_forms import Expr, Forms
from aims_gate.time_limit import patiently

T = TypeVar("T")
MOST_BYTES = 64 << 20
"""Bytes that may come back from an engine in one run, unless it is said otherwise."""
SECONDS = 600.0
"""How long an engine may take for one answer, unless it is said otherwise."""
BATCH = 1 << 11
"""Rows read together: so many more may come than the budget holds, of texts of any length."""
_ONE_BY_ONE = threading.Lock()
"""A connection of DuckDB refuses a second question meanwhile, and relations do not tell theirs."""
OWN = "(aims-gate) "
"""How the names begin that questions add to a table's own; no table may have one."""
_LEAST_ROW = 8
"""Bytes of a row of any answer: it has a count."""


@dataclass(slots=True, kw_only=True, eq=False)
class EngineSession:
    """An engine, and what it may still send: one budget for all tables of a connection."""

    engine: str
    """Its name and version, such as `duckdb 2.0.0`."""
    forms: Forms = field(repr=False)
    run: Callable[[Expr, int], Any] = field(repr=False)
    """Asks the engine for so many rows at most; the answer is read in batches, and closed."""
    stop: Callable[[], object] = field(repr=False)
    """Ends the question that is being answered, where the engine can be told to."""
    execute: Callable[[str], object] | None = field(default=None, repr=False)
    """Has a statement executed, where tables of the session's own can be made."""
    seconds: float = SECONDS
    most_bytes: int = MOST_BYTES
    read_bytes: int = 0
    """Bytes that came back so far."""
    place: object = field(default_factory=object, repr=False)
    """Tables of one place can be asked about together."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def on_duckdb(cls, con: Any, version: str, **limits: Any) -> EngineSession:
        """Session on a connection of DuckDB; *limits* are `seconds` and `most_bytes`."""
        import ibis

        return cls(
            engine=f"duckdb {version}",
            forms=FORMS["duckdb"](),
            run=lambda question, _most: con.sql(
                ibis.to_sql(question, dialect="duckdb")
            ).to_arrow_reader(BATCH),
            stop=con.interrupt,
            execute=con.execute,
            place=con,
            lock=_ONE_BY_ONE,
            **limits,
        )

    @property
    def room(self) -> int:
        """Bytes that may still come back."""
        return max(self.most_bytes - self.read_bytes, 0)

    def ask(self, question: Expr, *, where: str) -> pa.Table:
        """Answer of the engine, as Arrow.

        Raises:
            DataError: It fails, is slower than the limit, or more comes back than the budget holds.
        """
        return self.in_time(lambda: self._read(question, where), where=where)

    def in_time(self, work: Callable[[], T], *, where: str) -> T:
        """Work of the engine; DataError where it fails, or is slower than the limit."""
        with self.lock:
            try:
                return patiently(work, seconds=self.seconds, stop=self.stop)
            except TimeoutError as error:
                what = f"{self.engine} gave no answer within {self.seconds:g} s"
                raise DataError(
                    what, where=where, hint="the operator may allow it more timeout_seconds"
                ) from error
            except DataError:
                raise
            except Exception as error:
                # an engine's own message may hold cells of the table
                what = f"{self.engine} could not answer: {type(error).__name__}"
                raise DataError(what, where=where, hint="look at the engine's log") from error

    @contextmanager
    def kept(self, question: Expr, *, where: str) -> Iterator[Expr]:
        """The answer as a table of the session's own, which may be on disk; errors as of `ask`.

        The question itself where no such table can be made.
        """
        import ibis

        if self.execute is None:
            yield question
            return
        name, statement = f"aims_gate_{secrets.token_hex(8)}", self.execute
        written = ibis.to_sql(question, dialect="duckdb")
        self.in_time(lambda: statement(f"create temp table {name} as {written}"), where=where)
        try:
            yield ibis.table(question.schema(), name=name)
        finally:
            self.in_time(lambda: statement(f"drop table {name}"), where=where)

    def _read(self, question: Expr, where: str) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        came = 0  # of an answer that is refused nothing is kept, so that it uses up nothing
        with closing(self.run(question, self.room // _LEAST_ROW + 1)) as answer:
            for batch in answer:
                came += batch.nbytes
                if came > self.room:
                    raise self.too_much(where)
                batches.append(batch)
            self.read_bytes += came
            return pa.Table.from_batches(batches, schema=answer.schema)

    def too_much(self, where: str, rows: int = 0) -> DataError:
        """Error for an answer that does not fit, of so many rows where that is known."""
        told = f"{rows:,} different rows" if rows else "an answer"
        left = f", of which {self.room:,} are left" if self.read_bytes else ""
        most = f"{self.most_bytes:,} bytes{left}"
        return DataError(
            f"{told} of {self.engine} would exceed a run's budget of {most}",
            where=where,
            hint="the operator may allow it more max_bytes; columns with fewer values need fewer",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EngineTable:
    """A table that an engine holds, and the session in which it is asked."""

    session: EngineSession
    table: Expr = field(repr=False)
    file: HeldFile | None = None
    """What its rows are read from, and nothing else; None where only they tell what they are."""
    snapshot: str = ""
    """The version of the table that is read, whatever is written meanwhile; empty of others."""


def held_by_engine(
    data: object, *, where: str, seconds: float | None = None, most_bytes: int | None = None
) -> EngineTable:
    """Bind a table that an engine holds to a session of its own, unless it has one.

    Limits that are stated are those of the session from now on.

    Raises:
        DataError: The engine is none that is known here, its connection is closed, the table is
            gone, or two names differ only in case.
    """
    if isinstance(data, EngineTable):
        held = data
    else:
        usual = SECONDS if seconds is None else seconds
        try:
            held = _OPEN[library_of(data)](data, where, usual)
        except GateError:
            raise
        except Exception as error:
            what = f"the table cannot be asked: {type(error).__name__}"
            hint = "keep the table, and its connection open, until it is judged"
            raise DataError(what, where=where, hint=hint) from error
    if seconds is not None:
        held.session.seconds = seconds
    if most_bytes is not None:
        held.session.most_bytes = most_bytes
    refuse_twins(held.table.columns, where)
    return held


def refuse_twins(names: Iterable[str], where: str) -> None:
    """Refuse names that engines take for one another, silently: in case, or for the gate's own."""
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold().startswith(OWN):
            what = f"a column is called {name!a}: names of the gate's own begin so"
            raise DataError(what, where=where, hint="rename it")
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise DataError(
                f"two columns are called {other!r} and {name!r}, which engines take for one",
                where=where,
                hint="rename one of them",
            )


def session_of(backend: Any, where: str, seconds: float = SECONDS) -> EngineSession:
    """Session on DuckDB as Ibis connected it; DataError for an engine that is not known here."""
    if backend.name not in FORMS:
        raise DataError(
            f"tables of {backend.name} are not read: of {' and '.join(FORMS)} it is tested what "
            "their answers mean",
            where=where,
            hint="give the rows as Parquet, or as a pyarrow Table",
        )
    return EngineSession.on_duckdb(backend.con, backend.version, seconds=seconds)


def _of_ibis(table: Any, where: str, seconds: float) -> EngineTable:
    from ibis.expr.operations import InMemoryTable

    if table.op().find(InMemoryTable):
        what = "an Ibis memtable is rows of this process, and the engine does not have them"
        raise DataError(what, where=where, hint="give its frame, or write it to the engine first")
    backend = table.get_backend()
    if backend.name == "pyspark":
        return _of_spark(backend.raw_sql(backend.compile(table)), where, seconds)
    return EngineTable(session=session_of(backend, where, seconds), table=table)


def _of_duckdb(relation: Any, where: str, seconds: float) -> EngineTable:
    """Ask a relation in its own connection, under a name that nobody else has."""
    import duckdb
    import ibis

    refuse_twins(relation.columns, where)
    name = f"aims_gate_{secrets.token_hex(8)}"
    session = EngineSession(
        engine=f"duckdb {duckdb.__version__}",
        forms=FORMS["duckdb"](),
        run=lambda question, _most: relation.query(
            name, ibis.to_sql(question, dialect="duckdb")
        ).to_arrow_reader(BATCH),
        # DuckDB 1 does not say which connection is a relation's
        stop=relation._con.interrupt if hasattr(relation, "_con") else _nothing,  # noqa: SLF001
        seconds=seconds,
        lock=_ONE_BY_ONE,
    )
    return EngineTable(session=session, table=ibis.table(duckdb_schema(relation), name=name))


def duckdb_schema(relation: Any) -> dict[str, Any]:
    """Columns of a DuckDB relation with their types, as Ibis has them."""
    import ibis.expr.datatypes as dt
    from ibis.backends.sql.datatypes import DuckDBType

    own = {  # what Ibis 12 does not know, or takes for text, to which 1 and '1' are one variant
        "TIMESTAMPTZ_NS": dt.Timestamp(timezone="UTC", scale=9),
        "VARIANT": dt.unknown,
    }
    kinds = [own.get(name) or DuckDBType.from_string(name) for name in map(str, relation.types)]
    return dict(zip(relation.columns, kinds, strict=True))


def _of_spark(frame: Any, where: str, seconds: float) -> EngineTable:
    from aims_gate.frames.spark_tables import spark_table

    return spark_table(frame, where, seconds=seconds)


def _nothing() -> None:
    """Leave a question to its own end: the engine cannot be told."""


_OPEN: dict[str, Callable[[Any, str, float], EngineTable]] = {
    "ibis": _of_ibis,
    "duckdb": _of_duckdb,
    "pyspark": _of_spark,
}
