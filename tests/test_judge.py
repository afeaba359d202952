"""Every row of spec.md's tables "From cells to exit code" and `decide_on`."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from aims_gate.facts import NoValue, Statistic
from aims_gate.judge import judge
from aims_gate.measure import AGE
from aims_gate.policy.model import (
    DecideOn,
    Role,
    Severity,
    Threshold,
)
from aims_gate.verdict import Outcome, worst
from tests.support.judging import BLOCK, NOW, cell, outcome, task


# limit 0.80, neutral 1, so the line is 0.90 and serious is 0.60
@pytest.mark.parametrize(
    ("decide_on", "value", "low", "high", "expected"),
    [
        ("estimate", 0.85, 0.81, 0.89, "PASS"),
        ("estimate", 0.85, 0.70, 0.97, "WARN"),
        ("estimate", 0.79, 0.70, 0.97, "FAIL"),
        ("estimate", 0.60, 0.55, 0.65, "FAIL"),
        ("proven_pass", 0.85, 0.81, 0.89, "PASS"),
        ("proven_pass", 0.85, 0.70, 0.97, "INSUFFICIENT"),
        ("proven_pass", 0.79, 0.70, 0.97, "FAIL"),
        ("proven_pass", 0.60, 0.55, 0.65, "FAIL"),
        ("proven_breach", 0.95, 0.91, 1.05, "PASS"),
        ("proven_breach", 0.95, 0.70, 1.20, "PASS"),
        ("proven_breach", 0.95, 0.91, 0.98, "PASS"),  # different from 1, and not past the line
        ("proven_breach", 0.87, 0.82, 0.92, "WARN"),  # past the line and proven different from 1
        ("proven_breach", 0.87, 0.70, 1.10, "PASS"),  # past the line, perhaps by chance
        ("proven_breach", 0.79, 0.60, 0.97, "WARN"),  # a bare breach
        ("proven_breach", 0.79, 0.72, 0.88, "FAIL"),  # the bound is past the line
        ("proven_breach", 0.60, 0.55, 0.65, "FAIL"),
    ],
)
def test_decide_on_table(
    decide_on: str, value: float, low: float, high: float, expected: str
) -> None:
    """Each burden of proof gives the outcome of its row, for a ratio that must be at least 0.80."""
    made = task(decide_on=DecideOn(decide_on))
    alone = (0.61, 1.0) if decide_on == "proven_breach" else None
    assert outcome(made, cell(value, low, high, alone=alone)) == expected


@pytest.mark.parametrize(
    ("decide_on", "value", "low", "high", "expected"),
    [
        ("estimate", 0.10, 0.02, 0.20, "PASS"),
        ("estimate", 0.24, 0.10, 0.30, "WARN"),
        ("estimate", 0.26, 0.10, 0.30, "FAIL"),
        ("proven_pass", 0.10, 0.02, 0.20, "PASS"),
        ("proven_pass", 0.24, 0.10, 0.30, "INSUFFICIENT"),
        ("proven_pass", 0.26, 0.10, 0.30, "FAIL"),
        ("proven_breach", 0.05, 0.00, 0.20, "PASS"),
        ("proven_breach", 0.15, 0.05, 0.24, "WARN"),
        ("proven_breach", 0.15, 0.00, 0.40, "PASS"),
        ("proven_breach", 0.26, 0.11, 0.40, "WARN"),
        ("proven_breach", 0.30, 0.13, 0.40, "FAIL"),
    ],
)
def test_decide_on_table_mirrored(
    decide_on: str, value: float, low: float, high: float, expected: str
) -> None:
    """The same for a distance that must be at most 0.25: its line is 0.125."""
    made = task("drift.columns", require=Threshold(at_most=0.25), decide_on=DecideOn(decide_on))
    alone = (0.0, 0.49) if decide_on == "proven_breach" else None
    made_cell = cell(value, low, high, name=made.judged.name, alone=alone)
    assert outcome(made, made_cell) == expected


@pytest.mark.parametrize(
    ("value", "interval", "alone", "small", "expected"),
    [
        (0.95, (0.30, 2.00), (0.60, 1.60), False, "INSUFFICIENT"),  # a bound on it excludes nothing
        (0.95, (0.30, 2.00), (0.61, 1.60), False, "PASS"),  # uncorrected, though 0.30 together
        (0.79, (0.30, 2.00), (0.40, 1.60), False, "INSUFFICIENT"),
        (0.60, (0.55, 0.65), (0.56, 0.64), False, "FAIL"),  # a proven breach fails on few rows too
        (0.95, (0.30, 2.00), (0.40, 1.60), True, "WARN"),  # a tiny share of the rows warns
        (0.79, (0.30, 2.00), (0.40, 1.60), True, "WARN"),
        (0.60, (0.55, 0.65), (0.56, 0.64), True, "FAIL"),
    ],
)
def test_what_does_not_exclude_a_serious_effect_never_passes(
    value: float,
    interval: tuple[float, float],
    alone: tuple[float, float],
    small: bool,
    expected: str,
) -> None:
    """A cell's own bound decides, not corrected over cells; what it leaves open never passes."""
    assert outcome(task(), cell(value, *interval, alone=alone, small=small)) == expected


