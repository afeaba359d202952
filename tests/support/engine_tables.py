"""Tables in real engines: DuckDB in this process, and Spark where it is installed."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import count
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest
from pyarrow import parquet

SPARK = find_spec("pyspark") is not None
"""Whether Spark is here: only in an environment of its own (`make test-spark`)."""
SPARK_4 = pytest.mark.skipif(SPARK and version("pyspark") < "4", reason="of Spark 4 alone")
_NUMBERS = count()
_HOSTILE_ZONE = "America/New_York"
"""A session's zone, from which nothing may follow: it has an hour that is there twice."""


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One DuckDB for all tests of a process."""
    found = duckdb.connect(config={"threads": 1})
    atexit.register(found.close)
    return found


def relation(table: pa.Table) -> Any:
    """A DuckDB relation over an Arrow table."""
    return connection().from_arrow(table)


def expression(table: pa.Table) -> Any:
    """An Ibis expression over a table of DuckDB; nanoseconds with a zone Ibis does not know."""
    name = f"given {next(_NUMBERS)}"
    plain = table.cast(pa.schema([f.with_type(_of_ibis(f.type)) for f in table.schema]))
    connection().from_arrow(plain).create(f'"{name}"')
    return ibis.duckdb.from_connection(connection()).table(name)


def _of_ibis(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("us", "UTC") if pa.types.is_timestamp(kind) and kind.tz else kind


@cache
def spark() -> Any:
    """One Spark for all tests of a process: two workers in it, and few pieces of each table."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", _HOSTILE_ZONE)
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", _folder())
        .config("spark.driver.memory", "1g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


def spark_frame(table: pa.Table) -> Any:
    """A Spark frame of an Arrow table; times without a zone stay without."""
    from pyspark.sql.pandas.types import (  # type: ignore[import-not-found,unused-ignore]
        from_arrow_schema,
    )

    plain = table.cast(
        pa.schema([field.with_type(_of_spark(field.type)) for field in table.schema])
    )
    schema = from_arrow_schema(plain.schema, prefer_timestamp_ntz=True)
    if version("pyspark") < "4":  # it takes no Arrow, and loses a column of a file called ${x}
        path = f"{_folder()}/{next(_NUMBERS)}.parquet"
        parquet.write_table(plain.rename_columns([f"c{i}" for i in range(len(schema))]), path)
        return spark().read.parquet(f"file://{path}").toDF(*plain.column_names)
    return spark().createDataFrame(plain, schema=schema)


@cache
def _folder() -> str:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return folder


def _of_spark(kind: pa.DataType) -> pa.DataType:
    """The nearest type that Spark has: it has no nanoseconds, no unsigned and no dictionaries."""
    if pa.types.is_dictionary(kind):
        return _of_spark(kind.value_type)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz and "UTC")
    if pa.types.is_unsigned_integer(kind):
        return pa.decimal128(20, 0)
    return kind


ENGINES: dict[str, Callable[[pa.Table], Any]] = {"duckdb": relation, "ibis": expression}
if SPARK:
    ENGINES["spark"] = spark_frame
EACH_ENGINE = pytest.mark.parametrize(
    "hold", [pytest.param(ENGINES[name], id=name) for name in ENGINES if name != "ibis"]
)
"""Each once; and the other also in each form of a table of it."""
EVERY_ENGINE = pytest.mark.parametrize("hold", ENGINES.values(), ids=list(ENGINES))
