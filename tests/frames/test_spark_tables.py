"""Spark frames of hostile sessions, readers and files: the rows as they are, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.frames import Key
from aims_gate.frames.engine_connections import connect
from aims_gate.frames.ibis_frame import IbisFrame
from tests.support.engine_tables import SPARK_4, spark, spark_frame
from tests.support.spark_programs import told_by
from tests.support.table_v1 import of_arrow

pytestmark = pytest.mark.tool("spark")

HOSTILE = {
    "spark.sql.session.timeZone": "Asia/Kathmandu",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.variable.substitute": "true",
    "spark.sql.parser.quotedRegexColumnNames": "true",
    "spark.sql.parser.escapedStringLiterals": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.legacy.timeParserPolicy": "LEGACY",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1",
}
NAMES = ["x", "a.b `c` \"d\" 'e'", "${spark.app.name}", ".*", "é \\u0041 %s\n"]
TEXTS = ["${spark.app.name}", "\\u0041\\n", "'\"`", "a\0b", "long" * 9_000, ""]


def over(frame: Any) -> IbisFrame:
    return IbisFrame.over(frame, weight=None, name="data")


@contextmanager
def settings(**given: str) -> Iterator[None]:
    """Settings of the user's session, as long as the block runs."""
    before = {name: spark().conf.get(name, None) for name in given}
    try:
        for name, value in given.items():
            spark().conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            spark().conf.unset(name) if value is None else spark().conf.set(name, value)


def test_no_setting_of_a_session_changes_what_names_and_values_are() -> None:
    rows = pa.table(
        {name: [*TEXTS[place:], *TEXTS[:place], None] for place, name in enumerate(NAMES)}
    )
    with settings(**HOSTILE):
        frame = over(spark_frame(rows))
        assert frame.digest() == of_arrow(rows)
        for name in NAMES:
            cells = frame.count(Key(column=name)).by_value()
            assert cells == dict.fromkeys([*TEXTS, None], 1)
            parts = frame.parts(Key(column=name), columns=NAMES)
            assert [part.rows for _, part in parts] == [1] * 7


def test_no_function_of_a_session_answers_for_one_of_spark() -> None:
    """`isnan` of the session's own said which numbers are null, and `count` how many there are."""
    other = spark().newSession()
    other.conf.set("spark.sql.functionResolution.sessionOrder", "first")
    other.udf.register("isnan", lambda _: True, "boolean")
    other.udf.register("count", lambda _: 7, "long")
    assert other.sql("select isnan(1d), count(1)").collect()[0][:] == (True, 7)
    frame = over(other.createDataFrame([(1.0,), (None,), (3.0,)], "x double"))
    assert (frame.rows, frame.nulls("x")) == (3, 1)
    assert frame.digest() == of_arrow(pa.table({"x": [1.0, None, 3.0]}))


@SPARK_4
def test_no_function_that_is_stored_answers_for_one_of_spark() -> None:
    other = spark().newSession()
    other.sql("create database if not exists stored_functions")
    try:
        other.sql("create function stored_functions.isnan(x double) returns boolean return true")
        other.conf.set("spark.sql.path.enabled", "true")
        path = "spark_catalog.stored_functions, system.builtin"
        other.conf.set("spark.sql.defaultPath", path)
        assert other.sql("select isnan(1d)").collect()[0][0] is True
        frame = over(other.createDataFrame([(1.0,), (None,), (3.0,)], "x double"))
        assert (frame.rows, frame.nulls("x")) == (3, 1)
    finally:
        spark().sql("drop database stored_functions cascade")


@contextmanager
def broken(folder: Path) -> Iterator[str]:
    """A folder of four files of Parquet of which one cannot be read."""
    spark().range(400).repartition(4).write.parquet(str(folder))
    first = min(folder.glob("*.parquet"))
    for sums in folder.glob(".*.crc"):
        sums.unlink()
    held = first.read_bytes()
    first.write_bytes(held[:4] + bytes(len(held) - 8) + held[-4:])
    yield str(folder)


