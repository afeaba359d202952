"""Limits within which an engine is asked, and tables that it may not be asked about."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from aims_gate.errors import DataError
from aims_gate.frames import Key
from aims_gate.frames.engine_connections import connect
from aims_gate.frames.engine_tables import library_of
from aims_gate.frames.ibis_frame import IbisFrame
from aims_gate.frames.ibis_session import EngineTable, held_by_engine, refuse_twins, session_of
from tests.support.engine_tables import connection, expression, relation

ROWS = pa.table({"a": list(range(1000)), "s": [f"secret-{row}" for row in range(1000)]})


def held(**limits: Any) -> EngineTable:
    return held_by_engine(relation(ROWS), where="data", **limits)


def test_tables_of_engines_are_known_by_their_type_and_others_are_none() -> None:
    assert library_of(relation(ROWS)) == "duckdb"
    assert library_of(expression(ROWS)) == "ibis"
    assert library_of(held()) == "held"
    others: list[object] = [ROWS, ROWS.to_pandas(), {}, None]
    assert [library_of(other) for other in others] == [""] * 4


def test_the_bytes_of_all_answers_count_and_beyond_the_budget_none_is_given() -> None:
    one = held(most_bytes=20_000)
    narrow = one.table.select("a")
    assert one.session.ask(narrow, where="data").num_rows == 1000
    assert 8000 <= one.session.read_bytes <= 8200
    with pytest.raises(DataError, match=r"budget of 20,000 bytes, of which 1[12],\d{3} are left"):
        one.session.ask(one.table, where="data")
    again = held_by_engine(relation(ROWS), where="data", most_bytes=20_000)
    assert again.session.ask(again.table.select("a"), where="data").num_rows == 1000


def test_what_an_engine_says_of_its_failure_is_not_repeated_because_it_holds_cells() -> None:
    one = held()
    broken = one.table.mutate(n=one.table["s"].cast("int64"))
    with pytest.raises(DataError) as failure:
        one.session.ask(broken, where="data")
    assert "ConversionException" in str(failure.value)
    assert "secret" not in str(failure.value)
    assert one.session.ask(one.table.count().as_table(), where="data").num_rows == 1


SLOW = """
import sys, duckdb, ibis
from aims_gate.errors import DataError
from aims_gate.frames.ibis_session import held_by_engine

own = duckdb.connect()
own.execute("create table t as select range as a from range(3000)").fetchall()
data = own.table("t") if sys.argv[1] == "duckdb" else ibis.duckdb.from_connection(own).table("t")
one = held_by_engine(data, where="data", seconds=0.05)
many = one.table.cross_join(one.table.view(), rname="{name} 2")
many = many.cross_join(one.table.view(), rname="{name} 3")
try:
    one.session.ask(many.aggregate(n=(many["a"] * many["a 3"]).sum()), where="data")
except DataError as error:
    print(error)
