"""Overlap of shell patterns: entries of a registry file of which the first takes the second's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from aims_gate.registry_file import Guarded
from aims_gate.registry_file.grammar import fold

_TOKEN = re.compile(r"\*|\[!?\]?[^\]]*\]|.", re.DOTALL)


def contradictions(entries: Sequence[Guarded]) -> Iterator[tuple[Guarded, Guarded]]:
    """Pairs of entries that guard a common name differently; the first of each pair decides."""
    for n, later in enumerate(entries):
        for earlier in entries[:n]:
            if _terms(earlier) != _terms(later) and meet(earlier.pattern, later.pattern):
                yield earlier, later


def meet(first: str, second: str) -> bool:
    """Whether some name matches both patterns; where they have sets of letters, it may.

    A product of two automata, of which only the states that can be reached from the end are kept.
    """
    a, b = _TOKEN.findall(fold(first)), _TOKEN.findall(fold(second))
    ends = [[False] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a), -1, -1):
        for j in range(len(b), -1, -1):
            mine, other = a[i : i + 1], b[j : j + 1]
            if not mine and not other:
                ends[i][j] = True
            elif mine == ["*"]:
                ends[i][j] = ends[i + 1][j] or (bool(other) and ends[i][j + 1])
            elif other == ["*"]:
                ends[i][j] = ends[i][j + 1] or (bool(mine) and ends[i + 1][j])
            elif mine and other:
                ends[i][j] = _alike(mine[0], other[0]) and ends[i + 1][j + 1]
    return ends[0][0]


def _alike(one: str, other: str) -> bool:
    return (len(one) > 1 and len(other) > 1) or fnmatchcase(one, other) or fnmatchcase(other, one)


def _terms(one: Guarded) -> tuple[object, ...]:
    return (one.mode, one.stage, set(map(fold, one.aliases)), set(one.stages), one.on_fail)
