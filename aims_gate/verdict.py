"""Verdict types: outcomes, results, decision. `judge` computes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from importlib import import_module

from aims_gate.facts import CURVES, Ancestor, DatasetIdentity, ModelIdentity, Statistic
from aims_gate.policy.model import Rule, Severity, Threshold


class Outcome(StrEnum):
    """Outcome of a rule, from worst to best: cells combine to the worst."""

    FAIL = "FAIL"
    ERROR = "ERROR"
    MISSING = "MISSING"
    STALE = "STALE"
    INSUFFICIENT = "INSUFFICIENT"
    WAIVED = "WAIVED"
    WARN = "WARN"
    PASS = "PASS"
    NOT_APPLICABLE = "NOT_APPLICABLE"


_ORDER = tuple(Outcome)
_OF_A_PASS = 4
"""Curves of a rule that passed."""
_NOT_IN_LEVEL = re.compile(r"[^A-Z0-9]+")


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of *outcomes*; of none at all ERROR, because nothing was decided."""
    return min(outcomes, key=_ORDER.index, default=Outcome.ERROR)


class Decision(StrEnum):
    """Decision on the stage."""

    PASSED = "passed"
    REFUSED = "refused"
    UNDECIDED = "undecided"

    @property
    def exit_code(self) -> int:
        """The process's exit code: 0 policy met, 1 not met, 3 could not decide."""
        return {Decision.PASSED: 0, Decision.REFUSED: 1, Decision.UNDECIDED: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPower:
    """What the rows of one cell exclude, and how many of them would be enough."""

    slice: str
    group: str
    """The group whose rows these are; the slice where it is about nothing more."""
    rows: int
    excluded: float | None
    """The cell's own bound: an effect past it is excluded by these very rows; None for none."""
    wanted: int | None
    """Rows for which the rule is decided four times in five; None if no number is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What data of this size can decide of a rule, whatever they turn out to say."""

    chance: float
    """Probability that the rule is decided if nothing is wrong."""
    serious: float
    """The effect that must be excluded, or the floor that must be proven."""
    rows: int
    what: str
    """Which rows those are: `rows of the data`, `current rows`."""
    wanted: int | None
    """Rows of that kind for which the rule is decided four times in five."""
    cells: tuple[CellPower, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Result of one rule: its outcome and everything it rests on."""

    rule: str
    check: str
    severity: Severity
    outcome: Outcome
    raw_outcome: Outcome
    """Before waivers, `effective_from` and a baseline."""
    reason: str
    """One line: the value, its interval, the threshold, the slice and the rows."""
    threshold: Threshold | None = None
    lines: Mapping[str, float] = field(default_factory=dict)
    """What a breach is proven past and what is serious, where that decides: `line_below`,
    `serious_below`, `line_above`, `serious_above`."""
    statistics: tuple[Statistic, ...] = ()
    controls: tuple[str, ...] = ()
    waiver: str | None = None
    title: str = ""
    why: str = ""
    place: str = ""
    """`file:line` of the rule in the policy."""
    blocking: bool = False
    """Whether this result stands in the way of the stage."""
    named_by_run: tuple[str, ...] = ()
    """What it rests on that the run's author named and no policy did: `label`, `groups` …"""
    decided: bool = False
    """Whether it passed, was waived, or was measured and held against its limit."""
    expires: datetime | None = None
    """Until when it is let through although it did not pass."""
    power: Power | None = None
    """What these data can decide of it; None where nothing is known of that."""
    roles: tuple[str, ...] = ()
    """The data that it was measured on: `evaluation` …"""


def not_applicable(rule: Rule, controls: Sequence[str], reason: str) -> Result:
    """Record a rule that is not about this model or stage, with its justification."""
    return Result(
        rule=rule.id,
        check=rule.check,
        severity=rule.severity,
        outcome=Outcome.NOT_APPLICABLE,
        raw_outcome=Outcome.NOT_APPLICABLE,
        reason=reason,
        threshold=rule.require,
        controls=tuple(controls),
        title=rule.title,
        why=rule.why,
        place=str(rule.place),
    )


def bounded(results: Sequence[Result]) -> tuple[Result, ...]:
    """The results with as many curves as a record holds: CURVES, of the worst rules and cells.

    Of a rule that passed the worst cells are enough.
    """
    left = CURVES
    kept: dict[int, Result] = {}
    for result in sorted(results, key=lambda r: (not r.blocking, _ORDER.index(r.outcome))):
        drawn = sorted((s for s in result.statistics if s.curves), key=_worse(result.threshold))
        room = min(left, _OF_A_PASS) if result.outcome is Outcome.PASS else left
        held: set[int] = set()
        for cell in drawn:
            if len(cell.curves) <= room:
                room, left = room - len(cell.curves), left - len(cell.curves)
                held.add(id(cell))
        if len(held) < len(drawn):
            cells = (s if id(s) in held else replace(s, curves=()) for s in result.statistics)
            kept[id(result)] = replace(result, statistics=tuple(cells))
    return tuple(kept.get(id(result), result) for result in results)


def _worse(threshold: Threshold | None) -> Callable[[Statistic], float]:
    """Sort key: the worst value first, whichever end that is."""
    sign = -1.0 if threshold is not None and threshold.at_most is not None else 1.0
    return lambda cell: sign * (cell.value or 0.0)


def settled(results: Iterable[Result]) -> bool:
    """Whether at least one blocking rule is decided: without one, no policy is met."""
    return any(r.decided for r in results if r.severity is Severity.BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyIdentity:
    """Which policy was applied."""

    id: str
    version: str
    digest: str
    """SHA-256 of the fully resolved policy document."""
    uri: str
    """Where it was read from: the file's name, or `pack:NAME@VERSION`."""
    extends: tuple[Ancestor, ...] = ()
    source_digest: str = ""
    """SHA-256 of the bytes that were read at `uri`."""
    expires: datetime | None = None
    limits: tuple[str, ...] = ()
    """Of each pack whose limits it applies, who adopted them, and what they are to the law."""
    signature: Mapping[str, bytes] = field(default_factory=dict)
    """Files of the statement that signs it, where the run demanded one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceIdentity:
    """Where the record of a verdict is."""

    id: str
    directory: str
    signed: bool
    key: str = ""
    """OpenSSH fingerprint of the signing key, `SHA256:…`; empty when unsigned."""
    published: str = ""
    """`runs:/…` of the published copy; empty when it was not published."""
    digest: str = ""
    """SHA-256 of the signed summary, where it was read back; empty where it was just written."""
    measured_unsigned: bool = False
    """Whether another job measured, without a key, and this one only judged anew and signed."""


class Authenticity(StrEnum):
    """What a signature check found of a verdict that was read from evidence."""

    VERIFIED = "verified"
    """A trusted key signed it, and nothing that was looked at speaks against it today."""
    EXPIRED = "expired"
    """So it was, and time alone has ended it: its policy, or what let a rule through."""
    REFUSED = "refused"
    """A trusted key signed it, and `verify` refuses it: revoked, or about another model."""
    UNVERIFIED = "unverified"
    """No signature was verified: anybody could have written it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationStatus:
    """Provenance of a verdict that was read back from evidence, and not decided just now."""

    authenticity: Authenticity
    told: str
    """Who signed it, by which trust file; or why it is not to be believed."""
    read: datetime
    """When that was found."""
    until: tuple[str, ...] = ()
    """What it rests on and what ends: the policy, known debts, waivers and whose they are."""
    unrecorded: tuple[str, ...] = ()
    """What a later version would have recorded, and this evidence does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate decided about a model for a stage, and everything it rests on."""

    decision: Decision
    stage: str
    model: ModelIdentity
    policy: PolicyIdentity
    results: tuple[Result, ...]
    datasets: tuple[DatasetIdentity, ...] = ()
    evidence: EvidenceIdentity | None = None
    started: datetime
    finished: datetime
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of aims-gate, Python and the engines that measured."""
    ended_with: int | None = None
    """The exit code of the error that ended the run; None where the gate decided."""
    standing: VerificationStatus | None = None
    """What is known of it where it was read from evidence; None where the gate just decided it."""

    @property
    def passed(self) -> bool:
        """Whether the policy is met; what only evidence says that nobody verified is not."""
        return self.decision is Decision.PASSED and (
            self.standing is None or self.standing.authenticity is Authenticity.VERIFIED
        )

    @property
    def exit_code(self) -> int:
        """The process's exit code: 0 policy met, 1 not met, 3 could not decide, 2 refused.

        4 where evidence says that it is met, and that does not hold.
        """
        if self.ended_with is not None:
            return self.ended_with
        claimed = self.decision is Decision.PASSED and not self.passed
        return 4 if claimed else self.decision.exit_code

    @property
    def warnings(self) -> int:
        """Count the results that a person should look at although they do not block."""
        quiet = (Outcome.PASS, Outcome.NOT_APPLICABLE)
        return sum(r.outcome not in quiet and not r.blocking for r in self.results)

    def __repr__(self) -> str:
        """Fit on a line: what failed, and not every number that was measured."""
        blocking = [f"{r.rule} {r.outcome}" for r in self.results if r.blocking]
        more = f" and {len(blocking) - 3} more" if len(blocking) > 3 else ""
        why = f" for {', '.join(blocking[:3])}{more}" if blocking else ""
        model = f"{self.model.name} {self.model.version}".rstrip()
        policy = f"{self.policy.id} {self.policy.version}"
        read = f"{self.standing.authenticity} evidence of " if self.standing else ""
        return f"<Verdict {read}{self.decision}{why}: {model!a} at {self.stage!a} by {policy!a}>"

    def _repr_html_(self) -> str:
        """Show the page in a notebook; loaded when it is drawn, for a verdict knows no format."""
        shown: str = import_module("aims_gate.pages.notebook").frame(self)
        return shown

    def __bool__(self) -> bool:
        """Refuse: `if verdict:` would be true for a refusal too."""
        raise TypeError("a Verdict is neither true nor false; use verdict.passed")


def level(policy: str, stage: str) -> str:
    """Verified level of SLSA that a pass reaches: `AIMS_GATE_CREDIT_RISK_PRODUCTION`."""
    words = (_NOT_IN_LEVEL.sub("_", word.upper()).strip("_") for word in (policy, stage))
    return "_".join(("AIMS_GATE", *words))
