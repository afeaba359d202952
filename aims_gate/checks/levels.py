"""Disclosure control: how evidence names the values of a column, or hides them.

Evidence is signed, published and kept for years. A value is named in it only where the policy
itself names the column, the column has at most 100 values, and more than one row holds this value.
Every other value gets a number, `email #3`, and its group is counted like any other. Null is no
value. The size of a group is written from the rule's `min_cell` on, and as `<30` below it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aims_gate.frames import MISSING, ColumnKind, Frame, Key, Scalar
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data

MOST = 100
"""A column of more values than this may identify people."""
LEAST = 30
"""Suppression threshold: rows below which a count is not written, if a rule has no min_cell."""
Values = tuple[Scalar | None, ...]
_CLASSES = (TaskKind.BINARY, TaskKind.MULTICLASS)


def has_name(rows: int, values: int, *, declared: bool) -> bool:
    """Tell whether evidence names a value that *rows* hold, in a column of so many *values*."""
    return declared and values <= MOST and rows > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What the values of some columns, taken together, are called."""

    columns: tuple[str, ...]
    numbered: Mapping[Values, int]
    """The values that have no name, each with its number."""

    def name(self, values: Sequence[Scalar | None]) -> str:
        """Name a group: `sex=F & race=Black`, or `sex & race #3`."""
        number = self.numbered.get(tuple(values))
        return full(self.columns, values) if number is None else f"{title(self.columns)} #{number}"

    def value(self, value: Scalar, write: Callable[[Scalar], str] = str) -> str:
        """Name the value of one column: as *write* has it, or `diagnosis #3`."""
        return self.name([value]) if (value,) in self.numbered else write(value)


def levels(keys: Sequence[Key], data: Data) -> Levels:
    """Say how groups by *keys* are called, from all rows of *data*.

    Numbers go by falling rows, so that they stay the same in every rule and tell of no value.
    """
    columns = tuple(key.column for key in keys)
    frame = data.frame.unweighted() if "weight" in data.from_run else data.frame
    cells = frame.count(*keys)
    most = max((len({v[at] for v in cells.values}) for at in range(len(keys))), default=0)
    declared = data.declared.issuperset(columns)
    rows = dict(zip(cells.values, cells.counts.tolist(), strict=True))
    unnamed = [
        values
        for values in rows
        if any(value is not None for value in values)
        and not has_name(rows[values], most, declared=declared)
    ]
    unnamed.sort(key=lambda values: -rows[values])
    found = Levels(columns=columns, numbered={v: n for n, v in enumerate(unnamed, 1)})
    data.unnamed.update({found.name(values): full(columns, values) for values in unnamed})
    return found


def class_levels(data: Data, *, answer: str | None = None) -> Levels:
    """Say how the classes are called that labels, the *answer* column and scores hold.

    They are values of the label's column. The policy names it, or the column of answers, or spells
    a class out as `positive` or as a key of `score`.
    """
    spec = data.spec
    frame = with_classes(data, answer).unweighted()
    columns = [c for c in (spec.label, answer or spec.prediction) if c in frame.columns]
    stated: set[Scalar] = set()
    if spec.positive is not None and "positive" not in data.from_run:
        stated.add(spec.positive)
    scored = tuple(spec.score) if isinstance(spec.score, Mapping) else ()
    if "score" not in data.from_run:
        stated.update(scored)
    rows: dict[Scalar, int] = {}
    for column in filter(None, columns):
        own = column in data.declared or (spec.predictions == "model" and column != spec.label)
        counts = frame.count(Key(column=column)).by_value()
        for value, count in counts.items():
            if value is not None:
                rows[value] = rows.get(value, 0) + count
                stated |= {value} if has_name(count, len(counts), declared=own) else set()
    known = {str(value) for value in rows}
    rows |= {name: 0 for name in scored if name not in known}
    unnamed = [value for value in rows if not {value, str(value)} & stated]
    unnamed.sort(key=lambda value: -rows[value])
    found = Levels(
        columns=(spec.label or "class",), numbered={(v,): n for n, v in enumerate(unnamed, 1)}
    )
    data.unnamed.update({found.value(value): text(value) for value in unnamed})
    return found


def with_classes(data: Data, *others: str | None) -> Frame:
    """Frame in which a fractional class has one value in labels, predictions and *others*.

    Classes that are fractions are brought to the narrowest width of these columns. Amounts are no
    classes, and whole numbers are the same in every width that holds them.
    """
    frame, spec = data.frame, data.spec
    named = {spec.label, spec.prediction, *others}
    numbers = [c for c, column in frame.columns.items() if column.kind is ColumnKind.NUMBER]
    columns = [c for c in numbers if c in named]
    task = TaskKind.BINARY if spec.task is None and spec.positive is not None else spec.task
    if task not in _CLASSES or len({frame.columns[c].bits for c in columns}) < 2:
        return frame
    held = [frame.distribution(c).values for c in columns]
    fractions = any((values != np.floor(values)).any() for values in held)
    return frame.at_one_width(columns) if fractions else frame


def title(columns: Sequence[str]) -> str:
    """Name an attribute: `sex & race`."""
    return " & ".join(columns)


def full(columns: Sequence[str], values: Sequence[Scalar | None]) -> str:
    """Write a group with its values, as a policy does: `sex=F & race=Black`."""
    return " & ".join(f"{c}={text(v)}" for c, v in zip(columns, values, strict=True))


def text(value: Scalar | None) -> str:
    """Write a value that rows are grouped by: 1.0 is `1`, True `true`, null `(missing)`."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def written(rows: int, least: int) -> str:
    """Write a number of rows, and `<30` where they are fewer than *least*."""
    return f"<{least:,}" if rows < least else f"{rows:,}"


def recorded(rows: int, least: int) -> int:
    """Row count to record: 0 where it is below *least* (suppressed)."""
    return rows if rows >= least else 0