def test_a_bound_on_the_line_or_on_the_serious_effect_proves_nothing() -> None:
    """A limit of 0.75 has its line at 0.875 and is serious at 0.5, exactly so in doubles."""
    made = task(require=Threshold(at_least=0.75))
    for high, expected in ((0.875, "WARN"), (math.nextafter(0.875, 0), "FAIL")):
        assert outcome(made, cell(0.70, 0.6, high, alone=(0.6, 0.8))) == expected
    for low, expected in ((0.5, "INSUFFICIENT"), (math.nextafter(0.5, 1), "PASS")):
        assert outcome(made, cell(0.95, 0.4, 1.0, alone=(low, 1.0))) == expected


def test_a_line_on_the_limit_is_not_explained_twice() -> None:
    """The limit stands beside the value already."""
    made = task(require=Threshold(at_least=0.80, warn_below=0.80))
    found = judge(made, [cell(0.79, 0.7, 0.9)], now=NOW, insufficient=BLOCK)
    assert found.reason.endswith("but not proven below 0.8")


@pytest.mark.parametrize(("own", "low"), [(0.4, 0.45), (0.7, 0.55)])
def test_a_cells_own_serious_effect_counts_only_where_it_lies_further_out(
    own: float, low: float
) -> None:
    """The rule's is 0.5: a cell may leave more open, and never has to exclude more."""
    made = task(require=Threshold(at_least=0.75))
    assert outcome(made, cell(0.95, 0.4, 1.0, alone=(low, 1.0), serious=own)) == "PASS"
    assert outcome(made, cell(0.95, 0.3, 1.0, alone=(low - 0.06, 1.0), serious=own)) != "PASS"


def test_without_bounds_nothing_is_excluded() -> None:
    """A value alone is INSUFFICIENT on a proven breach, however good it is."""
    assert outcome(task(), cell(1.0)) == "INSUFFICIENT"


def test_every_cell_must_exclude_a_serious_effect() -> None:
    """One open cell among many keeps the rule from passing."""
    good, open_ = cell(1.0, 0.9, 1.0), cell(1.0, 0.9, 1.0, alone=(0.59, 1.0))
    assert outcome(task(), good, good) == "PASS"
    assert outcome(task(), good, open_, good) == "INSUFFICIENT"


def test_a_floor_over_several_cells_gives_each_its_own_alpha() -> None:
    """`proven_pass`: each cell's own bound meets the floor, though not the simultaneous one."""
    made = task(decide_on=DecideOn.PROVEN_PASS)
    assert outcome(made, cell(0.85, 0.79, 0.9, alone=(0.80, 0.9))) == "PASS"
    assert outcome(made, cell(0.85, 0.79, 0.9, alone=(0.799, 0.9))) == "INSUFFICIENT"


def test_a_value_exactly_on_the_limit_meets_it() -> None:
    """Breach is strict: 0.80 meets at_least 0.80."""
    assert outcome(task(decide_on=DecideOn.ESTIMATE), cell(0.80)) == "PASS"
    below = math.nextafter(0.80, 0)
    assert outcome(task(decide_on=DecideOn.ESTIMATE), cell(below)) == "FAIL"


@pytest.mark.parametrize("decide_on", ["estimate", "proven_pass"])
def test_a_stated_line_warns_before_the_limit(decide_on: str) -> None:
    """A value that meets the limit and lies past warn_below is a warning."""
    made = task(decide_on=DecideOn(decide_on), require=Threshold(at_least=0.80, warn_below=0.90))
    assert outcome(made, cell(0.85, 0.82, 0.88)) == "WARN"
    assert outcome(made, cell(0.95, 0.92, 0.98)) == "PASS"


