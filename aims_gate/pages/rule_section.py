"""A rule's section of the page: what was asked, of which data, and what was seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from aims_gate.advice import UNMET, advice
from aims_gate.facts import LEFT_OUT, UNSEEN, NoValue, Statistic
from aims_gate.pages.charts import comparable
from aims_gate.pages.figures import (
    TABLE,
    Allowance,
    Figure,
    Listing,
    figures,
    interval_of,
    judged_table,
    rows_of,
    value_of,
)
from aims_gate.pages.strip import limits_of, margin_of
from aims_gate.policy.model import Threshold
from aims_gate.reports import outcome_word, remark
from aims_gate.sentences import display, number
from aims_gate.verdict import Outcome, Result, Verdict

TONES = {
    Outcome.FAIL: "bad",
    Outcome.ERROR: "bad",
    Outcome.MISSING: "bad",
    Outcome.STALE: "bad",
    Outcome.INSUFFICIENT: "bad",
    Outcome.WAIVED: "warn",
    Outcome.WARN: "warn",
    Outcome.PASS: "good",
    Outcome.NOT_APPLICABLE: "quiet",
}
_SAID = {
    Outcome.FAIL: "not met",
    Outcome.ERROR: "could not be measured",
    Outcome.MISSING: "something to measure is missing",
    Outcome.STALE: "data or records are too old",
    Outcome.INSUFFICIENT: "too few rows to say",
    Outcome.WAIVED: "not met, let through by a signed waiver",
    Outcome.WARN: "met, with a warning",
    Outcome.PASS: "met",
    Outcome.NOT_APPLICABLE: "not about this model or stage",
}
_SEVERITIES = {
    "block": "If it is not met, the stage stays closed.",
    "warn": "It warns, and stands in nobody's way.",
    "info": "It informs, and stands in nobody's way.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSection:
    """All that the page says of a rule."""

    anchor: str
    result: Result
    tone: str
    mark: str
    word: str
    said: str
    asked: tuple[str, ...]
    advice: str
    remark: str
    figures: tuple[Figure, ...]
    tables: tuple[Listing, ...]
    short: bool
    """Whether it is folded: it was met, or is not about this model."""


def said(result: Result) -> str:
    """Outcome in words that need no table: `not met`, `too few rows to say`."""
    words = _SAID[result.outcome]
    if result.outcome is Outcome.WARN and result.raw_outcome in UNMET:
        words = f"{_SAID[result.raw_outcome]}, which only warns for now"
    return words + (", and does not block" if _advisory(result) else "")


def seen(result: Result) -> str:
    """What was seen, for readers in a hurry: the worst group, its value, and what was asked."""
    limits = limits_of(result.threshold)
    judged = [s for s in result.statistics if s.judged and s.value is not None]
    if not (limits and judged and result.threshold):
        return result.reason
    cell = min(judged, key=lambda s: margin_of(s, limits))
    value, asked = number(cell.value or 0), _must(result.threshold)
    told = f"{cell.slice}: {display(cell.name)} {value}".removeprefix(": ")
    more = sum(margin_of(s, limits) < 0 for s in judged) - 1
    if result.raw_outcome is Outcome.FAIL and more >= 0:
        return f"{told}, where {asked} is asked{_and(more, 'past it')}"
    # what warns may be something else: the age of the data, or a group of few rows
    named = result.reason.startswith(f"{display(cell.name)} {cell.slice} {value} ")
    if result.raw_outcome is not Outcome.WARN or not named:
        return result.reason
    if more >= 0:
        return f"{told}, where {asked} is asked; that it is not met is not proven"
    for side, upward in (("below", True), ("above", False)):
        line = result.lines.get(f"line_{side}", math.nan)
        past = [s for s in judged if margin_of(s, [(line, upward)]) < 0]
        if cell in past:
            head = f"{told}, which meets {asked}, but is {side} {line:g}"
            return head + _and(len(past) - 1, f"{side} it, too")
    return result.reason


def _and(more: int, what: str) -> str:
    """Count the other cells of which the same is true; empty for none."""
    return f"; {more:,} more {'is' if more == 1 else 'are'} {what}" if more else ""


def _advisory(result: Result) -> bool:
    return result.outcome in UNMET and not result.blocking


def tone_of(result: Result) -> str:
    """Colour of an outcome; a refusal that blocks nothing is a warning."""
    return "warn" if _advisory(result) else TONES[result.outcome]


def mark_for(tone: str) -> str:
    """Sign of a colour, for those who see none."""
    return {"bad": "✗", "warn": "!", "good": "✓"}.get(tone, "-")


def rule_section(result: Result, place: int, verdict: Verdict, allowance: Allowance) -> RuleSection:
    """Describe a rule; its charts and rows are taken from the page's *allowance*."""
    tone = tone_of(result)
    return RuleSection(
        anchor=f"rule-{place}",
        result=result,
        tone=tone,
        mark=mark_for(tone),
        word=outcome_word(result),
        said=said(result),
        asked=tuple(_asked(result, verdict)),
        advice=advice(result) if result.outcome in UNMET else "",
        remark=remark(result),
        figures=tuple(figures(result, allowance)),
        tables=tuple(_tables(result, allowance)),
        short=tone in {"good", "quiet"},
    )


