"""report.json: closed, valid under the shipped schema, and the same bytes each time."""

from __future__ import annotations

import copy
import importlib.resources
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from aims_gate.errors import RecordError
from aims_gate.facts import DigestKind, Interval, NoValue, Statistic
from aims_gate.policy.model import Threshold
from aims_gate.reports.json_report import SCHEMA, render
from aims_gate.verdict import Decision, Result, Verdict
from tests.reports.cases import BIAS, CASES, HOSTILE, ROC, STARTED, hostile_verdict, verdict_of
from tests.support.laws import law

RESULT = {
    "rule", "check", "severity", "outcome", "raw_outcome", "reason", "threshold", "statistics",
    "controls", "waiver", "title", "why", "place", "blocking",
}  # fmt: skip
STATISTIC = {
    "name", "slice", "value", "interval", "alone", "rows", "total", "engine", "judged", "lack",
    "reason",
}  # fmt: skip


def schema() -> dict[str, Any]:
    """The schema as it is shipped inside the package."""
    package = importlib.resources.files("aims_gate.reports")
    found = json.loads((package / "report.v1.schema.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


VALIDATOR = jsonschema.Draft202012Validator(schema())


def read(verdict: Verdict) -> dict[str, Any]:
    """The report, read strictly: no duplicate key, no NaN."""
    document = canonical.parse(render(verdict).encode())
    assert isinstance(document, dict)
    return document


def statistic(measured: Statistic) -> dict[str, Any]:
    """A statistic as it stands in a valid report."""
    document = read(verdict_of(replace(ROC, statistics=(measured,)), decision=Decision.PASSED))
    VALIDATOR.validate(document)
    found = document["results"][0]["statistics"][0]
    assert isinstance(found, dict)
    return found


def test_the_schema_is_a_schema_and_names_the_version() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$id"] == SCHEMA == "https://aims-gate.dev/schema/report/v1"


LINES = {"line_below": 0.9, "serious_below": 0.6}
SPECIAL = {
    *("window", "snapshot", "notes", "model_id", "named_by_run", "alone", "power", "data"),
    *("curves", "names", "of", "limits", "bracket"),
    *(*LINES, "line_above", "serious_above", "standing"),
}


def test_the_schema_is_closed_at_every_level() -> None:
    """An object requires all of its properties, but what few data have, and allows no other."""
    parts = [schema(), *schema()["$defs"].values()]
    closed = [part for part in parts if part["type"] == "object"]
    assert len(closed) == len(parts) - 3 == 14  # all but lists of numbers
    for part in closed:
        assert part["additionalProperties"] is False
        assert set(part["properties"]) - set(part["required"]) <= SPECIAL


def test_how_data_were_read_stands_beside_them() -> None:
    verdict = verdict_of(ROC, decision=Decision.PASSED)
    noted = [
        replace(data, window="after a to b", snapshot="7", notes=("x: y",), digest_kind=kind)
        for data in verdict.datasets
        for kind in DigestKind
    ]
    document = read(replace(verdict, datasets=tuple(noted)))
    VALIDATOR.validate(document)
    assert [data["notes"] for data in document["datasets"]] == [["x: y"]] * len(noted)
    assert {data["snapshot"] for data in document["datasets"]} == {"7"}


@pytest.mark.parametrize("case", CASES)
def test_every_report_is_valid_and_has_exactly_the_promised_keys(case: str) -> None:
    document = read(CASES[case])
    VALIDATOR.validate(document)
    assert list(document) == [
        "datasets", "evidence", "exit_code", "model", "policy", "results", "schema", "stage",
        "verdict",
    ]  # fmt: skip
    for result in document["results"]:
        assert set(result) == RESULT
        for found in result["statistics"]:
            assert set(found) == STATISTIC
            assert found["interval"] is None or set(found["interval"]) == {
                "low", "high", "level", "method",
            }  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_are_deterministic_ascii_with_sorted_keys(case: str) -> None:
    text = render(CASES[case])
    assert text == render(copy.deepcopy(CASES[case]))
    assert text.isascii()
    assert text.endswith("}\n")
    again = json.dumps(json.loads(text), indent=2, sort_keys=True, allow_nan=False)
    assert json.loads(again) == json.loads(text)
    if case != "hostile":
        assert text == again + "\n"


def test_versions_in_another_order_give_the_same_bytes() -> None:
    verdict = CASES["passed"]
    turned = replace(verdict, versions=dict(reversed(verdict.versions.items())))
    assert list(turned.versions) != list(verdict.versions)
    assert render(turned) == render(verdict)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stands_exactly_as_it_was_measured(text: str) -> None:
    """Whatever a log or a terminal would act on is escaped, and reads back the same."""
    document = read(hostile_verdict(text))
    VALIDATOR.validate(document)
    assert document["results"][0]["rule"] == text.replace("\ud800", "\ufffd")


@law(100)
@given(text=st.text('#[v:so]\\"\n\u0023', max_size=12))
def test_escaping_hash_signs_loses_nothing(text: str) -> None:
    rendered = render(hostile_verdict("x" + text))
    assert "##" not in rendered
    assert json.loads(rendered)["stage"] == "x" + text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "the value is nan"),
        (math.inf, "the value is inf"),
        (-math.inf, "the value is -inf"),
        (None, "there is no value"),
    ],
)
def test_a_value_that_is_no_number_is_null_with_a_reason(value: float | None, reason: str) -> None:
    found = statistic(Statistic(name="roc_auc", value=value))
    assert found["value"] is None
    assert found["reason"] == reason


