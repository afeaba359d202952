"""Population and sample of an audit: all that happened for a requirement, and a drawn part of it.

A sample is drawn by the order of digests, so that anybody can draw it again with `sha256sum`, in
any language, and an item that is added later moves no other one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from aims_gate.catalogue.iso42001 import Requirement, requirement
from aims_gate.governance.contract import RecordProblem
from aims_gate.governance.kinds import KINDS
from aims_gate.operations.aims.gap_finding import LOG
from aims_gate.operations.aims.gate_history import CHAMPION, AliasMove, GateHistory
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.period import Period
from aims_gate.operations.evidence import is_uri
from aims_gate.verdict import Decision, Result, Verdict

MOVED = frozenset({"6.3", "8.1", "A.6.1.3", "A.6.2.5"})
"""Requirements for which each promotion and rollback is an item, too: changes and deployment."""
DECIDED = {
    Decision.PASSED: "policy met",
    Decision.REFUSED: "policy not met",
    Decision.UNDECIDED: "undecided",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditItem:
    """One thing that happened, or one document, with where its evidence is."""

    id: str
    """Unique in a population, and what a draw depends on."""
    kind: str
    about: str
    """Model and version, or the system; empty for the organisation."""
    day: date
    what: str
    evidence: tuple[str, ...]
    """Places where it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Everything in a period that a requirement can be sampled from, oldest first."""

    requirement: Requirement
    period: Period
    items: tuple[AuditItem, ...]


def population(row: Requirement, found: Survey, when: Period) -> Population:
    """Evaluations, promotions, entries and documents that a requirement rests on."""
    happened = [*_evaluations(row, found), *_moves(row, found), *_entries(row, found, when)]
    items = [one for one in happened if when.holds(one.day)]
    items += (one for one in _documents(row, found, when) if one.day <= when.ends)
    items.sort(key=lambda one: (one.day, one.id))
    return Population(requirement=row, period=when, items=tuple(items))


def draw(population: Population, n: int, seed: str) -> tuple[AuditItem, ...]:
    """Draw *n* items, or all where there are fewer, by the digests of seed and id, oldest first."""

    def place(one: AuditItem) -> str:
        return hashlib.sha256(f"{seed}\n{one.id}".encode("utf-8", "backslashreplace")).hexdigest()

    drawn = set(sorted(population.items, key=place)[:n])
    return tuple(one for one in population.items if one in drawn)


def supporting(verdict: Verdict, row: Requirement) -> Iterator[Result]:
    """Results of a verdict whose rules support a requirement, whatever became of them."""
    for result in verdict.results:
        if any(requirement(one) is row for one in result.controls):
            yield result


def disagreements(found: Survey) -> Iterator[str]:
    """Where evidence, the registry and the log tell different stories; nothing of it is settled."""
    history = found.history
    if history.of_mlflow:
        yield history.of_mlflow
    yield from history.problems
    yield from _apart(history)
    for model, named in sorted((history.aliases or {}).items()):
        moves = [one for one in history.moves if (one.model, one.alias) == (model, CHAMPION)]
        signed, there = moves[-1].version if moves else "none", named.get(CHAMPION, "none")
        if signed != there:
            yield f"{model}: the last signed promotion says {signed}, MLflow's champion is {there}"
    known = {one.evidence.id for one in history.verdicts if one.evidence is not None}
    for _, entry in found.entries:
        by = entry.values.get("detected_by")
        if isinstance(by, str) and not any(one in by for one in known):
            yield f"{entry.path}: detected by {by}, which no evidence that was read is called"


def _apart(history: GateHistory) -> Iterator[str]:
    """Evidence that only MLflow has, or only a folder; nothing where only one of them has any."""
    kept = {is_uri(place) for places in history.places.values() for place in places}
    if history.aliases is None or len(kept) < 2:
        return
    for name, places in sorted(history.places.items()):
        published = [is_uri(one) for one in places]
        if all(published) or not any(published):
            where = "MLflow" if all(published) else "a folder"
            yield f"{name}: only in {where}, at {places[0]}"


def _evaluations(row: Requirement, found: Survey) -> Iterator[AuditItem]:
    for verdict in found.history.verdicts:
        results = list(supporting(verdict, row))
        if not results or verdict.evidence is None:
            continue
        rules = ", ".join(f"{one.rule} {one.outcome}" for one in results)
        yield AuditItem(
            id=verdict.evidence.id,
            kind="evaluation",
            about=f"{verdict.model.name} {verdict.model.version}",
            day=verdict.finished.date(),
            what=f"{DECIDED[verdict.decision]} at {verdict.stage}: {rules}",
            evidence=found.history.places.get(verdict.evidence.id, ()),
        )


def _moves(row: Requirement, found: Survey) -> Iterator[AuditItem]:
    for move in found.history.moves if row.id in MOVED else ():
        yield AuditItem(
            id=move_id(move),
            kind="rollback" if move.rollback else "promotion",
            about=f"{move.model} {move.version}",
            day=move.at.date(),
            what=f"{move.alias} by {move.who}, {move.at:%H:%M} UTC",
            evidence=(f"sha256:{move.digest}",),
        )


def move_id(move: AliasMove) -> str:
    """Id of a promotion among all items."""
    return f"{move.at:%Y%m%dT%H%M%SZ} {move.model} {move.version} {move.alias}"


def _named(row: Requirement) -> set[str]:
    return {name.partition(".")[0] for names in row.records for name in names}


def _entries(row: Requirement, found: Survey, when: Period) -> Iterator[AuditItem]:
    named = _named(row)
    for system, entry in found.entries:
        if f"{LOG}{entry.type}" in named:
            state = "open" if entry.closed is None else f"closed {entry.closed:%Y-%m-%d}"
            yield AuditItem(
                id=f"{system}/{entry.path}",
                kind=entry.type,
                about=system,
                day=entry.opened or when.ends,  # one without a day belongs to every period
                what=", ".join((state, *_faults(entry.problems))),
                evidence=(entry.path,),
            )


def _documents(row: Requirement, found: Survey, when: Period) -> Iterator[AuditItem]:
    for kind in sorted(_named(row) & set(KINDS)):
        for system, _, documents in found.documents(kind):
            for one in documents:
                yield AuditItem(
                    id=f"{system}/{one.path}",
                    kind=kind,
                    about=system,
                    day=one.effective or when.ends,
                    what=", ".join(_faults(one.problems)) or "whole",
                    evidence=(one.path,),
                )


def _faults(problems: Sequence[RecordProblem]) -> Iterator[str]:
    if problems:
        yield f"{len(problems)} fault{'' if len(problems) == 1 else 's'}"
