"""Sentences: numbers and statistics in words, in the one line that explains a result."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence

from aims_gate.bracket import Bracket
from aims_gate.checks.drift.distances import METHODS
from aims_gate.facts import LEFT_OUT, POWER, UNSEEN, Interval, NoValue, Statistic
from aims_gate.limits import Bar, serious_of
from aims_gate.stats.formulas import FORMULAS
from aims_gate.verdict import Outcome, Power

_ACRONYMS = frozenset({"ks", *(word for f in FORMULAS for word in f.capitals)})
_NAMES = {
    **{of.statistic: of.words for of in METHODS.values()},
    "brier": "Brier score",
    "brier_difference": "Brier difference",
}
"""Names that no rule of spelling gives."""
_NAMED = 5
"""Columns that were left out, and groups too small to judge, are named up to so many."""


def number(value: float) -> str:
    """Write a measured value for people: about three significant digits, counts in full."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 1 else "0"
    if abs(value) >= 100:
        return f"{value:,.1f}"
    return f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.2g}"


def display(name: str) -> str:
    """Write a statistic's name as people do: `roc_auc` is ROC AUC, `impact_ratio` impact ratio."""
    if name in _NAMES:
        return _NAMES[name]
    words = name.split("_")
    return " ".join(word.upper() if word in _ACRONYMS else word for word in words)


def cell_sentence(statistic: Statistic, bars: Sequence[Bar], outcome: Outcome, why: str) -> str:
    """Explain one judged cell, such as `impact ratio sex=F 0.71 (95 % 0.66-0.76) < 0.80, n=…`."""
    subject = f"{display(statistic.name)} {statistic.slice}".strip()
    if statistic.value is None or math.isnan(statistic.value):
        return f"{subject}: {why}" if why else subject
    if outcome is Outcome.PASS and statistic.value == 0 and all(not bar.limit for bar in bars):
        return f"no {display(statistic.name)}"
    parts = [subject, number(statistic.value)]
    if statistic.interval is not None:
        parts.append(f"({interval(statistic.interval)})")
    parts += [between(statistic.bracket), _against(statistic.value, bars, outcome)]
    text = " ".join(part for part in parts if part)
    if statistic.rows:
        text += f", n={statistic.rows:,}"
        if statistic.total > statistic.rows:
            text += f" of {statistic.total:,}"
    told = "" if outcome is Outcome.PASS else statistic.reason
    notes = [note for note in (_second(statistic.engine), why, told) if note]
    return "; ".join([text, *dict.fromkeys(notes)])


def power_sentence(power: Power) -> str:
    """Say how likely a rule is decided by such data, and what to collect where that is seldom."""
    told = f"{power.chance:.0%} to be decided if nothing is wrong"
    if power.chance >= POWER:
        return told
    if power.wanted is None:
        return f"{told}; no number of {power.what} would do"
    told += f"; for {POWER:.0%} collect {power.wanted:,} {power.what} in all"
    groups = {cell.group: cell.wanted for cell in power.cells if cell.group and cell.wanted}
    if len(groups) < 2:
        return told
    named = [f"{group} {wanted:,}" for group, wanted in [*groups.items()][:_NAMED]]
    more = f" and {len(groups) - _NAMED:,} more" if len(groups) > _NAMED else ""
    return f"{told}: {', '.join(named)}{more}"


def rows_wanted(rows: int, wanted: int | None) -> str:
    """Write how many rows decide, for a table: those that are there are not said to be needed."""
    if wanted is None:
        return "no number is enough"
    return f"{wanted:,}" if wanted > rows else "these are enough"


def _second(engine: str) -> str:
    """Which library agreed or computed the value; empty for our own engine alone."""
    ours, _, other = engine.partition("; ")
    if other or ours.startswith("native"):
        return other
    return f"by {ours}"


def interval(bounds: Interval) -> str:
    """Write an interval with its level: `95 % 0.66-0.76`."""
    level = f"{100 * bounds.level:.4g}"
    dash = " to " if bounds.low < 0 else "-"
    return f"{level} % {number(bounds.low)}{dash}{number(bounds.high)}"