def _asked(result: Result, verdict: Verdict) -> Iterator[str]:
    judged = [s for s in result.statistics if s.judged]
    what = display(judged[0].name) if judged else "what is measured"
    cells = f" ({len(judged):,} values are held against that)" if len(judged) > 1 else ""
    if result.threshold is not None and limits_of(result.threshold):
        yield f"{what} must be {_must(result.threshold)}{cells}."
    yield from _lines(result)
    if result.outcome is not Outcome.NOT_APPLICABLE:
        yield _SEVERITIES[result.severity]
    yield _of_data(result, verdict)


def _must(threshold: Threshold) -> str:
    told = []
    if threshold.at_least is not None:
        told.append(f"at least {threshold.at_least:g}")
    if threshold.at_most is not None:
        told.append(f"at most {threshold.at_most:g}")
    return " and ".join(told)


def _lines(result: Result) -> Iterator[str]:
    """Say what a breach is proven past, and what is serious."""
    for side in ("below", "above"):
        line, serious = (result.lines.get(f"{name}_{side}") for name in ("line", "serious"))
        if line is not None:
            yield f"It is refused where the data prove it {side} {line:g} (the dashed line)."
        if serious is not None:
            yield f"{serious:g} is serious, and must be ruled out (the dotted line)."


def _of_data(result: Result, verdict: Verdict) -> str:
    if not result.roles:
        return ""
    known = {data.role: data for data in verdict.datasets}
    named = [
        f"the {role} data ({known[role].rows:,} rows of {known[role].name})"
        if role in known
        else f"the {role} data, which were not there"
        for role in result.roles
    ]
    return f"Measured on {' and '.join(named)}."


def _tables(result: Result, allowance: Allowance) -> Iterator[Listing]:
    judged = {s.slice for s in result.statistics if s.judged}
    if judged and not comparable(result):
        yield judged_table(result, allowance)
    context = [s for s in result.statistics if not s.judged]
    seldom = [
        s.lack is NoValue.INSUFFICIENT and s.name != LEFT_OUT and s.slice not in judged
        for s in context
    ]
    small = [s for s, few in zip(context, seldom, strict=True) if few]
    if small:
        rows = [(s.slice, s.reason) for s in small]
        yield allowance.listing("Too small to judge alone", ("group", "why"), rows)
    pairs = zip(context, seldom, strict=True)
    told = [s for s, few in pairs if not few and s.name not in {LEFT_OUT, UNSEEN}]
    if told:
        heads = ("what", "of", "value", "interval", "rows", "note")
        beside = [*map(_beside, told[:TABLE])]
        yield allowance.listing(
            "Measured beside it, held against nothing", heads, beside, of=len(told)
        )


def _beside(cell: Statistic) -> tuple[str, ...]:
    told = cell.reason or (str(cell.lack) if cell.lack else "")
    name = display(cell.name)
    return (name, cell.slice or "all rows", value_of(cell), interval_of(cell), rows_of(cell), told)
