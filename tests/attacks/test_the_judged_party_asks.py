"""The author of a run names groups, weights and labels in its roles: told, bounded or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import aims_gate
from aims_gate import canonical
from aims_gate.errors import PolicyError
from aims_gate.policy.model import DataSpec
from aims_gate.policy.resolve import load
from aims_gate.sources.roles import write_roles
from aims_gate.verdict import Result, Verdict

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: asked, version: "1.0.0", owner: tests@example.org}
"""
IMPACT = "{id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}%s}"
SCORE = (
    "{id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.7}}"
)
ROLES = DataSpec(label="y", prediction="p", positive=1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("model/weights.bin").write_bytes(b"\x00")


def people(rows: int = 4_000, seed: int = 1) -> dict[str, Any]:
    """Women are selected half as often as men; a coin says nothing of anybody."""
    random = np.random.default_rng(seed)
    sex = np.where(random.random(rows) < 0.5, "F", "M")
    chosen = random.random(rows) < np.where(sex == "F", 0.3, 0.6)
    return {
        "age": random.normal(40, 10, rows),
        "sex": sex,
        "coin": np.where(random.random(rows) < 0.5, "heads", "tails"),
        "y": chosen.astype(int),
        "p": chosen.astype(int),
    }


def gate(text: str, roles: Mapping[str, DataSpec], **tables: Mapping[str, Any]) -> Verdict:
    """Run a policy over tables whose author says what their columns mean."""
    Path("policy.yaml").write_text(HEAD + text, encoding="utf-8")
    for role, columns in tables.items():
        table = write_roles(pa.table(dict(columns)), roles.get(role, DataSpec()))
        parquet.write_table(table, f"{role}.parquet")
    data = {role: f"{role}.parquet" for role in tables}
    kept: dict[str, Any] = (
        {} if Path("evidence").exists() else {"out": "evidence", "unsigned": True}
    )
    return aims_gate.run("policy.yaml", "file:model", data=data, **kept)


def only(verdict: Verdict) -> Result:
    (result,) = verdict.results
    return result


def coin() -> dict[str, DataSpec]:
    return {"evaluation": DataSpec(label="y", prediction="p", positive=1, sensitive={"coin": None})}


def test_a_coin_as_protected_attribute_is_told_in_line_report_and_evidence() -> None:
    """The rule passes on groups that the author chose, and everybody who reads it sees that."""
    verdict = gate(f"rules: [{IMPACT % ''}]\n", coin(), evaluation=people())
    told = "label, prediction, positive and groups named by the run"
    assert (only(verdict).outcome, only(verdict).reason[-len(told) :]) == ("PASS", told)
    report = json.loads(Path("evidence/report.json").read_text(encoding="utf-8"))
    assert report["results"][0]["named_by_run"][-1] == "groups"
    assert report["datasets"][0]["named_by_run"] == ["label", "positive", "prediction", "sensitive"]
    stated = json.loads(Path("evidence/evaluation.statement.json").read_text(encoding="utf-8"))
    assert stated["predicate"]["results"][0]["namedByRun"][-1] == "groups"
    assert "sensitive" in stated["predicate"]["datasets"][0]["annotations"]["namedByRun"]


@pytest.mark.parametrize("by", ["", ", with: {by: [sex]}"])
def test_groups_that_the_policy_names_are_no_choice_of_the_run(by: str) -> None:
    """By `sensitive` or by the rule: the disparity is found, and nothing is said of the run."""
    said = "data: {evaluation: {label: y, prediction: p, positive: 1%s}}\n"
    text = said % ("" if by else ", sensitive: [sex]") + f"rules: [{IMPACT % by}]\n"
    verdict = gate(text, coin(), evaluation=people())
    assert (only(verdict).outcome, only(verdict).named_by_run) == ("FAIL", ())
    assert "named by the run" not in only(verdict).reason


@pytest.mark.parametrize("role", ["label", "prediction", "score", "key", "query", "time"])
def test_a_drifted_column_that_the_run_calls_no_input_is_told(role: str) -> None:
    """`columns: all` leaves out what has a role, so a role hides a column."""
    before, after = people(), people(seed=2) | {"age": people()["age"] + 50}
    text = "rules: [{id: MON-01, check: drift.columns, require: {at_most: 0.25}}]\n"
    assert gate(text, {}, reference=before, current=after).exit_code == 1
    named: dict[str, Any] = {role: "age"}
    hidden = dict.fromkeys(("reference", "current"), DataSpec(**named))
    assert only(gate(text, hidden, reference=before, current=after)).named_by_run == (role,)


def test_edges_of_the_run_are_its_groups_too() -> None:
    """`by: [age]` with the author's edges: everybody in one large group and a few."""
    spec = DataSpec(label="y", prediction="p", positive=1, sensitive={"age": (0.0, 60.0)})
    verdict = gate(
        f"rules: [{IMPACT % ', with: {by: [age], max_uncovered: 0.2}'}]\n",
        {"evaluation": spec},
        evaluation=people(),
    )
    assert "groups" in only(verdict).named_by_run


@pytest.mark.parametrize("declared", ["sensitive", "label", "prediction"])
def test_what_a_policy_declares_is_not_taken_from_the_run(declared: str) -> None:
    """The rule that needs it is undecided until the policy names it."""
    text = f"declare: [{declared}]\nrules: [{IMPACT % ', with: {of: label}'}]\n"
    text = text if declared == "label" else text.replace(", with: {of: label}", "")
    verdict = gate(text, coin(), evaluation=people())
    assert (verdict.exit_code, only(verdict).outcome) == (3, "ERROR")
    word = {"prediction": "prediction"}.get(declared, declared)
    assert f"no column is named as {word}" in only(verdict).reason
    named = {"sensitive": "[sex]", "label": "y", "prediction": "p"}[declared]
    text += f"data: {{evaluation: {{{declared}: {named}}}}}\n"
    assert gate(text, coin(), evaluation=people()).exit_code in {0, 1}


def test_a_declared_positive_class_is_not_the_runs() -> None:
    """Rates of rejection in place of selection: the other class is 1 by itself."""
    turned = {
        "evaluation": DataSpec(label="y", prediction="p", positive=0, sensitive={"sex": None})
    }
    rule = f"rules: [{IMPACT % ''}]\n"
    assert "positive" in only(gate(rule, turned, evaluation=people())).named_by_run
    verdict = gate("declare: [positive]\n" + rule, turned, evaluation=people())
    assert "positive" not in only(verdict).named_by_run
    assert only(verdict).outcome == "FAIL"


HEAVY = {
    "sex": ["F", "M", "F", "M"],
    "y": [1, 1, 0, 0],
    "p": [1, 1, 0, 0],
    "n": [1000, 1000, 1000, 1000],
}
WEIGHED = {
    "evaluation": DataSpec(
        label="y", prediction="p", positive=1, weight="n", sensitive={"sex": None}
    )
}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (SCORE, "4 rows, fewer than min_rows 2,000"),
        (IMPACT % "", "2 groups of sex with fewer than min_cell 30 rows"),
        ("{id: PERF-07, check: performance.sample}", "rows 4"),
        (
            "{id: PERF-07, check: performance.sample, with: {statistic: positives}}",
            "positives 2",
        ),
        (
            SCORE.replace("accuracy}", "recall, classes: all}"),
            "2 groups of y with fewer than min_cell 30 rows",
        ),
        (
            "{id: PERF-06, check: performance.slices, with: {metric: accuracy}}",
            "2 groups of sex with fewer than min_cell 30 rows",
        ),
    ],
)
def test_four_rows_of_weight_1000_meet_no_floor_of_rows(rule: str, told: str) -> None:
    """A weight counts towards a floor only if the policy names it; else the floor is of rows."""
    floor = "data: {evaluation: {%s}}\n" % (
        "min_rows: 2000" if rule == SCORE else "max_null_labels: 0"
    )
    verdict = gate(f"{floor}rules: [{rule}]\n", WEIGHED, evaluation=HEAVY)
    assert verdict.exit_code == 1, only(verdict).reason
    assert told in " ".join(
        cell.reason or f"{cell.name} {cell.value:g}" for cell in only(verdict).statistics
    )
    assert "weight" in only(verdict).named_by_run
    named = floor.replace("{evaluation: {", "{evaluation: {weight: n, ")
    assert gate(f"{named}rules: [{rule}]\n", WEIGHED, evaluation=HEAVY).exit_code == 0


