"""Tables by name: a run's claim is followed only where the policy says through which connection."""

from __future__ import annotations

import json

import pytest

from aims_gate.errors import DataError
from aims_gate.registry.entities import DatasetInput
from aims_gate.sources.table_places import TablePlace, claimed, parsed_place

ALLOW = ("table://lake/main/", "s3://bucket/eval/")


def delta(**source: object) -> DatasetInput:
    return DatasetInput(name="eval", context="", digest="", source=json.dumps(source))


def test_a_delta_table_that_is_allowed_is_found_with_its_version() -> None:
    found = claimed(delta(delta_table_name="main.loans", delta_table_version=3), ALLOW, where="d")
    assert found == TablePlace(connection="lake", name="main.loans", version=3)
    assert str(found) == "table:lake/main.loans"


@pytest.mark.parametrize(
    "name", ["other.loans", "main", "mainly.loans", "MAIN.loans", "main.other.loans", "loans"]
)
def test_a_table_that_no_entry_holds_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="does not permit"):
        claimed(delta(table_name=name), ALLOW, where="d")


def test_a_table_at_two_connections_is_refused() -> None:
    allow = (*ALLOW, "table://copy/main/")
    with pytest.raises(DataError, match="several connections"):
        claimed(delta(table_name="main.loans"), allow, where="d")


@pytest.mark.parametrize(
    "source",
    [
        {"uri": "s3://bucket/eval/x.parquet"},
        {"table_name": ["main.loans"]},
        {"table_name": "main.loans; drop table x"},
        {"sql": "select 1"},
        {"table_name": "main.loans\n"},
        {"table_name": 'main."loans"'},
        {"table_name": "main.`loans`"},
        {"table_name": "main..loans"},
        {"table_name": "parquet.`/etc/passwd`"},
    ],
)
def test_what_names_no_table_is_none(source: dict[str, object]) -> None:
    assert claimed(delta(**source), ALLOW, where="d") is None


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "[" * 100_000])
def test_a_source_that_is_no_object_names_no_table(text: str) -> None:
    found = DatasetInput(name="eval", context="", digest="", source=text)
    assert claimed(found, ALLOW, where="d") is None


@pytest.mark.parametrize(
    "source",
    [
        {"table_name": "main.loans", "path": "/srv/loans"},
        {"table_name": "main.loans", "delta_table_name": "main.other"},
        {"delta_table_name": "main.loans", "uri": "s3://bucket/eval/x.parquet"},
    ],
)
def test_what_names_two_places_is_refused(source: dict[str, object]) -> None:
    with pytest.raises(DataError, match="in more than one place"):
        claimed(delta(**source), ALLOW, where="d")


@pytest.mark.parametrize("version", ["3; drop", "-1", -1, 3.5, True, [3], "", "9" * 19, "\u0663"])
def test_a_version_that_is_none_is_refused_and_never_taken_for_the_newest(version: object) -> None:
    source = delta(delta_table_name="main.loans", delta_table_version=version)
    with pytest.raises(DataError, match="that is no number"):
        claimed(source, ALLOW, where="d")


def test_a_version_may_be_written_as_text() -> None:
    source = delta(delta_table_name="main.loans", delta_table_version="3")
    found = claimed(source, ALLOW, where="d")
    assert found is not None
    assert found.version == 3


@pytest.mark.parametrize(
    "text",
    [
        *("table:", "table:lake", "table:/main", "table:lake/", "table:lake/a.b.c.d"),
        *('table:lake/x" union all from "y', "table:lake/x; drop table x", "table://lake/x"),
    ],
)
def test_a_caller_names_connection_and_table(text: str) -> None:
    with pytest.raises(DataError, match="names no table"):
        parsed_place(text)
    assert parsed_place("artifact:x") is None
