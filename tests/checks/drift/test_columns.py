"""Columns of a later sample held against the reference: what is compared, decided and told."""

from __future__ import annotations

import gc
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from aims_gate.checks.drift.columns import Columns
from aims_gate.checks.parameters import problems_of
from aims_gate.engines import Answer, Question
from aims_gate.facts import NoValue
from aims_gate.plan import plan
from aims_gate.policy.model import Policy, Role, Rule, Threshold
from aims_gate.stats.drift_power import DivergenceDesign
from aims_gate.verdict import Outcome
from tests.checks.drift.methods import (
    ALL,
    KS,
    ORDERED,
    RULE,
    WASSERSTEIN,
    current,
    normal,
    reference,
)
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

# --- what is left out, and says so -------------------------------------------------------------


def test_all_leaves_out_roles_and_tells_what_no_method_fits() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    columns = {
        "x": normal(300, 1),
        "kind": ["a", "b", "c"] * 100,
        "when": [start + timedelta(days=i) for i in range(300)],
        "y": [0, 1] * 150,
        "p": [0, 1] * 150,
        "score": normal(300, 2),
        "pa": normal(300, 3),
        "k": list(range(300)),
        "n": [1] * 300,
        "t": normal(300, 4),
    }
    before = reference(columns, label="y", prediction="p", score="score", key="k", weight="n")
    after = current({**columns, "new": [1] * 300}, score={"a": "pa"}, time="t")
    assert set(judged(Columns(), before, after)) == {"x", "kind"}
    roles = {"y", "p", "score", "pa", "k", "n", "t"}
    assert set(context(Columns(), "left_out", before, after)) == {"when", *roles}
    assert set(context(Columns(), "new_column", before, after)) == {"new"}
    assert set(judged(WASSERSTEIN, before, after)) == {"x"}
    assert set(context(WASSERSTEIN, "left_out", before, after)) == {"when", "kind", *roles}


def test_a_role_column_that_is_named_is_judged() -> None:
    columns = {"p": [0, 1] * 150}
    both = reference(columns, prediction="p"), current(columns, prediction="p")
    assert set(judged(Columns(columns=("p",)), *both)) == {"p"}


@pytest.mark.parametrize("method", ["psi", "ks", "wasserstein"])
def test_a_statistic_keeps_no_sample(method: Any) -> None:
    """Statistics live as long as the verdict: ten million rows must not live with them."""
    rows = 2_000
    both = reference({"x": normal(rows, 1)}), current({"x": normal(rows, 2)})
    (cell,) = judged(Columns(numeric=method), *both).values()
    reached: dict[int, object] = {id(cell.design): cell.design}
    for _ in range(10):  # not into globals, where everything is
        for one in gc.get_referents(*reached.values()):
            if not isinstance(one, type | ModuleType | dict):
                reached[id(one)] = one
    assert not [one for one in reached.values() if isinstance(one, np.ndarray) and one.size >= rows]


# --- decisions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shift", "outcome"),
    [(0.0, Outcome.PASS), (0.1, Outcome.PASS), (0.42, Outcome.WARN), (0.9, Outcome.FAIL)],
)
def test_a_shift_is_judged_by_its_size(shift: float, outcome: Outcome) -> None:
    both = reference({"x": normal(3_000, 1)}), current({"x": normal(2_000, 2, shift=shift)})
    assert decided(RULE, *both).outcome is outcome


@pytest.mark.parametrize(("shift", "outcome"), [(0.0, Outcome.PASS), (0.8, Outcome.FAIL)])
def test_a_shift_is_judged_in_standard_deviations(shift: float, outcome: Outcome) -> None:
    rule = {
        "check": "drift.columns",
        "parameters": {"numeric": "wasserstein", "categorical": "none"},
    }
    both = reference({"x": normal(3_000, 1)}), current({"x": normal(2_000, 2, shift=shift)})
    assert decided(rule, *both).outcome is outcome


