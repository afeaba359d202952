"""Statistics + threshold -> result -> verdict. Pure, and the only module that says PASS.

Cells combine to the worst; a waiver in force lets a rule through; before a rule's `effective_from`,
and within its `baseline`, what would refuse warns; severity never changes an outcome. The tables
are in spec.md "From cells to exit code" and the reasoning in docs/deciding.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aims_gate.facts import NoValue, Statistic
from aims_gate.limits import Bar, lines_of
from aims_gate.measure import AGE
from aims_gate.plan import Task
from aims_gate.policy.model import DecideOn, OnInsufficient, Severity
from aims_gate.policy.scope import early, ends
from aims_gate.sample_size import power_of, rows_to_collect
from aims_gate.sentences import between, cell_sentence, not_excluded, not_judged, past
from aims_gate.sides import JudgedSide, ends_of, turned
from aims_gate.verdict import Decision, Outcome, Power, Result, settled, worst
from aims_gate.waivers import Waiver, waived_sentence

_LACKS = {
    NoValue.MISSING: Outcome.MISSING,
    NoValue.INSUFFICIENT: Outcome.INSUFFICIENT,
    NoValue.UNDEFINED: Outcome.ERROR,
    NoValue.NOT_APPLICABLE: Outcome.NOT_APPLICABLE,
}
_SOFTENED = frozenset({Outcome.FAIL, Outcome.STALE, Outcome.MISSING, Outcome.INSUFFICIENT})
_OWED = frozenset({Outcome.FAIL, Outcome.INSUFFICIENT})
"""What a baseline may cover: it is about values, not about data that are missing or old."""
_REFUSING = frozenset({Outcome.FAIL, Outcome.STALE, Outcome.MISSING})
_THROUGH = frozenset({Outcome.PASS, Outcome.WARN, Outcome.NOT_APPLICABLE})
_HELD = frozenset({Outcome.FAIL, Outcome.WARN, Outcome.PASS})
"""Outcomes of a value that was compared with a limit."""
_SIZED = _HELD | {Outcome.INSUFFICIENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Outcome of one judged statistic, with a short reason."""

    statistic: Statistic
    outcome: Outcome
    why: str = ""


def judge(
    task: Task,
    statistics: Sequence[Statistic],
    *,
    now: datetime,
    insufficient: OnInsufficient,
    waiver: Waiver | None = None,
) -> Result:
    """Judge a rule: compare its statistics with the threshold; *waiver* is one in force."""
    cells = [*_judge_cells(task, statistics), *_judge_ages(task, statistics)]
    raw = worst(cell.outcome for cell in cells)
    waived = waiver if waiver is not None and raw in _SOFTENED and _admits(waiver, cells) else None
    if waived is not None:
        outcome, because = Outcome.WAIVED, waived_sentence(waived, now)
    else:
        outcome, because = _softened(task, statistics, raw, now)
    owed = outcome is not raw and (waived is not None or not early(task.rule, now))
    power = power_of(statistics, task.bars, task.decide_on) if raw in _SIZED else None
    reason = _reason(task, cells, raw, power) + because
    reason += not_judged(statistics, {cell.statistic.slice for cell in cells})
    return Result(
        rule=task.rule.id,
        check=task.rule.check,
        severity=task.rule.severity,
        outcome=outcome,
        raw_outcome=raw,
        reason=reason,
        threshold=task.threshold,
        lines=lines_of(task.bars if task.decide_on is DecideOn.PROVEN_BREACH else ()),
        statistics=tuple(statistics),
        controls=task.controls,
        title=task.rule.title,
        why=task.rule.why,
        place=str(task.rule.place),
        roles=tuple(map(str, task.roles)),
        blocking=_blocks(task.rule.severity, outcome, insufficient),
        decided=_held(cells) or owed,
        expires=None if outcome is raw else waived.expires if waived else ends(task.rule, now),
        power=power,
        waiver=None if waived is None else waived.id,
    )


def straddling(task: Task, statistics: Sequence[Statistic]) -> frozenset[str]:
    """Cells, by slice, whose bracket has another outcome at one end than at the other."""
    bars = (*task.bars, *task.debt)
    return frozenset(
        one.slice
        for one in statistics
        if one.judged
        and one.lack is None
        and not all(_settles(one, bar, task.decide_on) for bar in bars)
    )


