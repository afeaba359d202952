"""Versions of tables in real engines: a gate judges one snapshot, whatever is written meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from aims_gate.frames.engine_connections import connect
from aims_gate.frames.ibis_frame import IbisFrame
from aims_gate.operations.run import real_world
from aims_gate.pipeline import run
from aims_gate.policy.operator import VARIABLE
from aims_gate.request import Request
from aims_gate.verdict import Outcome, Verdict

JARS = "snowpark_connect_deps_iceberg"
"""A package that brings the runtime of Apache Iceberg for Spark 3.5."""
ICEBERG = "org.apache.iceberg"
POLICY = """
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: loans, version: "1.0.0", owner: model-risk@acme.example}
data:
  evaluation:
    {table: %s, connection: lake, label: y, prediction: yhat, positive: 1, sensitive: [sex]%s}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.6}}
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.01}}
"""
GOOD = """select cast(id % 2 as int) y, cast(id % 2 as int) yhat, if(id % 3 = 0, 'F', 'M') sex
from range(600)"""
BAD = GOOD.replace("cast(id % 2 as int) yhat", "cast(1 - id % 2 as int) yhat")

pytestmark = pytest.mark.tool("iceberg")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark with an Iceberg catalog of the operator's, and one that has views."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

    spec = find_spec(JARS)
    assert spec is not None
    (jar,) = Path(str(spec.origin)).parent.glob("jars/iceberg-spark-runtime-*_2.12-*.jar")
    catalog = "spark.sql.catalog.lake"
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", str(jar))
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config(catalog, "org.apache.iceberg.spark.SparkCatalog")
        .config(f"{catalog}.type", "hadoop")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("plain")))
        .config(f"{catalog}.warehouse", str(tmp_path_factory.mktemp("lake")))
        .config(f"{catalog}.cache-enabled", "false")
        .config("spark.sql.catalog.views", "org.apache.iceberg.spark.SparkCatalog")
        .config("spark.sql.catalog.views.catalog-impl", f"{ICEBERG}.inmemory.InMemoryCatalog")
        .config("spark.sql.extensions", f"{ICEBERG}.spark.extensions.IcebergSparkSessionExtensions")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def loans(spark: Any) -> Iterator[str]:
    """An Iceberg table of two versions, the first of which is judged better."""
    name = "lake.risk.loans"
    spark.sql(GOOD).writeTo(name).using("iceberg").create()
    spark.sql(BAD).writeTo(name).append()
    yield name
    spark.sql(f"drop table {name}")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gate a model on a table, saying what the run tells meanwhile."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.txt").write_text("weights")
    config = tmp_path / "operator.yaml"
    config.write_text(
        "apiVersion: aims-gate/v1\nkind: Config\nconnections:\n"
        "  lake: {url: 'pyspark://local[2]', timeout_seconds: 120}\n"
    )
    monkeypatch.setenv(VARIABLE, str(config))

    def gated(table: str, more: str = "", progress: Any = lambda _text: None) -> Verdict:
        policy = tmp_path / "policy.yaml"
        policy.write_text(POLICY % (table, more))
        request = Request(policy=str(policy), model=f"file:{tmp_path / 'model'}")
        return run(request, real_world(progress))

    return gated


def snapshots(spark: Any, table: str) -> list[str]:
    """Versions of a table, the oldest first."""
    rows = spark.table(f"{table}.snapshots").orderBy("committed_at").collect()
    return [str(row["snapshot_id"]) for row in rows]


def score(verdict: Verdict) -> float | None:
    cells = [cell for result in verdict.results for cell in result.statistics]
    (found,) = [cell for cell in cells if cell.name == "accuracy"]
    return found.value


def test_the_newest_version_is_judged_and_recorded(spark: Any, loans: str, gate: Any) -> None:
    verdict = gate(loans)
    (found,) = verdict.datasets
    assert found.snapshot == snapshots(spark, loans)[-1]
    assert (found.rows, score(verdict)) == (1200, 0.5)


def test_a_policy_names_a_version_and_no_other_is_judged(spark: Any, loans: str, gate: Any) -> None:
    first, _second = snapshots(spark, loans)
    verdict = gate(loans, f", snapshot: {first}")
    assert (verdict.datasets[0].snapshot, score(verdict)) == (first, 1.0)
    nowhere = gate(loans, ", snapshot: 17")
    assert {result.outcome for result in nowhere.results} == {Outcome.ERROR}
    assert "version 17" in nowhere.results[0].reason


def test_rows_that_are_written_during_a_run_are_of_another_version(
    spark: Any, loans: str, gate: Any
) -> None:
    before = snapshots(spark, loans)[-1]

    def write(_text: str) -> None:
        spark.sql(GOOD).writeTo(loans).append()

    verdict = gate(loans, progress=write)
    after = snapshots(spark, loans)
    version = verdict.datasets[0].snapshot
    assert before in after
    assert after.index(before) <= after.index(version) < len(after) - 1
    then = spark.read.option("snapshot-id", version).table(loans)
    assert verdict.datasets[0].rows == then.count()


def test_rows_that_were_removed_or_renamed_are_those_of_the_version(
    spark: Any, loans: str, gate: Any
) -> None:
    spark.sql("delete from lake.risk.loans where y <> yhat")
    verdict = gate(loans)
    assert (verdict.datasets[0].rows, score(verdict)) == (600, 1.0)


def test_a_table_without_versions_is_read_as_it_is_and_no_version_of_it_is(
    spark: Any, gate: Any, tmp_path: Path
) -> None:
    spark.sql(f"create database plain location '{tmp_path}/plain'")
    try:
        spark.sql(GOOD).write.saveAsTable("plain.loans")
        verdict = gate("plain.loans")
        assert (verdict.datasets[0].snapshot, score(verdict)) == ("", 1.0)
        refused = gate("plain.loans", ", snapshot: 1")
        assert {result.outcome for result in refused.results} == {Outcome.ERROR}
        assert "has no version 1 of plain.loans" in refused.results[0].reason
    finally:
        spark.sql("drop database plain cascade")


def test_a_version_whose_files_are_gone_decides_nothing(spark: Any, loans: str, gate: Any) -> None:
    for row in spark.table(f"{loans}.files").collect():
        Path(row["file_path"].removeprefix("file:")).unlink()
    assert {result.outcome for result in gate(loans).results} == {Outcome.ERROR}


def test_two_versions_are_asked_about_together(spark: Any, loans: str) -> None:
    """Spark takes them for one table, by its name."""
    lake = connect("pyspark://local[2]", timeout=120, max_bytes=1 << 20)
    old, new = (
        IbisFrame.over(lake.table(loans, int(version)), weight=None, name=version)
        for version in snapshots(spark, loans)
    )
    assert (old.rows, new.rows) == (600, 1200)
    assert (old.repeats(["y", "yhat"], new), new.repeats(["y", "yhat"], old)) == (600, 600)


@pytest.mark.parametrize("name", ["two-words", "pay$day", "select", "refs", "branch_main"])
def test_a_table_of_any_name_that_a_policy_may_write_has_versions(
    spark: Any, gate: Any, name: str
) -> None:
    table = f"lake.risk.`{name}`"
    spark.sql(GOOD).writeTo(table).using("iceberg").create()
    try:
        verdict = gate(table.replace("`", ""))
        assert (verdict.datasets[0].snapshot,) == tuple(snapshots(spark, table))
        assert score(verdict) == 1.0
    finally:
        spark.sql(f"drop table {table}")


def test_the_version_is_the_same_whatever_name_the_session_has_for_the_table(
    spark: Any, loans: str, gate: Any
) -> None:
    """A view of the session's own catalog, which the name does not reach, was taken for it."""
    newest = snapshots(spark, loans)[-1]
    spark.sql("create database spark_catalog.risk")
    spark.sql(f"create view spark_catalog.risk.loans as {GOOD}")
    try:
        spark.sql("use lake")
        by_schema = gate("risk.loans")
        spark.sql("use lake.risk")
        by_name = gate("loans")
    finally:
        spark.sql("use spark_catalog.default")
        spark.sql("drop database spark_catalog.risk cascade")
    assert by_schema.datasets[0].snapshot == by_name.datasets[0].snapshot == newest
    assert score(by_schema) == score(by_name) == 0.5


