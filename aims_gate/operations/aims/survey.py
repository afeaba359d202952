"""Survey of an AI management system: its systems, the organisation, and what the gate did.

Everything that `gap`, `soa`, `status` and `todo` say is read off this one picture of a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from aims_gate.catalogue.iso42001 import Requirement, requirement
from aims_gate.checks.record_cells import keys_of
from aims_gate.governance.acts import uncommitted
from aims_gate.governance.contract import (
    LogEntry,
    RecordAct,
    RecordDocument,
    Records,
)
from aims_gate.governance.kinds import KINDS, Area
from aims_gate.governance.material import DEPENDS, digests
from aims_gate.governance.reviews import read_reviews
from aims_gate.governance.wording import says
from aims_gate.operations.aims.entry_days import opened_by
from aims_gate.operations.aims.gate_history import GateHistory, GateHistoryQuestion, read_history
from aims_gate.operations.aims.record_places import base_of, told_from
from aims_gate.operations.aims.system_ids import told_apart
from aims_gate.system_records import approved_records
from aims_gate.verdict import Outcome, Result, Verdict

BEGIN = "nothing is here yet: aims-gate aims init --model models:/NAME/VERSION drafts it"
_RAN = {Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.WAIVED}
"""Outcomes of rules that were held against their limit; one that is STALE was, too, and too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyQuestion:
    """Whose records are read, and where the gate's evidence lies."""

    systems: tuple[Path, ...] = ()
    """Folders of records, one a system."""
    org: Path | None = None
    history: GateHistoryQuestion = field(default_factory=GateHistoryQuestion)
    """Its trust file says whose signatures on records count, too."""
    reviews: Path | None = None
    """What reviewers of pull requests approved, as `github reviews` wrote it."""
    now: datetime
    past: bool = False
    """Whether *now* is a day before today: later entries are left out, and no faults."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder of records."""
        return (*self.systems, *([] if self.org is None else [self.org]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A rule that was measured and held against its limit, in the verdict that it stands in."""

    result: Result
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedSystem:
    """One AI system: its records, the versions that serve, and the newest verdicts on them."""

    folder: Path
    records: Records
    """With the organisation's, by which approvals are judged."""
    entries: tuple[LogEntry, ...]
    """Its own, without the organisation's."""
    live: Mapping[str, str]
    """Version on the champion alias by registered model; empty where none serves."""
    verdicts: tuple[Verdict, ...]
    """The newest of each policy and stage, about what serves; where nothing does, about any.

    Before it, what is left of older ones: rules that refuse, and that it does not have."""
    dropped: tuple[Verdict, ...] = ()
    """What is left of older ones under other versions of a policy: refusals of what serves, by
    rules that the newest version does not have."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Keys of its system.yaml; none where it cannot be read."""
        found = self.records.of("system")
        return found[0].values if found else {}

    @property
    def id(self) -> str:
        """Its id, or its folder where it says none."""
        found = self.records.of("system")
        return (found[0].id if found else "") or str(self.folder)

    @property
    def lifecycle(self) -> str:
        """What it says of itself; production where an alias serves its model."""
        said = str(self.values.get("lifecycle"))
        return "production" if any(self.live.values()) else said

    def ran(self, row: Requirement) -> Iterator[Ran]:
        """Rules in support of a requirement that were measured on what serves, or refuse it."""
        for verdict in self.verdicts:
            for result in verdict.results:
                supports = any(requirement(one) is row for one in result.controls)
                held = result.decided and result.raw_outcome in _RAN
                refuses = result.blocking  # whatever its reason: its rows were not there, say
                if supports and (held or refuses or result.outcome is Outcome.STALE):
                    yield Ran(result=result, verdict=verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is written down and what was measured, on one day."""

    now: datetime
    systems: tuple[SurveyedSystem, ...]
    org: Records
    """The organisation's alone."""
    history: GateHistory
    unlisted: tuple[str, ...]
    """Models that serve, or served, and that no system's `registry:` names."""
    asked: SurveyQuestion
    """Of which it is the answer."""
    reviews: tuple[RecordAct, ...] = ()
    """What reviewers of pull requests approved, on whichever day."""
    uncommitted: frozenset[str] = frozenset()
    """Digests of documents that no commit of git has, so that nobody stands behind them."""

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return self.now.date()

    @property
    def written(self) -> bool:
        """Whether any record is there at all."""
        found = (self.org, *(one.records for one in self.systems))
        return any(one.digest for records in found for one in records.documents)

    @property
    def serving(self) -> tuple[SurveyedSystem, ...]:
        """Systems on which something must have been measured: those in production, if any are.

        A system whose model an alias serves is, whatever its record says.
        """
        left = [one for one in self.systems if one.lifecycle != "retired"]
        served = [one for one in self.systems if one.lifecycle not in {"retired", "development"}]
        return tuple(served or left)

    def documents(self, kind: str) -> Iterator[tuple[str, Records, tuple[RecordDocument, ...]]]:
        """Documents of a kind as (whose, records to judge them by, documents).

        Once for the organisation, or once for each system, whichever keeps that kind.
        """
        if KINDS[kind].area is Area.ORG:
            yield "", self.org, self.org.of(kind)
            return
        for one in self.systems:
            yield one.id, one.records, one.records.of(kind)

    def place(self, whose: str, path: str) -> str:
        """Where a record is opened: its path from the folder that all are told from.

        Args:
            whose: Id of its system; empty for the organisation.
            path: As a record has it, from its folder's own name on; all else stays as it is.
        """
        found = (one.folder for one in self.systems if one.id == whose)
        return told_from(base_of(self.asked.folders), next(found, self.org.org), path)

    def moved(self, whose: str, document: RecordDocument) -> tuple[str, ...]:
        """Parts of what is material that are not what a system's document was assessed for.

        As the newest verdicts on what serves saw them, and the records as they are now; a part that
        nobody knows did not move.
        """
        then = keys_of(document.values.get("material"))
        now: dict[str, str] = {}
        for one in (one for one in self.systems if then and one.id == whose):
            for verdict in one.verdicts:
                seen = ((name.partition(":"), at) for name, at in verdict.versions.items())
                now |= {part: at for (kind, _, part), at in seen if kind == "material"}
            now |= digests(one.records.material)
        parts = DEPENDS.get(document.kind, ())
        return tuple(part for part in parts if part in now and then.get(part) != now[part])

    @property
    def entries(self) -> Iterator[tuple[str, LogEntry]]:
        """Entries of every log, with the system that each is about, or none."""
        yield from (("", one) for one in self.org.entries)
        yield from ((system.id, one) for system in self.systems for one in system.entries)


def listed(values: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """Rows of a list in a record; what is no row is a fault, which stands in the record."""
    found = values.get(key)
    yield from (
        (row for row in found if isinstance(row, Mapping)) if isinstance(found, tuple) else ()
    )


def words(values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Words of a list in a record; what is no word is a fault, which stands in the record."""
    found = values.get(key)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, tuple) else ()


def decisions(org: Records) -> Mapping[str, Mapping[str, Any]]:
    """Rows of the Statement of Applicability by control; none where it cannot be read."""
    rows = [row for one in org.of("soa") for row in listed(one.values, "controls")]
    return {str(row.get("id")): row for row in rows}


def is_decided(row: Mapping[str, Any]) -> bool:
    """Whether a row of the Statement says whether it applies, why, and who answers for it."""
    said = [row.get(key) for key in ("justification", "owner", "status")]
    written = all(isinstance(one, str) and says(one) and "TODO" not in one for one in said)
    return written and type(row.get("applicable")) is bool


def survey(asked: SurveyQuestion) -> Survey:
    """Read the records and the history; faults stand in them, none is raised.

    Raises:
        UsageError: The trust file, or the file of reviews, is not usable.
        SourceError: MLflow is to be asked, and does not answer.
    """
    history = read_history(asked.history, now=asked.now)
    reviews = read_reviews(asked.reviews, now=asked.now)

    def read(system: Path | None) -> Records:
        trust, environ = asked.history.trust, asked.history.environ
        found = approved_records(system, asked.org, trust=trust, now=asked.now, environ=environ)
        entries = tuple(opened_by(found.entries, asked.now.date(), past=asked.past))
        return replace(found, approvals=(*reviews, *found.approvals), entries=entries)

    org = read(None)
    found = zip(asked.systems, told_apart([*map(read, asked.systems)]), strict=True)
    systems = tuple(_system(folder, records, org, history) for folder, records in found)
    named = {name for one in systems for name in one.live}
    environ = asked.history.environ
    return Survey(
        asked=asked,
        reviews=reviews,
        uncommitted=frozenset(uncommitted([org, *(one.records for one in systems)], environ)),
        now=asked.now,
        systems=systems,
        org=org,
        history=history,
        unlisted=tuple(sorted(history.models() - named)),
    )


def _system(folder: Path, records: Records, org: Records, history: GateHistory) -> SurveyedSystem:
    found = records.of("system")
    names = [name for one in found for name in words(one.values, "registry")]
    live = {name: history.live(name) for name in names}
    newest: dict[tuple[str, str, str], tuple[Verdict, ...]] = {}
    dropped: dict[tuple[str, str, str], tuple[Verdict, ...]] = {}
    for verdict in history.verdicts:  # the oldest first
        model = verdict.model
        if verdict.evidence is not None and verdict.evidence.id in history.elsewhere:
            continue
        if model.name in live and live[model.name] in {"", model.version}:
            key = model.name, verdict.policy.id, verdict.stage
            left = tuple(_unanswered(newest.get(key, ()), verdict))
            kept = tuple(one for one in left if one.policy.version == verdict.policy.version)
            newest[key] = (*kept, verdict)
            dropped[key] = (
                *_unanswered(dropped.get(key, ()), verdict),
                *(one for one in left if one not in kept),
            )
    return SurveyedSystem(
        folder=folder,
        records=records,
        entries=tuple(one for one in records.entries if one not in org.entries),
        live=live,
        verdicts=tuple(one for kept in newest.values() for one in kept),
        dropped=tuple(one for left in dropped.values() for one in left),
    )


def _unanswered(before: Iterable[Verdict], newer: Verdict) -> Iterator[Verdict]:
    """Refusals of the same version by rules that a newer verdict does not have.

    Whoever shortens a policy changes its version; under one that kept it the refusal stands.
    """
    asked = {one.rule for one in newer.results}
    for verdict in before:
        left = tuple(one for one in verdict.results if one.blocking and one.rule not in asked)
        if left and verdict.model.version == newer.model.version:
            yield replace(verdict, results=left)