def _admits(waiver: Waiver, cells: Sequence[Cell]) -> bool:
    """Tell whether a waiver lets every cell through that does not pass by itself."""
    return all(
        cell.outcome in _THROUGH
        or all(waiver.admits(cell.outcome, end.value) for end in ends_of(cell.statistic))
        for cell in cells
    )


def _held(cells: Sequence[Cell]) -> bool:
    """Whether values, not only ages, were compared with a limit, and none is missing."""
    measured = any(cell.outcome in _HELD and cell.statistic.name != AGE for cell in cells)
    return measured and worst(cell.outcome for cell in cells) in _HELD


def _softened(
    task: Task, statistics: Sequence[Statistic], raw: Outcome, now: datetime
) -> tuple[Outcome, str]:
    """Downgrade to a warning: the rule is not in force yet, or its baseline covers the value."""
    debt = task.rule.baseline
    if raw in _SOFTENED and early(task.rule, now):
        return Outcome.WARN, f"; {raw} from {task.rule.effective_from:%Y-%m-%d} on"
    if debt is None or raw not in _OWED:
        return raw, ""
    if now >= debt.expires:
        return raw, f"; the baseline {debt.value:g} of {debt.owner} expired {debt.expires:%Y-%m-%d}"
    owed = replace(task, bars=task.debt)
    cells = [*_judge_cells(owed, statistics), *_judge_ages(owed, statistics)]
    if worst(cell.outcome for cell in cells) not in {Outcome.PASS, Outcome.WARN}:
        return raw, f"; not covered by the baseline {debt.value:g} of {debt.owner}"
    known = f"; known debt: baseline {debt.value:g} of {debt.owner}"
    return Outcome.WARN, f"{known}, {raw} from {debt.expires:%Y-%m-%d} on"


def decide(results: Iterable[Result]) -> Decision:
    """Turn results into the decision on the stage.

    A blocking FAIL, MISSING, STALE or INSUFFICIENT refuses, even beside an ERROR: the no is
    certain. A blocking ERROR alone leaves it undecided. So does having decided nothing: what only
    `on_insufficient: warn`, an early stage or `effective_from` lets through was held against no
    limit.
    """
    block = [r for r in results if r.severity is Severity.BLOCK]
    if any(r.blocking and r.outcome is not Outcome.ERROR for r in block):
        return Decision.REFUSED
    if any(r.blocking for r in block) or not settled(block):
        return Decision.UNDECIDED
    return Decision.PASSED


def _blocks(severity: Severity, outcome: Outcome, insufficient: OnInsufficient) -> bool:
    if severity is not Severity.BLOCK:
        return False
    if outcome is Outcome.INSUFFICIENT:
        return insufficient is OnInsufficient.BLOCK
    return outcome in _REFUSING or outcome is Outcome.ERROR


def _judge_cells(task: Task, statistics: Sequence[Statistic]) -> Iterator[Cell]:
    judged = [s for s in statistics if s.judged]
    for statistic in judged:
        if statistic.lack is not None:
            yield Cell(statistic=statistic, outcome=_LACKS[statistic.lack], why=statistic.reason)
        elif statistic.value is None or not math.isfinite(statistic.value):
            yield Cell(statistic=statistic, outcome=Outcome.ERROR, why="not a number")
        elif not all(_settles(statistic, bar, task.decide_on) for bar in task.bars):
            # rows that nobody looked at closely enough: more of them would settle nothing
            why = f"the outcome is not the same {between(statistic.bracket)}"
            yield Cell(statistic=statistic, outcome=Outcome.ERROR, why=why)
        else:
            sides = [_judge_side(statistic, bar, task.decide_on) for bar in task.bars]
            cell = min(sides, key=lambda cell: tuple(Outcome).index(cell.outcome))
            old = task.judged.overdue and cell.outcome is Outcome.FAIL
            yield replace(cell, outcome=Outcome.STALE) if old else cell


