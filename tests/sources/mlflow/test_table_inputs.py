"""Data sets of a run that lie in tables: Delta and Spark, as MLflow's own classes log them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from aims_gate.facts import DatasetIdentity, DigestKind
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.policy.operator import VARIABLE
from aims_gate.sources.subject import Subject
from tests.sources.mlflow.opened import Space, open_subject
from tests.support.engine_tables import spark
from tests.support.registry_content import Content, Logged

ROWS = pa.table({"y": [0, 1, 1], "yhat": [0, 1, 0], "sex": ["F", "M", "F"]})

Read = Callable[..., Subject]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A Delta table of two versions, with three rows and with six."""
    path = tmp_path / "lakes" / "loans"
    write_deltalake(path, ROWS)
    write_deltalake(path, ROWS, mode="append")
    return path


@pytest.fixture
def used(content: Content) -> Callable[[Any], Logged]:
    """Log a data set of MLflow as the evaluation data of the run of a registered model."""

    def log(dataset: Any) -> Logged:
        from mlflow.entities import DatasetInput, InputTag

        logged = content.registered()
        tags = [InputTag("mlflow.data.context", "evaluation")]
        found = DatasetInput(dataset._to_mlflow_entity(), tags)
        content.client.log_inputs(logged.run_id, [found])
        return logged

    return log


@pytest.fixture
def opened(content: Content, space: Space) -> Read:
    """Open the model with that run, where its evaluation data are `context:evaluation`."""

    def read(logged: Logged, *allow: str, operator: Path | None = None, **spec: Any) -> Subject:
        data = {Role.EVALUATION: DataSpec(source="context:evaluation", **spec)}
        policy = Policy(id="p", version="1", data=data, sources_allow=allow)
        own = space(content.uri)
        if operator is not None:
            own = replace(own, environ={**own.environ, VARIABLE: str(operator)})
        return open_subject(logged.uri, own, policy)

    return read


def identity(subject: Subject) -> DatasetIdentity:
    assert subject.unread == {}
    return subject.data[Role.EVALUATION].identity


def why(subject: Subject) -> str:
    assert subject.data == {}
    return str(subject.unread[Role.EVALUATION])


def of_pandas(source: Any) -> Any:
    from mlflow.data import from_pandas

    # a server knows a data set by name and digest, and keeps the first source that it was told
    return from_pandas(pd.DataFrame({"y": [0.0]}), source=source, name=uuid.uuid4().hex)


def test_the_version_of_a_delta_table_that_the_run_used_is_read_where_it_is_allowed(
    lake: Path, used: Callable[[Any], Logged], opened: Read
) -> None:
    from mlflow.data.delta_dataset_source import DeltaDatasetSource

    logged = used(of_pandas(DeltaDatasetSource(path=str(lake), delta_table_version=1)))
    write_deltalake(lake, ROWS, mode="append")
    allow = f"file://{lake.parent}/"
    found = identity(opened(logged, allow))
    assert (found.rows, found.snapshot, found.digest_kind) == (6, "1", DigestKind.TREE)
    assert found.mlflow_digest
    assert identity(opened(logged, allow, snapshot=2)).rows == 9
    assert "sources.allow does not permit" in why(opened(logged))
    assert "sources.allow does not permit" in why(opened(logged, f"file://{lake}2/"))
    assert "version 7" in why(opened(logged, allow, snapshot=7))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"path": "LAKE", "delta_table_version": "1 or newest"}, "that is no number"),
        ({"path": "LAKE", "uri": "LAKE"}, "more than one place"),
        ({"path": "LAKE/../loans"}, "not in its normal form"),
        ({"path": "LAKE/_delta_log"}, "a part of a Delta table"),
        ({"path": "lakes/loans"}, "is at no place that is read"),
        ({"path": "dbfs:/loans"}, "is at no place that is read"),
        ({"path": "s3a://bucket/loans"}, "'s3://bucket/loans', which sources.allow does not"),
        ({"path": ["LAKE"]}, "does not say where the data lie"),
        ({"sql": "select * from parquet.`/etc`"}, "does not say where the data lie"),
    ],
)
def test_a_source_made_by_hand_reads_nothing_else(
    lake: Path, used: Callable[[Any], Logged], opened: Read, source: dict[str, Any], told: str
) -> None:
    from mlflow.data.spark_dataset_source import SparkDatasetSource

    class Forged(SparkDatasetSource):  # type: ignore[misc]
        def to_dict(self) -> dict[str, Any]:
            return {
                key: value.replace("LAKE", str(lake)) if isinstance(value, str) else value
                for key, value in source.items()
            }

    logged = used(of_pandas(Forged(path="x")))
    assert told in why(opened(logged, f"file://{lake.parent}/"))


