"""Which signed waivers are in force for this model, by this policy, on this day.

A waiver that was meant for this model and does not hold is a result of its own, an ERROR that
stands in the way: nobody should believe in an exception that does not count. Pure: folders and
signatures are read in `signoffs`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from aims_gate.attest.trust import TrustedKey
from aims_gate.errors import GateError
from aims_gate.facts import ModelIdentity
from aims_gate.limits import waived_problems
from aims_gate.plan import Task
from aims_gate.policy.model import Severity, Threshold, WaiverTerms
from aims_gate.policy.resolved_yaml import rule_digest
from aims_gate.signoffs import people
from aims_gate.signoffs.folder import Signed, Unsound
from aims_gate.signoffs.grammar import MODEL_DAYS, VALUED, WaiverSaid
from aims_gate.verdict import Outcome, Result

FOLDER = "waivers"
"""Beside the policy."""
CHECK = "waivers.valid"
SKEW = timedelta(minutes=5)
"""How far the clock of whoever signed may be ahead of ours."""
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
        if outcome not in VALUED:  # a limit is not about days, nor about what is missing
            return True
        if value is None:  # too little to measure escapes a limit, unless a missing value may
            return self.limit is None or Outcome.MISSING in self.covers
        if self.limit is None:
            return False
        low, high = self.limit.at_least, self.limit.at_most
        return (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverContext:
    """What waivers must match: one model, one policy, the people who may not sign."""

    model: ModelIdentity
    terms: WaiverTerms
    tasks: Mapping[str, Task]
    authors: Collection[str]
    """Whoever made the model, as far as the run and its commit say."""
    gate: TrustedKey | None
    """The key that signs the evidence; None where none does."""
    uses: Callable[[str], int]
    """How many signed evaluations used a waiver; SourceError where the store cannot say."""
    now: datetime


def waived_sentence(waiver: Waiver, now: datetime) -> str:
    """Say who waived a rule, until when, and why."""
    people = " and ".join(waiver.approved_by)
    until = f"{waiver.expires:%Y-%m-%dT%H:%M:%SZ}"
    left = waiver.expires - now
    soon = f", in {left / timedelta(days=1):.1f} days" if left < SOON else ""
    why = " ".join(waiver.justification.split())
    return f"; waived by {waiver.id} of {people} until {until}{soon}: {why}"


def in_force(
    found: Iterable[Signed[WaiverSaid] | Unsound], about: WaiverContext
) -> tuple[Mapping[str, Waiver], tuple[Result, ...]]:
    """Valid waivers by rule, and a result for each invalid one."""
    held: dict[str, Waiver] = {}
    faulty: list[Result] = []
    for one in found:
        if isinstance(one, Unsound):
            faulty.append(refused(one.id, one.what, one.where))
            continue
        if not _meant(one.said, about):
            continue
        problem = next(_problems(one, about), "")
        if not problem and one.said.rule in held:
            problem = f"{held[one.said.rule].id} is in force for {one.said.rule} already"
        if problem:
            faulty.append(refused(one.said.id, problem, one.where))
        else:
            held[one.said.rule] = _waiver(one)
    if len(held) > about.terms.max_active:
        what = f"{len(held)} waivers are in force, and the policy admits {about.terms.max_active}"
        faulty += [refused(one.id, what, one.where) for one in held.values()]
        held = {}
    return held, tuple(faulty)


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


def _meant(text: WaiverSaid, about: WaiverContext) -> bool:
    """Tell whether a waiver is about this model; one for other bytes is nobody's error."""
    if not text.model.by_name:
        return text.model.sha256 == about.model.digest
    # a name that no registry gave is its author's to choose
    known = about.model.registered
    return bool(known) and fnmatchcase(known, text.model.name)


def _problems(one: Signed[WaiverSaid], about: WaiverContext) -> Iterator[str]:
    text, terms, now = one.said, about.terms, about.now
    issued, ends = one.issued, text.expires
    yield from _rule_problems(text, about)
    if not text.model.by_name and text.model.name != about.model.name:
        yield f"it is for the model {text.model.name!a}, and this one is {about.model.name!a}"
    if text.model.by_name and terms.scope != "model":
        yield "it is for later versions too, and the policy says waivers.scope: version"
    if now >= ends:
        yield f"it expired at {ends:%Y-%m-%dT%H:%M:%SZ}"
    if issued > now + SKEW:
        yield f"it was signed in the future, at {issued:%Y-%m-%dT%H:%M:%SZ}"
    days = min(terms.max_days, MODEL_DAYS) if text.model.by_name else terms.max_days
    if ends - issued > timedelta(days=days):
        yield f"it lasts {(ends - issued) / timedelta(days=1):.4g} days, and {days:g} are allowed"
    yield from people.problems(
        one.keys, text.requested_by, terms, gate=about.gate, authors=about.authors
    )
    if text.model.by_name:
        try:
            used = about.uses(text.id)
        except GateError as error:
            yield f"nobody can say how often it was used: {error}"
            return
        if used >= text.uses:
            yield f"it was used {used} times, and {text.uses} are allowed"


def _rule_problems(text: WaiverSaid, about: WaiverContext) -> Iterator[str]:
    task = about.tasks.get(text.rule)
    if task is None:
        yield f"the policy has no rule {text.rule}"
        return
    if text.rule in about.terms.not_waivable:
        yield f"the policy says that {text.rule} is not waivable"
    if text.rule_sha256 != rule_digest(task.rule):
        yield f"{text.rule} has changed since it was drafted"
    limit = text.threshold
    if limit is not None:
        yield from waived_problems(limit, task.threshold, task.judged)


def _waiver(one: Signed[WaiverSaid]) -> Waiver:
    text = one.said
    return Waiver(
        id=text.id,
        rule=text.rule,
        covers=frozenset(map(Outcome, text.covers)),
        limit=text.threshold,
        expires=text.expires,
        approved_by=tuple(sorted({key.person for key in one.keys})),
        requested_by=text.requested_by,
        justification=text.justification,
        by_name=text.model.by_name,
        where=one.where,
        files={
            f"waiver.{text.id}.{number}.dsse.json": data
            for number, data in enumerate(one.files.values(), start=1)
        },
    )
