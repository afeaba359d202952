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
from aims_gate.pytest_plugin.settings import SessionSettings, Settings
from aims_gate.sinks import directory


class Standing(StrEnum):
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
        return {Standing.PASSED: 0, Standing.UNSOUND: 2}.get(self, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A policy at the end of the session."""

    asked: SessionSettings
    run: PolicyRun | None
    standing: Standing
    missing: tuple[str, ...] = ()
    """Rules whose test did not run, or did not end as the gate says."""
    evidence: str = ""
    """Where evidence was written; or, where that was asked for, why it was not."""


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


def ended(asked: SessionSettings, runs: Runs, ends: Mapping[str, set[str]]) -> Ended:
    """Status of a policy at the end, without its evidence."""
    run = runs.found(asked)
    names = {rule.id: f"{asked.name}::{rule.id}" for rule in asked.rules}
    if asked.problems:
        return Ended(asked=asked, run=None, standing=Standing.UNSOUND)
    if run is not None and run.error:
        standing = Standing.UNSOUND if run.exit_code == 2 else Standing.UNDECIDED
        return Ended(asked=asked, run=run, standing=standing)
    wanted = {} if run is None else {r.rule: {kind_of(r)} for r in run.rulings}
    missing = tuple(
        rule for rule, name in names.items() if rule not in wanted or ends.get(name) != wanted[rule]
    )
    standing = Standing.INCOMPLETE if run is None else Standing(run.decision)
    if missing and standing is Standing.PASSED:
        standing = Standing.INCOMPLETE
    return Ended(asked=asked, run=run, standing=standing, missing=missing)


def keep_evidence(end: Ended, settings: Settings, runs: Runs) -> tuple[Standing, str]:
    """Move the evidence of a complete verdict to the requested folder.

    Returns:
        The status, undecided if the evidence could not be kept, and a message.
    """
    run = end.run
    if settings.evidence is None:
        return end.standing, ""
    if run is None or not run.evidence or end.missing:
        return end.standing, "none was kept: not every rule was decided by a test of its own"
    waiting = runs.folder(end.asked) / "evidence"
    target = layout.directory(
        Path(settings.evidence), model_digest=run.model_digest, evaluation=run.evidence
    )
    try:
        directory.write(target, {path.name: path.read_bytes() for path in waiting.iterdir()})
    except (OSError, RecordError) as error:
        return _worse(end.standing), f"it could not be kept: {error}"
    return end.standing, f"{target}, unsigned and local: it never verifies"


def _worse(standing: Standing) -> Standing:
    return Standing.UNDECIDED if standing is Standing.PASSED else standing


def all_ended(runs: Runs, seen: Seen) -> Iterator[Ended]:
    """Status of each policy at the end, after its evidence was kept."""
    for asked in runs.settings.policies:
        end = ended(asked, runs, seen.ends)
        standing, evidence = keep_evidence(end, runs.settings, runs)
        yield Ended(
            asked=asked, run=end.run, standing=standing, missing=end.missing, evidence=evidence
        )