def test_an_attribute_that_cannot_be_counted_is_an_error_of_its_rule_alone() -> None:
    """A list as protected attribute beside a weight: one rule says so, the other is judged."""
    spec = replace(WEIGHED["evaluation"], sensitive={"lists": None})
    rows = {**HEAVY, "lists": [[1], [2], [3], [4]]}
    verdict = gate(f"rules: [{IMPACT % ''}, {SCORE}]\n", {"evaluation": spec}, evaluation=rows)
    assert [result.outcome for result in verdict.results] == ["ERROR", "PASS"]


def test_a_declared_weight_is_error_with_the_line_to_write() -> None:
    """Without its weight every number would be another, so the data are not read at all."""
    text = f"declare: [weight]\nrules: [{SCORE}]\n"
    verdict = gate(text, WEIGHED, evaluation=HEAVY)
    assert (verdict.exit_code, only(verdict).outcome) == (3, "ERROR")
    assert "write weight: n under data.evaluation" in only(verdict).reason
    text += "data: {evaluation: {weight: n}}\n"
    assert gate(text, WEIGHED, evaluation=HEAVY).exit_code == 0


def test_other_roles_may_repeat_what_the_policy_says_of_the_evaluation_data() -> None:
    """The same label in the training data is no choice of the author; another one is."""
    text = (
        "declare: [label, positive, sensitive, weight]\n"
        "data: {evaluation: {label: y, prediction: p, positive: 1, sensitive: [sex]}}\n"
        "rules: [{id: INTEG-02, check: integrity.data}, {id: DATA-05, check: data.schema}]\n"
    )
    spec = DataSpec(label="y", positive=1, sensitive={"sex": None})
    roles = {"evaluation": spec, "reference": spec}
    verdict = gate(text, roles, evaluation=people(), reference=people(seed=2))
    assert verdict.passed
    assert all(data.named_by_run == () for data in verdict.datasets)
    roles["reference"] = DataSpec(weight="y")
    verdict = gate(text, roles, evaluation=people(), reference=people(seed=2))
    assert "the policy declares weights itself" in verdict.results[1].reason