def between(found: Bracket | None) -> str:
    """Write a bracket: `between 0.0199 and 0.0205 (1,024 cells)`; empty for none."""
    if found is None:
        return ""
    for digits in (3, 6, 9):
        low, high = f"{found.low:.{digits}g}", f"{found.high:.{digits}g}"
        if low != high:
            return f"between {low} and {high} ({found.cells:,} cells)"
    return f"known to 9 digits ({found.cells:,} cells)"


def meanings(notes: Iterable[str], kinds: Container[str], *, version: bool, cells: bool) -> Told:
    """Say what words of tables in engines mean, for readers who are no engineers: word, meaning.

    Args:
        notes: What is said beside the data.
        kinds: Of their digests.
        version: Whether the version of a table is said.
        cells: Whether rows were counted in cells.
    """
    held = any(note.startswith("held by ") for note in notes)
    told = {"held by": held, "table-v1": "table-v1" in kinds, "version": version, "between": cells}
    return [(word, _MEANINGS[word]) for word, is_told in told.items() if is_told]


Told = list[tuple[str, str]]
_MEANINGS = {
    "held by": "the rows stayed in that engine, which answered questions about every row that is "
    "judged; none was sampled",
    "table-v1": "by which the table is known again: SHA-256 of its rows, in any order; one changed "
    "value gives another",
    "version": "the table keeps its versions; this one was read, whatever was written since",
    "between": "rows were counted in cells, not read one by one; the exact value surely lies "
    "between these two, and a rule is decided only where its outcome is the same at both",
}


def _against(value: float, bars: Sequence[Bar], outcome: Outcome) -> str:
    """The deciding comparison: with the limit, else with the warning line."""
    told: list[str] = []
    for bar in bars:
        limit = f"{bar.limit:g}"
        if bar.higher_is_better:
            told.append(f"< {limit}" if value < bar.limit else f">= {limit}")
        else:
            told.append(f"> {limit}" if value > bar.limit else f"<= {limit}")
    broken = [text for text in told if text[0] in "<>" and text[1] != "="]
    if broken and outcome is not Outcome.PASS:
        return broken[0]
    return " and ".join(told)


def not_excluded(statistic: Statistic, bar: Bar) -> str:
    """Which bound of a cell does not exclude a serious effect."""
    serious, bounds = f"a serious {serious_of(statistic, bar):.4g}", statistic.alone
    if bounds is None:
        return f"{serious} is not excluded"
    bound = bounds.low if bar.higher_is_better else bounds.high
    return f"its own bound {number(bound)} does not exclude {serious}"


def past(bar: Bar) -> str:
    """The warning line in words, with its meaning if it is not the limit."""
    past = f"{'below' if bar.higher_is_better else 'above'} {bar.line:g}"
    if bar.line == bar.limit or bar.neutral is None:
        return past
    return f"{past} (the line between the limit, {bar.limit:g}, and no effect, {bar.neutral:g})"


def not_judged(statistics: Sequence[Statistic], judged: Container[str]) -> str:
    """What was not judged, so that nobody takes it for judged; *judged* are slices.

    Groups too small to judge alone, columns that no method fits, and values that were not seen.
    """
    lacks = [s for s in statistics if s.lack is NoValue.INSUFFICIENT and not s.judged]
    small = dict.fromkeys(s.slice for s in lacks if s.slice and s.name != LEFT_OUT)
    names = [name for name in small if name not in judged]
    left = [s for s in statistics if s.name == LEFT_OUT and s.lack is not None]
    told = [f"{s.slice} ({s.reason.removeprefix('left out: ')})" for s in left]
    return (
        _some("too small to judge alone", names)
        + _some("left out", told)
        + "".join(f"; {unseen.reason}" for unseen in statistics if unseen.name == UNSEEN)
    )


def _some(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"; {what}: {', '.join(names[:_NAMED])}{more}" if names else ""