def test_a_lack_without_a_reason_still_has_one() -> None:
    found = statistic(Statistic(name="psi", judged=True, lack=NoValue.INSUFFICIENT))
    assert (found["value"], found["lack"], found["reason"]) == (
        None, "insufficient", "insufficient",
    )  # fmt: skip


def test_an_infinite_bound_is_null_with_a_reason_beside_the_check_s_own() -> None:
    interval = Interval(low=0.2, high=math.inf, level=0.95, method="mover-log")
    found = statistic(Statistic(name="ratio", value=0.9, interval=interval, reason="small cell"))
    assert found["interval"]["high"] is None
    assert found["interval"]["low"] == 0.2
    assert found["reason"] == "small cell; high is inf"


@law(100)
@given(value=st.floats(), low=st.floats(), high=st.floats(), rows=st.integers(0, 10**12))
def test_every_float_is_written_exactly_or_explained(
    value: float, low: float, high: float, rows: int
) -> None:
    interval = Interval(low=low, high=high, level=0.95, method="any")
    found = statistic(Statistic(name="any", value=value, interval=interval, rows=rows))
    for before, after in ((value, found["value"]), (low, found["interval"]["low"])):
        assert after == before if math.isfinite(before) else after is None
    assert bool(found["reason"]) is not all(map(math.isfinite, (value, low, high)))


def test_numpy_s_numbers_are_written_like_python_s() -> None:
    mine = Statistic(name="x", value=0.1 + 0.2, rows=7)
    rows: Any = np.int64(7)
    theirs = replace(mine, value=np.float64(0.1) + np.float64(0.2), rows=rows)
    assert statistic(theirs) == statistic(mine)


def test_a_threshold_has_the_lines_that_decide_it() -> None:
    """Where a breach must be proven: `judge` gives them, and the report only repeats them."""

    def held(result: Result) -> Any:
        document = read(verdict_of(result, decision=Decision.PASSED))
        VALIDATOR.validate(document)
        return document["results"][0]["threshold"]

    assert LINES.items() <= held(replace(ROC, lines=LINES)).items()
    assert not (LINES.keys() | {"line_above", "serious_above"}) & held(ROC).keys()


def test_a_threshold_that_is_no_number_is_refused() -> None:
    result = replace(ROC, threshold=Threshold(at_least=math.nan))
    with pytest.raises(RecordError, match="no finite number"):
        render(verdict_of(result, decision=Decision.PASSED))


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    verdict = CASES["passed"]
    kolkata = timezone(timedelta(hours=5, minutes=30))
    moved = replace(verdict, started=STARTED.astimezone(kolkata))
    assert render(moved) == render(verdict)
    assert render(replace(verdict, started=STARTED.replace(tzinfo=None))) == render(verdict)
    assert read(verdict)["evidence"]["started"] == "2026-11-23T09:30:15.250000Z"


def test_without_evidence_its_fields_are_null_and_the_times_stay() -> None:
    evidence = read(CASES["unrecorded"])["evidence"]
    kept = {name for name, value in evidence.items() if value is not None}
    assert kept == {"started", "finished", "versions"}


def _set(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


FORGERIES = {
    "refused becomes passed": _set("verdict", value="passed"),
    "and the code too": lambda d: d.update(verdict="passed", exit_code=0),
    "the code alone": _set("exit_code", value=0),
    "no results": lambda d: d.update(verdict="passed", exit_code=0, results=[]),
    "a key more": _set("results", 0, "note", value="trust me"),
    "a pass that blocks": _set("results", 1, "outcome", value="PASS"),
    "a pass that failed": _set("results", 0, "raw_outcome", value="FAIL"),
    "a waiver of nobody": lambda d: d["results"][1].update(outcome="WAIVED", blocking=False),
    "a number as text": _set("results", 1, "statistics", 0, "value", value="0.71"),
    "null without a reason": _set("results", 1, "statistics", 1, "reason", value=""),
    "another version": _set("schema", value=SCHEMA[:-1] + "2"),
    "a short digest": _set("policy", "digest", value="9a33"),
    "a local time": _set("evidence", "started", value="2026-11-23T09:30:15+01:00"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_schema_refuses(forgery: str) -> None:
    document = read(verdict_of(ROC, BIAS, decision=Decision.REFUSED))
    VALIDATOR.validate(document)
    FORGERIES[forgery](document)
    assert not VALIDATOR.is_valid(document)