@pytest.mark.parametrize("setting", ["ignoreCorruptFiles", "ignoreMissingFiles"])
def test_a_file_that_cannot_be_read_is_no_file_without_rows(tmp_path: Path, setting: str) -> None:
    """Settings and options of Spark leave its rows out, and say nothing: the rest passed."""
    with broken(tmp_path / "rows") as folder:
        if setting == "ignoreMissingFiles":
            lost = spark().read.schema("id long").parquet(folder)
            lenient = spark().read.schema("id long").option(setting, True).parquet(folder)
            min((tmp_path / "rows").glob("*.parquet")).unlink()
        else:
            lost = spark().read.schema("id long").parquet(folder)
            lenient = spark().read.schema("id long").option(setting, "TRUE").parquet(folder)
        with settings(**{f"spark.sql.files.{setting}": "true"}):
            assert lost.count() == 300
            with pytest.raises(DataError, match="could not answer"):
                over(lost).nulls("id")
            with pytest.raises(DataError, match="could not answer"):
                over(lost.groupBy("id").count())
        with pytest.raises(DataError, match=f"leave out what it cannot read: {setting.lower()}"):
            over(lenient.where("id >= 0").selectExpr("id", "id + 1 as more"))
        lenient.createOrReplaceTempView("lenient")
        within = spark().sql("select * from range(9) where id in (select id from lenient)")
        with pytest.raises(DataError, match="leave out what it cannot read"):
            over(within)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_rows_that_cannot_be_read_are_not_left_out(tmp_path: Path, kind: str) -> None:
    """Which were left out hung on the columns asked for: fewer in the digest than were judged."""
    lines = ["id,x", "1,1", "2,no", "3,3"]
    told = ['{"id": 1, "x": 1}', '{"id": 2, "x": "no"}', '{"id": 3, "x": 3}']
    (tmp_path / "rows").write_text("\n".join(lines if kind == "csv" else told))
    reader = spark().read.schema("id long, x long").option("header", True).format(kind)
    with pytest.raises(DataError, match="mode=dropmalformed"):
        over(reader.option("mode", "DropMalformed").load(str(tmp_path / "rows")))
    frame = over(reader.option("mode", "PERMISSIVE").load(str(tmp_path / "rows")))
    assert (frame.rows, frame.nulls("x")) == (3, 1)


def test_a_table_that_was_made_to_leave_files_out_is_refused(tmp_path: Path) -> None:
    with broken(tmp_path / "rows") as folder:
        told = "create table lenient (id long) using parquet options (ignoreCorruptFiles true, path"
        spark().sql(f"{told} '{folder}')")
        try:
            lake = connect("pyspark://local[2]", timeout=60, max_bytes=1 << 20)
            with pytest.raises(DataError, match="leave out what it cannot read"):
                lake.table("lenient")
        finally:
            spark().sql("drop table lenient")


def test_statistics_that_whoever_wrote_a_file_put_into_it_hide_no_rows(tmp_path: Path) -> None:
    """By the footer no row is 7, so that Spark read none where it was asked for those."""
    path = tmp_path / "forged.parquet"
    rows = pa.table({"x": [7] * 50 + [5] * 50, "w": [1] * 100})
    parquet.write_table(rows, path, compression="none", use_dictionary=False)
    seven, five = ((8).to_bytes(1, "little") + n.to_bytes(8, "little") for n in (7, 5))
    held = path.read_bytes()
    assert held.count(seven) >= 1
    path.write_bytes(held.replace(seven, five))
    found = spark().read.parquet(str(path))
    assert found.where("x = 7").count() == 0
    frame = over(found)
    parts = frame.parts(Key(column="x"), columns=["x"])
    assert {cell: part.rows for cell, part in parts} == {(5,): 50, (7,): 50}
    assert over(found.selectExpr("x as y")).count(Key(column="y")).counts.tolist() == [50, 50]


