"""Ask frames of Spark Connect, which no session of this process may stand beside; say what came.

Run by test_spark_tables.py with a folder of its own, in which it finds a Parquet file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

from aims_gate.errors import DataError
from aims_gate.frames import Key
from aims_gate.frames.ibis_frame import IbisFrame
from tests.support.table_v1 import of_arrow

ROWS = pa.table({"x": [1.5, -2.0, None, 2.0], "s": ["a", "${spark.app.name}", None, "a"]})


def told(folder: str) -> Iterator[object]:
    """What a frame answers, and why others are refused."""
    spark = SparkSession.builder.remote("local[2]").getOrCreate()
    frame = IbisFrame.over(spark.createDataFrame(ROWS), weight=None, name="data")
    counts = frame.count(Key(column="s")).by_value()
    yield frame.rows, frame.nulls("x"), {str(key): rows for key, rows in counts.items()}
    yield [frame.digest(again=again) == of_arrow(ROWS) for again in (False, True)]
    strict = spark.read.parquet(folder)
    lenient = spark.read.option("ignoreCorruptFiles", "true").parquet(folder)
    malformed = spark.read.option("mode", "DROPMALFORMED").schema("a long").csv(folder)
    for data in (lenient.where("x > 1").groupBy("s").count(), malformed, strict.union(lenient)):
        yield refusal(data)
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "true")
    yield refusal(strict)
    spark.stop()


def refusal(data: object) -> str:
    """The error; empty if there is none."""
    try:
        IbisFrame.over(data, weight=None, name="data")
    except DataError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    for one in told(sys.argv[1]):
        sys.stdout.write(f"\nTOLD {json.dumps(one)}\n")