def test_a_boolean_is_a_category_and_its_change_is_drift() -> None:
    before = {"flag": [True] * 100 + [False] * 900, "kind": ["a"] * 500 + ["b"] * 500}
    after = {"flag": [True] * 400 + [False] * 600, "kind": ["a"] * 500 + ["b"] * 500}
    cells = judged(Columns(), reference(before), current(after))
    p, q = np.array([100.5, 900.5]) / 1001, np.array([400.5, 600.5]) / 1001
    expected = float(((p - q) * np.log(p / q)).sum()) - 1 / 500
    assert cells["flag"].value == pytest.approx(expected)
    assert cells["kind"].value == 0
    assert decided(RULE, reference(before), current(after)).outcome is Outcome.FAIL


def test_one_value_in_both_samples_is_no_drift() -> None:
    both = reference({"x": [7.0] * 120}), current({"x": [7.0] * 110})
    cell = judged(Columns(), *both)["x"]
    assert (cell.value, cell.reason) == (0, "one value in both samples")
    assert decided(RULE, *both).outcome is Outcome.PASS


def test_an_unseen_category_is_drift() -> None:
    before = reference({"kind": ["a", "b"] * 1_000})
    after = current({"kind": ["a", "b"] * 900 + ["new"] * 200})
    assert decided(RULE, before, after).outcome is Outcome.FAIL


def test_twenty_undrifted_columns_are_hardly_ever_refused() -> None:
    rng = np.random.default_rng(12)
    outcomes = []
    for _ in range(20):
        before = {f"c{i}": rng.normal(size=500).tolist() for i in range(20)}
        after = {f"c{i}": rng.normal(size=500).tolist() for i in range(20)}
        outcomes.append(decided(RULE, reference(before), current(after)).outcome)
    assert set(outcomes) == {Outcome.PASS}


# --- values ------------------------------------------------------------------------------------


def test_a_cell_says_what_moved_on_how_many_rows_and_how_sure() -> None:
    before = {"x": normal(3_000, 1), "kind": ["a", "b", "c"] * 1_000}
    after = {"x": normal(1_000, 2, shift=0.7), "kind": ["a", "b"] * 500}
    cell = judged(Columns(), reference(before), current(after), alpha=0.05)["x"]
    assert (cell.rows, cell.total) == (1_000, 1_000)
    assert cell.interval is not None
    assert cell.interval.level == pytest.approx(0.90)
    assert cell.interval.method == "noncentral chi-square, one-sided, Bonferroni over 2 columns"
    assert cell.value is not None
    assert cell.interval.low < cell.value < cell.interval.high
    assert cell.reason.startswith("most at (1.")
    assert "noise alone reaches 0.013 at these sizes" in cell.reason
    same = judged(Columns(), reference(before), current(before))["x"]
    assert same.reason.startswith("noise alone reaches")
    assert cell.design == DivergenceDesign(bins=10, reference=3_000, rows=1_000, alpha=0.05)
    assert cell.alone is not None
    assert cell.interval.low < cell.alone.low < cell.value < cell.alone.high < cell.interval.high


def test_columns_that_lack_something_share_alpha_too() -> None:
    before = reference({"x": normal(500, 1), "gone": normal(500, 2)})
    cell = judged(Columns(), before, current({"x": normal(500, 3)}))["x"]
    assert cell.interval is not None
    assert "over 2 columns" in cell.interval.method


@law(25)
@given(st.integers(0, 10_000), st.floats(-2, 2), st.integers(100, 400))
def test_wasserstein_of_a_column_is_scipys(seed: int, shift: float, rows: int) -> None:
    before, after = normal(150, seed), normal(rows, seed + 1, shift=shift)
    cell = judged(WASSERSTEIN, reference({"x": before}), current({"x": after}))["x"]
    expected = wasserstein_distance(before, after) / float(np.std(before))
    assert cell.value == pytest.approx(expected)
    assert cell.interval is not None
    assert 0 <= cell.interval.low <= expected <= cell.interval.high


