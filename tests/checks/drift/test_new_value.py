"""`drift.new_value`: one value that suddenly holds many rows, whatever it is."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aims_gate.checks.drift.columns import Columns
from aims_gate.checks.drift.new_value import NewValue
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import NoValue
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.plan import plan
from aims_gate.policy.model import OnInsufficient, Policy, Role, Rule, Threshold
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import NOW, data, decided, inputs, judged
from tests.support.laws import law

RULE: dict[str, Any] = {"check": "drift.new_value"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def reference(columns: object, **spec: Any) -> Data:
    return data(columns, Role.REFERENCE, **spec)


def current(columns: object, **spec: Any) -> Data:
    return data(columns, Role.CURRENT, **spec)


def normal(rows: int, seed: int) -> list[Any]:
    found: list[Any] = np.random.default_rng(seed).normal(size=rows).tolist()
    return found


def stuck(rows: list[Any], value: Any, share: float) -> list[Any]:
    count = round(share * len(rows))
    return [*[value] * count, *rows[count:]]


# --- what never passes ---------------------------------------------------------------------------


def test_a_vanished_column_and_a_changed_kind_are_refused() -> None:
    before = reference({"x": normal(900, 1), "y": normal(900, 2)})
    cells = judged(NewValue(), before, current({"x": ["a"] * 900}))
    assert (cells["y"].lack, cells["x"].lack) == (NoValue.MISSING, NoValue.UNDEFINED)
    assert decided(RULE, before, current({"x": normal(900, 3)})).outcome is Outcome.MISSING


@pytest.mark.parametrize(("n", "rows"), [(900, 0), (900, 1), (900, 99), (99, 900), (900, 120)])
def test_too_few_rows_to_find_a_new_value_are_no_pass(n: int, rows: int) -> None:
    few = pa.table({"x": pa.array(normal(rows, 1), pa.float64())})
    both = reference({"x": normal(n, 2)}), current(few)
    wanted = Outcome.MISSING if rows == 0 else Outcome.INSUFFICIENT
    assert decided(RULE, *both).outcome is wanted


def test_no_data_and_no_column_are_missing() -> None:
    assert decided(RULE, reference({"x": [1.0]})).outcome is Outcome.MISSING
    both = reference({"k": [1.0] * 500}, key="k"), current({"k": [1.0] * 500})
    assert [c.lack for c in judged(NewValue(), *both).values()] == [NoValue.MISSING]


def test_a_kind_that_cannot_be_counted_is_left_out_or_refused_by_name() -> None:
    lists = {"x": [[1.0]] * 500, "y": normal(500, 1)}
    both = reference(lists), current(lists)
    assert set(judged(NewValue(), *both)) == {"y"}
    assert judged(NewValue(columns=("x",)), *both)["x"].lack is NoValue.UNDEFINED


# --- what is found -------------------------------------------------------------------------------

TEXTS = [f"{'abcd'[i % 4]}" for i in range(1_000)]
TIMES = [START + timedelta(minutes=i) for i in range(1_000)]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (normal(1_000, 1), stuck(normal(1_000, 2), -1.0, 0.06), "one value holds 6.0 %"),
        (normal(1_000, 1), stuck(normal(1_000, 2), 0.25, 0.06), "one value holds 6.0 %"),
        (normal(1_000, 1), stuck(normal(1_000, 2), math.nan, 0.06), "null holds 6.0 %"),
        (normal(1_000, 1), stuck(normal(1_000, 2), math.inf, 0.06), "one value holds 6.0 %"),
        (TEXTS, stuck(TEXTS, "new", 0.06), 'value "new" holds 6.0 %'),
        (TEXTS, stuck(TEXTS, None, 0.06), "null holds 6.0 %"),
        (TEXTS, stuck(TEXTS, "x" * 90, 0.06), f'value "{"x" * 39}…" holds 6.0 %'),
        (TIMES, stuck(TIMES, datetime(1970, 1, 1, tzinfo=UTC), 0.06), "one value holds 6.0 %"),
        ([True] * 1_000, stuck([True] * 1_000, False, 0.06), 'value "False" holds 6.0 %'),
    ],
)
def test_a_value_that_is_new_to_six_rows_in_a_hundred_is_found_whatever_it_is(
    before: list[Any], after: list[Any], told: str
) -> None:
    """It is named where the policy names the column, and at most 100 values are in it."""
    both = reference({"x": before}), current({"x": after})
    result = decided(RULE, *both)
    assert result.outcome is Outcome.FAIL
    assert told in result.reason.replace("%", " %").replace("  %", " %")
    assert "(reference 0.0" in result.reason
    cell = judged(NewValue(), *both)["x"]
    assert cell.value == pytest.approx(0.06)
    assert cell.interval is not None
    assert 0 < cell.interval.low < 0.06 < cell.interval.high


def test_a_stuck_sensor_inside_the_range_is_what_no_distance_sees() -> None:
    both = reference({"x": normal(3_000, 1)}), current({"x": stuck(normal(3_000, 2), 0.1, 0.05)})
    for method in ("psi", "js", "hellinger", "chi2", "ks", "wasserstein"):
        rule = {
            "check": "drift.columns",
            "parameters": {"numeric": method, "categorical": "none"},
        }
        assert decided(rule, *both).outcome in {Outcome.PASS, Outcome.WARN}
    assert decided(RULE, *both).outcome is Outcome.FAIL


def test_a_value_within_five_times_is_not_new_and_just_five_times_is() -> None:
    """B / m >= 5 a / n exactly: 60 of 1,000 against 12 of 1,000."""
    before, rest = normal(1_000, 1), normal(1_000, 2)
    after = stuck(rest, 7.0, 0.06)
    for count, wanted in ((12, 0.06), (13, 0.0)):
        cell = judged(NewValue(), reference({"x": stuck(before, 7.0, count / 1_000)}),
                      current({"x": after}))["x"]  # fmt: skip
        assert cell.value == pytest.approx(wanted)


def test_just_three_rows_in_a_hundred_count_and_fewer_do_not() -> None:
    before = reference({"x": normal(5_000, 1)})
    for share, wanted in ((0.03, 0.03), (0.0298, 0.0)):
        cell = judged(NewValue(), before, current({"x": stuck(normal(5_000, 2), 7.0, share)}))["x"]
        assert cell.value == pytest.approx(wanted)


def test_a_breach_that_is_not_proven_warns() -> None:
    """22 of 600 rows against 4: five times as many, and perhaps not even twice."""
    before = stuck(normal(600, 1), 7.0, 4 / 600)
    both = reference({"x": before}), current({"x": stuck(normal(600, 2), 7.0, 0.036)})
    cell = judged(NewValue(), *both)["x"]
    assert cell.interval is not None
    assert cell.value == pytest.approx(0.0366, abs=1e-3)
    assert cell.interval.low == 0
    assert decided(RULE, *both).outcome is Outcome.WARN


def test_a_proven_value_fails_on_few_rows_and_few_rows_are_not_named() -> None:
    """The test is exact: twelve of 120 rows against 100,000 are proof enough."""
    both = reference({"x": normal(100_000, 1)}), current({"x": stuck(normal(120, 2), 7.0, 0.1)})
    result = decided(RULE, *both)
    assert result.outcome is Outcome.FAIL
    assert "one value holds 10.0%" in result.reason
    assert "7" not in judged(NewValue(), *both)["x"].reason.replace("reference", "")


def test_a_value_that_may_have_grown_tenfold_is_no_pass_though_the_estimate_is_fourfold() -> None:
    """4 of 200 rows, now 16: a true 0.8 % leaves as many by chance in one draw of thirteen."""
    before, after = ([*"abcd"] * 50 for _ in range(2))
    both = reference({"x": stuck(before, "e", 0.02)}), current({"x": stuck(after, "e", 0.08)})
    result = decided(RULE, *both)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "one value holds 8.0% of current rows (reference 2.0%)" in result.reason
    assert result.reason.endswith("which excludes no growth by 10")
    assert "more reference rows are needed" in result.reason
    many = [reference({"x": before * 5 + ["e"] * 25}), current({"x": after * 5 + ["e"] * 87})]
    assert decided(RULE, *many).outcome is Outcome.PASS


def test_a_limit_of_the_policy_tolerates_so_much() -> None:
    both = reference({"x": normal(5_000, 1)}), current({"x": stuck(normal(5_000, 2), 7.0, 0.06)})
    for limit, outcome in ((0.05, Outcome.FAIL), (0.08, Outcome.WARN)):
        rule = {**RULE, "require": Threshold(at_most=limit)}
        assert decided(rule, *both).outcome is outcome


def test_several_new_values_are_counted_and_the_largest_is_shown() -> None:
    after = stuck(stuck(normal(2_000, 2), 7.0, 0.1), 8.0, 0.04)
    cell = judged(NewValue(), reference({"x": normal(2_000, 1)}), current({"x": after}))["x"]
    assert cell.reason.startswith("one value holds 6.0% of current rows")
    assert cell.reason.endswith("(and 1 more)")


# --- unseen categories ---------------------------------------------------------------------------


def ids(first: int, rows: int, each: int) -> list[str]:
    return [f"id {first + i // each}" for i in range(rows)]


def test_many_small_new_categories_are_found_by_their_sum() -> None:
    """No new value holds 3 % of the rows, and together they hold a quarter."""
    both = (
        reference({"shop": ids(0, 2_000, 4)}),
        current({"shop": ids(0, 1_500, 4) + ids(10_000, 500, 4)}),
    )
    assert decided(RULE, *both).outcome is Outcome.PASS
    rule = {**RULE, "parameters": {"unseen_share": 0.05}}
    result = decided(rule, *both)
    assert result.outcome is Outcome.FAIL
    assert "25.0% of current rows are in categories unknown to the reference" in result.reason


def test_ids_that_are_all_different_are_unseen_by_chance_alone() -> None:
    both = reference({"id": ids(0, 1_000, 1)}), current({"id": ids(5_000, 1_000, 1)})
    rule = {**RULE, "parameters": {"unseen_share": 0.05}}
    assert decided(rule, *both).outcome is not Outcome.FAIL
    cell = judged(NewValue(unseen_share=0.05), *both)["id: unseen"]
    assert cell.value == 0


def test_unseen_share_on_few_rows_is_insufficient() -> None:
    both = reference({"shop": ids(0, 200, 4)}), current({"shop": ids(0, 25, 4)})
    found = decided({**RULE, "parameters": {"unseen_share": 0.05}}, *both)
    assert found.outcome is Outcome.INSUFFICIENT


# --- laws ----------------------------------------------------------------------------------------


@law(20)
@example(6069, 0)  # two new values hold equally many rows
@given(st.integers(0, 10_000), st.integers(0, 8))
def test_weights_are_repeated_rows_and_names_do_not_matter(seed: int, new: int) -> None:
    rng = np.random.default_rng(seed)
    values = [*"abcdef", None]
    counts = [rng.integers(1, 90, 7).tolist(), rng.integers(1, 90, 7).tolist()]
    counts[0][seed % 7] = new
    weighted = [{"x": values, "n": count} for count in counts]
    repeated = [
        {"x": [v for v, c in zip(values, count, strict=True) for _ in range(c)]} for count in counts
    ]
    renamed = [
        {"x": [None if v is None else f"z{ord(v) * 7 % 11}" for v in part["x"]]}
        for part in repeated
    ]
    found = [
        judged(NewValue(columns=("x",)), reference(a, **spec), current(b, **spec))["x"]
        for (a, b), spec in ((weighted, {"weight": "n"}), (repeated, {}), (renamed, {}))
    ]
    assert found[0] == found[1]
    assert (found[0].value, found[0].interval) == (found[2].value, found[2].interval)


def test_twenty_columns_without_drift_are_quiet() -> None:
    rng = np.random.default_rng(5)

    def columns() -> dict[str, list[Any]]:
        numbers = {f"n{i}": rng.normal(size=1_000).tolist() for i in range(10)}
        whole = {f"p{i}": rng.poisson(3, size=1_000).tolist() for i in range(5)}
        texts = {f"t{i}": rng.choice([*"abcdefghij"], 1_000).tolist() for i in range(5)}
        return {**numbers, **whole, **texts}

    for _ in range(10):
        assert decided(RULE, reference(columns()), current(columns())).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 0.6}, "share"),
        ({"factor": 2.0}, "factor"),
        ({"factor": math.inf}, "factor"),
        ({"unseen_share": 1.0}, "unseen_share"),
        ({"share": math.nan}, "share"),
        ({"columns": ()}, "columns"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(parameters: dict[str, Any], field: str) -> None:
    assert [name for name, _, _ in problems_of(NewValue(**parameters))] == [field]


def test_columns_compares_no_times_and_says_so() -> None:
    """Times are for new values only."""
    both = reference({"x": TIMES}), current({"x": TIMES})
    assert judged(Columns(columns=("x",)), *both)["x"].reason == "no method fits time"


def test_a_column_without_rows_is_missing_whoever_asks() -> None:
    empty = current(pa.table({"x": pa.array([], pa.float64())}))
    assert judged(NewValue(), reference({"x": normal(500, 1)}), empty)["x"].lack is NoValue.MISSING


def test_500_rows_decide_however_many_rules_share_the_alpha_of_a_policy() -> None:
    """That nothing is hidden is said of each column by itself; only a breach is corrected."""
    both = reference({"x": normal(500, 1)}), current({"x": normal(500, 2)})
    rules = tuple(Rule(id=f"MON-{n:02}", **RULE) for n in range(40))
    policy = Policy(id="p", version="1.0.0", alpha_scope="policy", rules=rules)
    task = plan(policy).sound()[0]
    assert task.alpha == pytest.approx(policy.alpha / 40)
    statistics = measure(task, inputs(*both).subject, now=NOW)
    found = judge(task, statistics, now=NOW, insufficient=OnInsufficient.BLOCK)
    assert found.outcome is Outcome.PASS, found.reason