def _judge_ages(task: Task, statistics: Sequence[Statistic]) -> Iterator[Cell]:
    ages = {s.slice: s for s in statistics if s.name == AGE}
    for role, most in task.max_age_days.items():
        age = ages.get(role, Statistic(name=AGE, slice=role, reason="its age was not measured"))
        if age.value is None or math.isnan(age.value):
            yield Cell(statistic=age, outcome=Outcome.STALE, why=age.reason or "not a number")
            continue
        why = f"the {role} data are {age.value:.1f} days old, more than {most:g}"
        if age.value > most + task.rule.grace_days:
            yield Cell(statistic=age, outcome=Outcome.STALE, why=why)
        elif age.value > most:
            yield Cell(statistic=age, outcome=Outcome.WARN, why=f"{why}, within the grace period")


def _judge_side(statistic: Statistic, bar: Bar, decide_on: DecideOn) -> Cell:
    side = turned(statistic, bar)
    # no default: a burden of proof that is none of the three must crash, not be lenient
    outcome, why = _BURDENS[decide_on](side, statistic, bar)
    return Cell(statistic=statistic, outcome=outcome, why=why)


def _settles(statistic: Statistic, bar: Bar, decide_on: DecideOn) -> bool:
    """Whether every value within the bracket has one outcome: the ends have, and it is monotone."""
    low, high = (_judge_side(end, bar, decide_on).outcome for end in ends_of(statistic))
    return low is high


def _estimate(side: JudgedSide, statistic: Statistic, _bar: Bar) -> tuple[Outcome, str]:
    if side.value < side.limit:
        return Outcome.FAIL, ""
    if statistic.interval is not None and side.low < side.limit:
        return Outcome.WARN, "the interval straddles the limit"
    if side.value < side.warn:
        return Outcome.WARN, "past the warning line"
    return Outcome.PASS, ""


def _proven_pass(side: JudgedSide, _statistic: Statistic, _bar: Bar) -> tuple[Outcome, str]:
    if side.value < side.limit:
        return Outcome.FAIL, ""
    # "every cell meets its floor" is wrong only where one does not, so each has alpha of its own
    if not side.alone >= side.limit:
        return Outcome.INSUFFICIENT, "not proven to meet the limit"
    if side.value < side.warn:
        return Outcome.WARN, "past the warning line"
    return Outcome.PASS, ""


def _proven_breach(side: JudgedSide, statistic: Statistic, bar: Bar) -> tuple[Outcome, str]:
    if side.value < side.limit and side.high < side.line:
        return Outcome.FAIL, f"and provably {past(bar)}"
    excluded = bar.serious is None or side.alone > side.serious
    why = not_excluded(statistic, bar)
    if not excluded and not statistic.small:
        return Outcome.INSUFFICIENT, why
    if side.value < side.limit:
        return Outcome.WARN, f"but not proven {past(bar)}"
    if side.value < side.line and side.high < side.neutral:
        return Outcome.WARN, f"{past(bar)}, and provably not {bar.neutral:g}"
    if not excluded:
        return Outcome.WARN, why
    return Outcome.PASS, ""


_BURDENS = {
    DecideOn.ESTIMATE: _estimate,
    DecideOn.PROVEN_PASS: _proven_pass,
    DecideOn.PROVEN_BREACH: _proven_breach,
}


def _reason(task: Task, cells: Sequence[Cell], raw: Outcome, power: Power | None) -> str:
    """Explain the worst cell in one line, and count the others that ended like it."""
    alike = [cell for cell in cells if cell.outcome is raw]
    if not alike:
        return "nothing was judged"
    shown = min(alike, key=lambda cell: _margin(cell.statistic, task.bars))
    if shown.statistic.name == AGE:  # days, which the rule's threshold is not about
        text = shown.why
    else:
        why = shown.why
        if raw is Outcome.INSUFFICIENT and shown.statistic.lack is None:
            why = "; ".join(filter(None, (why, rows_to_collect(power, task.bars))))
        text = cell_sentence(shown.statistic, task.bars, raw, why)
    if raw is not Outcome.PASS:
        return text + (f" (and {len(alike) - 1} more)" if len(alike) > 1 else "")
    if text.startswith("no "):
        return f"{text} in {len(cells)} checks"
    return text + (f" (the closest of {len(cells)} cells)" if len(cells) > 1 else "")


def _margin(statistic: Statistic, bars: Sequence[Bar]) -> float:
    """Signed distance to the nearest limit: the smallest is the worst cell, which is shown."""
    if statistic.value is None or math.isnan(statistic.value):
        return -math.inf
    sides = [turned(statistic, bar) for bar in bars]
    return min((side.value - side.limit for side in sides), default=math.inf)
