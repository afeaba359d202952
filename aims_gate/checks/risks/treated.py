"""Effective risk treatment: its rules passed in this run, and its procedure is as approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import COUNTS, counted, faults, missing, records_of, texts
from aims_gate.checks.records.strengths import StrengthName, strength_of
from aims_gate.checks.risks.register import Risk, registers, risks
from aims_gate.checks.rule_outcomes import not_met, of_rule
from aims_gate.checks.rule_patterns import fits, pattern_problems
from aims_gate.facts import UNSEEN, Statistic
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordDocument, Records
from aims_gate.verdict import Result

_NAME = "faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """Whether what lowers each risk worked in this very run."""

    about: ClassVar[About] = About(
        name="risks.treated",
        summary="Whether the rules that treat each risk passed in this run, none by a waiver.",
        definition=COUNTS
        + (
            "A cell per risk and link. A rule counts while it passed, or warned by its own value, "
            "in this very run: waived, covered by a baseline or not yet in force it does not. A "
            "runbook counts while it is a whole record of this system, of whose very bytes there "
            "is an act of that strength by a person who may. MISSING: a rule that this policy does "
            "not have or that did not apply, a runbook that is not there, a risk with neither."
        ),
        controls=("iso42001:6.1.3", "iso42001:8.3"),
        beside=True,
        after="judge",
        undecided=(
            "a rule that treats a risk is not in the policy, or did not apply",
            "a runbook that treats it is not there",
            "there is no risk register, or it lists no risk",
        ),
    )

    elsewhere: tuple[str, ...] = ()
    """Patterns of rules that another policy runs where this one has none of that name, such as
    `MON-*`; they are named, not judged."""
    strength: StrengthName = "reviewed"
    """How strongly a runbook is approved: `declared`, `reviewed` or `signed`."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of links that do not hold."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a pattern that leaves every rule to others."""
        yield from pattern_problems("elsewhere", self.elsewhere)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hold each risk's rules against their results, and its runbook against the records."""
        records = records_of(inputs)
        for register in registers(records, _NAME):
            if isinstance(register, Statistic):
                yield register
                continue
            for risk in risks(register, _NAME):
                if isinstance(risk, Statistic):
                    yield risk
                else:
                    yield from self._links(risk, register, records, inputs)

    def _links(
        self, risk: Risk, register: RecordDocument, records: Records, inputs: Inputs
    ) -> Iterator[Statistic]:
        treatment = risk.part("treatment")
        rules = texts(treatment.get("rules"))
        here = False
        for rule in rules:
            result = of_rule(rule, inputs.results)
            if result is None and fits(rule, self.elsewhere):
                reason = f"{rule}, which another policy runs"
                yield Statistic(name=UNSEEN, slice=risk.id, reason=reason)
            else:
                here = True
                yield _rule(f"{risk.id} {rule}", result, rule)
        if "runbook" in treatment:
            path = str(PurePosixPath(register.path).parent / str(treatment["runbook"]))
            yield self._runbook(f"{risk.id} {path}", path, records, inputs.now.date())
        elif not here:
            yield missing(risk.id, "no rule of this policy and no runbook treats it")

    def _runbook(self, where: str, path: str, records: Records, today: date) -> Statistic:
        """The linked procedure: there, whole, and with the bytes that people approved."""
        found = next((one for one in records.of("runbook") if one.path == path and one.id), None)
        if found is None:
            return missing(where, "there is no such runbook")
        wrong = [str(problem) for problem in found.problems]
        stood = standing(found, records, today=today)
        if stood.strength < strength_of(self.strength):
            wrong.append("; ".join([f"nobody has {self.strength} these bytes", *stood.faults]))
        return faults(where, wrong, sound="the runbook is as approved")


def _rule(where: str, result: Result | None, rule: str) -> Statistic:
    if result is None:
        return missing(where, f"the policy has no rule {rule}")
    if not result.statistics:
        return missing(where, f"{rule} did not run: {result.reason}")
    return faults(where, filter(None, (not_met(result),)), sound=f"{rule} {result.outcome}")