def test_a_floor_that_is_not_proven_names_the_rows_that_would_settle_it() -> None:
    """Performance under proven_pass says how many rows it takes."""
    made = task(
        "performance.score",
        parameters={"metric": "accuracy"},
        decide_on=DecideOn.PROVEN_PASS,
    )
    found = judge(made, [cell(0.85, 0.79, 0.9, name="accuracy")], now=NOW, insufficient=BLOCK)
    assert found.outcome == "INSUFFICIENT"
    assert re.search(r"about 1,\d{3} rows of the data would settle it", found.reason)
    blind = judge(made, [cell(0.85, name="accuracy")], now=NOW, insufficient=BLOCK)
    assert blind.outcome == "INSUFFICIENT"


def test_where_no_effect_is_known_the_rows_are_those_that_would_prove_it() -> None:
    """A margin of 0.2 below 1, and a bound 0.15 below the value."""
    ratio = judge(
        task(decide_on=DecideOn.PROVEN_PASS),
        [cell(0.85, 0.7, 0.97)],
        now=NOW,
        insufficient=BLOCK,
    )
    wanted = "about 575 rows of the data would settle it in 80 % of cases if there is no effect"
    assert wanted in ratio.reason


def test_a_value_that_rests_on_no_rows_names_none_that_would_settle_it() -> None:
    unproven = replace(cell(0.85, 0.7, 0.97), rows=0)
    found = judge(task(decide_on=DecideOn.PROVEN_PASS), [unproven], now=NOW, insufficient=BLOCK)
    assert found.outcome == "INSUFFICIENT"
    assert "not proven to meet the limit" in found.reason
    assert "would settle" not in found.reason


def test_a_burden_of_proof_that_is_none_crashes() -> None:
    """It must never fall through to the most lenient one."""
    made = replace(task(), decide_on="lenient")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(KeyError):
        outcome(made, cell(1.0))


def test_both_sides_of_between_refuse() -> None:
    """`between` fails below its lower and above its upper limit."""
    require = Threshold(at_least=0.2, at_most=0.9)
    made = task("performance.score", require=require, parameters={"metric": "mcc"}, decide_on=None)
    results = [outcome(made, cell(v, name="mcc")) for v in (0.1, 0.5, 0.95)]
    assert results == ["FAIL", "PASS", "FAIL"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_not_a_number_is_an_error(value: float | None) -> None:
    """NaN, infinity and no value at all never pass, whichever way the threshold points."""
    assert outcome(task(), cell(value)) == "ERROR"
    upper = task("drift.columns", require=Threshold(at_most=0.25))
    assert outcome(upper, cell(value, name=upper.judged.name)) == "ERROR"


@pytest.mark.parametrize(
    ("lack", "expected"),
    [
        (NoValue.MISSING, "MISSING"),
        (NoValue.INSUFFICIENT, "INSUFFICIENT"),
        (NoValue.UNDEFINED, "ERROR"),
    ],
)
def test_each_lack_is_its_own_outcome(lack: NoValue, expected: str) -> None:
    """A cell without a value keeps its reason and its outcome, even beside one that passes."""
    for value in (None, 1.0):  # which no check gives beside a lack, and which would pass
        bad = cell(value, lack=lack, reason="said why")
        result = judge(task(), [cell(1.0, 0.9, 1.0), bad], now=NOW, insufficient=BLOCK)
        assert (result.outcome, "said why" in result.reason) == (expected, True)


def test_nothing_measured_is_an_error() -> None:
    """A rule without a single judged cell was not decided."""
    assert outcome(task()) == "ERROR"
    context = Statistic(name="selection_rate", value=0.5)
    assert outcome(task(), context) == "ERROR"


def test_cells_combine_to_the_worst() -> None:
    """FAIL > ERROR > MISSING > STALE > INSUFFICIENT > WARN > PASS."""
    order = ["FAIL", "ERROR", "MISSING", "STALE", "INSUFFICIENT", "WARN", "PASS"]
    for place, first in enumerate(order):
        for second in order[place:]:
            assert worst([Outcome(second), Outcome(first)]) == first
    assert worst([]) is Outcome.ERROR


def test_before_effective_from_a_refusal_warns_and_an_error_stays() -> None:
    """Roll-out softens FAIL, STALE, MISSING and INSUFFICIENT; ERROR is never softened."""
    later = task(effective_from=NOW + timedelta(seconds=1))
    failing = judge(later, [cell(0.5, 0.4, 0.6)], now=NOW, insufficient=BLOCK)
    assert (failing.raw_outcome, failing.outcome, failing.blocking) == ("FAIL", "WARN", False)
    for lack, expected in ((NoValue.MISSING, "WARN"), (NoValue.UNDEFINED, "ERROR")):
        result = judge(later, [cell(None, lack=lack)], now=NOW, insufficient=BLOCK)
        assert result.outcome == expected
    now_in_force = task(effective_from=NOW)
    assert outcome(now_in_force, cell(0.5, 0.4, 0.6)) == "FAIL"


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        *((30.0, "PASS"), (31.0, "PASS"), (33.0, "WARN"), (36.0, "WARN")),
        *((36.1, "STALE"), (None, "STALE")),
    ],
)
def test_old_data_are_stale(age: float | None, expected: str) -> None:
    """Past max_age_days is STALE, within grace_days it warns, and an unknown age is STALE."""
    made = replace(task(grace_days=5), max_age_days={Role.EVALUATION: 31})
    stated = Statistic(name=AGE, slice="evaluation", value=age)
    assert outcome(made, cell(1.0, 0.9, 1.0), stated) == expected


