"""Plan to a certificate: phases counted back from the wished day, and what is open in each.

Durations are those of a usual project, and hours are our estimates; neither is in the standard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from aims_gate.errors import UsageError
from aims_gate.governance.contract import plus_days
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_finding import Support

PHASES = {
    "planning": (4, 8, "scope, policy, roles, timeline"),
    "development": (12, 16, "procedures, records and controls"),
    "testing": (6, 8, "the systems validated, people trained"),
    "review": (4, 4, "internal audit, management review"),
    "certification": (26, 35, "pre-assessment, stage 1, stage 2, decision"),
}
"""Shortest and longest weeks of each phase; the gap assessment before them is this one."""
_WEIGHT = {Support.CONFLICT: 3, Support.MISSING: 2, Support.STALE: 1}
"""What closing a row is worth: an auditor finds a contradiction first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPhase:
    """A phase, when it is, and what is to be done in it, what is worth most an hour first."""

    name: str
    about: str
    begins: date
    ends: date
    rows: tuple[GapRow, ...]

    @property
    def hours(self) -> int:
        """Estimated effort of its open rows, for one system."""
        return sum(one.requirement.hours for one in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class GapPlan:
    """Phases up to a certificate."""

    by: date
    """The wished day."""
    phases: tuple[PlannedPhase, ...]

    @property
    def late(self) -> int:
        """Days by which even the shortest phases end after the wished day; 0 where they fit."""
        return max(0, (self.phases[-1].ends - self.by).days)


def plan(rows: Sequence[GapRow], *, today: date, by: date) -> GapPlan:
    """Plan the open rows; a phase in which nothing is open is left out.

    Phases are as long as there is time for, between their shortest and longest; where not even the
    shortest fit, they begin today and end late. UsageError for a day that is not to come.
    """
    if by <= today:
        raise UsageError(f"{by} is not to come", where="--certificate-by")
    left = {
        name: tuple(one for one in rows if one.open and one.requirement.phase == name)
        for name in PHASES
    }
    kept = [name for name in PHASES if left[name] or name == "certification"]
    short = 7 * sum(PHASES[name][0] for name in kept)
    long = 7 * sum(PHASES[name][1] for name in kept)
    have = (by - today).days
    share = min(1.0, max(0.0, (have - short) / (long - short)))
    days = {
        name: int((PHASES[name][0] + share * (PHASES[name][1] - PHASES[name][0])) * 7)
        for name in kept
    }
    begins = max(today, plus_days(by, -sum(days.values())))
    phases = []
    for name in kept:
        ends = plus_days(begins, days[name])
        phases.append(
            PlannedPhase(
                name=name,
                about=PHASES[name][2],
                begins=begins,
                ends=ends,
                rows=tuple(sorted(left[name], key=_by_value)),
            )
        )
        begins = ends
    return GapPlan(by=by, phases=tuple(phases))


def _by_value(row: GapRow) -> float:
    return -_WEIGHT[row.support] / row.requirement.hours
