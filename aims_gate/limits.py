"""Thresholds: limit, warning line and serious effect, and their validation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aims_gate.checks.contract import StatisticSpec
from aims_gate.errors import Problem
from aims_gate.facts import Statistic
from aims_gate.policy import domains
from aims_gate.policy.model import DecideOn, Place, Rule, Threshold
from aims_gate.stats import formulas

REACHES: domains.Reaches = {**formulas.REACHES, **domains.REACHES}
"""How far from 0 a limit may lie where the range of a statistic has no end there, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One side of a threshold: limit, warning line and serious effect."""

    higher_is_better: bool
    limit: float
    line: float
    """Past it an effect is noticeable; never past the limit."""
    warn: float | None
    """The line where the policy states one; the burden of proof `estimate` warns past it."""
    neutral: float | None
    serious: float | None
    """An effect that must be excluded: twice as far from neutral as the limit, or half way to the
    worst value there is; None where there is no neutral value."""


def conventional(judged: StatisticSpec) -> Threshold | None:
    """Conventional threshold of a statistic, with its warning line; None if there is none."""
    if judged.limit is None or judged.higher_is_better is None:
        return None
    if judged.higher_is_better:
        return Threshold(at_least=judged.limit, warn_below=judged.line)
    return Threshold(at_most=judged.limit, warn_above=judged.line)


def bars_of(threshold: Threshold, judged: StatisticSpec, serious: float | None) -> Iterator[Bar]:
    """Sides of a threshold, each with its warning line and serious effect."""
    for _key, limit, upward in _sides(threshold):
        warn = threshold.warn_below if upward else threshold.warn_above
        neutral = _neutral(judged, limit, upward=upward)
        halfway, twice = limit, None
        if neutral is not None:
            more = math.sqrt(2) if judged.rooted else 2
            halfway = neutral + (limit - neutral) / more
            twice = neutral + (limit - neutral) * more
            twice = _reachable(twice, limit, judged, upward=upward)
        yield Bar(
            higher_is_better=upward,
            limit=limit,
            line=halfway if warn is None else warn,
            warn=warn,
            neutral=neutral,
            serious=serious if serious is not None else twice,
        )


def _neutral(judged: StatisticSpec, limit: float, *, upward: bool) -> float | None:
    """Null value ("no effect") if it meets *limit*; else None: the limit asks for an effect."""
    neutral = judged.neutral
    if neutral is None or _fails(neutral, limit, upward=upward):
        return None
    return neutral


def _fails(value: float, limit: float, *, upward: bool) -> bool:
    """Tell whether *value* lies past *limit*, on the side that does not meet it."""
    if upward:
        return value < limit
    return value > limit


def _reachable(serious: float, limit: float, judged: StatisticSpec, *, upward: bool) -> float:
    """Serious effect, at most half way to the worst possible value, so that data can show it."""
    half = (limit + (judged.low if upward else judged.high)) / 2
    return max(serious, half) if upward else min(serious, half)


def lines_of(bars: Iterable[Bar]) -> dict[str, float]:
    """Lines and serious effects of a rule that is decided by a proven breach, by name."""
    found: dict[str, float] = {}
    for bar in bars:
        side = "below" if bar.higher_is_better else "above"
        found[f"line_{side}"] = bar.line
        if bar.serious is not None:
            found[f"serious_{side}"] = bar.serious
    return found


def serious_of(statistic: Statistic, bar: Bar) -> float:
    """Serious effect of a cell: its own if that lies further out; NaN if there is none."""
    found = [bar.serious, statistic.serious]
    known = [value for value in found if value is not None]
    return (min if bar.higher_is_better else max)(known) if bar.serious is not None else math.nan


def debt_of(rule: Rule, bars: tuple[Bar, ...], judged: StatisticSpec) -> Iterator[Bar]:
    """Relaxed limit until the baseline expires; the serious effect stays the same.

    Where the baseline is worse than that, serious is what it would be with that value as its limit.
    """
    if rule.baseline is None:
        return
    (bar,) = bars
    value, upward = rule.baseline.value, bar.higher_is_better
    relaxed = Threshold(at_least=value) if upward else Threshold(at_most=value)
    (owed,) = bars_of(relaxed, judged, None)
    past = bar.serious is not None and _fails(bar.serious, value, upward=upward)
    yield replace(owed, serious=bar.serious) if past else owed


def threshold_problems(
    rule: Rule, threshold: Threshold | None, judged: StatisticSpec, decide_on: DecideOn
) -> Iterator[Problem]:
    """Problems of a threshold: no number, out of range, met by every value, or wrong direction."""
    if threshold is None:
        hint = f"add require: with {'at_least' if judged.higher_is_better else 'at_most'}"
        yield at(rule, "check", f"{rule.check} has no conventional limit for {judged.name}", hint)
        return
    yield from _line_problems(rule, threshold, judged)
    sides = tuple(_sides(threshold))
    for key, limit, upward in sides:
        yield from (
            at(rule, f"require.{key}", what, hint)
            for what, hint in _limit_problems(key, limit, judged, upward=upward)
        )
        # both sides together are a range, which may be asked of any metric: too good is suspicious
        if len(sides) == 1 and judged.higher_is_better not in {None, upward}:
            better = "higher" if judged.higher_is_better else "lower"
            other = "at_least" if judged.higher_is_better else "at_most"
            what = f"{key} is the wrong way round: a {better} {judged.name} is better"
            yield at(rule, f"require.{key}", what, f"use {other}")
        yield from _serious_problems(rule, limit, judged, upward=upward)
        yield from _burden_problems(rule, key, limit, judged, decide_on, upward=upward)
    if not judged.has_interval and decide_on is not DecideOn.ESTIMATE:
        what = f"{judged.name} has no interval, so nothing can be proven about it"
        yield at(rule, "decide_on", what, "use decide_on: estimate")


def _burden_problems(
    rule: Rule, key: str, limit: float, judged: StatisticSpec, decide_on: DecideOn, *, upward: bool
) -> Iterator[Problem]:
    """Refuse a burden of proof under which too few rows never refuse: none is a serious effect."""
    if decide_on is DecideOn.PROVEN_BREACH and _neutral(judged, limit, upward=upward) is None:
        what = (
            f"{key}: {judged.name} past {limit:g} is refused by proven_breach only if it is proven"
        )
        hint = "no value says `no effect`: use decide_on: proven_pass, or estimate"
        yield at(rule, "decide_on", what, hint)


def baseline_problems(
    rule: Rule, threshold: Threshold | None, judged: StatisticSpec
) -> Iterator[Problem]:
    """Problems of a baseline: without meaning, or not worse than the limit."""
    if rule.baseline is None or threshold is None:
        return
    key, value = "baseline.value", rule.baseline.value
    sides = tuple(_sides(threshold))
    if len(sides) != 1:
        yield at(rule, key, "a range has no baseline", "use at_least or at_most")
        return
    ((_key, limit, upward),) = sides
    for what, hint in _limit_problems(key, value, judged, upward=upward):
        yield at(rule, key, what, hint)
    if not _fails(value, limit, upward=upward):
        what = f"{key} {value:g} meets the limit {limit:g}: there is no debt"
        yield at(rule, key, what, "leave baseline out")


def waived_problems(limit: Threshold, threshold: Threshold, judged: StatisticSpec) -> Iterator[str]:
    """Say why the limit of a waiver bounds nothing, or is none that the rule has."""
    asked = [key for key, _value, _upward in _sides(threshold)]
    stated = [key for key, _value, _upward in _sides(limit)]
    if asked != stated:
        yield f"its limit has {' and '.join(stated)}, and the rule {' and '.join(asked)}"
    for key, value, upward in _sides(limit):
        for what, _hint in _limit_problems(key, value, judged, upward=upward):
            yield f"its limit is none: {what}"


def _limit_problems(
    key: str, limit: float, judged: StatisticSpec, *, upward: bool
) -> Iterator[tuple[str, str]]:
    domain = domain_of(judged)
    if not math.isfinite(limit):
        yield f"{key} is not a finite number", ""
    elif not judged.low <= limit <= judged.high:
        yield f"{key}: {limit:g} can never be reached or never be missed: {domain}", ""
    elif limit == (judged.low if upward else judged.high):
        yield f"{key}: {limit:g} is met by every value: {domain}", "a rule must be able to refuse"
    elif 0 < abs(limit) < domains.TINY:
        yield f"{key}: {limit:g} is 0 but for rounding", "write 0"
    else:
        furthest, why = _furthest(judged, upward=upward)
        if _fails(limit, furthest, upward=upward):
            what = f"{key}: {limit:g} could refuse next to nothing: {why}"
            end = "at_least" if upward else "at_most"
            yield what, f"{end} {furthest:g} is the most lenient limit of {judged.name}"


def _furthest(judged: StatisticSpec, *, upward: bool) -> tuple[float, str]:
    """The most lenient limit that a policy may state for a statistic, and the reason."""
    if upward and judged.name in domains.LEAST:
        return domains.LEAST[judged.name]
    span = judged.high - judged.low
    if math.isfinite(span):
        margin = domains.HUNDREDTH * span
        return (judged.low + margin if upward else judged.high - margin), domain_of(judged)
    most, why = domains.reach(judged.name, judged.limit, REACHES)
    return (max(-most, judged.low) if upward else min(most, judged.high)), why


def domain_of(judged: StatisticSpec) -> str:
    """Say where a statistic lies."""
    return f"{judged.name} lies in [{judged.low:g}, {judged.high:g}]"


def _serious_problems(
    rule: Rule, limit: float, judged: StatisticSpec, *, upward: bool
) -> Iterator[Problem]:
    if rule.serious is None:
        return
    if _neutral(judged, limit, upward=upward) is None:
        yield at(rule, "serious", f"power is not defined for {judged.name}", "leave serious out")
    elif not _fails(rule.serious, limit, upward=upward):
        what = f"a serious effect ({rule.serious:g}) must lie past the limit {limit:g}"
        yield at(rule, "serious", what, "")
    else:
        furthest = _out_of_reach(limit, judged, upward=upward)
        if _fails(rule.serious, furthest, upward=upward):
            what = f"serious {rule.serious:g} is out of reach: what no data show, any data rule out"
            yield at(rule, "serious", what, f"no further than {furthest:g}")


def _out_of_reach(limit: float, judged: StatisticSpec, *, upward: bool) -> float:
    """The furthest serious effect that is allowed: near the worst value no data could show it."""
    worst = judged.low if upward else judged.high
    if math.isfinite(worst):
        return limit + domains.SERIOUS * (worst - limit)
    neutral = judged.neutral or 0.0
    return neutral + domains.TIMES * ((limit - neutral) or math.copysign(1, worst))


def _line_problems(rule: Rule, threshold: Threshold, judged: StatisticSpec) -> Iterator[Problem]:
    for key in ("warn_below", "warn_above"):
        line = getattr(threshold, key)
        if line is not None and not judged.low <= line <= judged.high:
            what = f"{key}: no value lies past {line:g}, or all do: {domain_of(judged)}"
            yield at(rule, f"require.{key}", what, "")


def _sides(threshold: Threshold) -> Iterator[tuple[str, float, bool]]:
    if threshold.at_least is not None:
        yield "at_least", threshold.at_least, True
    if threshold.at_most is not None:
        yield "at_most", threshold.at_most, False


def at(rule: Rule, key: str, what: str, hint: str) -> Problem:
    """Problem at the line of a rule's key, or of the nearest known key above it."""
    parent = key.partition(".")[0]
    place = rule.places.get(key) or rule.places.get(parent) or rule.place
    return problem(place, f"{rule.id}: {what}", hint)


def problem(place: Place, what: str, hint: str) -> Problem:
    """Problem at a source location."""
    return Problem(file=place.file, line=place.line, what=what, hint=hint)
