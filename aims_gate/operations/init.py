"""Propose a first policy for a model: measured once, and never written over another file."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from aims_gate.checks.contract import NoDataError
from aims_gate.documents.keys import NAME
from aims_gate.errors import DataError, RecordError, UndecidedError, UsageError
from aims_gate.facts import Statistic
from aims_gate.judge import decide, judge
from aims_gate.measure import measure
from aims_gate.operations.policy_text import CONFIRM, Proposal, RuleDraft, write
from aims_gate.operations.propose_columns import (
    ProposedColumns,
    evaluation_columns,
    logged_spec,
    other_columns,
)
from aims_gate.operations.propose_rules import Draft, drafts, settled, worst
from aims_gate.plan import plan
from aims_gate.policy.data_roles import roles_of
from aims_gate.policy.model import DataSpec, Policy, Role, Severity
from aims_gate.policy.resolve import resolve
from aims_gate.policy.scope import on_insufficient
from aims_gate.redact import redact
from aims_gate.sources import SOURCES
from aims_gate.sources.opening import scheme
from aims_gate.sources.paths import local_path, public_uri
from aims_gate.sources.predictions import derive_prediction
from aims_gate.sources.subject import Data, Subject, Workspace
from aims_gate.verdict import Decision, Outcome, Result

LASTS = timedelta(days=90)
"""How long a proposal is in force: it rests on today's values, and nobody approved it."""
_GLOB = frozenset("*?[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What `propose` wrote, and what the gate says of the same model by it."""

    model: str
    rules: tuple[Result, ...]
    left_out: tuple[str, ...]
    """Each rule that could not be proposed, with its reason."""
    notes: tuple[str, ...]
    to_confirm: int
    """Lines that a person must confirm."""


def propose(
    *, model: str, data: Mapping[str, str], out: Path, environ: Mapping[str, str], now: datetime
) -> Written:
    """Write a first policy for *model* to *out*.

    Args:
        model: A model URI, as for `run`.
        data: Role to a path or URI, for data that the training run did not log.
        out: The policy file; it must not exist.
        environ: The process's environment.
        now: The time, with its zone.

    Raises:
        UsageError: (2) *out* exists, or *model* or a role is unknown.
        SourceError: (3) the model cannot be read.
        DataError: (3) there are no usable evaluation data, or no column looks like the label.
        RecordError: (3) the file cannot be written.
    """
    _refuse_existing(out)
    given = roles_of(data)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        workspace = Workspace(folder=Path(private), environ=environ)
        empty = Policy(id="init", version="0")
        subject = SOURCES[scheme(model)].open(model, policy=empty, given=given, workspace=workspace)
        columns = _columns(subject)
        subject = replace(subject, data=_described(subject, columns))
        proposal = _proposal(subject, columns, data, out, now)
        proposal, results = _settled(proposal, subject, out)
    text = write(proposal)
    _write(out, text)
    return Written(
        model=subject.model.name,
        rules=results,
        left_out=proposal.left_out,
        notes=(*proposal.notes, *_refusal(results)),
        to_confirm=text.count(f"{CONFIRM}:"),
    )


def _columns(subject: Subject) -> dict[Role, ProposedColumns]:
    for error in subject.unread.values():
        raise error
    if Role.EVALUATION not in subject.data:
        raise NoDataError(
            "there are no evaluation data to propose anything from",
            where=subject.model.uri,
            hint="log them with aims_gate.log_evaluation in the training run, or give "
            "--data evaluation=FILE",
        )
    inputs = subject.signature.inputs if subject.signature is not None else ()
    features = frozenset(name for name, _type, _required in inputs)
    data = subject.data[Role.EVALUATION]
    if data.frame.rows == 0:
        raise DataError("the evaluation data have no rows", where=data.identity.uri)
    first = evaluation_columns(data, features)
    found = {Role.EVALUATION: first}
    for role, other in subject.data.items():
        if role is not Role.EVALUATION:
            found[role] = other_columns(other, first.spec)
    return found


def _described(subject: Subject, columns: Mapping[Role, ProposedColumns]) -> dict[Role, Data]:
    """Data by role, described as in the proposed policy."""
    return {role: _as(data, columns[role].spec) for role, data in subject.data.items()}


def _as(data: Data, spec: DataSpec) -> Data:
    derived = data.spec.prediction if logged_spec(data) != data.spec else None
    # the policy will name these columns, so groups are called as `run` will call them
    data = replace(data, declared=frozenset(column for _, column in spec.columns()))
    if derived is not None:
        return replace(data, spec=replace(spec, prediction=derived))
    return derive_prediction(replace(data, spec=spec))


def _proposal(
    subject: Subject,
    columns: Mapping[Role, ProposedColumns],
    data: Mapping[str, str],
    out: Path,
    now: datetime,
) -> Proposal:
    name, scope = subject.model.name, subject.model.registered
    sources = {Role(role): _source(text, out) for role, text in data.items()}
    return Proposal(
        id=_identifier(name),
        model="" if _GLOB & set(scope) else scope,
        uri=redact(subject.model.uri),
        now=now,
        expires=now + LASTS,
        columns=columns,
        sources={role: source for role, source in sources.items() if source},
        handed={r: public_uri(data[r]) for r, source in sources.items() if not source},
        notes=tuple(note for found in columns.values() for note in found.notes),
    )


def _source(text: str, out: Path) -> str:
    """Source URI in a policy for what `--data` named; empty if only the command line may."""
    if text.startswith(("artifact:", "table:")):
        return text
    path = local_path(text)
    folder = out.parent.resolve()
    if path is None or "://" in str(text) or not path.resolve().is_relative_to(folder):
        return ""
    return f"file:{path.resolve().relative_to(folder).as_posix()}"


def _identifier(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
    return plain if re.fullmatch(NAME, plain) else "model"


def _settled(
    proposal: Proposal, subject: Subject, out: Path
) -> tuple[Proposal, tuple[Result, ...]]:
    """Measure once, set limits and severities, and verify that the text is valid."""
    every = tuple(drafts(subject))
    left_out = [(draft, draft.lacking) for draft in every if draft.lacking]
    chosen: list[tuple[Draft, tuple[Statistic, ...]]] = []
    for draft, statistics in _measured(proposal, subject, every):
        final = settled(draft, statistics)
        if final is None:
            left_out.append((draft, _why_not(statistics)))
        else:
            chosen.append((final, statistics))
    measured = {draft.id: statistics for draft, statistics in chosen}
    entries = tuple(_entry(draft, measured[draft.id]) for draft, _ in chosen)
    told = tuple(f"{draft.words}: {reason}" for draft, reason in left_out)
    proposal = replace(proposal, entries=entries, left_out=told)
    results = _judged(write(proposal), measured, proposal, out)
    met = {result.rule for result in results if result.outcome is Outcome.PASS}
    proposal = replace(proposal, entries=tuple(_lowered(entries, met)))
    return proposal, _judged(write(proposal), measured, proposal, out)


def _measured(
    proposal: Proposal, subject: Subject, every: Iterable[Draft]
) -> Iterator[tuple[Draft, tuple[Statistic, ...]]]:
    found = {draft.id: draft for draft in every if not draft.lacking}
    policy = Policy(
        id=proposal.id,
        version="0",
        data={role: data.spec for role, data in subject.data.items()},
        rules=tuple(draft.rule() for draft in found.values()),
    )
    for task in plan(policy).sound():
        yield found[task.rule.id], measure(task, subject, now=proposal.now)


def _why_not(statistics: Iterable[Statistic]) -> str:
    """Say why what was measured gives no limit."""
    reasons = [s.reason for s in statistics if s.judged and s.value is None and s.reason]
    return reasons[0] if reasons else "today's value leaves no room for a limit"


def _judged(
    text: str,
    measured: Mapping[str, tuple[Statistic, ...]],
    proposal: Proposal,
    out: Path,
) -> tuple[Result, ...]:
    """Judge today's values by the text as `run` would; UndecidedError if it is not valid."""
    folder = str(out.parent.resolve())
    policy, problems = resolve(text.encode(), uri=out.name, folder=folder)
    planned = plan(policy) if policy is not None else None
    problems += planned.problems if planned is not None else ()
    if policy is None or planned is None or problems:
        raise UndecidedError(
            "no sound policy can be written from what was found: " + "; ".join(map(str, problems)),
            hint="rename columns with unusual names, or write the policy by hand",
        )
    stage = policy.stages[-1]
    return tuple(
        judge(
            task,
            measured[task.rule.id],
            now=proposal.now,
            insufficient=on_insufficient(task.rule, policy, stage),
        )
        for task in planned.tasks
    )


def _entry(draft: Draft, statistics: tuple[Statistic, ...]) -> RuleDraft:
    if draft.firm:
        return RuleDraft(draft=draft, severity=Severity.BLOCK, today="")
    return RuleDraft(draft=draft, severity=Severity.WARN, today=_today(worst(draft, statistics)))


def _today(cell: Statistic | None) -> str:
    if cell is None or cell.value is None:
        return "today it has no value"
    bounds = ""
    if cell.interval is not None:
        bounds = f" ({cell.interval.low:.3g} to {cell.interval.high:.3g})"
    where = f" for {cell.slice}" if cell.slice else ""
    return f"today {cell.value:.4g}{bounds}{where}"


def _lowered(entries: tuple[RuleDraft, ...], met: set[str]) -> Iterator[RuleDraft]:
    """Lower rules about facts that fail today to warnings, unless all fail: one must block."""
    firm = {entry.draft.id for entry in entries if entry.draft.firm}
    for entry in entries:
        fails = entry.draft.id in firm - met and bool(firm & met)
        yield replace(entry, severity=Severity.WARN) if fails else entry


def _refusal(results: tuple[Result, ...]) -> Iterator[str]:
    if decide(results) is not Decision.PASSED:
        yield "today's model meets no rule that could block, so run will not pass it yet"


def _refuse_existing(out: Path) -> None:
    if os.path.lexists(out):
        raise UsageError(
            "the file is there, and a policy is never overwritten",
            where=str(out),
            hint="name another one with --out",
        )


def _write(out: Path, text: str) -> None:
    """Write the file whole or not at all, and never over one that came meanwhile."""
    beside = out.parent / f".{out.name}.{secrets.token_hex(8)}.part"
    try:
        beside.write_text(text, encoding="utf-8")
        try:
            os.link(beside, out)
        finally:
            beside.unlink()
    except FileExistsError:
        _refuse_existing(out)
    except OSError as error:
        raise RecordError(
            f"the policy could not be written: {error.strerror}", where=str(out)
        ) from error