@pytest.mark.parametrize("check", ALL)
def test_weighted_rows_count_like_repeated_ones(check: Columns) -> None:
    before, after = [1.0, 2.0, 5.0, 9.0], [1.0, 2.5, 5.0, 9.0]
    n, m = [40, 90, 33, 60], [150, 20, 80, 44]
    kinds = ["a", "b", "c", None]
    columns = 1 if check in ORDERED else 2
    both: list[dict[str, list[Any]]] = [
        {"x": values, "kind": kinds, "n": counts} for values, counts in ((before, n), (after, m))
    ]
    rows = [
        {key: [v for v, c in zip(t[key], t["n"], strict=True) for _ in range(c)] for key in t}
        for t in both
    ]
    weighted = judged(check, reference(both[0], weight="n"), current(both[1], weight="n"))
    plain = judged(check, reference(rows[0], key="n"), current(rows[1], key="n"))
    # of weighted rows a count is no number of people, so that no distribution is told
    assert all(cell.curves == () for cell in weighted.values())
    assert all(cell.curves for cell in plain.values())
    assert weighted == {name: replace(cell, curves=()) for name, cell in plain.items()}
    assert len(plain) == columns


def test_another_role_takes_the_place_of_current_when_the_rule_names_it() -> None:
    before = reference({"x": normal(500, 1)})
    after = data({"x": normal(500, 2, shift=3)}, Role.EVALUATION)
    cell = judged(Columns(), before, after, on=Role.EVALUATION)["x"]
    assert cell.value is not None
    assert cell.value > 1


@pytest.mark.parametrize(
    ("check", "name", "limit"),
    [
        (Columns(), "psi", 0.25),
        (Columns(numeric="none"), "psi", 0.25),
        (Columns(categorical="none"), "psi", 0.25),
        (WASSERSTEIN, "wasserstein", 0.50),
        (KS, "ks", 0.20),
        (Columns(numeric="js", categorical="js"), "jensenshannon", 0.18),
        (Columns(numeric="hellinger", categorical="none"), "hellinger", 0.18),
        (Columns(numeric="none", categorical="chi2"), "cramers_v", 0.25),
    ],
)
def test_a_method_brings_its_name_and_its_limit(check: Columns, name: str, limit: float) -> None:
    assert list(problems_of(check)) == []
    assert (check.judged().name, check.judged().limit) == (name, limit)


@pytest.mark.parametrize("method", ["js", "hellinger", "chi2"])
def test_a_root_asks_for_about_the_rows_that_psi_asks_for(method: str) -> None:
    """The designs of one column at the conventional limits: the same chance within a tenth."""
    for rows in (60, 100, 200):
        chances = [
            DivergenceDesign(bins=10, reference=5_000, rows=rows, alpha=0.05, method=name).chance(
                1.0, serious=serious
            )
            for name, serious in (("psi", 0.5), (method, 0.18 * math.sqrt(2)))
        ]
        if method == "chi2":  # whose conventional limit is PSI's by V = sqrt(PSI) / 2
            chances[1] = DivergenceDesign(
                bins=10, reference=5_000, rows=rows, alpha=0.05, method="chi2"
            ).chance(1.0, serious=0.25 * math.sqrt(2))
        assert chances[0] == pytest.approx(chances[1], abs=0.1)


def test_half_and_twice_of_a_root_are_those_of_its_square() -> None:
    parameters = {"numeric": "js", "categorical": "js"}
    rule = Rule(
        id="M-1",
        check="drift.columns",
        parameters=parameters,
        require=Threshold(at_most=0.2),
    )
    (task,) = plan(Policy(id="p", version="1", rules=(rule,))).sound()
    (bar,) = task.bars
    assert bar.line == pytest.approx(0.2 / math.sqrt(2))
    assert bar.serious == pytest.approx(0.2 * math.sqrt(2))


@pytest.mark.parametrize("check", ALL)
@pytest.mark.parametrize("problem", ["", "the reference process ended"])
def test_an_engine_without_an_answer_leaves_no_value(check: Columns, problem: str) -> None:
    class Silent:
        def ask(self, _question: Question) -> tuple[Answer, ...]:
            return (Answer(value=math.nan, by="evidently 1", problem=problem),)

    engine: Any = Silent()
    both = reference({"x": normal(500, 1)}), current({"x": normal(500, 2)})
    found = check.measure(replace(inputs(*both), engine=engine))
    (cell,) = (s for s in found if s.judged)
    assert (cell.lack, cell.value, cell.engine) == (NoValue.UNDEFINED, None, "evidently 1")
    assert cell.reason == (problem or "evidently 1 gives no value")