@pytest.mark.parametrize("twin", ["select 'main' as name, {0}L as snapshot_id", "select 1 as one"])
def test_no_table_that_is_written_beside_it_says_which_version_is_the_newest(
    spark: Any, loans: str, gate: Any, twin: str
) -> None:
    """One called `refs` was asked in place of the table's own list of branches."""
    first, second = snapshots(spark, loans)
    spark.sql(twin.format(first)).writeTo(f"{loans}.refs").using("iceberg").createOrReplace()
    try:
        verdict = gate(loans)
    finally:
        spark.sql(f"drop table {loans}.refs")
    assert (verdict.datasets[0].snapshot, score(verdict)) == (second, 0.5)


def test_rows_that_a_session_has_cached_are_not_taken_for_another_version(
    spark: Any, loans: str, gate: Any
) -> None:
    """Spark takes all versions of an Iceberg table for one, by its name."""
    first, second = snapshots(spark, loans)
    spark.table(loans).cache().count()
    try:
        old, new = gate(loans, f", snapshot: {first}"), gate(loans)
    finally:
        spark.catalog.clearCache()
    assert (old.datasets[0].snapshot, score(old)) == (first, 1.0)
    assert (new.datasets[0].snapshot, score(new)) == (second, 0.5)


def test_properties_that_change_during_a_run_give_a_version_no_other_values(
    spark: Any, gate: Any, tmp_path: Path
) -> None:
    """Columns of added files have names alone, and a property says which is which."""
    rows = spark.sql(BAD).selectExpr("y", "yhat", "sex", "cast(1 - yhat as int) as other")
    rows.write.parquet(str(tmp_path / "rows"))
    table = "lake.risk.added"
    spark.sql(f"create table {table} (y int, yhat int, sex string, other int) using iceberg")
    added = f"source_table => '`parquet`.`{tmp_path}/rows`'"
    spark.sql(f"call lake.system.add_files(table => 'risk.added', {added})")
    names = [["y"], ["other"], ["sex"], ["yhat"]]
    swapped = json.dumps([{"field-id": i, "names": n} for i, n in enumerate(names, 1)])
    told: list[str] = []

    def swap(text: str) -> None:
        told.append(text)
        if len(told) > 2:
            told_of = f"'schema.name-mapping.default' = '{swapped}'"
            spark.sql(f"alter table {table} set tblproperties ({told_of})")

    try:
        honest = gate(table, progress=swap)
        assert len(told) > 2
        after = gate(table)
    finally:
        spark.sql(f"drop table {table}")
    digests = {one.datasets[0].digest: score(one) for one in (honest, after)}
    assert list(digests.values()) == [0.0, 1.0]


def test_a_table_without_a_version_yet_has_no_rows_whatever_is_written_meanwhile(
    spark: Any,
) -> None:
    table = "lake.risk.empty"
    spark.sql(f"create table {table} (y int, yhat int, sex string) using iceberg")

    try:
        found = connect("pyspark://local[2]", timeout=120, max_bytes=1 << 20).table(table)
        spark.sql(GOOD).writeTo(table).append()
        frame = IbisFrame.over(found, weight=None, name="data")
        assert (frame.rows, found.snapshot) == (0, "")
    finally:
        spark.sql(f"drop table {table}")


@pytest.mark.usefixtures("loans")
def test_a_view_of_an_iceberg_catalog_is_computed_once(spark: Any, gate: Any) -> None:
    spark.sql("create namespace views.risk")
    spark.sql("create view views.risk.seen as select * from lake.risk.loans")
    verdict = gate("views.risk.seen")
    assert (verdict.datasets[0].snapshot, score(verdict)) == ("", 0.5)
