"""Public page of a verdict: every rule in words that a customer knows, and no internal name.

Names of models, rules, columns, groups, people and servers are left out; no rule is. Each claim
names the place in the signed evidence that shows it, by a digest that can be checked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aims_gate.advice import FAMILIES, family_of, in_order
from aims_gate.pages.environment import html
from aims_gate.policy.model import Threshold
from aims_gate.sentences import display, interval, number
from aims_gate.verdict import Decision, Outcome, Result, Verdict

_DECIDED = {
    Decision.PASSED: ("good", "✓", "policy met"),
    Decision.REFUSED: ("bad", "✗", "policy not met"),
    Decision.UNDECIDED: ("warn", "?", "not decided"),
}
_ABOUT = {
    "performance": "quality of its answers",
    "fairness": "equal treatment of groups",
    "drift": "data of today against those of its release",
    "data": "quality of data",
    "integrity": "integrity of model and evidence",
    "oversight": "oversight by people",
    "records": "records and risks",
}
_OUTCOMES = {
    Outcome.PASS: ("good", "met"),
    Outcome.WARN: ("warn", "warned of"),
    Outcome.FAIL: ("bad", "not met"),
    Outcome.WAIVED: ("warn", "not met, let through by a signed exception"),
    Outcome.NOT_APPLICABLE: ("quiet", "not asked of this model"),
}
_UNDECIDED = ("warn", "not decided")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRow:
    """What customers are told of one rule."""

    about: str
    outcome: str
    measured: str
    asked: str
    place: int
    """Among the results of the evidence, from 1."""
    tone: str


def public_rows(verdict: Verdict) -> tuple[PublicRow, ...]:
    """All rules, the worst first."""
    places = {id(result): place for place, result in enumerate(verdict.results, 1)}
    return tuple(_row(result, places[id(result)]) for result in in_order(verdict))


def holds_until(verdict: Verdict) -> datetime | None:
    """First end of what the verdict rests on; None where nothing of it ends."""
    ends = (verdict.policy.expires, *(one.expires for one in verdict.results))
    return min((one for one in ends if one is not None), default=None)


def render(verdict: Verdict, name: str, url: str, issued: datetime) -> str:
    """The page about *verdict*, which must be verified, of what is called *name* in public."""
    tone, mark, words = _DECIDED[verdict.decision]
    return html(
        "public.html",
        verdict=verdict,
        name=name,
        url=url,
        issued=issued,
        until=holds_until(verdict),
        tone=tone,
        mark=mark,
        words=words,
        rows=public_rows(verdict),
    )


def badge(verdict: Verdict) -> str:
    """SVG that says the decision and its day; it links to the page wherever it is put."""
    tone, _, words = _DECIDED[verdict.decision]
    color = {"good": "#0b6b3a", "bad": "#b3131d", "warn": "#8a5000"}[tone]
    told = f"aims-gate: {words}, {verdict.finished:%Y-%m-%d}"
    width = 8 * len(told)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" '
        f'aria-label="{told}"><rect width="{width}" height="20" rx="3" fill="{color}"/>'
        f'<text x="{width // 2}" y="14" fill="#ffffff" text-anchor="middle" font-size="12" '
        f'font-family="DejaVu Sans, Verdana, sans-serif">{told}</text></svg>\n'
    )


def _row(result: Result, place: int) -> PublicRow:
    tone, words = _OUTCOMES.get(result.outcome, _UNDECIDED)
    if result.outcome is Outcome.WARN and result.raw_outcome is not Outcome.WARN:
        words = "not met, warned of only"  # a debt of before, or a rule not yet in force
    if result.expires is not None and result.outcome is not Outcome.PASS:
        words += f", until {result.expires:%Y-%m-%d}"
    family = family_of(result.check)
    ours = family in FAMILIES and ":" not in result.check
    about = _ABOUT[family] if ours else "a check of the company's own"
    return PublicRow(
        about=about,
        outcome=words,
        measured=_measured(result) if ours else "",
        asked=_asked(result.threshold or Threshold()) if ours else "",
        place=place,
        tone=tone,
    )


def _measured(result: Result) -> str:
    """The worst of what was judged, as one number, of how many, and how many have none."""
    found = [one for one in result.statistics if one.judged]
    finite = [(one.value, one) for one in found if one.value is not None]
    finite = [pair for pair in finite if math.isfinite(pair[0])]
    if not finite:
        return "no number"
    limits = result.threshold or Threshold()
    value, worst = max(finite, key=lambda pair: _beyond(pair[0], limits))
    told = f"{display(worst.name)} {number(value)}"
    told += "" if worst.interval is None else f" ({interval(worst.interval)})"
    told += f", the worst of {len(finite)}" if len(finite) > 1 else ""
    without = len(found) - len(finite)
    return told + (f"; {without} of {len(found)} without a number" if without else "")


def _beyond(value: float, limits: Threshold) -> float:
    """How far a value lies beyond its limits, negative within; the value itself without any."""
    below = [limits.at_least - value] if limits.at_least is not None else []
    above = [value - limits.at_most] if limits.at_most is not None else []
    return max((*below, *above), default=value)


def _asked(threshold: Threshold) -> str:
    return " and ".join(_bounds(threshold))


def _bounds(threshold: Threshold) -> Iterator[str]:
    if threshold.at_least is not None:
        yield f"at least {threshold.at_least:g}"
    if threshold.at_most is not None:
        yield f"at most {threshold.at_most:g}"
