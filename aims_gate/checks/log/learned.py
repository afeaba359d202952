"""Lessons of incidents: a rule that one became is in force, and names it; linked both ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import COUNTS, counted, faults, missing, records_of
from aims_gate.checks.rule_outcomes import not_met, of_rule
from aims_gate.checks.rule_patterns import fits, pattern_problems
from aims_gate.facts import UNSEEN, Statistic
from aims_gate.governance.contract import LogEntry
from aims_gate.policy.model import Severity
from aims_gate.verdict import Result

_ENTRY = re.compile(r"[A-Za-z0-9._-]+/[0-9]{4}-[0-9]{2}-[0-9]{2}-[A-Za-z0-9._-]*[A-Za-z0-9]")
"""How ids of entries are written: `credit/2026-10-21-income-drift`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Whether each rule that an incident became is in force, and each names the other."""

    about: ClassVar[About] = About(
        name="log.learned",
        summary="Whether every rule that an incident became is in force, both naming each other.",
        definition=COUNTS
        + (
            "Per entry of the log that says which rule it became: that rule blocks, passed in this "
            "very run by itself, and its `why` names the entry's id. Per rule whose `why` names an "
            "entry's id: that entry is in the log, and says that it became this rule. MISSING: the "
            "rule is not in the policy."
        ),
        controls=("iso42001:10.2", "iso42001:10.1"),
        beside=True,
        after="judge",
        undecided=(
            "a rule that an entry became is not in the policy",
            "there are no records at all",
        ),
    )

    elsewhere: tuple[str, ...] = ()
    """Patterns of rules that another policy runs, such as `MON-*`; they are named, not judged."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of links that do not hold."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a pattern that leaves every rule to others."""
        yield from pattern_problems("elsewhere", self.elsewhere)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Follow each link in both directions."""
        records = records_of(inputs)
        became = {
            entry.id: (entry, str(entry.values["became"]))
            for entry in records.entries
            if "became" in entry.values
        }
        yield faults("log", (), sound=f"{len(became)} entries became rules")
        for entry, rule in became.values():
            result = of_rule(rule, inputs.results)
            if result is None and fits(rule, self.elsewhere):
                yield Statistic(name=UNSEEN, slice=entry.path, reason=f"{rule} runs elsewhere")
            elif result is None:
                yield missing(f"{entry.path} {rule}", f"the policy has no rule {rule}")
            else:
                yield faults(f"{entry.path} {rule}", _unlearned(entry, result))
        for result in inputs.results:
            for name in dict.fromkeys(_ENTRY.findall(result.why)):
                wrong = []
                if name not in {one.id for one in records.entries}:
                    wrong.append(f"the log has no entry {name}")
                elif name not in became or became[name][1] != result.rule:
                    wrong.append(f"{name} does not say that it became {result.rule}")
                yield faults(f"{result.rule} {name}", wrong)


def _unlearned(entry: LogEntry, result: Result) -> Iterator[str]:
    if result.severity is not Severity.BLOCK:
        yield f"{result.rule} does not block"
    yield from filter(None, (not_met(result),))
    if entry.id not in _ENTRY.findall(result.why):
        yield f"the why of {result.rule} does not name {entry.id}"
