"""`drift.share`: many columns that each moved a little."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.checks.drift.share import Share
from aims_gate.checks.parameters import problems_of
from aims_gate.engines import Answer, Question
from aims_gate.facts import NoValue
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome, Result
from tests.checks.subjects import context, data, decided, inputs, judged

RULE: dict[str, Any] = {"check": "drift.share"}


def reference(columns: object, **spec: Any) -> Data:
    return data(columns, Role.REFERENCE, **spec)


def current(columns: object, **spec: Any) -> Data:
    return data(columns, Role.CURRENT, **spec)


def normals(rows: int, seed: int, shifts: list[float]) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {f"c{i:02}": rng.normal(shift, 1, rows) for i, shift in enumerate(shifts)}


def judge(shifts: list[float], rows: int = 1_000, seed: int = 1, **parameters: Any) -> Result:
    """A rule on normal columns that moved by so many standard deviations."""
    both = (
        reference(normals(rows, seed, [0.0] * len(shifts))),
        current(normals(rows, seed + 1_000, shifts)),
    )
    return decided({**RULE, "parameters": parameters}, *both)


# --- what never passes ---------------------------------------------------------------------------


def test_a_vanished_or_changed_column_is_no_column_less_but_a_refusal() -> None:
    columns = normals(1_000, 1, [0.0] * 10)
    gone = {name: column for name, column in columns.items() if name != "c03"}
    changed = {**columns, "c03": ["a"] * 1_000}
    assert decided(RULE, reference(columns), current(gone)).outcome is Outcome.MISSING
    assert decided(RULE, reference(columns), current(changed)).outcome is Outcome.ERROR
    cells = judged(Share(), reference(columns), current(gone))
    assert (cells["c03"].lack, cells[""].value) == (NoValue.MISSING, 0)


def test_no_data_no_rows_and_no_columns_are_missing() -> None:
    columns = normals(500, 1, [0.0] * 4)
    empty = pa.table({name: pa.array([], pa.float64()) for name in columns})
    assert decided(RULE, reference(columns)).outcome is Outcome.MISSING
    assert decided(RULE, reference(columns), current(empty)).outcome is Outcome.MISSING
    only = {"k": [1.0] * 500}
    assert decided(RULE, reference(only, key="k"), current(only)).outcome is Outcome.MISSING


def test_samples_that_would_miss_drift_of_most_columns_are_insufficient() -> None:
    assert judge([0.0] * 20, 99).outcome is Outcome.INSUFFICIENT
    few = decided({**RULE, "parameters": {"moved": 0.02, "categorical": "none"}}, *(
        role(normals(300, seed, [0.0] * 20)) for role, seed in ((reference, 1), (current, 2))
    ))  # fmt: skip
    assert few.outcome is Outcome.INSUFFICIENT
    assert "does not exclude a serious 0.5998; " in few.reason


def test_nulls_that_a_method_does_not_see_are_refused() -> None:
    holes = normals(1_000, 1, [0.0] * 4)
    holes["c01"][:300] = math.nan
    rule = {**RULE, "parameters": {"numeric": "ks", "categorical": "none"}}
    both = reference(normals(1_000, 2, [0.0] * 4)), current(holes)
    assert decided(rule, *both).outcome is Outcome.ERROR
    assert judged(Share(numeric="ks"), *both)["c01"].lack is NoValue.UNDEFINED


def test_an_engine_that_gives_no_answer_takes_the_column_away() -> None:
    class Silent:
        def ask(self, _question: Question) -> tuple[Answer, ...]:
            return (Answer.none("reference 1", "the reference process ended"),)

    both = [reference(normals(500, 1, [0.0] * 3)), current(normals(500, 2, [0.0] * 3))]
    engine: Any = Silent()
    found = list(Share().measure(replace(inputs(*both), engine=engine)))
    assert {s.lack for s in found if s.judged} == {NoValue.UNDEFINED}


def test_weights_that_name_nothing_or_weigh_nothing_are_refused() -> None:
    both = reference(normals(500, 1, [0.0] * 2)), current(normals(500, 2, [0.0] * 2))
    cells = judged(Share(weights={"c1": 3.0}), *both)
    assert (cells["c1"].lack, cells["c1"].reason) == (
        NoValue.MISSING,
        "weights name a column that is not compared",
    )
    nothing = judged(Share(weights={"c00": 0.0, "c01": 0.0}), *both)[""]
    assert (nothing.lack, nothing.reason) == (NoValue.UNDEFINED, "all columns weigh nothing")


# --- decisions -----------------------------------------------------------------------------------


def test_without_drift_the_share_is_nothing() -> None:
    result = judge([0.0] * 20)
    assert result.outcome is Outcome.PASS
    (cell,) = (s for s in result.statistics if s.judged)
    assert (cell.value, cell.reason) == (0.0, "none of 20 columns")


def test_many_small_moves_are_refused_where_no_column_is() -> None:
    """Sixteen of forty columns by 0.4 standard deviations, which is a PSI of 0.15."""
    shifts = [0.4] * 16 + [0.0] * 24
    rows = 1_000
    both = (
        reference(normals(rows, 1, [0.0] * 40)),
        current(normals(rows, 1_001, shifts)),
    )
    assert decided({"check": "drift.columns"}, *both).outcome is Outcome.WARN
    result = decided(RULE, *both)
    assert result.outcome is Outcome.FAIL
    assert "drifted share 0.4" in result.reason or "drifted share 0.3" in result.reason
    assert "of 40 columns: c00, c01, c02, c03" in result.reason


def test_three_of_ten_columns_are_refused_two_warn_and_one_is_noticed() -> None:
    for moved, outcome in ((3, Outcome.FAIL), (2, Outcome.WARN), (1, Outcome.WARN)):
        assert judge([1.0] * moved + [0.0] * (10 - moved)).outcome is outcome
    assert judge([1.0] + [0.0] * 10).outcome is Outcome.PASS


def test_one_column_that_carries_the_share_must_be_proven_past_its_line() -> None:
    """Else a policy of one column would refuse one null case in twenty by this rule alone."""
    found = [judge([0.0], rows=100, seed=seed) for seed in range(150)]
    # by noise alone 8 of these would be refused
    assert sum(result.outcome is Outcome.FAIL for result in found) <= 3
    assert judge([0.35], rows=2_000).outcome is Outcome.WARN
    assert judge([1.0], rows=500).outcome is Outcome.FAIL
    assert judge([1.0, 0.0, 0.0], rows=500).outcome is Outcome.FAIL
    assert judge([0.35, 0.35], rows=1_000).outcome is Outcome.FAIL


def test_three_columns_in_five_that_moved_by_twice_the_line_are_seldom_let_through() -> None:
    """By bounds of 5 % a column four draws in ten passed: one miss of twelve is enough."""
    shifts = [0.456] * 12 + [0.0] * 8  # a PSI of 0.20
    found = [judge(shifts, rows=300, seed=seed).outcome for seed in range(40)]
    assert found.count(Outcome.PASS) + found.count(Outcome.WARN) <= 4
    assert judge([0.0] * 20, rows=300).outcome is Outcome.PASS


def test_weights_count_what_matters() -> None:
    shifts = [1.0] + [0.0] * 9
    assert judge(shifts, weights={"c00": 6.0}).outcome is Outcome.FAIL
    assert judge(shifts, weights={"c00": 0.0}).outcome is Outcome.PASS
    (cell,) = (s for s in judge(shifts, weights={"c00": 6.0}).statistics if s.judged)
    assert cell.value == pytest.approx(6 / 15)


def test_numbers_and_texts_may_be_compared_by_two_methods_with_a_line_each() -> None:
    rng = np.random.default_rng(3)
    before = {"x": rng.normal(size=2_000), "t": rng.choice(["a", "b"], 2_000)}
    after = {"x": rng.normal(1, 1, 2_000), "t": rng.choice(["a", "b"], 2_000)}
    check = Share(numeric="ks", categorical="psi")
    assert list(problems_of(check)) == []
    both = reference(before), current(after)
    assert judged(check, *both)[""].value == 0.5
    assert context(check, "ks", *both)["x"].reason.startswith("drifted: past 0.1 counts")
    assert context(check, "psi", *both)["t"].reason.startswith("not counted as drifted")


def test_the_interval_holds_what_is_proven_and_what_is_possible() -> None:
    shifts = [1.0] * 4 + [0.33] * 6 + [0.0] * 10
    (cell,) = (s for s in judge(shifts, 600).statistics if s.judged)
    assert cell.interval is not None
    assert cell.value is not None
    assert 0.2 <= cell.interval.low <= cell.value <= cell.interval.high <= 1


def test_the_order_of_columns_does_not_matter() -> None:
    before, after = normals(800, 1, [0.0] * 12), normals(800, 2, [0.5] * 5 + [0.0] * 7)
    turned = [dict(reversed(columns.items())) for columns in (before, after)]
    one = judged(Share(), reference(before), current(after))[""]
    other = judged(Share(), reference(turned[0]), current(turned[1]))[""]
    assert (one.value, one.interval) == (other.value, other.interval)


def test_alone_it_decides_by_estimate_too() -> None:
    rule = {**RULE, "decide_on": DecideOn.ESTIMATE}
    both = (
        reference(normals(1_000, 1, [0.0] * 10)),
        current(normals(1_000, 1_001, [1.0] * 4 + [0.0] * 6)),
    )
    assert decided(rule, *both).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"numeric": "none", "categorical": "none"}, "numeric"),
        ({"numeric": "ks", "moved": 0.1}, "moved"),
        ({"moved": 0.0}, "moved"),
        ({"moved": math.inf}, "moved"),
        ({"numeric": "js", "categorical": "js", "moved": 0.9}, "moved"),
        ({"weights": {"x": -1.0}}, "weights"),
        ({"weights": {"x": math.inf}}, "weights"),
        ({"columns": ("y",), "weights": {"x": 1.0}}, "weights"),
        ({"columns": ("x", "x")}, "columns"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(parameters: dict[str, Any], field: str) -> None:
    assert [name for name, _, _ in problems_of(Share(**parameters))] == [field]
