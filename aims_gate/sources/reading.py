"""Policy settings for reading text columns, as in CSV: types, text columns and null words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aims_gate.frames import ColumnKind
from aims_gate.policy.model import DataSpec, Policy, Role, Rule, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How text becomes values where a file does not say it itself."""

    types: Mapping[str, ColumnKind] = field(default_factory=dict)
    """What the policy states under `types:`; also compared with files that have types."""
    texts: frozenset[str] = frozenset()
    """Columns that the policy compares as text, whatever they look like."""
    codes: frozenset[str] = frozenset()
    """Groups, keys and classes: read as numbers only where that loses nothing of their text."""
    nulls: tuple[str, ...] | None = None
    """Words that are null; None for those that only a column of text could mean."""


def reading_of(policy: Policy, role: Role) -> Reading:
    """Gather what all of *policy* says: a column is a group or none in every role alike."""
    spec = policy.data.get(role, DataSpec())
    texts = {c for rule in policy.rules for c in _texts(rule)}
    codes = {c for rule in policy.rules for c in _groups(rule)}
    codes |= {c for other in policy.data.values() for c in _codes(other)}
    return Reading(
        types={name: ColumnKind(word) for name, word in spec.types.items()},
        texts=frozenset(texts - spec.types.keys()),
        codes=frozenset(codes - texts - spec.types.keys()),
        nulls=spec.nulls,
    )


def _codes(spec: DataSpec) -> Iterator[str]:
    yield from (column for column, edges in spec.sensitive.items() if edges is None)
    yield from filter(None, (spec.key, spec.query))
    yield from (join.on for join in spec.join)
    if spec.task is TaskKind.MULTICLASS or isinstance(spec.positive, str):
        yield from filter(None, (spec.label, spec.prediction))


def _groups(rule: Rule) -> Iterator[str]:
    """Grouping columns of `by:` without bin edges; `by: key` and such name no column."""
    by, bins = rule.parameters.get("by"), rule.parameters.get("bins") or {}
    for entry in by if isinstance(by, list) else ():
        for column in entry if isinstance(entry, list) else (entry,):
            if isinstance(column, str) and column not in bins:
                yield column


def _texts(rule: Rule) -> Iterator[str]:
    """Columns that rules use as text: with patterns, lists of words, or only categories."""
    allowed = rule.parameters.get("allowed")
    for column, stated in allowed.items() if isinstance(allowed, dict) else ():
        if isinstance(stated, dict) and (stated.get("matches") or _words(stated.get("one_of"))):
            yield column
    columns = rule.parameters.get("columns")
    if rule.parameters.get("numeric") == "none" and isinstance(columns, list):
        yield from (column for column in columns if isinstance(column, str))


def _words(values: Any) -> bool:
    return isinstance(values, list) and any(isinstance(value, str) for value in values)