DIGESTS = (
    "rules: [{id: INTEG-02, check: integrity.data}, "
    "{id: DATA-05, check: data.schema, severity: info}]\n"
)


@pytest.mark.parametrize("disguise", ["order", "answers", "width", "columns", "weight"])
def test_training_rows_are_found_in_any_order(disguise: str) -> None:
    """Shuffled, with answers beside them, stored otherwise: they are the same rows."""
    train = people(500)
    order = np.random.default_rng(7).permutation(500)
    rows = {name: values[order] for name, values in train.items()}
    roles = {"evaluation": ROLES, "reference": DataSpec(label="y")}
    if disguise == "answers":
        del train["p"]
    elif disguise == "width":
        rows["y"] = rows["y"].astype(np.int8)
    elif disguise == "columns":
        rows = dict(reversed(rows.items()))
    elif disguise == "weight":
        rows["n"] = np.full(500, 3)
        roles["evaluation"] = DataSpec(label="y", prediction="p", positive=1, weight="n")
    verdict = gate(DIGESTS, roles, evaluation=rows, reference=train)
    found, _ = verdict.results
    assert (verdict.exit_code, found.outcome) == (1, "FAIL")
    assert "evaluation and reference are the same data" in found.reason


def test_other_rows_of_the_same_columns_are_not_the_training_rows() -> None:
    """As many, and with some of the same values; one row that differs is enough."""
    train, rows = people(500), people(500)
    rows["age"] = rows["age"].copy()
    rows["age"][3] += 0.5
    roles = {"evaluation": ROLES, "reference": ROLES}
    assert gate(DIGESTS, roles, evaluation=rows, reference=train).passed


def test_a_child_may_declare_more_and_never_less() -> None:
    """`declare` only grows, and a word that is none is refused."""
    rules = f"rules: [{SCORE}]\n"
    Path("floor.yaml").write_text(HEAD + "declare: [label, weight]\n" + rules, encoding="utf-8")
    digest = canonical.sha256(Path("floor.yaml").read_bytes())
    above = f"extends: [{{uri: 'file:floor.yaml', sha256: {digest}}}]\n"
    for own, sound in (
        ("", True),
        ("declare: [weight, label, sensitive]\n", True),
        ("declare: [weight]\n", False),
        ("declare: [labels]\n", False),
        ("declare: []\n", False),
    ):
        Path("child.yaml").write_text(HEAD + above + own, encoding="utf-8")
        if not sound:
            with pytest.raises(PolicyError):
                load("child.yaml")
            continue
        policy = load("child.yaml")
        assert {"label", "weight"} <= set(policy.declare)
        assert b"declare: [label" in policy.document
