"""Tables of Spark: asked in a session of the gate's own, and computed once where they may vary."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import ibis
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames.ibis_engines import FORMS
from aims_gate.frames.ibis_forms import Expr
from aims_gate.frames.ibis_session import (
    BATCH,
    SECONDS,
    EngineSession,
    EngineTable,
    refuse_twins,
)

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # names and texts of a question are those of the table, whatever they hold
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    # no stored function stands before one of Spark's own
    "spark.sql.path.enabled": "false",
}
"""What a question means, which no session of a user decides."""
_WHOLE = {
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}
"""What cannot be read is an error, and not less rows."""
_OWN: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""The gate's own session beside each of a user."""
_PLAIN = {"SubqueryAlias", "View", "Project", "Filter", "Range", "LocalRelation"}
"""What has the same rows each time, if its expressions have the same values."""
_STORED = {
    *("ParquetFileFormat", "OrcFileFormat", "DeltaParquetFileFormat"),
    *("ParquetTable", "OrcTable", "DeltaTableV2", "SparkTable"),
    *("HiveTableRelation", "JDBCRelation", "JDBCTable"),
}
"""What Spark reads the same rows of, whatever columns it is asked for: so not of CSV or JSON."""
_LENIENT = {
    "ignorecorruptfiles": "true",
    "ignoremissingfiles": "true",
    "mode": "dropmalformed",
}
"""Options by which a reader leaves out what it cannot read, and says nothing."""
_VARIED = ("CURRENT_LIKE", "PYTHON_UDF", "SCALA_UDF", "PLAN_EXPRESSION")
"""Expressions that Spark takes for the same each time, and that may not be."""


def spark_table(
    frame: Any, where: str, *, once: bool | None = None, seconds: float = SECONDS
) -> EngineTable:
    """Ask a Spark frame in a session of the gate's own, where no function or setting is a user's.

    Args:
        frame: It may be a view, whose rows Spark computes anew for each question.
        where: What it is called in errors.
        once: Whether to compute them once, into blocks of the session (local checkpoint), and ask
            these; if left out, unless they are the rows of a stored table, or a choice of them.
        seconds: How long that, and each question, may take.

    Raises:
        DataError: It is a stream, two names differ only in case, or Spark fails or is too slow.
    """
    name = f"aims_gate_{secrets.token_hex(8)}"
    try:
        refuse_twins(frame.columns, where)
        _refuse_lenient(frame, where)
        own = own_session(frame.sparkSession, where)
        begin, stop = _cancelled_by_name(own)
        once = not _is_stored(frame) if once is None else once
        kinds = {field.name: _spark_kind(field.dataType) for field in frame.schema.fields}
    except DataError:
        raise
    except Exception as error:
        what = f"Spark cannot be asked: {type(error).__name__}"
        raise DataError(what, where=where, hint="is the frame's session stopped?") from error

    def collect(question: Expr, most: int) -> Any:
        """Not as Ibis does, through pandas, where whole numbers with nulls are floats."""
        begin()
        found = collected(own.sql(ibis.pyspark.compile(question)).limit(most))
        return pa.RecordBatchReader.from_batches(found.schema, found.to_batches(BATCH))

    session = EngineSession(
        engine=f"pyspark {own.version}",
        forms=FORMS["pyspark"](),
        run=collect,
        stop=stop,
        place=own,
        seconds=seconds,
    )

    def show() -> None:
        begin()
        with _shown(frame, own) as rows:
            (rows.localCheckpoint() if once else rows).createOrReplaceTempView(name)

    session.in_time(show, where=where)
    return EngineTable(session=session, table=ibis.table(kinds, name=name))


def own_session(spark: Any, where: str) -> Any:
    """The gate's own session beside a user's: it has its settings for reading, and no function.

    Of Spark Connect it is the user's: there no other session has its frames.
    """
    if _is_remote(spark):
        if spark.version < "4":
            raise DataError("Spark Connect is asked from Spark 4 on", where=where)
        for name in _WHOLE:
            if spark.conf.get(name, "false") != "false":
                what = f"Spark was told to leave out what it cannot read: {name}"
                raise DataError(what, where=where, hint="set it to false")
        return spark
    if any(spark is own for own in _OWN.values()):
        return spark
    if spark not in _OWN:
        _OWN[spark] = spark.newSession()
    own = _OWN[spark]
    theirs = dict(_pairs(spark._jsparkSession.conf().getAll()))  # noqa: SLF001
    for name, value in {**theirs, **_SETTINGS, **_WHOLE}.items():
        if own.conf.get(name, None) != value:
            own.conf.set(name, value)
    return own


def _is_remote(spark: Any) -> bool:
    return ".connect." in type(spark).__module__


@contextmanager
def _shown(frame: Any, own: Any) -> Iterator[Any]:
    """A frame as one of the gate's own session, by a name that nobody else has, and not for long.

    What counts its rows is a filter that no other is put below of, so that no reader looks one up
    in the statistics that whoever wrote a file put into it.
    """
    from pyspark.sql.functions import monotonically_increasing_id

    name = f"aims_gate_{secrets.token_hex(8)}"
    shared = own.conf.get("spark.sql.globalTempDatabase", "global_temp")
    frame.createGlobalTempView(name)
    try:
        yield own.table(f"{shared}.{name}").where(monotonically_increasing_id() >= 0)
    finally:
        own.catalog.dropGlobalTempView(name)


