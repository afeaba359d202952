"""Records that say anything else than the run, the policy or the model never pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aims_gate.checks.records.consistent import Aspect, Consistent
from aims_gate.facts import Statistic
from aims_gate.governance.contract import RecordDocument, Records
from aims_gate.verdict import Result
from tests.checks.records.written import DIGEST, cells, document, result, subject, wrong

AUC = Statistic(name="roc_auc", value=0.77118, judged=True)
WOMEN = Statistic(name="impact_ratio", slice="sex=F vs sex=M", value=0.84305, judged=True)
RUN = (
    result("PERF-01", "PASS", AUC),
    result("BIAS-02", "PASS", WOMEN, check="fairness.impact_ratio"),
)


def metric(name: str, value: object, rule: str, of: str = "") -> dict[str, Any]:
    return {"type": name, "value": value, "args": {"rule": rule, "slice": of}}


def card(*metrics: object, **keys: object) -> RecordDocument:
    index = [{"name": "credit", "results": [{"metrics": list(metrics)}]}]
    return document(
        "card", "aims/card.md", **{"model_digest": DIGEST, "model-index": index, **keys}
    )


GOOD = (
    metric("roc_auc", 0.7712, "PERF-01"),
    metric("impact_ratio", 0.843, "BIAS-02", "sex=F vs sex=M"),
)


def compared(of: Aspect, record: RecordDocument, *results: Result, **more: Any) -> dict[str, str]:
    """What is wrong with one record, by its place."""
    found = cells(Consistent(of=(of,), **more), Records(documents=(record,)), *results)
    return {where.removeprefix("aims/"): told for where, told in wrong(found).items()}


def test_a_card_that_states_what_was_measured_is_consistent() -> None:
    assert not compared("numbers", card(*GOOD), *RUN)


@pytest.mark.parametrize(
    "metrics",
    [
        (metric("roc_auc", 0.7713, "PERF-01"), GOOD[1]),  # the last digit
        (metric("roc_auc", 0.7711, "PERF-01"), GOOD[1]),
        (metric("roc_auc", 0.77, "PERF-01"), GOOD[1]),
        (metric("roc_auc", "0.7712", "PERF-01"), GOOD[1]),
        (metric("roc_auc", True, "PERF-01"), GOOD[1]),
        (metric("accuracy", 0.7712, "PERF-01"), GOOD[1]),
        (GOOD[0], metric("impact_ratio", 0.843, "BIAS-02", "sex=M vs sex=F")),
        (*GOOD, metric("roc_auc", 0.99, "PERF-09")),
        (*GOOD, {"type": "roc_auc", "value": 0.99}),
        (*GOOD, {"type": "roc_auc", "value": 0.7712, "args": "PERF-01"}),
        (*GOOD, "0.7712"),
    ],
)
def test_a_number_that_no_rule_measured_so_in_this_run_fails(metrics: tuple[object, ...]) -> None:
    found = compared("numbers", card(*metrics), *RUN)
    assert [one for one in found.values() if one != "MISSING"] == ["1"]


def test_a_number_that_is_only_context_is_none_that_was_judged() -> None:
    run = (result("PERF-01", "PASS", AUC, replace(AUC, value=0.9, judged=False)), RUN[1])
    found = compared("numbers", card(metric("roc_auc", 0.9, "PERF-01"), GOOD[1]), *run)
    assert found == {"card.md metrics[0]": "1"}


def test_a_rule_that_the_card_leaves_out_is_missing() -> None:
    assert compared("numbers", card(GOOD[0]), *RUN) == {"card.md BIAS-02": "MISSING"}
    without = card(**{"model-index": None})
    assert set(compared("numbers", without, *RUN).values()) == {"MISSING"}


def test_the_worst_cell_of_a_rule_is_not_left_out() -> None:
    """But one that is infinite is in no card."""
    worst = replace(WOMEN, slice="age<20", value=0.31)
    endless = replace(WOMEN, slice="age>90", value=float("inf"))
    run = (RUN[0], replace(RUN[1], statistics=(WOMEN, worst, endless)))
    assert compared("numbers", card(*GOOD), *run) == {"card.md BIAS-02": "MISSING"}
    whole = card(*GOOD, metric("impact_ratio", 0.31, "BIAS-02", "age<20"))
    assert not compared("numbers", whole, *run)


@pytest.mark.parametrize("digest", [None, "e" * 64])
def test_a_card_about_other_bytes_is_missing(digest: str | None) -> None:
    """Its numbers may be right, of a model that is not this one."""
    found = compared("numbers", card(*GOOD, model_digest=digest), *RUN)
    assert found == {"card.md model_digest": "MISSING"}


@pytest.mark.parametrize("index", ["credit", [{"results": "none"}], [["a"]], {"results": [{}]}])
def test_a_malformed_index_passes_nothing(index: object) -> None:
    assert compared("numbers", card(**{"model-index": index}), *RUN)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ({"rule": "PERF-01"}, None),
        ({"measured_in": "log/", "days": 10}, None),
        ({"unmeasured": "a matter of taste"}, None),
        ({"rule": "MON-03"}, None),  # another policy's
        ({"rule": "MON-01"}, "MISSING"),  # this policy's as well, and it measured nothing
        ({"rule": "PERF-09"}, "MISSING"),
        ({"rule": "BIAS-09"}, "MISSING"),  # it measured nothing
        ({}, "MISSING"),
        ("PERF-01", "MISSING"),
    ],
)
def test_an_objective_is_bound_to_a_rule_that_measured_or_says_why_not(
    objective: object, expected: str | None
) -> None:
    of = document("system", objectives=[{"rule": "PERF-01"}, objective])
    run = (*RUN, result("BIAS-09", "MISSING"), result("MON-01", "MISSING"))
    found = compared("objectives", of, *run, elsewhere=("MON-*",))
    assert found == ({} if expected is None else {"system.yaml objectives[1]": expected})


@pytest.mark.parametrize("objectives", [None, [], "PERF-01"])
def test_a_system_without_objectives_is_missing(objectives: object) -> None:
    found = compared("objectives", document("system", objectives=objectives))
    assert found == {"system.yaml objectives": "MISSING"}


def test_a_model_that_its_system_does_not_list_is_inconsistent() -> None:
    assert not compared("inventory", document("system", registry=["churn", "credit"]))
    other = compared("inventory", document("system", registry=["credit-2"]))
    assert other == {"system.yaml registry": "1"}
    assert compared("inventory", document("system")) == {"system.yaml registry": "1"}


def test_a_model_without_a_registered_name_is_in_no_inventory() -> None:
    records = Records(documents=(document("system", registry=["credit"]),))
    of = subject(records)
    of = replace(of, model=replace(of.model, registered=""))
    assert set(wrong(cells(Consistent(of=("inventory",)), records, of=of)).values()) == {"MISSING"}


@pytest.mark.parametrize(
    ("groups", "protected", "expected"),
    [
        (["sex", "age", "joint applicants"], ("age", "sex"), None),
        (["sex"], ("age", "sex"), "1"),
        (None, ("age",), "1"),
        (None, (), None),
        (["sex"], None, "MISSING"),  # nobody knows what the policy protects
    ],
)
def test_the_impact_assessment_covers_each_protected_attribute(
    groups: object, protected: tuple[str, ...] | None, expected: str | None
) -> None:
    material = {} if protected is None else {"protected": protected}
    records = Records(documents=(document("impact", groups=groups),), material=material)
    found = wrong(cells(Consistent(of=("groups",)), records))
    assert found == ({} if expected is None else {"aims/impact.yaml groups": expected})


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (["income", "age"], None),
        (["age"], "1"),
        (["age", "income", "postcode"], "1"),
        (["age", "postcode"], "2"),
        (None, "1"),
    ],
)
def test_the_architecture_shows_the_columns_of_the_signature(
    inputs: object, expected: str | None
) -> None:
    found = compared("inputs", document("architecture", inputs=inputs))
    assert found == ({} if expected is None else {"architecture.yaml inputs": expected})


def test_a_model_without_signature_shows_nothing() -> None:
    records = Records(documents=(document("architecture", inputs=["age"]),))
    of = replace(subject(records), signature=None)
    assert set(wrong(cells(Consistent(of=("inputs",)), records, of=of)).values()) == {"MISSING"}


def test_nothing_to_compare_is_a_fault_of_the_policy() -> None:
    assert [field for field, _what, _hint in Consistent(of=()).problems()] == ["of"]
