"""Shared by checks over records: which ones a rule is about, and a count of faults for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aims_gate.checks import cells
from aims_gate.checks.contract import Inputs, NoDataError, StatisticSpec
from aims_gate.errors import near
from aims_gate.facts import NoValue, Statistic
from aims_gate.governance.contract import RecordDocument, Records
from aims_gate.governance.kinds import KINDS
from aims_gate.policy.model import DecideOn

_NAME = "faults"
COUNTS = "A count per record and field in [0, inf); 0 is none. No interval: nothing is sampled. "
NOWHERE = "there are no records: neither aims/ nor org/ lies beside the policy"


def counted(name: str = _NAME, *, overdue: bool = False) -> StatisticSpec:
    """A judged count of which none is allowed; *overdue* where it counts days."""
    return StatisticSpec(
        name=name,
        low=0.0,
        high=math.inf,
        higher_is_better=False,
        neutral=0.0,
        limit=0.0,
        has_interval=False,
        decide_on=DecideOn.ESTIMATE,
        overdue=overdue,
    )


def records_of(inputs: Inputs) -> Records:
    """The records of the system and its organisation; NoDataError if there are none."""
    records = inputs.subject.records
    if records is None:
        raise NoDataError(NOWHERE, hint="aims-gate aims init writes a first draft")
    return records


def chosen(
    records: Records, kinds: Sequence[str], name: str = _NAME
) -> Iterator[RecordDocument | Statistic]:
    """Documents of these *kinds*, or of all; a kind of which there is none is a cell without value.

    A file that is not there, or that nobody can read, is such a cell as well.
    """
    for kind in kinds or dict.fromkeys(one.kind for one in records.documents):
        found = records.of(kind)
        if not found:
            yield missing(kind, f"there is no record of the kind {kind}", name=name)
        for document in found:
            if document.id:
                yield document
            else:
                told = "; ".join(map(str, document.problems)) or "it cannot be read"
                yield missing(document.path, told, name=name)
    if not kinds and not records.documents:
        yield missing("", "there is no record", name=name)


def kind_problems(kinds: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Invalid entries of a parameter `kinds`."""
    for kind in kinds:
        if kind not in KINDS:
            yield "kinds", f"no record is of the kind {kind!r}", near(kind, KINDS)
    if len(set(kinds)) < len(kinds):
        yield "kinds", "names a kind twice", ""


def faults(where: str, found: Iterable[str], *, name: str = _NAME, sound: str = "") -> Statistic:
    """Judged count of what was *found* wrong in one place; *sound* is said if nothing is."""
    told = tuple(found)
    reason = "; ".join(told) or sound
    return Statistic(name=name, slice=where, value=float(len(told)), judged=True, reason=reason)


def missing(where: str, reason: str, *, name: str = _NAME) -> Statistic:
    """Judged cell of something that is not there."""
    return cells.lacking(name, NoValue.MISSING, reason, where=where)


def wrong_below(document: RecordDocument, place: str) -> list[str]:
    """What is wrong with a place of a record, such as `none.bias`, and with what is below it."""
    below = (f"{place}.", f"{place}[")
    return [str(one) for one in document.problems if one.key == place or one.key.startswith(below)]


def keys_of(value: object) -> Mapping[str, Any]:
    """Keys of a part of a record; none where it is no mapping."""
    return value if isinstance(value, Mapping) else {}


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, or one text, of a record; empty where it is something else."""
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, tuple) else ()