@pytest.mark.parametrize("age", [33.0, 36.1])
def test_days_are_not_held_against_the_limit_of_the_metric(age: float) -> None:
    made = replace(task(grace_days=5), max_age_days={Role.EVALUATION: 31})
    stated = Statistic(name=AGE, slice="evaluation", value=age)
    told = judge(made, [cell(1.0, 0.9, 1.0), stated], now=NOW, insufficient=BLOCK).reason
    assert told.startswith(f"the evaluation data are {age} days old, more than 31")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_does_not_vanish_beside_others(value: float) -> None:
    assert outcome(task(), cell(1.0, 0.9, 1.1), cell(value)) == "ERROR"


def test_an_age_that_is_no_number_is_stale() -> None:
    made = replace(task(), max_age_days={Role.EVALUATION: 31})
    stated = Statistic(name=AGE, slice="evaluation", value=math.nan)
    assert outcome(made, cell(1.0), stated) == "STALE"


@pytest.mark.parametrize(
    ("statistics", "expected", "blocking"),
    [
        ([cell(1.0, 0.9, 1.1)], "PASS", False),
        ([cell(0.85, 0.82, 0.88)], "WARN", False),
        ([cell(0.5, 0.4, 0.6)], "FAIL", True),
        ([cell(None, lack=NoValue.MISSING, reason="x")], "MISSING", True),
        ([cell(None, lack=NoValue.UNDEFINED, reason="x")], "ERROR", True),
        ([cell(None, lack=NoValue.INSUFFICIENT, reason="x")], "INSUFFICIENT", True),
        ([cell(None, lack=NoValue.NOT_APPLICABLE, reason="x")], "NOT_APPLICABLE", False),
        ([cell(1.0), Statistic(name=AGE, slice="evaluation", value=99)], "STALE", True),
        ([], "ERROR", True),
    ],
)
def test_what_stands_in_the_way_of_a_stage(
    statistics: list[Statistic], expected: str, *, blocking: bool
) -> None:
    """A blocking rule refuses by every outcome but PASS, WARN and NOT_APPLICABLE; others never."""
    ages = {Role.EVALUATION: 31} if expected == "STALE" else {}
    for severity in Severity:
        made = replace(task(severity=severity), max_age_days=ages)
        found = judge(made, statistics, now=NOW, insufficient=BLOCK)
        assert found.outcome == found.raw_outcome == expected
        assert found.blocking == (blocking and severity is Severity.BLOCK)


def test_what_is_past_its_day_is_stale_and_never_a_failure() -> None:
    """A statistic that counts days after a day somebody set is about time alone."""
    made = task("data.freshness", require=Threshold(at_most=0.0))
    overdue = replace(made, judged=replace(made.judged, overdue=True))
    for days, expected in ((0.0, "PASS"), (1.0, "STALE")):
        assert outcome(overdue, cell(days, name=made.judged.name)) == expected
    assert outcome(made, cell(1.0, name=made.judged.name)) == "FAIL"


def test_an_age_that_nobody_measured_is_stale() -> None:
    """A limit on the age of data does not vanish because no age arrived."""
    made = replace(task(), max_age_days={Role.EVALUATION: 31})
    assert outcome(made, cell(1.0)) == "STALE"
