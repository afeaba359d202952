"""Every row of spec.md's tables "From cells to exit code" and `decide_on`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aims_gate.facts import Interval, Lack, Need, Statistic
from aims_gate.judge import decide, judge, not_applicable
from aims_gate.measure import AGE
from aims_gate.plan import Task, plan
from aims_gate.policy.model import (
    Baseline,
    DecideOn,
    OnInsufficient,
    Place,
    Policy,
    Role,
    Rule,
    Severity,
    Threshold,
)
from aims_gate.verdict import Decision, Outcome, Result, worst

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BLOCK, WARN = OnInsufficient.BLOCK, OnInsufficient.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """A design whose answer is known."""

    powered: bool
    excused: bool = False

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        reason = "" if self.powered else f"cannot show {serious:g}: needs 283 rows"
        return Need(powered=self.powered, reason=reason, excused=self.excused)


def task(check: str = "fairness.impact_ratio", **fields: Any) -> Task:
    """Give a sound task of one rule, made by the real plan."""
    fields.setdefault("require", Threshold(at_least=0.80))
    rule = Rule(id="BIAS-02", check=check, place=Place(file="p.yaml", line=41), **fields)
    blocking = replace(rule, id="BLOCK-1", severity=Severity.BLOCK)
    made, _other = plan(Policy(id="p", version="1", rules=(rule, blocking))).sound()
    return made


def cell(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    name: str = "impact_ratio",
    **fields: Any,
) -> Statistic:
    """Give a judged statistic, with an interval if bounds are given."""
    interval = None
    if low is not None and high is not None:
        interval = Interval(low=low, high=high, level=0.95, method="given")
    return Statistic(name=name, value=value, interval=interval, judged=True, rows=500, **fields)


def outcome(task: Task, *cells: Statistic) -> Outcome:
    """Judge cells for the strictest stage."""
    return judge(task, cells, now=NOW, insufficient=BLOCK).outcome


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
    assert outcome(made, cell(value, low, high, design=Sizes(powered=True))) == expected


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
    made_cell = cell(value, low, high, name=made.judged.name, design=Sizes(powered=True))
    assert outcome(made, made_cell) == expected


@pytest.mark.parametrize(
    ("value", "low", "high", "excused", "expected"),
    [
        (0.95, 0.30, 2.00, False, "INSUFFICIENT"),
        (0.79, 0.30, 2.00, False, "INSUFFICIENT"),
        (0.60, 0.55, 0.65, False, "FAIL"),  # a proven breach fails on few rows too
        (0.95, 0.30, 2.00, True, "WARN"),  # a tiny share of the rows warns
        (0.79, 0.30, 2.00, True, "WARN"),
        (0.60, 0.55, 0.65, True, "FAIL"),
    ],
)
def test_sizes_that_could_hide_a_serious_effect_never_pass(
    value: float, low: float, high: float, excused: bool, expected: str
) -> None:
    """Without power a rule is INSUFFICIENT, or warns for a tiny group; it never passes."""
    design = Sizes(powered=False, excused=excused)
    assert outcome(task(), cell(value, low, high, design=design)) == expected


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
    assert re.search(r"about 1,\d{3} rows would settle it", found.reason)
    blind = judge(made, [cell(0.85, name="accuracy")], now=NOW, insufficient=BLOCK)
    assert blind.outcome == "INSUFFICIENT"


def test_where_no_effect_is_known_the_rows_are_those_that_would_prove_it() -> None:
    """A margin of 0.2 below 1, and a bound 0.15 below the value: (1.512 * 0.15 / 0.2)^2 times."""
    ratio = judge(
        task(decide_on=DecideOn.PROVEN_PASS),
        [cell(0.85, 0.7, 0.97)],
        now=NOW,
        insufficient=BLOCK,
    )
    assert "about 643 rows would settle it if there is no effect" in ratio.reason


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
        (Lack.MISSING, "MISSING"),
        (Lack.INSUFFICIENT, "INSUFFICIENT"),
        (Lack.UNDEFINED, "ERROR"),
    ],
)
def test_each_lack_is_its_own_outcome(lack: Lack, expected: str) -> None:
    """A cell without a value keeps its reason and its outcome, even beside one that passes."""
    bad = cell(None, lack=lack, reason="said why")
    result = judge(task(), [cell(1.0), bad], now=NOW, insufficient=BLOCK)
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
    for lack, expected in ((Lack.MISSING, "WARN"), (Lack.UNDEFINED, "ERROR")):
        result = judge(later, [cell(None, lack=lack)], now=NOW, insufficient=BLOCK)
        assert result.outcome == expected
    now_in_force = task(effective_from=NOW)
    assert outcome(now_in_force, cell(0.5, 0.4, 0.6)) == "FAIL"


@pytest.mark.parametrize(
    ("age", "expected"),
    [(30.0, "PASS"), (31.0, "PASS"), (33.0, "WARN"), (36.1, "STALE"), (None, "STALE")],
)
def test_old_data_are_stale(age: float | None, expected: str) -> None:
    """Past max_age_days is STALE, within grace_days it warns, and an unknown age is STALE."""
    made = replace(task(grace_days=5), max_age_days={Role.EVALUATION: 31})
    stated = Statistic(name=AGE, slice="evaluation", value=age)
    assert outcome(made, cell(1.0), stated) == expected


@pytest.mark.parametrize("age", [33.0, 36.1])
def test_days_are_not_held_against_the_limit_of_the_metric(age: float) -> None:
    made = replace(task(grace_days=5), max_age_days={Role.EVALUATION: 31})
    stated = Statistic(name=AGE, slice="evaluation", value=age)
    told = judge(made, [cell(1.0), stated], now=NOW, insufficient=BLOCK).reason
    assert told.startswith(f"the evaluation data are {age} days old, more than 31")


def test_an_age_that_nobody_measured_is_stale() -> None:
    """A limit on the age of data does not vanish because no age arrived."""
    made = replace(task(), max_age_days={Role.EVALUATION: 31})
    assert outcome(made, cell(1.0)) == "STALE"


def result(severity: str, found: str, *, insufficient: OnInsufficient = BLOCK) -> Result:
    """Give a result with an outcome, its blocking decided by `judge` where it can be."""
    blocking = severity == "block" and (
        found in {"FAIL", "MISSING", "STALE", "ERROR"}
        or (found == "INSUFFICIENT" and insufficient is BLOCK)
    )
    return Result(
        rule="X-1",
        check="x",
        severity=Severity(severity),
        outcome=Outcome(found),
        raw_outcome=Outcome(found),
        reason="",
        blocking=blocking,
    )


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([("block", "PASS")], "passed"),
        ([("block", "PASS"), ("block", "WARN")], "passed"),
        ([("block", "PASS"), ("warn", "FAIL"), ("info", "ERROR")], "passed"),
        ([("block", "FAIL"), ("block", "PASS")], "refused"),
        ([("block", "MISSING")], "refused"),
        ([("block", "STALE")], "refused"),
        ([("block", "INSUFFICIENT")], "refused"),
        ([("block", "ERROR"), ("block", "PASS")], "undecided"),
        ([("block", "ERROR"), ("block", "FAIL")], "refused"),  # the no is certain
        ([("block", "NOT_APPLICABLE"), ("warn", "PASS")], "undecided"),
        ([("info", "PASS")], "undecided"),
        ([], "undecided"),
    ],
)
def test_decision_table(results: list[tuple[str, str]], expected: str) -> None:
    """Each row of "refused, undecided, passed"; nothing to decide on never passes."""
    assert decide([result(*one) for one in results]) == expected


def test_insufficient_blocks_only_where_the_policy_says_so() -> None:
    """on_insufficient: warn lets a stage pass with a warning, block refuses it."""
    few = [cell(None, lack=Lack.INSUFFICIENT, reason="61 rows")]
    strict = judge(task(), few, now=NOW, insufficient=BLOCK)
    lenient = judge(task(), few, now=NOW, insufficient=WARN)
    assert (decide([strict]), decide([lenient])) == (Decision.REFUSED, Decision.PASSED)
    assert lenient.outcome is Outcome.INSUFFICIENT


def test_severity_never_changes_an_outcome() -> None:
    """A warn rule that fails says FAIL, and does not block."""
    soft = judge(task(severity=Severity.WARN), [cell(0.5, 0.4, 0.6)], now=NOW, insufficient=BLOCK)
    assert (soft.outcome, soft.blocking) == ("FAIL", False)


def test_not_applicable_carries_its_justification() -> None:
    """A rule that is not about this model is shown with the reason."""
    shown = not_applicable(task().rule, ["iso42001:A.5.4"], "applies_to leaves out x (p.yaml:9)")
    assert (shown.outcome, shown.reason) == (
        "NOT_APPLICABLE",
        "applies_to leaves out x (p.yaml:9)",
    )


def test_the_line_that_explains_a_failure() -> None:
    """Value, interval, threshold, slice and rows stand in one line."""
    found = cell(0.712, 0.664, 0.763, slice="sex=F vs sex=M", total=5000)
    failing = judge(task(), [found, cell(1.0)], now=NOW, insufficient=BLOCK)
    assert failing.reason == (
        "impact ratio sex=F vs sex=M 0.712 (95 % 0.664-0.763) < 0.8, n=500 of 5,000; "
        "and provably below 0.9"
    )
    assert failing.place == "p.yaml:41"


VALUES = st.floats(0, 2, allow_nan=False)


@st.composite
def cells(draw: st.DrawFn) -> Statistic:
    low, value, high = sorted(draw(st.tuples(VALUES, VALUES, VALUES)))
    design = Sizes(powered=draw(st.booleans()), excused=draw(st.booleans()))
    return cell(value, low, high, design=design)


@given(st.lists(cells(), min_size=1, max_size=4), st.lists(cells(), max_size=3))
@settings(deadline=None)
def test_one_more_cell_never_improves_an_outcome(
    some: list[Statistic], more: list[Statistic]
) -> None:
    """Measuring another group can only keep or worsen what became of the rule."""
    before, after = outcome(task(), *some), outcome(task(), *some, *more)
    assert worst([before, after]) is after


@given(st.lists(cells(), min_size=1, max_size=4), st.floats(0.3, 0.79))
@settings(deadline=None)
def test_loosening_a_threshold_never_turns_a_pass_into_a_failure(
    some: list[Statistic], looser: float
) -> None:
    """What passes at 0.80 does not fail at a lower limit with the same line."""
    strict = task(require=Threshold(at_least=0.80, warn_below=0.9))
    loose = task(require=Threshold(at_least=looser, warn_below=0.9))
    if outcome(strict, *some) == "PASS":
        assert outcome(loose, *some) != "FAIL"


@given(cells(), st.sampled_from(list(DecideOn)))
@settings(deadline=None)
def test_a_value_past_the_limit_never_passes(found: Statistic, decide_on: DecideOn) -> None:
    """Whoever carries the burden of proof, a breach is at least a warning."""
    if found.value is not None and found.value < 0.80:
        assert outcome(task(decide_on=decide_on), found) != "PASS"


DEBT = Baseline(value=0.7, owner="ann", expires=NOW + timedelta(days=30))


@pytest.mark.parametrize(
    ("given", "expected", "told"),
    [
        (cell(0.75, 0.72, 0.78), "WARN", "baseline 0.7 of ann, FAIL from 2026-12-23 on"),
        (cell(0.70, 0.68, 0.72), "WARN", "known debt"),
        (cell(0.60, 0.55, 0.65), "FAIL", "not covered by the baseline 0.7 of ann"),
        (cell(0.95, 0.93, 0.97), "PASS", ""),
        (cell(None, lack=Lack.MISSING), "MISSING", ""),
        (cell(None, lack=Lack.UNDEFINED), "ERROR", ""),
        (cell(None, lack=Lack.INSUFFICIENT), "INSUFFICIENT", "not covered"),
        (cell(0.75, 0.4, 1.0, design=Sizes(powered=False)), "INSUFFICIENT", "not covered"),
    ],
)  # fmt: skip
def test_a_baseline_covers_what_is_not_worse(given: Statistic, expected: str, told: str) -> None:
    """Until it expires its value stands for the limit; what is not measured is never covered."""
    result = judge(task(baseline=DEBT), [given], now=NOW, insufficient=BLOCK)
    assert result.outcome == expected
    assert told in result.reason
    assert result.blocking == (expected not in {"WARN", "PASS"})


def test_a_baseline_covers_all_cells_or_none() -> None:
    """One group that got worse is not hidden by another that did not."""
    cells = [cell(0.75, 0.72, 0.78, slice="sex=F"), cell(0.5, 0.4, 0.6, slice="sex=X")]
    result = judge(task(baseline=DEBT), cells, now=NOW, insufficient=BLOCK)
    assert (result.outcome, result.blocking) == ("FAIL", True)
    missing = [cells[0], cell(None, lack=Lack.MISSING)]
    assert judge(task(baseline=DEBT), missing, now=NOW, insufficient=BLOCK).outcome == "FAIL"


def test_a_baseline_ends_on_its_day_and_shows_what_it_covered() -> None:
    failing = [cell(0.75, 0.72, 0.78)]
    made = task(baseline=DEBT)
    before = judge(made, failing, now=DEBT.expires - timedelta(seconds=1), insufficient=BLOCK)
    after = judge(made, failing, now=DEBT.expires, insufficient=BLOCK)
    assert (before.raw_outcome, before.outcome, before.blocking) == ("FAIL", "WARN", False)
    assert (after.outcome, after.blocking) == ("FAIL", True)
    assert after.reason.endswith("; the baseline 0.7 of ann expired 2026-12-23")


def test_old_data_are_stale_beside_a_baseline_too() -> None:
    made = replace(task(baseline=DEBT), max_age_days={Role.EVALUATION: 31})
    old = Statistic(name=AGE, slice="evaluation", value=40.0)
    assert outcome(made, cell(0.75, 0.72, 0.78), old) == "FAIL"
    assert outcome(made, cell(1.0, 0.99, 1.0), old) == "STALE"


@settings(deadline=None, max_examples=200)
@given(st.floats(0.3, 1.0), st.floats(0, 0.2), st.floats(0, 0.2), st.sampled_from(DecideOn))
def test_a_baseline_is_a_limit_for_a_time(
    value: float, below: float, above: float, decide_on: DecideOn
) -> None:
    """Whatever it lets through, the same policy with that limit lets through, and nothing else."""
    given_cell = cell(value, value - below, value + above)
    owed = judge(
        task(baseline=DEBT, decide_on=decide_on, serious=0.6),
        [given_cell],
        now=NOW,
        insufficient=BLOCK,
    )
    limits = (0.8, DEBT.value)
    strict, loose = (
        judge(
            task(require=Threshold(at_least=limit), decide_on=decide_on, serious=0.6),
            [given_cell],
            now=NOW,
            insufficient=BLOCK,
        )
        for limit in limits
    )
    assert owed.raw_outcome == strict.outcome
    assert owed.blocking == (strict.blocking and loose.blocking)
