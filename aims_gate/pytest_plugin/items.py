"""Pytest collector and items: a policy is a file of tests, and each rule one test.

| outcome | the test |
| --- | --- |
| PASS | passed |
| WARN | passed, with a warning |
| FAIL, ERROR, MISSING, STALE, INSUFFICIENT that blocks | failed |
| the same where it does not block, WAIVED | xfailed, with its reason |
| NOT_APPLICABLE | skipped, with its justification |

Where there is no verdict (a server that is down, a model that is not there) each rule is an error.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from aims_gate.pytest_plugin.runs import PolicyRun, Ruling, Runs
from aims_gate.pytest_plugin.settings import RequestedPolicy, RequiredRule
from aims_gate.verdict import Outcome

ITEM = "aims_gate.item"
"""The property that tells a report of ours, on whichever worker it was made."""


class AimsGateWarning(UserWarning):
    """A rule that warns; shown with pytest's warnings, whatever their filters say."""


def kind_of(ruling: Ruling) -> str:
    """Name how a rule's test must end: passed, failed, xfailed or skipped."""
    if ruling.blocking:
        return "failed"
    quiet = {Outcome.PASS: "passed", Outcome.WARN: "passed", Outcome.NOT_APPLICABLE: "skipped"}
    return quiet.get(ruling.outcome, "xfailed")


class PolicyFile(pytest.File):
    """Collects the rules of a policy."""

    policy: RequestedPolicy
    runs: Runs

    @classmethod
    def of(
        cls, parent: pytest.Collector, path: Path, policy: RequestedPolicy, runs: Runs
    ) -> PolicyFile:
        """Create the collector of a policy."""
        made: PolicyFile = cls.from_parent(parent, path=path)
        made.policy, made.runs = policy, runs
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item per rule; one error with every problem if the policy is refused."""
        if self.policy.problems:
            raise self.CollectError("\n".join(self.policy.problems))
        for rule in self.policy.rules:
            yield RuleItem.of(self, rule)


class RuleItem(pytest.Item):
    """A rule of a policy; the first of them to run has the gate run."""

    rule: RequiredRule
    policy: RequestedPolicy
    runs: Runs
    run_of_gate: PolicyRun

    @classmethod
    def of(cls, parent: PolicyFile, rule: RequiredRule) -> RuleItem:
        """Create the item of a rule."""
        made: RuleItem = cls.from_parent(parent, name=rule.id)
        made.rule, made.policy, made.runs = rule, parent.policy, parent.runs
        made.add_marker("aims_gate")
        made.user_properties.append((ITEM, f"{made.policy.name}::{rule.id}"))
        return made

    def setup(self) -> None:
        """Obtain the verdict; an error where there is none."""
        super().setup()
        self.run_of_gate = self.runs.result(self.policy)
        if self.run_of_gate.error:
            pytest.fail(f"{self.policy.name}: {self.run_of_gate.error}", pytrace=False)

    def runtest(self) -> None:
        """Pass, fail, xfail or skip as the rule's outcome says."""
        found = [r for r in self.run_of_gate.rulings if r.rule == self.rule.id]
        if len(found) != 1:
            pytest.fail(f"{self.rule.id}: the gate has not judged this rule", pytrace=False)
        (ruling,) = found
        told = [fact for fact in ruling.properties if fact not in self.user_properties]
        self.user_properties += told  # once, however often a plug-in runs the test again
        kind, text = kind_of(ruling), f"{ruling.outcome}: {ruling.reason}"
        if kind == "failed" or (kind == "xfailed" and self.config.getoption("runxfail")):
            pytest.fail(ruling.failure, pytrace=False)
        if kind == "xfailed":
            pytest.xfail(text)
        if kind == "skipped":
            pytest.skip(text)
        if ruling.outcome is Outcome.WARN:
            self._warn(f"{self.rule.id} {text}")

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Location of the rule in the policy."""
        return self.path, self.rule.line - 1 if self.rule.line else None, self.name

    def _warn(self, text: str) -> None:
        """Record a warning as pytest does, bypassing filters that may turn it into an error."""
        message = warnings.WarningMessage(
            message=AimsGateWarning(text),
            category=AimsGateWarning,
            filename=str(self.path),
            lineno=self.rule.line,
        )
        told = {"warning_message": message, "nodeid": self.nodeid, "when": "runtest"}
        self.ihook.pytest_warning_recorded.call_historic(kwargs={**told, "location": None})


def place(item: RuleItem, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Set the location of a rule's report to its line in the policy, not to our code."""
    told = report.longrepr
    crash = getattr(told, "reprcrash", None)
    error = None if call.excinfo is None else call.excinfo.value
    if isinstance(told, tuple):
        report.longrepr = (str(item.path), item.rule.line, told[2])
    elif crash is not None and isinstance(error, pytest.fail.Exception):
        # what short summaries and --tb=line show
        crash.path, crash.lineno, crash.message = str(item.path), item.rule.line, error.msg
