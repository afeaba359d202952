"""Ids of AI systems: two systems of one id are both at fault, for nothing tells what is whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aims_gate.governance.contract import ProblemKind, RecordProblem, Records


def told_apart(systems: Sequence[Records]) -> Iterator[Records]:
    """Records of each system; with a fault where another one has its id, as a copy has."""
    count = Counter(one.id for found in systems for one in found.of("system") if one.id)
    for found in systems:
        twice = [one for one in found.of("system") if count[one.id] > 1]
        if not twice:
            yield found
            continue
        (one,) = twice
        fault = RecordProblem(
            path=one.path,
            line=0,
            key="id",
            kind=ProblemKind.UNREADABLE,
            message=f"the id {one.id!r} is another system's, too; give each one of its own",
        )
        faulty = replace(one, problems=(*one.problems, fault))
        documents = (faulty if other is one else other for other in found.documents)
        yield replace(found, documents=tuple(documents))
