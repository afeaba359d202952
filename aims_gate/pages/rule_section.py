"""A rule's section of the page: what was asked, of which data, and what was seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from aims_gate.advice import UNMET, advice
from aims_gate.facts import LEFT_OUT, UNSEEN, NoValue, Statistic
from aims_gate.pages import svg
from aims_gate.pages.charts import cells_of, forest
from aims_gate.pages.strip import limits_of, margin_of, mark_of, strips
from aims_gate.policy.model import Threshold
from aims_gate.reports import outcome_word, remark
from aims_gate.sentences import display, interval, number
from aims_gate.verdict import Outcome, Result, Verdict

CHARTS = 60
"""Charts of a page, the worst rules first."""
OF_A_RULE = 8
"""Charts of one rule."""
ROWS = 5_000
"""Rows of all tables of a page."""
_TABLE = 250
"""Rows of one table."""
_LEAST = 5
"""Rows that each table shows, whatever the others took."""
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
    Outcome.STALE: "the data are too old",
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
_STATES = {
    "✗": "the value is past the limit",
    "?": "its interval reaches past the limit, or there is no value",
    "✓": "all of it meets the limit",
}


@dataclass(slots=True)
class Allowance:
    """How many charts and rows a page may still take."""

    charts: int = CHARTS
    rows: int = ROWS

    def take_rows(self, wanted: int) -> int:
        """Rows that a table of *wanted* rows may show; a few in any case."""
        granted = min(wanted, _TABLE, max(self.rows, _LEAST))
        self.rows -= granted
        return granted


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table: its heads, its rows, and how many more there are."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its caption; without the library that draws, a strip of characters or nothing.

    Its numbers stand in a table beside it.
    """

    title: str
    told: str
    image: Markup | None
    strip: tuple[str, ...] = ()
    table: Listing | None = None


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
    if result.raw_outcome is not Outcome.FAIL or not (limits and judged and result.threshold):
        return result.reason
    cell = min(judged, key=lambda s: margin_of(s, limits))
    past = sum(margin_of(s, limits) < 0 for s in judged) - 1
    if cell.value is None or past < 0:
        return result.reason
    what = f"{display(cell.name)} {number(cell.value)}"
    told = f"{cell.slice}: {what}" if cell.slice else what
    more = f", and {past:,} more past it" if past else ""
    return f"{told}; {_must(result.threshold)} was asked{more}"


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
        figures=tuple(_figures(result, allowance)),
        tables=tuple(_tables(result, allowance)),
        short=tone in {"good", "quiet"},
    )


def _asked(result: Result, verdict: Verdict) -> Iterator[str]:
    judged = [s for s in result.statistics if s.judged]
    what = display(judged[0].name) if judged else "what is measured"
    cells = f", in each of {len(judged):,} cells" if len(judged) > 1 else ""
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
    roles = getattr(result, "roles", ())
    if not roles:
        return ""
    known = {data.role: data for data in verdict.datasets}
    named = [
        f"the {role} data ({known[role].rows:,} rows of {known[role].name})"
        if role in known
        else f"the {role} data, which were not there"
        for role in roles
    ]
    return f"Measured on {' and '.join(named)}."


def _figures(result: Result, allowance: Allowance) -> Iterator[Figure]:
    chart = forest(result)
    if chart is None:
        return
    judged = [s for s in result.statistics if s.judged]
    most = cells_of(result)
    cells = f"the {most} closest of {len(judged):,}" if len(judged) > most else "each"
    told = f"{cells} with its interval; solid line: the limit"
    told += ", dashed: proven past it, dotted: serious" if result.lines else ""
    title = f"{display(judged[0].name)} against its limit"
    image = None
    if allowance.charts > 0:
        allowance.charts -= 1
        image = svg.drawn(chart, f"{title}: {result.reason}")
    strip = () if image is not None else tuple(strips([result], 1))
    table = judged_table(result, allowance)
    yield Figure(title=title, told=told, image=image, strip=strip, table=table)


def judged_table(result: Result, allowance: Allowance) -> Listing:
    """Table of the judged cells, the worst first."""
    limits = limits_of(result.threshold)
    judged = [s for s in result.statistics if s.judged]
    cells = sorted(judged, key=lambda s: margin_of(s, limits)) if limits else judged
    granted = allowance.take_rows(len(cells))
    return Listing(
        caption="Every value that was held against the limit",
        heads=("group or column", "value", "interval", "rows", "against the limit"),
        rows=tuple(_judged_row(s, limits) for s in cells[:granted]),
        more=len(cells) - granted,
    )


def _judged_row(cell: Statistic, limits: list[tuple[float, bool]]) -> tuple[str, ...]:
    mark = mark_of(cell, limits) if limits else ""
    state = f"{mark} {_STATES[mark]}" if mark else ""
    if cell.value is None:
        state = f"{cell.lack or 'no value'}: {cell.reason}"
    elif cell.reason:
        state = f"{state}; {cell.reason}" if state else cell.reason
    return (cell.slice or "all rows", _value(cell), _interval(cell), _rows(cell), state)


def _value(cell: Statistic) -> str:
    return "no value" if cell.value is None else number(cell.value)


def _interval(cell: Statistic) -> str:
    if cell.interval is None or math.isnan(cell.interval.level):
        return "-"
    return interval(cell.interval)


def _rows(cell: Statistic) -> str:
    if not cell.rows:
        return "-"
    return f"{cell.rows:,} of {cell.total:,}" if cell.total > cell.rows else f"{cell.rows:,}"


def _tables(result: Result, allowance: Allowance) -> Iterator[Listing]:
    judged = {s.slice for s in result.statistics if s.judged}
    if judged and forest(result) is None:
        yield judged_table(result, allowance)
    beside = [s for s in result.statistics if not s.judged]
    small = [
        s
        for s in beside
        if s.lack is NoValue.INSUFFICIENT and s.name != LEFT_OUT and s.slice not in judged
    ]
    if small:
        rows = [(s.slice, s.reason) for s in small]
        yield _listing("Too small to judge alone", ("group", "why"), rows, allowance)
    told = [s for s in beside if s not in small and s.name not in {LEFT_OUT, UNSEEN}]
    if told:
        heads = ("what", "of", "value", "interval", "rows", "note")
        yield _listing(
            "Measured beside it, held against nothing", heads, [*map(_beside, told)], allowance
        )


def _beside(cell: Statistic) -> tuple[str, ...]:
    told = cell.reason or (str(cell.lack) if cell.lack else "")
    name = display(cell.name)
    return (name, cell.slice or "all rows", _value(cell), _interval(cell), _rows(cell), told)


def _listing(
    caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], allowance: Allowance
) -> Listing:
    granted = allowance.take_rows(len(rows))
    return Listing(
        caption=caption, heads=heads, rows=tuple(rows[:granted]), more=len(rows) - granted
    )
