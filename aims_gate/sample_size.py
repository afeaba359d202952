"""Power analysis and sample size: what data can decide of a rule, and rows to collect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import TypeVar

from aims_gate.facts import POWER, NoValue, PowerDesign, Statistic
from aims_gate.limits import Bar, serious_of
from aims_gate.policy.model import DecideOn
from aims_gate.stats.power import CURRENT, NormalDesign, factor_needed
from aims_gate.verdict import CellPower, Power

_T = TypeVar("_T")
Planned = tuple[PowerDesign, float]
"""A design, and the value that its cells must exclude."""


def rows_to_collect(power: Power | None, bars: Sequence[Bar]) -> str:
    """Sample size in words: rows that decide a rule four times in five; empty if unknown.

    If there is no effect, or for a floor if the values are the truth.
    """
    if power is None:
        return ""
    known = all(bar.neutral is not None for bar in bars)
    hope = "if there is no effect" if known else "if the value is the truth"
    if power.wanted is None:
        more = "; more reference rows are needed" if power.what == CURRENT else ""
        return f"no number of {power.what} could settle it{more}"
    often = f"in {100 * POWER:.0f} % of cases {hope}"
    if power.wanted <= power.rows:
        return f"as many {power.what} settle it {often}"
    return f"about {power.wanted:,} {power.what} would settle it {often}; there are {power.rows:,}"


def power_of(
    statistics: Sequence[Statistic], bars: Sequence[Bar], decide_on: DecideOn
) -> Power | None:
    """Power of a rule, from the designs behind *statistics*; None if it is not known."""
    found = planned(statistics, bars, decide_on)
    if not found:
        return None
    factor = factor_needed(found)
    first, serious = found[0]
    wanted = None if math.isinf(factor) else math.ceil(factor * first.rows)
    cells = [s for s in statistics if s.judged]
    rows = {_group(cell): cell.members or cell.rows for cell in cells}
    more = None if wanted is None else apportioned(rows, wanted / first.rows)
    return Power(
        chance=chance_of(found),
        serious=serious,
        rows=first.rows,
        what=first.what,
        wanted=wanted,
        cells=tuple(
            _cell(cell, bars[0], None if more is None else more[_group(cell)]) for cell in cells
        ),
    )


def apportioned(parts: Mapping[_T, float], times: float) -> dict[_T, int]:
    """Multiply *parts* and round to whole rows, so that they add up to their rounded sum."""
    before, rows = 0.0, {}
    for name, part in parts.items():
        after = before + part
        rows[name] = round(after * times) - round(before * times)
        before = after
    return rows


def chance_of(found: Sequence[Planned]) -> float:
    """Joint power: the product over designs, as if independent, which is conservative."""
    return math.prod(design.chance(1.0, serious=serious) for design, serious in found)


def _group(statistic: Statistic) -> str:
    return statistic.group or statistic.slice


def _cell(statistic: Statistic, bar: Bar, wanted: int | None) -> CellPower:
    bounds = statistic.alone or statistic.interval
    bound = None if bounds is None else (bounds.low if bar.higher_is_better else bounds.high)
    return CellPower(
        slice=statistic.slice,
        group=_group(statistic),
        rows=statistic.members or statistic.rows,
        excluded=bound if bound is not None and math.isfinite(bound) else None,
        wanted=wanted,
    )


def planned(
    statistics: Sequence[Statistic], bars: Sequence[Bar], decide_on: DecideOn
) -> tuple[Planned, ...]:
    """Designs of a rule, each once, with the effect to exclude; small groups are left out.

    Cells of one comparison share a design, which is about all of them.
    """
    if decide_on is DecideOn.ESTIMATE:  # which any number of rows decides
        return ()
    if any(s.judged and s.lack not in {None, NoValue.NOT_APPLICABLE} for s in statistics):
        return ()  # what cannot be judged leaves the rule undecided, however many rows others have
    judged = [s for s in statistics if s.judged and s.lack is None and not s.small]
    each = _floors if decide_on is DecideOn.PROVEN_PASS else _exclusions
    if judged:  # groups that are too small now, and grow
        judged += [s for s in statistics if not s.judged and s.design is not None]
    found = [one for bar in bars for statistic in judged for one in each(statistic, bar)]
    return tuple({(id(design), value): (design, value) for design, value in found}.values())


def _exclusions(statistic: Statistic, bar: Bar) -> Iterator[Planned]:
    if statistic.design is not None and bar.serious is not None:
        yield statistic.design, serious_of(statistic, bar)


def _floors(statistic: Statistic, bar: Bar) -> Iterator[Planned]:
    truth = statistic.value if bar.neutral is None else bar.neutral
    met = truth is None or (truth - bar.limit) * (1 if bar.higher_is_better else -1) > 0
    # without an effect to assume, the value of a group that grows is that of all rows
    if statistic.design is not None and met and (bar.neutral is not None or truth is None):
        yield statistic.design, bar.limit
        return
    bounds = statistic.alone or statistic.interval
    if bounds is None or statistic.value is None or truth is None or not statistic.rows:
        return
    bound = bounds.low if bar.higher_is_better else bounds.high
    if not math.isfinite(bound) or bounds.level >= 1:
        return
    z = -NormalDist().inv_cdf((1 - bounds.level) / 2)
    error, rows = abs(statistic.value - bound) / z, statistic.total or statistic.rows
    # what lies past the limit no number of rows proves to meet it
    yield NormalDesign(error=error, neutral=truth, z=z, rows=rows), bar.limit if met else truth
