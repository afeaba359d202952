"""Rows to collect: at the rows that a line names, four draws in five are decided."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aims_gate.facts import Statistic
from aims_gate.limits import Bar
from aims_gate.policy.model import DecideOn
from aims_gate.sample_size import planned, power_of, rows_to_collect
from aims_gate.stats import scores
from aims_gate.stats.power import NormalDesign
from aims_gate.stats.tables import Confusion
from tests.support.judging import cell

FLOOR = Bar(higher_is_better=True, limit=0.8, line=0.8, warn=None, neutral=None, serious=None)
GAP = Bar(higher_is_better=False, limit=0.1, line=0.05, warn=None, neutral=0.0, serious=0.2)


def collect(statistics: list[Statistic], bars: list[Bar], decide_on: DecideOn) -> str:
    return rows_to_collect(power_of(statistics, bars, decide_on), bars)


def floor(value: float, low: float, high: float) -> str:
    return collect([cell(value, low, high)], [FLOOR], DecideOn.PROVEN_PASS)


def rows_in(told: str) -> int:
    return int(told.split("about ")[1].split(" ", maxsplit=1)[0].replace(",", ""))


def test_rows_for_a_floor_settle_a_proportion_four_times_in_five() -> None:
    """At the rows asked for, the bound meets the floor in 80 % of samples."""
    table = Confusion(tp=170, fp=30, fn=0, tn=0)
    interval = scores.interval("accuracy", table)
    assert interval is not None
    made = Statistic(name="accuracy", value=0.85, interval=interval, judged=True, rows=200)
    needed = rows_in(collect([made], [FLOOR], DecideOn.PROVEN_PASS))
    hits = np.random.default_rng(1).binomial(needed, 0.85, 4000).tolist()
    settled = 0
    for right in hits:
        found = scores.interval("accuracy", Confusion(tp=right, fp=needed - right, fn=0, tn=0))
        assert found is not None
        settled += found.low >= 0.80
    assert 0.75 <= settled / 4000 <= 0.88


def test_rows_are_those_of_the_data_where_a_value_rests_on_some() -> None:
    """A recall rests on the positives; whoever collects collects rows."""
    found = cell(0.85, 0.70, 0.95, total=5_000)
    told = collect([found], [FLOOR], DecideOn.PROVEN_PASS)
    assert rows_in(told) > 5_000
    assert told.endswith("if the value is the truth; there are 5,000")


@pytest.mark.parametrize("value", [0.80, 0.79])
def test_no_number_of_rows_settles_what_does_not_meet_the_limit(value: float) -> None:
    assert "no number of rows of the data could settle it" in floor(value, 0.7, 0.9)


def test_a_bound_that_says_nothing_names_no_rows() -> None:
    assert not floor(0.9, -math.inf, math.inf)


def test_every_cell_counts_once_and_those_that_only_warn_do_not() -> None:
    """Cells of one comparison share its design, which is about all of them."""
    design = NormalDesign(error=0.08, z=1.645, rows=400)
    one, other = (cell(0.0, 0.0, 0.3, design=design, slice=name) for name in "ab")
    small = cell(0.0, 0.0, 0.9, design=NormalDesign(error=1.0, z=1.645, rows=400), small=True)
    found = planned([one, other, small], [GAP], DecideOn.PROVEN_BREACH)
    assert found == ((design, 0.2),)
    told = collect([one, other, small], [GAP], DecideOn.PROVEN_BREACH)
    assert told == collect([one], [GAP], DecideOn.PROVEN_BREACH)
    assert "in 80 % of cases if there is no effect" in told


def test_data_that_are_usually_enough_say_so() -> None:
    design = NormalDesign(error=0.05, z=1.645, rows=400)
    told = collect([cell(0.1, 0, 0.3, design=design)], [GAP], DecideOn.PROVEN_BREACH)
    assert told.startswith("as many rows of the data settle it")
