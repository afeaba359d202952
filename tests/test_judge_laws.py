"""Laws of judging: no cell beside, no looser proof and no known debt makes a miss a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.facts import NoValue, Statistic
from aims_gate.judge import judge
from aims_gate.measure import AGE
from aims_gate.policy.model import (
    Baseline,
    DecideOn,
    Role,
    Threshold,
)
from aims_gate.verdict import worst
from tests.support.judging import BLOCK, NOW, cell, outcome, task
from tests.support.laws import law

VALUES = st.floats(0, 2, allow_nan=False)


@st.composite
def cells(draw: st.DrawFn) -> Statistic:
    low, own_low, value, own_high, high = sorted(draw(st.tuples(*[VALUES] * 5)))
    return cell(value, low, high, alone=(own_low, own_high), small=draw(st.booleans()))


@given(st.lists(cells(), min_size=1, max_size=4), st.lists(cells(), max_size=3))
@law()
def test_one_more_cell_never_improves_an_outcome(
    some: list[Statistic], more: list[Statistic]
) -> None:
    """Measuring another group can only keep or worsen what became of the rule."""
    before, after = outcome(task(), *some), outcome(task(), *some, *more)
    assert worst([before, after]) is after


@given(st.lists(cells(), min_size=1, max_size=4), st.floats(0.3, 0.79))
@law()
def test_loosening_a_threshold_never_turns_a_pass_into_a_failure(
    some: list[Statistic], looser: float
) -> None:
    """What passes at 0.80 does not fail at a lower limit with the same line."""
    strict = task(require=Threshold(at_least=0.80, warn_below=0.9))
    loose = task(require=Threshold(at_least=looser, warn_below=0.9))
    if outcome(strict, *some) == "PASS":
        assert outcome(loose, *some) != "FAIL"


@given(cells(), st.sampled_from(list(DecideOn)))
@law()
def test_a_value_past_the_limit_never_passes(found: Statistic, decide_on: DecideOn) -> None:
    """Whoever carries the burden of proof, a breach is at least a warning."""
    if found.value is not None and found.value < 0.80:
        assert outcome(task(decide_on=decide_on), found) != "PASS"


@given(cells())
@law()
def test_no_line_shows_an_interval_that_excludes_the_serious_effect_and_calls_it_undecided(
    found: Statistic,
) -> None:
    made = task(decide_on=DecideOn.PROVEN_BREACH)
    serious = made.bars[0].serious
    assert serious is not None
    assert found.interval is not None
    if found.interval.low > serious:
        assert outcome(made, found) != "INSUFFICIENT"


DEBT = Baseline(value=0.7, owner="ann", expires=NOW + timedelta(days=30))


@pytest.mark.parametrize(
    ("given", "expected", "told"),
    [
        (cell(0.75, 0.72, 0.78), "WARN", "baseline 0.7 of ann, FAIL from 2026-12-23 on"),
        (cell(0.70, 0.68, 0.72), "WARN", "known debt"),
        (cell(0.60, 0.55, 0.65), "FAIL", "not covered by the baseline 0.7 of ann"),
        (cell(0.95, 0.93, 0.97), "PASS", ""),
        (cell(None, lack=NoValue.MISSING), "MISSING", ""),
        (cell(None, lack=NoValue.UNDEFINED), "ERROR", ""),
        (cell(None, lack=NoValue.INSUFFICIENT), "INSUFFICIENT", "not covered"),
        (cell(0.75, 0.4, 1.0), "INSUFFICIENT", "not covered"),
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
    missing = [cells[0], cell(None, lack=NoValue.MISSING)]
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


@law(200)
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
