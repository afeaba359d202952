"""Protected columns proposed from their names, and bins of those that are quantities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from aims_gate.frames import ColumnKind, Frame, Key
from aims_gate.policy.model import DataSpec

PROTECTED = (
    *("sex", "gender", "race", "rac1p", "ethnicity", "ethnic", "nationality", "citizenship"),
    *("religion", "disability", "disabled", "age", "agep", "marital", "pregnancy", "pregnant"),
    *("orientation", "veteran", "caste", "birth"),
)
PROTECTED_PAIRS = (("native", "country"), ("national", "origin"))
AGE_EDGES = (25.0, 45.0, 65.0)
LEAST_GROUP = 30
"""Rows that a bin must have, the default `min_cell` of the fairness checks."""
MOST_GROUPS = 50
_FEW_NUMBERS = 10
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*[A-Z0-9]*|[A-Z]?[a-z]+|[0-9]+")


def protected(
    frame: Frame, spec: DataSpec, notes: list[str]
) -> Iterator[tuple[str, tuple[float, ...] | None]]:
    """Columns that look protected and have no other role, each with its bins if it needs some."""
    scores = spec.score.values() if isinstance(spec.score, Mapping) else [spec.score]
    used = {spec.label, spec.prediction, spec.key, spec.query, spec.weight, spec.time, *scores}
    for column, held in frame.columns.items():
        if column in used or not is_protected(column):
            continue
        if held.kind is ColumnKind.NUMBER:
            yield from _numeric(frame, column, notes)
        elif held.kind not in {ColumnKind.TEXT, ColumnKind.BOOLEAN}:
            notes.append(
                f"{column} may be protected, but holds {held.kind}: log groups of it instead"
            )
        elif len(frame.count(Key(column=column)).values) > MOST_GROUPS:
            notes.append(f"{column} may be protected, but has more than {MOST_GROUPS} groups")
        else:
            yield column, None


def bins_of(
    frame: Frame, logged: DataSpec, notes: list[str]
) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Cut quantities that were logged as protected without bins: each value would be a group."""
    for column, edges in logged.sensitive.items():
        held = frame.columns.get(column)
        if edges is None and held is not None and held.kind is ColumnKind.NUMBER:
            yield from ((name, cut) for name, cut in _numeric(frame, column, notes) if cut)


def _numeric(
    frame: Frame, column: str, notes: list[str]
) -> Iterator[tuple[str, tuple[float, ...] | None]]:
    """Take a few codes as groups, and cut a quantity into bins that are large enough to judge."""
    found = frame.distribution(column)
    if len(found.values) <= _FEW_NUMBERS:
        yield column, None
        return
    pairs = list(zip(found.values.tolist(), found.counts.tolist(), strict=True))
    age = {"age", "agep"} & set(_words(column))
    edges = AGE_EDGES if age else tuple(_quartiles(pairs))
    kept = tuple(_large_enough(pairs, edges))
    if kept:
        yield column, kept
    else:
        notes.append(
            f"{column} may be protected, but no cut leaves {LEAST_GROUP} rows on each side"
        )


def _quartiles(pairs: list[tuple[float, int]]) -> Iterator[float]:
    rows, seen, shares = sum(count for _, count in pairs), 0, [0.25, 0.5, 0.75]
    for value, count in pairs:
        if shares and seen >= shares[0] * rows:
            yield value
            shares = [share for share in shares if share * rows > seen]
        seen += count


def _large_enough(pairs: list[tuple[float, int]], edges: Iterable[float]) -> Iterator[float]:
    """Keep the edges that leave at least `LEAST_GROUP` rows in every bin."""
    start = float("-inf")
    for edge in edges:
        below = sum(count for value, count in pairs if start <= value < edge)
        above = sum(count for value, count in pairs if value >= edge)
        if min(below, above) >= LEAST_GROUP:
            yield edge
            start = edge


def is_protected(column: str) -> bool:
    """Whether a column's name is one of a protected attribute."""
    words = _words(column)
    pairs = any(set(pair) <= set(words) for pair in PROTECTED_PAIRS)
    return pairs or any(word in PROTECTED for word in words)


def _words(column: str) -> list[str]:
    """Split a name at its cases and signs: `maritalStatus`, `RAC1P`, `age_years`."""
    return [word.lower() for word in _WORD.findall(column)]
