"""Outcome of each policy in a session: its decision needs every required rule's own test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from aims_gate.errors import RecordError
from aims_gate.evidence import layout
from aims_gate.pytest_plugin.items import ITEM, kind_of
from aims_gate.pytest_plugin.runs import PolicyRun, Runs
from aims_gate.pytest_plugin.settings import RequestedPolicy, Settings
from aims_gate.sinks import directory


class PolicyStatus(StrEnum):
    """Status of a policy when the session ends."""

    PASSED = "passed"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    INCOMPLETE = "incomplete"
    """Nothing is in the way, but not every rule's test ran and ended as the gate says."""
    UNSOUND = "unsound"
    """The policy or an argument is refused."""

    @property
    def exit_code(self) -> int:
        """The least that pytest must exit with."""
        return {PolicyStatus.PASSED: 0, PolicyStatus.UNSOUND: 2}.get(self, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """A policy at the end of the session."""

    policy: RequestedPolicy
    run: PolicyRun | None
    status: PolicyStatus
    missing: tuple[str, ...] = ()
    """Rules whose test did not run, or did not end as the gate says."""
    evidence: str = ""
    """Where evidence was written; or, where it was requested, why it was not."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """How the tests of rules ended, by the name of the item."""

    ends: dict[str, set[str]] = field(default_factory=dict)
    failed: int = 0
    """Reports of ours that pytest counts as failures."""

    def take(self, report: pytest.TestReport) -> None:
        """Note a report, if it is of a rule; an attempt that is to be run again is no end."""
        name = dict(report.user_properties).get(ITEM)
        if not isinstance(name, str):
            return
        self.failed += report.failed and not hasattr(report, "wasxfail")
        kind = end_of(report)
        if kind:
            self.ends.setdefault(name, set()).add(kind)


def end_of(report: pytest.TestReport) -> str:
    """Name what a report says of its test; empty where it is not over."""
    if report.outcome not in {"passed", "failed", "skipped"}:
        return ""  # an attempt of pytest-rerunfailures
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.when == "call" or report.skipped:
        return str(report.outcome)
    return "error" if report.failed else ""


def outcome_of(policy: RequestedPolicy, runs: Runs, ends: Mapping[str, set[str]]) -> PolicyOutcome:
    """Status of a policy at the end, without its evidence."""
    run = runs.found(policy)
    if policy.problems:
        return PolicyOutcome(policy=policy, run=None, status=PolicyStatus.UNSOUND)
    if run is not None and run.error:
        status = PolicyStatus.UNSOUND if run.exit_code == 2 else PolicyStatus.UNDECIDED
        return PolicyOutcome(policy=policy, run=run, status=status)
    missing = tuple(_missing(policy, run, ends))
    status = PolicyStatus.INCOMPLETE if run is None else PolicyStatus(run.decision)
    if missing and status is PolicyStatus.PASSED:
        status = PolicyStatus.INCOMPLETE
    return PolicyOutcome(policy=policy, run=run, status=status, missing=missing)


def _missing(
    policy: RequestedPolicy, run: PolicyRun | None, ends: Mapping[str, set[str]]
) -> Iterator[str]:
    """Required rules whose test did not run, or did not end exactly as the gate says."""
    expected = {} if run is None else {r.rule: {kind_of(r)} for r in run.rulings}
    for rule in policy.rules:
        seen = ends.get(f"{policy.name}::{rule.id}")
        if rule.id not in expected or seen != expected[rule.id]:
            yield rule.id


def keep_evidence(end: PolicyOutcome, settings: Settings, runs: Runs) -> tuple[PolicyStatus, str]:
    """Move the evidence of a complete verdict to the requested folder.

    Returns:
        The status, undecided if the evidence could not be kept, and a message.
    """
    run = end.run
    if settings.evidence is None:
        return end.status, ""
    if run is None or not run.evidence or end.missing:
        return end.status, "none was kept: not every rule was decided by a test of its own"
    waiting = runs.folder(end.policy) / "evidence"
    target = layout.directory(
        Path(settings.evidence), model_digest=run.model_digest, evaluation=run.evidence
    )
    try:
        directory.write(target, {path.name: path.read_bytes() for path in waiting.iterdir()})
    except (OSError, RecordError) as error:
        return _worse(end.status), f"it could not be kept: {error}"
    return end.status, f"{target}, unsigned and local: it never verifies"


def _worse(status: PolicyStatus) -> PolicyStatus:
    return PolicyStatus.UNDECIDED if status is PolicyStatus.PASSED else status


def all_outcomes(runs: Runs, seen: Seen) -> Iterator[PolicyOutcome]:
    """Status of each policy at the end, after its evidence was kept."""
    for policy in runs.settings.policies:
        end = outcome_of(policy, runs, seen.ends)
        status, evidence = keep_evidence(end, runs.settings, runs)
        yield PolicyOutcome(
            policy=policy, run=end.run, status=status, missing=end.missing, evidence=evidence
        )
