"""YAML text of a proposed policy: every line that a person must confirm says CONFIRM."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aims_gate.operations.propose_columns import ProposedColumns
from aims_gate.operations.propose_rules import Draft
from aims_gate.policy.model import Role, Severity, TaskKind, Threshold
from aims_gate.policy.resolved_yaml import inline
from aims_gate.sources.table_places import parsed_place

CONFIRM = "CONFIRM"
_ASKED = {
    "label": "the true outcome, known after the fact?",
    "prediction": "the model's answer?",
    "score": "the model's score, higher means more likely positive?",
    "positive": "the class that is good for the person?",
    "task": "what does the model predict?",
    "key": "names each row?",
    "query": "what the rows of one ranking share?",
    "weight": "how many cases a row stands for?",
    "time": "when each row happened?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """A rule with its severity and what was measured today, in words."""

    draft: Draft
    severity: Severity
    today: str
    """Empty where there is nothing to weigh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Everything that a first policy says."""

    id: str
    model: str
    """The registered name; empty if there is none, or it cannot be written as a pattern."""
    uri: str
    now: datetime
    expires: datetime
    columns: Mapping[Role, ProposedColumns]
    sources: Mapping[Role, str] = field(default_factory=dict)
    """`artifact:`, `file:` and `table:` by role; other roles are found by convention."""
    handed: Mapping[Role, str] = field(default_factory=dict)
    """Data that have to be passed with `--data` on every run."""
    entries: tuple[RuleDraft, ...] = ()
    left_out: tuple[str, ...] = ()
    """Rules that could not be proposed, each with its reason."""
    notes: tuple[str, ...] = ()


_DECLARED = ("label", "positive", "sensitive", "weight")
_BOUNDS = ("at_least", "at_most", "warn_below", "warn_above")


def write(proposal: Proposal) -> str:
    """Write a proposal as a policy file."""
    return "\n".join([*_head(proposal), *_data(proposal), *_rules(proposal)]) + "\n"


def _head(proposal: Proposal) -> Iterator[str]:
    yield f"# Proposed by aims-gate init on {proposal.now:%Y-%m-%d}, from what was found about"
    yield f"# {_plain(proposal.uri)}. Nobody has approved it: a person reads each line that says"
    yield f"# {CONFIRM}, decides, and takes the word out; until then what can be weighed warns."
    for note in proposal.notes:
        yield f"# {CONFIRM}: {_plain(note)}"
    yield "apiVersion: aims-gate/v1"
    yield "kind: Policy"
    yield "metadata:"
    yield f"  id: {inline(proposal.id)}"
    yield '  version: "0.1.0"'
    yield f"  owner: nobody  # {CONFIRM}: who answers for this policy?"
    yield (
        f"  expires: {proposal.expires:%Y-%m-%d}  # {CONFIRM}: a proposal; a reviewed policy may "
        "last longer"
    )
    if proposal.model:
        yield "applies_to:"
        yield f"  models: {inline([proposal.model])}"


def _data(proposal: Proposal) -> Iterator[str]:
    yield f"declare: {inline(list(_DECLARED))}  # these are never taken from a run, only from here"
    yield "data:"
    for role, columns in proposal.columns.items():
        yield f"  {role}:" if _has_lines(proposal, role) else f"  {role}: {{}}"
        if role in proposal.sources:
            yield from _place(proposal.sources[role])
        elif role in proposal.handed:
            where = f"--data {role}={_plain(proposal.handed[role])}"
            yield f"    # {CONFIRM}: handed over with {where} on every run"
        yield from _fields(role, columns)


def _place(source: str) -> Iterator[str]:
    """Where the data are: a table in an engine has two keys of its own."""
    table = parsed_place(source)
    if table is None:
        yield f"    source: {inline(source)}"
    else:
        yield f"    table: {inline(table.name)}"
        yield f"    connection: {inline(table.connection)}"


def _has_lines(proposal: Proposal, role: Role) -> bool:
    return role in proposal.sources or any(_fields(role, proposal.columns[role]))


def _fields(role: Role, columns: ProposedColumns) -> Iterator[str]:
    spec = columns.spec
    for name, question in _ASKED.items():
        value = getattr(spec, name)
        if value is None:
            continue
        value = dict(value) if isinstance(value, Mapping) else value
        asked = f"{CONFIRM}: {question}" if name in columns.guessed else "logged with the data"
        yield f"    {name}: {inline(value)}  # {asked}"
    alone = spec.prediction is None and isinstance(spec.score, str)
    if alone and role is Role.EVALUATION and spec.task is not TaskKind.RANKING:
        stated = f"threshold: {inline(spec.threshold)}  # {CONFIRM}: a yes from which score on?"
        unknown = f"# {CONFIRM}: state threshold:, a yes from which score on?"
        yield f"    {unknown if spec.threshold is None else stated}"
    if spec.sensitive:
        yield "    sensitive:"
    for column, edges in spec.sensitive.items():
        guess = "sensitive" in columns.guessed
        asked = f"{CONFIRM}: protected where you are?" if guess else "logged with the data"
        cut = "" if edges is None or not guess else " are these the right bins?"
        cut = f"; {CONFIRM}: are these the right bins?" if column in columns.cut else cut
        yield f"      {inline(column)}: {_edges(edges)}  # {asked}{cut}"


def _rules(proposal: Proposal) -> Iterator[str]:
    yield "rules:"
    for entry in proposal.entries:
        draft = entry.draft
        yield f"  - id: {draft.id}"
        yield f"    title: {inline(draft.title)}"
        yield f"    check: {draft.check}"
        if draft.parameters:
            yield f"    with: {inline(dict(draft.parameters))}"
        if draft.require is not None:
            today = f"  # {CONFIRM}: {_plain(entry.today)}" if entry.today else ""
            yield f"    require: {inline(_threshold(draft.require))}{today}"
        severity = entry.severity
        ask = f"  # {CONFIRM}: block, once it is agreed" if severity is not Severity.BLOCK else ""
        yield f"    severity: {severity}{ask}"
    for left_out in proposal.left_out:
        yield f"  # left out: {_plain(left_out)}"


def _threshold(threshold: Threshold) -> dict[str, float]:
    told = {name: getattr(threshold, name) for name in _BOUNDS}
    return {name: _short(value) for name, value in told.items() if value is not None}


def _edges(edges: tuple[float, ...] | None) -> str:
    return "~" if edges is None else inline([_short(edge) for edge in edges])


def _short(number: float) -> float:
    """Write whole numbers without a point, as a person does."""
    return int(number) if number == int(number) else number


def _plain(text: str) -> str:
    """Escape untrusted text so that it stays inside its YAML comment."""
    line = re.sub(r"\s+", " ", text)
    return "".join(letter if letter.isprintable() else "?" for letter in line)
