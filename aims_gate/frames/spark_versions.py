"""Time travel of tables in Spark: one snapshot is read, where a table's format keeps them.

Rows that are written meanwhile are of another version, so that the digest need not be taken again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aims_gate.frames.spark_tables import own_session

_NEWEST = {
    "iceberg": ("show tblproperties {table} ('current-snapshot-id')", "value"),
    "delta": ("describe history {table} limit 1", "version"),
}
"""Asks for the newest version, and the answer's column that has it; by the format of a table.

Not of Iceberg's `refs` below a table: that may be another table, of whoever writes beside it.
"""
_KEPT = {"cache-enabled": "true", "cache.expiration-interval-ms": "-1"}
"""By which Iceberg asks a table as it was found: with the properties that say how it is read."""


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
        pyspark.errors.PySparkException: There is no such table, or no such version.
    """
    table = ".".join(f"`{part}`" for part in name.split("."))
    # columns come first, and the type of none is the name of a format, or of a kind of table
    rows = spark.sql(f"describe extended {table}").collect()
    told = {row[0]: str(row[1]).lower() for row in rows}
    if told.get("Type") not in {"managed", "external"}:
        return NamedRows(frame=spark.table(table), once=True, snapshot="")
    if told.get("Provider") not in _NEWEST:
        return NamedRows(frame=spark.table(table), once=None, snapshot="")
    own = _session(spark, name)
    own.sql(f"refresh table {table}")
    newest = _newest(own, table, *_NEWEST[told["Provider"]])
    if newest is None:
        return NamedRows(frame=own.table(table), once=True, snapshot="")
    wanted = newest if version is None else version
    frame = own.sql(f"select * from {table} version as of {wanted:d}")  # noqa: S608
    return NamedRows(frame=frame, once=False, snapshot=str(wanted))


def _session(spark: Any, name: str) -> Any:
    """The gate's own session, where the name stands for the same table, and no rows are cached.

    Spark would answer for one version of an Iceberg table by what a user's cached of another.
    """
    own, current = own_session(spark, name), spark.catalog.currentCatalog()
    for catalog in {current, name.partition(".")[0]}:
        for setting, value in _KEPT.items():
            own.conf.set(f"spark.sql.catalog.{catalog}.{setting}", value)
    if own is not spark:
        own.catalog.setCurrentCatalog(current)
        wanted = _catalogs(spark).currentNamespace()
        if [*wanted] != [*_catalogs(own).currentNamespace()]:
            _catalogs(own).setCurrentNamespace(wanted)
    return own


def _catalogs(spark: Any) -> Any:
    return spark._jsparkSession.sessionState().catalogManager()  # noqa: SLF001


def _newest(spark: Any, table: str, question: str, column: str) -> int | None:
    """The newest version; None of a table that never had rows, or where Spark cannot be asked."""
    from pyspark.errors import AnalysisException

    try:
        rows = spark.sql(question.format(table=table)).collect()
    except AnalysisException:
        return None
    found = str(rows[0][column]) if rows else ""
    return int(found) if found.isdecimal() else None
