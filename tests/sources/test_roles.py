"""Column roles logged with the data: written strictly, read as hostile, never above the policy."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.sources.roles import KEY, merge, read_roles, write_roles
from tests.support.laws import law

COLUMNS = ("y", "yhat", "p", "p2", "sex", "age", "id", "q", "n", "ts")
TABLE = pa.table({name: [1, 2] for name in COLUMNS})
FULL = DataSpec(
    label="y",
    prediction="yhat",
    score={"no": "p", "yes": "p2"},
    positive="yes",
    task=TaskKind.BINARY,
    key="id",
    query="q",
    weight="n",
    time="ts",
    sensitive={"sex": None, "age": (0.0, 25.0, 45.5)},
)


def logged(text: bytes) -> pa.Table:
    return TABLE.replace_schema_metadata({KEY: text})


def test_roles_survive_a_parquet_file_and_other_metadata_stay(tmp_path: Path) -> None:
    table = write_roles(TABLE.replace_schema_metadata({b"other": b"kept"}), FULL)
    parquet.write_table(table, tmp_path / "rows.parquet")
    back = parquet.read_table(tmp_path / "rows.parquet")
    assert read_roles(back) == FULL
    assert back.schema.metadata[b"other"] == b"kept"
    assert read_roles(write_roles(back, DataSpec(label="p"))) == DataSpec(label="p")


def test_a_table_without_roles_has_none() -> None:
    assert read_roles(TABLE) is None


HOSTILE: dict[str, bytes] = {
    "not json": b"label: y",
    "not utf-8": b'{"label":"\xff"}',
    "a list": b"[]",
    "a number": b"1",
    "unknown key": b'{"lable":"y"}',
    "a threshold": b'{"threshold":0.9}',
    "allowed nulls": b'{"max_null_labels":1}',
    "least rows": b'{"min_rows":0}',
    "a source": b'{"source":"file:/etc/passwd"}',
    "a digest": b'{"sha256":"00"}',
    "a duplicate key": b'{"label":"y","label":"p"}',
    "a label of null": b'{"label":null}',
    "an empty name": b'{"label":""}',
    "a label of two": b'{"label":["y","p"]}',
    "a key of true": b'{"key":true}',
    "an empty score": b'{"score":{}}',
    "a score of a number": b'{"score":{"yes":1}}',
    "a positive of a list": b'{"positive":[1]}',
    "a positive of an object": b'{"positive":{}}',
    "a positive of nan": b'{"positive":NaN}',
    "a positive of infinity": b'{"positive":1e999}',
    "an unknown task": b'{"task":"guess"}',
    "a task of a list": b'{"task":["binary"]}',
    "sensitive twice": b'{"sensitive":["sex","sex"]}',
    "edges of text": b'{"sensitive":{"age":["x"]}}',
    "edges of truth": b'{"sensitive":{"age":[true]}}',
    "no edges": b'{"sensitive":{"age":[]}}',
    "descending edges": b'{"sensitive":{"age":[2,1]}}',
    "equal edges": b'{"sensitive":{"age":[1,1]}}',
    "infinite edges": b'{"sensitive":{"age":[1e999]}}',
    "giant edges": b'{"sensitive":{"age":[1' + b"0" * 400 + b"]}}",
    "too long": b'{"label":"' + b"y" * 70_000 + b'"}',
    "too deep": b"[" * 20_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_roles_are_refused(case: str) -> None:
    with pytest.raises(DataError, match="logged with the data"):
        read_roles(logged(HOSTILE[case]))


@pytest.mark.parametrize(
    "text",
    [
        b'{"label":"Y"}',
        b'{"weight":"w"}',
        b'{"score":{"yes":"gone","no":"y"}}',
        b'{"sensitive":{"race":null}}',
    ],
)
def test_a_role_of_a_column_that_is_not_there_is_refused(text: bytes) -> None:
    with pytest.raises(MissingColumnError):
        read_roles(logged(text))


def test_what_could_not_be_read_is_not_written() -> None:
    for spec in (
        DataSpec(label="nowhere"),
        DataSpec(positive=float("nan")),
        DataSpec(sensitive={"age": (2.0, 1.0)}),
        DataSpec(sensitive={"age": ()}),
    ):
        with pytest.raises(DataError):
            write_roles(TABLE, spec)


def test_a_silent_policy_is_completed_by_what_was_logged() -> None:
    assert merge(DataSpec(), FULL) == FULL
    assert merge(DataSpec(min_rows=9), None) == DataSpec(min_rows=9)


STATED = DataSpec(
    source="artifact:x.csv",
    label="a",
    prediction="b",
    score="c",
    threshold=0.7,
    positive=0,
    task=TaskKind.MULTICLASS,
    query="other_q",
    key="d",
    weight="e",
    time="f",
    sensitive={"g": (1.0,)},
    sha256="0" * 64,
    min_rows=5,
    max_age_days=3.0,
    max_null_labels=0.1,
)


def test_the_policy_wins_every_field_that_it_states() -> None:
    assert merge(STATED, FULL) == STATED


@law(100)
@given(
    stated=st.sets(st.sampled_from([field.name for field in fields(DataSpec)])),
    said=st.sets(st.sampled_from([field.name for field in fields(DataSpec)])),
)
def test_no_logged_role_changes_what_a_policy_states(stated: set[str], said: set[str]) -> None:
    policy = replace(DataSpec(), **{name: getattr(STATED, name) for name in stated})
    author = replace(DataSpec(), **{name: getattr(replace(STATED, **OTHER), name) for name in said})
    merged = merge(policy, author)
    for name in stated:
        assert getattr(merged, name) == getattr(STATED, name)
    for name in ("source", "threshold", "sha256", "min_rows", "max_age_days", "max_null_labels"):
        assert getattr(merged, name) == getattr(policy, name)


OTHER: dict[str, Any] = {
    "source": "artifact:other.csv",
    "label": "z",
    "threshold": 0.01,
    "positive": 1,
    "sensitive": {"h": None},
    "sha256": "1" * 64,
    "min_rows": 1,
    "max_age_days": 9e9,
    "max_null_labels": 1.0,
}


def test_an_author_cannot_turn_the_positive_class_of_a_named_label_around() -> None:
    merged = merge(DataSpec(label="y"), DataSpec(positive=0, task=TaskKind.REGRESSION))
    assert (merged.positive, merged.task) == (None, None)


def test_an_author_cannot_replace_predictions_that_the_policy_wants_derived() -> None:
    merged = merge(DataSpec(score="p", threshold=0.8), DataSpec(prediction="yhat"))
    assert (merged.prediction, merged.threshold) == (None, 0.8)
    by_class = merge(DataSpec(score={"a": "p"}), DataSpec(prediction="yhat"))
    assert by_class.prediction == "yhat"


def test_an_author_answers_nothing_where_the_policy_asks_the_model() -> None:
    """Neither logged predictions nor logged scores stand beside what the model says itself."""
    logged = DataSpec(label="y", prediction="yhat", score="p", positive=0, sensitive={"sex": None})
    merged = merge(DataSpec(predictions="model"), logged)
    assert (merged.prediction, merged.score, merged.positive) == (None, None, None)
    assert (merged.label, merged.sensitive) == ("y", {"sex": None})
    assert merged.predictions == "model"


def test_an_author_cannot_widen_intervals_with_more_attributes_than_the_policy_names() -> None:
    many = DataSpec(sensitive={f"noise{i}": None for i in range(50)} | {"age": (0.0, 200.0)})
    merged = merge(DataSpec(sensitive={"sex": None, "age": (0.0, 25.0)}), many)
    assert merged.sensitive == {"sex": None, "age": (0.0, 25.0)}


def test_a_positive_class_of_zero_or_false_is_a_statement() -> None:
    assert merge(DataSpec(positive=0), DataSpec(positive=1)).positive == 0
    assert merge(DataSpec(positive=False), DataSpec(positive=True)).positive is False