def _plan(frame: Any) -> list[Any]:
    """What Spark does to get the rows of a frame, the last step first; none of Spark Connect."""
    plan = getattr(frame, "_jdf", None)
    return [] if plan is None else list(_nodes(plan.queryExecution().analyzed()))


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for below in (plan.children(), plan.subqueries()):
        for place in range(below.size()):
            yield from _nodes(below.apply(place))


def _refuse_lenient(frame: Any, where: str) -> None:
    """Refuse rows without an end, and those of a reader that leaves out what it cannot read."""
    if frame.isStreaming:
        what = "the frame is a stream, which has no last row"
        raise DataError(what, where=where, hint="write it to a table, and hand that over")
    for name, value in _reader_options(frame):
        if _LENIENT.get(name) == value:
            what = f"Spark was told to leave out what it cannot read: {name}={value}"
            raise DataError(what, where=where, hint="read it without this option")


def _reader_options(frame: Any) -> Iterator[tuple[str, str]]:
    """Options of all readers below a frame, in lower case."""
    if _is_remote(frame.sparkSession):
        yield from _sent_options(frame._plan.to_proto(frame.sparkSession.client))  # noqa: SLF001
    for node in _plan(frame):
        yield from _options(node)


def _sent_options(message: Any) -> Iterator[tuple[str, str]]:
    """All options that a question to Spark Connect names."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            pairs = value.items()
            yield from ((str(key).lower(), str(told).lower()) for key, told in pairs)
        else:
            for part in [value] if hasattr(value, "ListFields") else value:
                yield from _sent_options(part)


def _options(node: Any) -> Iterator[tuple[str, str]]:
    """Options of the reader that a step of a plan is."""
    kind = _kind(node)
    if kind == "LogicalRelation" and _kind(node.relation()) == "HadoopFsRelation":
        for name, value in _pairs(node.relation().options()):
            yield name.lower(), value.lower()
    elif kind == "DataSourceV2Relation":
        for name in node.options():
            yield str(name).lower(), str(node.options()[name]).lower()


def _pairs(mapping: Any) -> Iterator[tuple[str, str]]:
    """Keys and values of a map of Scala."""
    given = mapping.iterator()
    while given.hasNext():
        pair = given.next()
        yield str(pair._1()), str(pair._2())  # noqa: SLF001


def collected(answer: Any) -> pa.Table:
    """An answer as Arrow, of which PySpark 3 says nothing in public."""
    if hasattr(answer, "toArrow"):
        return answer.toArrow()
    from pyspark.sql.pandas.types import to_arrow_schema

    batches = answer._collect_as_arrow()  # noqa: SLF001
    return pa.Table.from_batches(
        batches, schema=None if batches else to_arrow_schema(answer.schema)
    )


def _is_stored(frame: Any) -> bool:
    """Whether rows are those of stored tables, or a choice of them: the same each time.

    Spark says so of more, such as rows of a user's own function, the first of equal ones, or sums
    of floats.
    """
    plan = _plan(frame)
    if not plan or not plan[0].deterministic():
        return False
    patterns = frame.sparkSession._jvm.org.apache.spark.sql.catalyst.trees.TreePattern  # noqa: SLF001
    if any(plan[0].containsPattern(patterns.withName(name)) for name in _VARIED):
        return False
    return all(_is_same_each_time(node) for node in plan)


def _is_same_each_time(node: Any) -> bool:
    kind, read = _kind(node), node
    if kind == "LogicalRelation":
        read = node.relation()
        read = read.fileFormat() if _kind(read) == "HadoopFsRelation" else read
    elif kind == "DataSourceV2Relation":
        read = node.table()
    return kind in _PLAIN or _kind(read) in _STORED


def _kind(of: Any) -> str:
    return str(of.getClass().getSimpleName())


def _cancelled_by_name(spark: Any) -> tuple[Callable[[], object], Callable[[], object]]:
    """What marks the work of a thread in Spark, and what cancels all that is so marked."""
    name = f"aims_gate_{secrets.token_hex(8)}"
    if _is_remote(spark):
        return partial(spark.addTag, name), partial(spark.interruptTag, name)
    context = spark.sparkContext  # tags of a session do not reach the thread that answers in Arrow
    context.statusTracker()  # fails where it is stopped
    begin = partial(context.setJobGroup, name, "aims-gate", interruptOnCancel=True)
    return begin, partial(context.cancelJobGroup, name)


def _spark_kind(kind: Any) -> Any:
    """A Spark type as Ibis has it; unknown for intervals, variants and others that it has not."""
    import ibis.expr.datatypes as dt
    from ibis.backends.pyspark.datatypes import PySparkType
    from ibis.common.exceptions import IbisTypeError

    if type(kind).__name__ == "TimestampType":  # Ibis takes it for one without a zone
        return dt.Timestamp(timezone="UTC", scale=6)
    try:
        return PySparkType.to_ibis(kind)
    except (NotImplementedError, IbisTypeError):
        return dt.unknown
