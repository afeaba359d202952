"""A bracket as it is judged, written and read: nothing between its ends is taken for granted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from aims_gate.bracket import Bracket
from aims_gate.errors import TrustError
from aims_gate.evidence import read_values, unsigned
from aims_gate.evidence.written import statistic_said
from aims_gate.facts import Statistic
from aims_gate.judge import straddling
from aims_gate.policy.model import DecideOn, Threshold
from aims_gate.verdict import Outcome
from tests.support.judging import cell, outcome, task
from tests.support.laws import law

SOUND = Bracket(
    low=0.7,
    high=0.8,
    cells=1024,
    interval=((0.6, 0.75), (0.7, 0.9)),
    alone=((0.65, 0.72), (0.75, math.inf)),
)


def _of(value: float, bracket: Bracket) -> Statistic:
    return cell(value, 0.6, 0.9, alone=(0.65, 0.95), bracket=bracket)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.81, 0.9), Outcome.PASS),
        ((0.80, 0.9), Outcome.PASS),
        ((0.79, 0.81), Outcome.ERROR),
        ((0.7, 0.7999), Outcome.FAIL),
    ],
)
def test_a_bracket_is_decided_only_where_both_ends_have_one_outcome(
    ends: tuple[float, float], expected: Outcome
) -> None:
    rule = task(decide_on=DecideOn.ESTIMATE)
    found = cell(sum(ends) / 2, bracket=Bracket(low=ends[0], high=ends[1], cells=8))
    assert outcome(rule, found) is expected
    assert straddling(rule, [found]) == (
        frozenset({""}) if expected is Outcome.ERROR else frozenset()
    )


def test_within_a_range_both_ends_must_lie_on_one_side_of_each_limit() -> None:
    """Out of the range on both sides is no failure: what lies between may be in it."""
    rule = task(require=Threshold(at_least=0.8, at_most=0.95), decide_on=DecideOn.ESTIMATE)
    assert outcome(rule, cell(0.9, bracket=Bracket(low=0.7, high=0.97, cells=8))) is (Outcome.ERROR)
    assert outcome(rule, cell(0.9, bracket=Bracket(low=0.85, high=0.93, cells=8))) is Outcome.PASS


PARTS = st.floats(0, 2, allow_nan=False)


@st.composite
def _bracketed(draw: st.DrawFn) -> tuple[Statistic, Statistic]:
    """A statistic in a bracket, and one that its rows may have."""
    value, *rest = [sorted(draw(st.tuples(PARTS, PARTS, PARTS))) for _ in range(5)]
    low, own_low = (list(map(min, *pair)) for pair in (rest[:2], rest[2:]))
    high, own_high = (list(map(max, *pair)) for pair in (rest[:2], rest[2:]))
    true = cell(value[1], low[1], high[1], alone=(own_low[1], own_high[1]))
    bracket = Bracket(
        low=value[0],
        high=value[2],
        cells=8,
        interval=((low[0], high[0]), (low[2], high[2])),
        alone=((own_low[0], own_high[0]), (own_low[2], own_high[2])),
    )
    return cell(value[1], low[0], high[2], alone=(own_low[0], own_high[2]), bracket=bracket), true


@given(_bracketed(), st.sampled_from(list(DecideOn)), st.booleans())
@law()
def test_what_a_bracket_decides_is_what_all_rows_decide(
    found: tuple[Statistic, Statistic], decide_on: DecideOn, ranged: bool
) -> None:
    bracketed, true = found
    limits = Threshold(at_least=0.8, at_most=0.95) if ranged else Threshold(at_least=0.8)
    # nothing is proven about a range
    rule = task(require=limits, decide_on=DecideOn.ESTIMATE if ranged else decide_on)
    if not straddling(rule, [bracketed]):
        assert outcome(rule, bracketed) is outcome(rule, true)
    else:
        assert outcome(rule, bracketed) is Outcome.ERROR


def test_a_bracket_is_read_as_it_was_written() -> None:
    for number in (canonical.decimal, lambda x: x if math.isfinite(x) else None):
        said = json.loads(json.dumps(SOUND.said(number)))
        assert Bracket.read(said, lambda x: None if x is None else float(x)) == SOUND
    plain = Bracket(low=0.0, high=math.inf, cells=1)
    said = plain.said(canonical.decimal)
    assert said == {"low": "0", "high": None, "cells": 1, "interval": None, "alone": None}
    assert Bracket.read(plain.said(canonical.decimal), read_values.as_number) == plain


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": "0.9"},
        {"cells": 0},
        {"cells": "8"},
        {"cells": None},
        {"low": "nan"},
        {"low": 0.7},
        {"interval": [["0.6", "0.75"]]},
        {"interval": [["0.7", "0.75"], ["0.6", "0.9"]]},
        {"alone": [["0.8", "0.7"], ["0.8", "0.9"]]},
        {"more": "1"},
    ],
)
def test_evidence_with_another_bracket_is_refused(wrong: Mapping[str, Any]) -> None:
    said = statistic_said(_of(0.75, SOUND))
    assert unsigned.StatisticSaid.model_validate(said).read().bracket == SOUND
    with pytest.raises(ValueError, match="bracket"):
        unsigned.StatisticSaid.model_validate({**said, "bracket": {**said["bracket"], **wrong}})


def test_a_value_out_of_its_bracket_or_none_is_refused() -> None:
    for value in (0.69, None):
        said = {**statistic_said(_of(0.75, SOUND)), "value": canonical.decimal(value)}
        with pytest.raises(TrustError, match="out of its bracket"):
            unsigned.StatisticSaid.model_validate(said).read()


def test_old_evidence_has_no_bracket_and_says_nothing_of_one() -> None:
    said = statistic_said(cell(0.75))
    assert "bracket" not in said
    assert unsigned.StatisticSaid.model_validate(said).read().bracket is None


@pytest.mark.parametrize(("low", "high", "cells"), [(math.nan, 1, 8), (0.3, 0.2, 8), (0, 1, 0)])
def test_no_bracket_has_its_ends_exchanged_or_no_cells(low: float, high: float, cells: int) -> None:
    with pytest.raises(ValueError, match="no bracket"):
        Bracket(low=low, high=high, cells=cells)
