"""Tables of Spark: asked in its own session, cancelled there, and computed once where they vary."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import ibis
import pyarrow as pa

from aims_gate.frames.ibis_engines import FORMS
from aims_gate.frames.ibis_forms import Expr
from aims_gate.frames.ibis_session import (
    BATCH,
    SECONDS,
    EngineSession,
    EngineTable,
    refuse_twins,
)


def spark_table(
    frame: Any, where: str, *, once: bool | None = None, seconds: float = SECONDS
) -> EngineTable:
    """Ask a Spark frame in its own session, under a name that nobody else has.

    Args:
        frame: It may be a view, whose rows Spark computes anew for each question.
        where: What it is called in errors.
        once: Whether to compute them once, into blocks of the session (local checkpoint), and ask
            these; if left out, where Spark does not say that they are the same each time.
        seconds: How long that, and each question, may take.

    Raises:
        DataError: Two names differ only in case, or Spark fails or is too slow.
    """
    refuse_twins(frame.columns, where)
    spark, name = frame.sparkSession, f"aims_gate_{secrets.token_hex(8)}"
    begin, stop = _cancelled_by_name(spark)

    def collect(question: Expr, most: int) -> Any:
        """Not as Ibis does, through pandas, where whole numbers with nulls are floats."""
        begin()
        found = spark.sql(ibis.pyspark.compile(question)).limit(most).toArrow()
        return pa.RecordBatchReader.from_batches(found.schema, found.to_batches(BATCH))

    session = EngineSession(
        engine=f"pyspark {spark.version}",
        forms=FORMS["pyspark"](),
        run=collect,
        stop=stop,
        place=spark,
        seconds=seconds,
    )

    def computed() -> Any:
        begin()
        return frame.localCheckpoint()

    if once or (once is None and not _is_deterministic(frame)):
        frame = session.in_time(computed, where=where)
    frame.createOrReplaceTempView(name)
    kinds = {field.name: _spark_kind(field.dataType) for field in frame.schema.fields}
    return EngineTable(session=session, table=ibis.table(kinds, name=name))


def _is_deterministic(frame: Any) -> bool:
    """Whether Spark says of the plan of a frame that it has the same rows each time."""
    plan = getattr(frame, "_jdf", None)  # none of Spark Connect, which does not say
    return plan is not None and bool(plan.queryExecution().analyzed().deterministic())


def _cancelled_by_name(spark: Any) -> tuple[Callable[[], object], Callable[[], object]]:
    """What marks the work of a thread in Spark, and what cancels all that is so marked."""
    name = f"aims_gate_{secrets.token_hex(8)}"
    if ".connect." in type(spark).__module__:
        return partial(spark.addTag, name), partial(spark.interruptTag, name)
    context = spark.sparkContext  # tags of a session do not reach the thread that answers in Arrow
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