assert own.execute("select 1").fetchall() == [(1,)]
"""


@pytest.mark.parametrize("library", ["duckdb", "ibis"])
def test_a_question_that_is_too_slow_is_stopped_and_the_process_ends(library: str) -> None:
    """It would take minutes; the connection is free at once, and nothing of it is left behind."""
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", SLOW, library], capture_output=True, text=True, check=False
    )
    assert "gave no answer within 0.05 s" in ended.stdout
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - start < 60


@pytest.mark.tool("spark")
def test_a_question_to_spark_that_is_too_slow_is_cancelled() -> None:
    from tests.support.engine_tables import spark

    many = spark().sql(
        "select a.id % 7 * b.id % 7 as n from range(3000000) a, range(3000000) b where a.id <> b.id"
    )
    start = time.monotonic()
    with pytest.raises(DataError, match="gave no answer within 3 s"):
        held_by_engine(many, where="data", seconds=3)  # a join is computed once, before it is asked
    one = held_by_engine(spark().range(10**12), where="data", seconds=3)
    table = one.table.mutate(n=one.table["id"] % 7 * one.table["id"] % 11)
    with pytest.raises(DataError, match="gave no answer within 3 s"):
        one.session.ask(table.aggregate(n=table["n"].sum()), where="data")
    while spark().sparkContext.statusTracker().getActiveJobsIds():  # it would take hours
        assert time.monotonic() - start < 90
    one.session.seconds = 60
    assert one.session.ask(one.table.limit(1), where="data").num_rows == 1


@pytest.mark.tool("spark")
@pytest.mark.parametrize("column", ["rand()", "uuid()", "monotonically_increasing_id() * rand()"])
def test_a_spark_frame_of_other_rows_each_time_is_computed_once(column: str) -> None:
    from tests.support.engine_tables import spark

    frame = IbisFrame.over(
        spark().range(1000).selectExpr("id", f"{column} as p"), weight=None, name="data"
    )
    assert frame.digest() == frame.digest(again=True)
    assert frame.count(Key(column="p")) == frame.unweighted().count(Key(column="p"))


@pytest.mark.tool("spark")
def test_a_view_of_spark_is_computed_once_and_a_table_is_asked_as_it_is() -> None:
    from tests.support.engine_tables import spark

    spark().range(1000).write.mode("overwrite").saveAsTable("stored")
    spark().sql("create temp view seen as select id, current_timestamp() as now from stored")
    lake = connect("pyspark://local[2]", timeout=120, max_bytes=1 << 20)
    view = IbisFrame.over(lake.table("seen"), weight=None, name="data")
    assert view.digest() == view.digest(again=True)
    table = IbisFrame.over(lake.table("stored"), weight=None, name="data")
    before = table.digest(again=True)
    spark().sql("insert into stored values (1001)")
    assert table.digest(again=True) != before
    spark().sql("drop table stored")
    spark().sql("drop view seen")


@pytest.mark.parametrize("names", [("a", "A"), ("ß", "SS"), ("é", "É")])
def test_names_that_differ_only_in_case_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="which engines take for one"):
        refuse_twins(names, "data")
    twins = connection().sql('select 1 as "{}", 2 as "{}"'.format(*names))
    with pytest.raises(DataError, match="which engines take for one"):
        held_by_engine(twins, where="data")


def test_a_table_that_cannot_be_asked_is_an_error_of_ours_and_no_crash() -> None:
    own = duckdb.connect()
    own.execute("create table gone as select 1 as a")
    gone = own.table("gone")
    own.execute("drop table gone")
    with pytest.raises(DataError, match="data: the table cannot be asked: CatalogException"):
        held_by_engine(gone, where="data")
    own.close()
    unbound = ibis.table({"a": "int64"}, name="a")
    for each in (gone, unbound):
        with pytest.raises(DataError, match="keep the table, and its connection open"):
            held_by_engine(each, where="data")


def test_an_ibis_memtable_is_told_to_be_given_as_what_it_is() -> None:
    memory = ibis.memtable({"a": [1, 2]})
    for each in (memory, memory.mutate(b=memory["a"] + 1)):
        with pytest.raises(DataError, match=r"an Ibis memtable .*give its frame"):
            held_by_engine(each, where="data")


def test_a_name_may_hold_anything_that_would_end_a_quote() -> None:
    name = 'a"; drop table "given'
    one = held_by_engine(relation(pa.table({name: [1, 2]})), where="data")
    found = one.session.ask(one.table.aggregate(n=one.table[name].sum()), where="data")
    assert found["n"].to_pylist() == [3]


def test_an_engine_whose_answers_nobody_has_compared_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="tables of sqlite are not read"):
        session_of(SimpleNamespace(name="sqlite"), "data")


def test_a_relation_is_asked_in_its_own_connection_and_leaves_nothing_there() -> None:
    connection().execute("create or replace temp table mine as select 1 as a")
    one = held_by_engine(connection().table("mine"), where="data")
    assert one.session.ask(one.table, where="data").num_rows == 1
    views = connection().execute("select view_name from duckdb_views() where not internal")
    assert not [name for (name,) in views.fetchall() if name.startswith("aims_gate_")]
    assert one.session.engine.startswith("duckdb ")
    assert isinstance(one.table, ibis.Table)


@pytest.mark.parametrize("hold", [relation, expression])
def test_an_answer_is_kept_in_the_engine_while_it_is_asked_about(hold: Callable[..., Any]) -> None:
    asked = held_by_engine(hold(pa.table({"a": [2, 1]})), where="data")
    with asked.session.kept(asked.table.order_by("a"), where="data") as kept:
        assert asked.session.ask(kept, where="data")["a"].to_pylist() == [1, 2]
    if hold is expression:
        with pytest.raises(DataError, match=r"duckdb .* could not answer"):
            asked.session.ask(kept, where="data")


def test_duckdb_takes_three_fifths_of_what_it_finds_in_its_control_group(tmp_path: Path) -> None:
    """DuckDB's own default is four fifths of the same; it looks at limits of a container."""
    path = tmp_path / "engine.duckdb"
    with duckdb.connect(str(path)) as own:
        own.execute("create view limits as select current_setting('memory_limit') as held")
        (usual,) = own.sql("from limits").fetchall()[0]
    one = connect(f"duckdb://{path}", timeout=60, max_bytes=1 << 20).table("limits")
    (ours,) = one.session.ask(one.table, where="data")["held"].to_pylist()
    sizes = [float(size.removesuffix(" GiB")) for size in (ours, usual)]
    assert sizes[0] / sizes[1] == pytest.approx(0.75, abs=0.05)


def test_a_table_that_is_not_there_is_told_with_those_of_every_schema(tmp_path: Path) -> None:
    path = tmp_path / "engine.duckdb"
    with duckdb.connect(str(path)) as own:
        own.execute("create schema monitoring")
        own.execute("create table monitoring.scored as select 1 as a")
    engine = connect(f"duckdb://{path}", timeout=60, max_bytes=1 << 20)
    for wanted in ("monitoring.score", "main.scored", "scored", "nothing.at.all"):
        with pytest.raises(DataError, match="the engine has no table") as refused:
            engine.table(wanted)
        assert "monitoring.scored" in str(refused.value)
