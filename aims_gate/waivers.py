"""Waivers that are in force: what they let through, and the result of one that does not count.

A waiver that was meant for this model and does not hold is a result of its own, an ERROR that
stands in the way: nobody should believe in an exception that does not count. Which are in force is
found in `waiver_terms`, where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aims_gate.policy.model import Severity, Threshold
from aims_gate.verdict import Outcome, Result

CHECK = "waivers.valid"
_VALUED = frozenset({Outcome.FAIL, Outcome.INSUFFICIENT})
SOON = timedelta(days=14)
"""A waiver that ends within this is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An exception to one rule that is in force."""

    id: str
    rule: str
    covers: frozenset[Outcome]
    limit: Threshold | None
    """How far a value may go; None where there is none."""
    expires: datetime
    """Exclusive."""
    approved_by: tuple[str, ...]
    requested_by: str
    justification: str
    by_name: bool
    """Whether it is for later versions, too."""
    where: str
    """Its files, for messages."""
    files: Mapping[str, bytes]
    """The signed envelopes, under the names that they have beside the evidence."""

    def admits(self, outcome: Outcome, value: float | None) -> bool:
        """Tell whether the waiver covers a cell with this outcome and value."""
        if outcome not in self.covers:
            return False
        if outcome not in _VALUED:  # a limit is not about days, nor about what is missing
            return True
        if value is None:  # too little to measure escapes a limit, unless a missing value may
            return self.limit is None or Outcome.MISSING in self.covers
        if self.limit is None:
            return False
        low, high = self.limit.at_least, self.limit.at_most
        return (low is None or value >= low) and (high is None or value <= high)


def waived_sentence(waiver: Waiver, now: datetime) -> str:
    """Say who waived a rule, until when, and why."""
    people = " and ".join(waiver.approved_by)
    until = f"{waiver.expires:%Y-%m-%dT%H:%M:%SZ}"
    left = waiver.expires - now
    soon = f", in {left / timedelta(days=1):.1f} days" if left < SOON else ""
    why = " ".join(waiver.justification.split())
    return f"; waived by {waiver.id} of {people} until {until}{soon}: {why}"


def unused(held: Mapping[str, Waiver], results: Iterable[Result]) -> Iterator[Result]:
    """Name the waivers that let nothing through: their rules passed, or were not applicable.

    A rule that was left out is waived at another stage or of another model; and one version that
    needs no waiver takes none away from the next.
    """
    for result in results:
        one = held.get(result.rule)
        if one is None or result.waiver is not None:
            continue
        left_out = result.outcome is Outcome.NOT_APPLICABLE and not result.statistics
        if left_out or (one.by_name and result.outcome in {Outcome.PASS, Outcome.WARN}):
            continue
        what = f"{result.rule} ended {result.outcome}"
        covered = result.raw_outcome in one.covers
        hint = (
            "beyond its limit" if covered and one.limit is not None else "which it does not cover"
        )
        if result.outcome in {Outcome.PASS, Outcome.WARN, Outcome.NOT_APPLICABLE}:
            yield refused(one.id, f"{what}, and needs no waiver", one.where)
        else:
            yield refused(one.id, f"{what}, {hint}", one.where)


def refused(name: str, what: str, where: str) -> Result:
    """Blocking result of an invalid waiver: it blocks until the waiver is removed."""
    hint = f"have it approved anew, or remove {where}"
    return Result(
        rule=name,
        check=CHECK,
        severity=Severity.BLOCK,
        outcome=Outcome.ERROR,
        raw_outcome=Outcome.ERROR,
        reason=f"the waiver does not count: {what}; {hint}",
        title="a waiver that does not count",
        place=where,
        blocking=True,
    )
