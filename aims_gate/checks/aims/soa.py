"""Statement of Applicability: what it says is implemented ran here, what it excludes did not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aims_gate.catalogue.iso42001 import PREFIX, REQUIREMENTS
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import (
    COUNTS,
    chosen,
    counted,
    faults,
    missing,
    records_of,
    texts,
)
from aims_gate.checks.rule_outcomes import measured, not_met, of_rule
from aims_gate.checks.rule_patterns import fits, pattern_problems
from aims_gate.errors import near
from aims_gate.facts import Statistic
from aims_gate.governance.contract import LogEntry, RecordDocument, Records
from aims_gate.governance.kinds import FILES
from aims_gate.governance.wording import says
from aims_gate.policy.model import Severity
from aims_gate.policy.scalars import RULE_ID
from aims_gate.verdict import Result

CONTROLS = tuple(one.id for one in REQUIREMENTS if one.is_control)
_ALIVE = "monitoring.alive"
_EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementOfApplicability:
    """Whether the Statement of Applicability agrees with what ran and what is recorded."""

    about: ClassVar[About] = About(
        name="aims.soa",
        summary="Whether the Statement of Applicability agrees with what ran in this very run.",
        definition=COUNTS
        + (
            "A cell per control of Annex A, 38 in all. implemented: each rule and record that the "
            "row names as evidence holds - the rule passed in this run by itself, the record is "
            "whole - or, where it names none, a rule that supports the control measured and every "
            "blocking one passed. A rule of another policy counts while a rule of this one proves "
            f"that monitoring goes on ({_ALIVE}). excluded: a reason stands there, and no rule "
            "that supports the control measured anything. planned, partial: a reason, and of what "
            "is only planned no rule that supports it measured and was met. MISSING: a control "
            "without a row, or implemented by nothing that can be seen."
        ),
        controls=("iso42001:6.1.3", "iso42001:8.3"),
        beside=True,
        after="judge",
        undecided=(
            "there is no Statement of Applicability, or it has no row for a control",
            "a control is implemented by nothing that ran or is recorded",
        ),
    )

    elsewhere: tuple[str, ...] = ()
    """Patterns of rules that another policy runs, such as `MON-*`."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of contradictions."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a pattern that leaves every rule to others."""
        yield from pattern_problems("elsewhere", self.elsewhere)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hold each of the 38 rows against results and records."""
        records = records_of(inputs)
        for soa in chosen(records, ("soa",)):
            if isinstance(soa, Statistic):
                yield soa
                continue
            rows = _rows(soa)
            for control in CONTROLS:
                found = rows.pop(control, [])
                if len(found) == 1:
                    yield self._row(control, found[0], records, inputs.results)
                elif found:
                    yield faults(control, [f"it has {len(found)} rows"])
                else:
                    yield missing(control, f"{soa.path} has no row for it")
            strange = [f"{name!r} is no control: {near(name, CONTROLS)}" for name in rows]
            yield faults(f"{soa.path} controls", strange)

    def _row(
        self, control: str, row: Mapping[str, Any], records: Records, results: tuple[Result, ...]
    ) -> Statistic:
        status, applicable = row.get("status"), row.get("applicable")
        wrong = [] if says(str(row.get("justification") or "")) else ["it gives no reason"]
        if (status == _EXCLUDED) is (applicable is not False):
            wrong.append(f"applicable is {applicable}, and its status {status}")
        supporting = [one for one in results if f"{PREFIX}{control}" in one.controls]
        if status == _EXCLUDED:
            ran = ", ".join(one.rule for one in supporting if measured(one))
            wrong += [f"it is excluded, and {ran} measured it"] if ran else []
        elif status == "planned":
            met = ", ".join(one.rule for one in supporting if measured(one) and not not_met(one))
            wrong += [f"it is only planned, and {met} measured it and was met"] if met else []
        elif status == "implemented":
            named = texts(row.get("evidence"))
            if not named and not any(map(measured, supporting)):
                return missing(control, "implemented, by nothing that ran or is recorded")
            for one in named:
                wrong += self._evidence(one, records, results)
            if not named:
                blocking = (one for one in supporting if one.severity is Severity.BLOCK)
                wrong += filter(None, map(not_met, blocking))
        told = ", ".join(one.rule for one in supporting if measured(one))
        return faults(control, wrong, sound=f"{status}" + (f"; {told} ran" if told else ""))

    def _evidence(self, name: str, records: Records, results: tuple[Result, ...]) -> Iterator[str]:
        if re.fullmatch(RULE_ID, name):
            result = of_rule(name, results)
            if result is not None:
                yield from filter(None, (not_met(result),))
            elif not fits(name, self.elsewhere):
                yield f"the policy has no rule {name}"
            elif not any(one.check == _ALIVE and not not_met(one) for one in results):
                yield f"another policy runs {name}, and no rule here proves that it still runs"
            return
        written: list[RecordDocument | LogEntry] = [*records.documents, *records.entries]
        # who writes an id may write another record's path there: a file's name means that file
        named = (one for one in written if name == (one.path if name.endswith(FILES) else one.id))
        found = next((one for one in named if one.id), None)
        if found is None:
            yield f"there is no record {name}"
        else:
            yield from map(str, found.problems)
            yield from _held_against(found.path, results)


def _rows(soa: RecordDocument) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by control, in their order, strange ids included."""
    listed = soa.values.get("controls")
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in listed if isinstance(listed, tuple) else ():
        if isinstance(row, Mapping):
            rows.setdefault(str(row.get("id")), []).append(row)
    return rows


def _held_against(path: str, results: Iterable[Result]) -> Iterator[str]:
    """What a check over records found wrong with a record: it is old, or nobody approved it."""
    for result in results:
        if not result.check.startswith("records."):
            continue
        cells = [one for one in result.statistics if one.judged and one.slice.startswith(path)]
        if any(one.value != 0 for one in cells):
            yield f"{result.rule} ({result.check}) holds against {path}"
