"""Rows to collect: whoever collects what a line names is decided about four times in five.

For every check that gives such advice: little data are drawn in which nothing is wrong, the line is
read, data of the size that it names are drawn, and the gate decides on them.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from aims_gate.checks import CHECKS
from aims_gate.operations.planned_groups import PlannedGroups
from aims_gate.operations.policy_power import power_of_groups
from aims_gate.policy.model import DecideOn, Role, Threshold
from aims_gate.policy.resolve import load
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.performance.champions import champion
from tests.checks.subjects import data, decided
from tests.support.laws import TIMES

DRAWS = 80 if TIMES == 1 else 1_000
Rng = np.random.Generator
REFERENCE = 2_000
NAMED = 21


def people(rng: Rng, rows: int) -> tuple[Data, ...]:
    """Two sexes alike: labels, answers, and calibrated scores."""
    score = rng.beta(2, 3, rows)
    label = (rng.random(rows) < score).astype(int)
    answer = (score + rng.normal(0, 0.1, rows) > 0.45).astype(int)
    sex = np.where(rng.random(rows) < 0.3, "F", "M")
    columns = {"y": label, "p": answer, "s": score, "sex": sex}
    return (data(columns, label="y", prediction="p", score="s", positive=1),)


def disturbed(rng: Rng, rows: int) -> tuple[Data, ...]:
    """Answers that a disturbance turns in few rows, as often from right to wrong as back."""
    label, wrong = rng.integers(0, 2, rows), rng.random(rows) < 0.2
    shaken = rng.random(rows) < 0.06
    answers = [
        np.where(shaken, rng.integers(0, 2, rows), np.where(wrong, 1 - label, label))
        for _ in range(2)
    ]
    columns = {"y": label, "p": answers[0], "q": answers[1]}
    return (data(columns, label="y", prediction="p", positive=1),)


def two_models(rng: Rng, rows: int) -> tuple[Data, ...]:
    """A candidate and a champion that are right equally often, on rows that differ in a tenth."""
    label = rng.integers(0, 2, rows)
    apart, turn = rng.random(rows) < 0.1, rng.random(rows) < 0.5
    wrong = rng.random(rows) < 0.2
    ours = np.where(wrong ^ (apart & turn), 1 - label, label)
    theirs = np.where(wrong ^ (apart & ~turn), 1 - label, label)
    ids = np.arange(rows)
    columns = {"id": ids, "y": label, "p": ours, "s": ours * 0.5}
    roles: dict[str, Any] = {"label": "y", "prediction": "p", "positive": 1, "key": "id"}
    roles["score"] = "s"
    return data(columns, **roles), champion({"id": ids, "q": theirs, "t": theirs * 0.4})


def steady(rng: Rng, rows: int) -> tuple[Data, ...]:
    """A reference of fixed size, and current rows like it."""

    def columns(count: int) -> dict[str, Any]:
        score = rng.beta(2, 3, count)
        return {
            "a": rng.normal(size=count),
            "b": rng.lognormal(size=count),
            "c": rng.choice(["x", "y", "z"], count, p=[0.5, 0.3, 0.2]),
            "y": (rng.random(count) < score).astype(int),
            "p": (score > 0.45).astype(int),
        }

    roles: dict[str, Any] = {"label": "y", "prediction": "p", "positive": 1}
    return (
        data(columns(REFERENCE), Role.REFERENCE, **roles),
        data(columns(rows), Role.CURRENT, **roles),
        data(columns(REFERENCE), Role.EVALUATION, **roles),
    )


def sampled(rng: Rng, rows: int) -> tuple[Data, ...]:
    (found,) = people(rng, rows)
    return (data(found.frame.table, Role.REFERENCE, label="y"),)  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """A rule, and data on which it is undecided."""

    check: str
    draw: Callable[[Rng, int], tuple[Data, ...]] = people
    rows: int = 150
    most: float = 0.90
    """The most that are decided; all of them where the bound jumps from one row to the next."""
    rule: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        more = self.rule.get("parameters", {})
        return "-".join([self.check, *(str(v) for v in more.values() if isinstance(v, str))])


PROVEN = {"decide_on": DecideOn.PROVEN_BREACH}
BY = {"by": ["sex"]}


def drift(check: str, limit: float | None = None, rows: int = 100, **parameters: Any) -> Advice:
    require = {} if limit is None else {"require": Threshold(at_most=limit)}
    return Advice(check=check, draw=steady, rows=rows, rule={"parameters": parameters, **require})


ADVICE = [
    Advice(check="fairness.impact_ratio", rows=220, rule={"parameters": BY}),
    Advice(check="fairness.parity", rule={"parameters": BY}),
    Advice(check="fairness.odds", rows=250, rule={"parameters": {**BY, "rates": ["tpr"]}}),
    Advice(check="fairness.predictive_parity", rows=330, rule={"parameters": BY}),
    Advice(check="fairness.score_gap", rows=120, rule={"parameters": BY}),
    Advice(
        check="fairness.group_performance",
        rule={
            "parameters": {**BY, "metric": "accuracy", "relative_to": "overall"},
            "require": Threshold(at_most=0.05),
        },
    ),
    Advice(
        check="fairness.representation",
        draw=sampled,
        rule={
            "parameters": {"population": {"sex": {"F": 0.3, "M": 0.7}}, "min_count": 30},
            "require": Threshold(at_least=0.87),
        },
    ),
    Advice(check="performance.calibration", rows=250),  # 15 bins need 225 to say anything
    Advice(
        check="performance.slices",
        rule={
            "parameters": {**BY, "metric": "accuracy"},
            "require": Threshold(at_most=0.05),
        },
    ),
    Advice(
        check="performance.champion",
        draw=two_models,
        rule={"parameters": {"metric": "accuracy"}, "require": Threshold(at_least=-0.03)},
    ),
    Advice(
        check="performance.robustness",
        draw=disturbed,
        rows=250,
        rule={
            "parameters": {"effect": "drop", "metric": "accuracy", "columns": ["q"]},
            "require": Threshold(at_most=0.01),
            **PROVEN,
        },
    ),
    drift("drift.columns", 0.10, columns=["a", "b"], numeric="psi"),
    drift("drift.columns", 0.10, columns=["a", "b"], numeric="js", categorical="none"),
    drift("drift.columns", 0.10, columns=["a", "b"], numeric="ks", categorical="none"),
    drift("drift.columns", 0.10, columns=["a"], numeric="wasserstein", categorical="none"),
    drift("drift.columns", 0.08, columns=["c"], numeric="none", categorical="chi2"),
    drift("drift.columns", 0.08, columns=["c"], numeric="none", categorical="hellinger"),
    replace(drift("drift.new_value", columns=["a", "c"]), most=1.0),
    drift("drift.share", columns=["a", "b"], numeric="ks"),
    drift("drift.prediction", 0.15, of="prediction", method="positive_rate"),
    drift("drift.label", 0.15, method="positive_rate"),
    Advice(
        check="drift.performance",
        draw=steady,
        rows=150,
        rule={
            "parameters": {"metric": "accuracy"},
            "require": Threshold(at_most=0.05),
            **PROVEN,
        },
    ),
]


@pytest.mark.parametrize("advice", ADVICE, ids=str)
def test_data_of_the_size_that_is_named_are_decided_about_four_times_in_five(
    advice: Advice,
) -> None:
    rng = np.random.default_rng(7)
    rule = {"check": advice.check, **advice.rule}
    named = []
    for _ in range(NAMED):
        found = decided(rule, *advice.draw(rng, advice.rows))
        if found.power is not None and found.power.chance < 0.8:
            assert found.power.rows == advice.rows
            named.append(found.power.wanted or 0)
    assert len(named) > NAMED // 2, "these data already decide, or say nothing"
    rows = round(median(named))
    assert advice.rows < rows < 50_000
    outcomes = [decided(rule, *advice.draw(rng, rows)).outcome for _ in range(DRAWS)]
    settled = 1 - outcomes.count(Outcome.INSUFFICIENT) / DRAWS
    assert set(outcomes) <= {Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.INSUFFICIENT}
    few = 1 / DRAWS**0.5  # about two and a half standard errors of the share
    assert 0.75 - few <= settled <= advice.most + few, (rows, settled)


FLOOR = {"decide_on": DecideOn.PROVEN_PASS}
GROWING = [
    ("fairness.impact_ratio", {}),
    ("fairness.score_gap", {"require": Threshold(at_most=0.1)}),
    (
        "fairness.group_performance",
        {
            "parameters": {"metric": "accuracy", "relative_to": "overall"},
            "require": Threshold(at_most=0.05),
        },
    ),
    (
        "performance.slices",
        {"parameters": {"metric": "accuracy"}, "require": Threshold(at_most=0.05)},
    ),
    ("fairness.impact_ratio", {"require": Threshold(at_least=0.6), **FLOOR}),
    (
        "fairness.group_performance",
        {"parameters": {"metric": "accuracy"}, "require": Threshold(at_least=0.55), **FLOOR},
    ),
    (
        "performance.slices",
        {"parameters": {"metric": "accuracy"}, "require": Threshold(at_most=0.1), **FLOOR},
    ),
]


@pytest.mark.parametrize(("check", "rule"), GROWING)
def test_rows_to_collect_count_a_group_that_grows_past_min_cell(
    check: str, rule: Mapping[str, Any]
) -> None:
    """Of 450 rows 20 are of a third group: too few to judge, until there are more."""
    rng = np.random.default_rng(7)

    def draw(rows: int) -> Data:
        (found,) = people(rng, rows)
        columns = found.frame.table.to_pydict()  # type: ignore[attr-defined]
        columns["sex"] = rng.choice(["F", "M", "X"], rows, p=[0.12, 0.835, 0.045])
        return data(columns, label="y", prediction="p", score="s", positive=1)

    judged = {"check": check, **rule, "parameters": {**rule.get("parameters", {}), **BY}}
    powers = [decided(judged, draw(450)).power for _ in range(NAMED)]
    named = [power.wanted or 0 for power in powers if power is not None and power.chance < 0.8]
    assert len(named) > NAMED // 3
    rows = round(median(named))
    assert rows > 30 / 0.045, "the third group is judged there"
    outcomes = [decided(judged, draw(rows)).outcome for _ in range(DRAWS)]
    settled = 1 - outcomes.count(Outcome.INSUFFICIENT) / DRAWS
    few = 1 / DRAWS**0.5
    assert 0.75 - few <= settled <= 0.90 + few, (rows, settled)


SEXES = {"F": 150, "M": 350}
PLANS = [
    ("fairness.impact_ratio", {}, {"race": {"White": 400, "Black": 60, "Other": 20}}),
    (
        "fairness.odds",
        {"rates": ["tpr"]},
        {"sex": SEXES, "race": {"White": 400, "Black": 60, "Other": 40}},
    ),
    ("fairness.odds", {"rates": ["tpr"]}, {"sex": SEXES}),
]


@pytest.mark.parametrize(("check", "parameters", "sizes"), PLANS)
def test_rows_that_a_plan_names_are_decided_about_four_times_in_five(
    check: str,
    parameters: Mapping[str, Any],
    sizes: Mapping[str, Mapping[str, int]],
    tmp_path: Path,
) -> None:
    """Groups too small to be judged now are judged, or not, in each draw as it falls."""
    policy = tmp_path / "policy.yaml"
    rule = {"id": "BIAS-01", "check": check, "with": dict(parameters)}
    meta = {"id": "credit", "version": "1.0.0", "owner": "tests@example.org"}
    text = {"apiVersion": "aims-gate/v1", "kind": "Policy", "metadata": meta, "rules": [rule]}
    policy.write_text(json.dumps(text), encoding="utf-8")
    (found,) = power_of_groups(load(str(policy)), PlannedGroups(rows=sizes, rate=0.3))
    assert found.power is not None
    rows = found.power.wanted
    assert rows is not None
    rng = np.random.default_rng(7)

    def draw() -> tuple[Data, ...]:
        label = rng.random(rows) < 0.3
        answer = rng.random(rows) < np.where(label, 0.8, 0.06 / 0.7)
        groups = {
            name: rng.choice([*of], rows, p=np.array([*of.values()]) / sum(of.values()))
            for name, of in sizes.items()
        }
        columns = {"y": label.astype(int), "p": answer.astype(int), **groups}
        return (data(columns, label="y", prediction="p", positive=1),)

    judged = {"check": check, "parameters": {**parameters, "by": [*sizes]}}
    outcomes = [decided(judged, *draw()).outcome for _ in range(DRAWS)]
    settled = 1 - outcomes.count(Outcome.INSUFFICIENT) / DRAWS
    few = 1 / DRAWS**0.5
    assert 0.75 - few <= settled <= 0.90 + few, (rows, settled)


def test_every_check_that_gives_such_advice_is_among_them() -> None:
    """Floors are held in tests/test_sample_size.py, where the value is known to be the truth."""
    given = {
        name
        for name, check in CHECKS.items()
        if ":" not in name and "design=" in inspect.getsource(sys.modules[check.__module__])
    }
    assert given - {"performance.logged", "performance.score"} <= {a.check for a in ADVICE}