VARY = {
    "a function of the user": "select id, seen(id) as x from range(100)",
    "now": "select id, current_timestamp() as x from range(100)",
    "a sum of floats": "select id % 2 as g, sum(1 / (id + 1)) as x from range(1000) group by 1",
    "the first of equal": "select g, x from (select id % 3 as g, id as x,"
    " row_number() over (partition by id % 3 order by 1) as n from range(99)) where n = 1",
    "some rows": "select id as x from range(1000) limit 10",
}


@pytest.mark.parametrize("query", VARY.values(), ids=VARY)
def test_rows_that_may_be_others_each_time_are_computed_once(query: str, tmp_path: Path) -> None:
    """A function of the user's is called once for each row, and not for each question."""
    calls = tmp_path / "calls"

    def seen(number: int) -> int:
        with calls.open("a") as file:
            file.write("x")
        return number

    spark().udf.register("seen", seen, "long")
    frame = over(spark().sql(query))
    assert frame.digest() == frame.digest(again=True)
    if "seen" in query:
        assert calls.stat().st_size == frame.rows == 100


def test_a_frame_that_is_cached_or_chosen_from_a_table_is_asked_where_it_is() -> None:
    spark().range(100).selectExpr("id", "id as x").write.mode("overwrite").saveAsTable("chosen")
    try:
        frame = over(spark().table("chosen").where("id > 9").selectExpr("x as y", "id"))
        before = (frame.rows, frame.digest())
        spark().sql("insert into chosen values (1001, 1)")
        assert (before[0], frame.digest(again=True) != before[1]) == (90, True)
    finally:
        spark().sql("drop table chosen")


def test_a_stream_and_a_frame_of_a_stopped_session_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = spark().readStream.format("rate").load()
    with pytest.raises(DataError, match="is a stream"):
        over(stream)
    frame = spark_frame(pa.table({"x": [1]}))
    assert over(frame).rows == 1
    monkeypatch.setattr(spark().sparkContext, "_jsc", None)  # as `stop` leaves it
    with pytest.raises(DataError, match="is the frame's session stopped"):
        over(frame)


@SPARK_4
def test_frames_of_spark_connect_are_asked_and_none_that_leaves_rows_out(tmp_path: Path) -> None:
    parquet.write_table(
        pa.table({"x": [1, 2], "s": ["a", "b"], "a": [1, 2]}), tmp_path / "x.parquet"
    )
    program = Path(__file__).with_name("spark_over_connect.py")
    answers, digests, *refusals = told_by(program, tmp_path)
    assert answers == [4, 1, {"a": 2, "${spark.app.name}": 1, "None": 1}]
    assert digests == [True, True]
    assert len(refusals) == 4
    for refusal, option in zip(
        refusals,
        ("ignorecorruptfiles", "dropmalformed", "ignorecorruptfiles", "ignoreCorruptFiles"),
        strict=True,
    ):
        assert "leave out what it cannot read" in refusal
        assert option in refusal


def test_nothing_is_left_where_others_see_it() -> None:
    frame = over(spark_frame(pa.table({"x": [1, 2]})))
    assert frame.rows == 2
    names = [row.viewName for row in spark().sql("show views in global_temp").collect()]
    assert not [name for name in names if name.startswith("aims_gate")]
    with settings(**{"spark.sql.session.timeZone": "Asia/Tokyo"}):
        assert over(spark_frame(pa.table({"x": [1]}))).rows == 1
        assert spark().conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"


def test_two_frames_of_a_session_are_compared_in_the_engine() -> None:
    one, two = (over(spark_frame(pa.table({"x": values}))) for values in ([1, 2, 3], [2, 3, 4]))
    other = over(spark().newSession().sql("select explode(array(2L, 3L)) as x"))
    assert one.repeats(["x"], two) == one.repeats(["x"], other) == 2