def test_a_table_that_a_run_names_is_asked_where_its_schema_is_allowed(
    tmp_path: Path, used: Callable[[Any], Logged], opened: Read
) -> None:
    from mlflow.data.spark_dataset_source import SparkDatasetSource

    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.from_arrow(ROWS).create("loans")
    config = tmp_path / "operator.yaml"
    config.write_text(
        "apiVersion: aims-gate/v1\nkind: Config\nconnections:\n"
        f"  warehouse: {{url: 'duckdb://{tmp_path}/warehouse.duckdb'}}\n"
    )
    logged = used(of_pandas(SparkDatasetSource(table_name="main.loans")))
    held = identity(opened(logged, "table://warehouse/main/", operator=config))
    assert (held.uri, held.rows) == ("table:warehouse/main.loans", 3)
    assert held.digest_kind is DigestKind.TABLE
    assert "sources.allow does not permit" in why(opened(logged, "table://warehouse/other/"))


@pytest.fixture
def operator(tmp_path: Path) -> Path:
    """The operator's connections to Spark."""
    config = tmp_path / "operator.yaml"
    config.write_text(
        "apiVersion: aims-gate/v1\nkind: Config\nconnections:\n"
        "  spark: {url: 'pyspark://local[2]', timeout_seconds: 120}\n"
        "  other: {url: 'pyspark://local[3]', timeout_seconds: 120}\n"
    )
    return config


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Any]:
    """Spark with a table `lake.loans`."""
    session = spark()
    session.sql(f"create database lake location '{tmp_path}/warehouse'")
    frame = session.createDataFrame(ROWS.to_pandas())
    frame.write.saveAsTable("lake.loans")
    yield frame
    session.sql("drop database lake cascade")


@pytest.mark.tool("spark")
def test_what_a_run_read_with_spark_is_read_where_it_is_allowed(
    warehouse: Any, operator: Path, tmp_path: Path, used: Callable[[Any], Logged], opened: Read
) -> None:
    from mlflow.data import from_spark

    folder = tmp_path / "parts"
    warehouse.write.parquet(str(folder))
    by_path = used(from_spark(warehouse, path=str(folder), name=uuid.uuid4().hex))
    rows = identity(opened(by_path, f"file://{folder}/"))
    assert (rows.rows, rows.digest_kind) == (3, DigestKind.TREE)
    assert "sources.allow does not permit" in why(opened(by_path))

    by_name = used(from_spark(warehouse, table_name="lake.loans", name=uuid.uuid4().hex))
    held = identity(opened(by_name, "table://spark/lake/", operator=operator))
    assert (held.rows, held.digest_kind) == (3, DigestKind.TABLE)
    assert held.uri == "table:spark/lake.loans"
    assert "sources.allow does not permit" in why(opened(by_name, "table://spark/lakes/"))
    assert "another master" in why(opened(by_name, "table://other/lake/", operator=operator))

    by_query = used(from_spark(warehouse, sql="select * from lake.loans", name=uuid.uuid4().hex))
    assert "does not say where" in why(opened(by_query, "table://spark/lake/"))


@pytest.mark.tool("spark")
def test_a_version_that_spark_does_not_tell_is_never_taken_for_the_one_that_is_there(
    warehouse: Any, operator: Path, used: Callable[[Any], Logged], opened: Read
) -> None:
    from mlflow.data.delta_dataset_source import DeltaDatasetSource

    source = DeltaDatasetSource(delta_table_name="lake.loans", delta_table_version=4)
    assert warehouse.count() == 3
    logged = used(of_pandas(source))
    assert "has no version 4 of lake.loans" in why(
        opened(logged, "table://spark/lake/", operator=operator)
    )
