"""Time travel of tables in Spark: one snapshot is read, where a table's format keeps them.

Rows that are written meanwhile are of another version, so that the digest need not be taken again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_NEWEST = {
    "iceberg": "select snapshot_id from {table}.refs where name = 'main'",
    "delta": "describe history {table} limit 1",
}
"""Asks for the newest version, in the first column of one row; by the format of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRows:
    """What a name stands for in Spark."""

    frame: Any
    once: bool | None
    """Whether to compute it once: a view may be other rows each time, and a version never is."""
    snapshot: str
    """The version that it is; empty of a table that keeps none."""


def named_rows(spark: Any, name: str, version: int | None) -> NamedRows:
    """A table as it is now, in its newest version if it has any, or in a stated one; or a view.

    Args:
        spark: A session.
        name: `catalog.schema.name`, words without quotation marks.
        version: A snapshot of Iceberg, or a version of Delta; not looked at where there are none.

    Raises:
        pyspark.errors.AnalysisException: There is no such table, or no such version.
    """
    if spark.catalog.getTable(name).tableType not in {"MANAGED", "EXTERNAL"}:
        return NamedRows(frame=spark.table(name), once=True, snapshot="")
    table = ".".join(f"`{part}`" for part in name.split("."))
    newest = _newest(spark, table)
    if newest is None:
        return NamedRows(frame=spark.table(name), once=None, snapshot="")
    wanted = newest if version is None else version
    frame = spark.sql(f"select * from {table} version as of {wanted:d}")  # noqa: S608
    return NamedRows(frame=frame, once=False, snapshot=str(wanted))


def _newest(spark: Any, table: str) -> int | None:
    # columns come first, and the type of none is the name of a format
    told = spark.sql(f"describe extended {table}").collect()
    formats = [row[1].lower() for row in told if row[0] == "Provider"]
    question = _NEWEST.get(formats[-1]) if formats else None
    if question is None:
        return None
    try:
        rows = spark.sql(question.format(table=table)).collect()
    except Exception:  # noqa: BLE001  it is then read as a table without versions
        return None
    return int(rows[0][0]) if rows and rows[0][0] is not None else None
