"""Counts of an attribute's groups, for checks that compare no rates between them."""

from __future__ import annotations

from aims_gate.checks.fairness.families import (
    group_keys,
    group_name,
    refuse_alike,
    refuse_many,
)
from aims_gate.errors import MissingColumnError
from aims_gate.frames import Frame, Key, Scalar
from aims_gate.sources.subject import Data


def group_key(data: Data, column: str) -> Key:
    """Give what to count an attribute by, with its bin edges.

    Raises:
        MissingColumnError: There is no such column.
        DataError: It cannot be counted by, or its edges do not fit.
    """
    if column not in data.frame.kinds:
        where = f"{data.role} data"
        raise MissingColumnError.from_columns(column, data.frame.kinds, where=where)
    (key,) = group_keys(data.frame, [column], data.spec)
    return key


def group_rows(
    frame: Frame, key: Key, *, label: tuple[str, Scalar] | None = None
) -> dict[str, int]:
    """Count the rows of each group, such as `sex=F`; null is `sex=(missing)`.

    Args:
        frame: All rows of a role, or some.
        key: From `group_key`.
        label: A column and its value: only rows that have it are counted.

    Raises:
        DataError: There are more groups than anybody could compare, or two of one name.
    """
    cells = frame.count(key, *([Key(column=label[0])] if label else []))
    refuse_alike([key.column], (values[:1] for values in cells.values))
    groups: dict[str, int] = {}
    for values, rows in zip(cells.values, cells.counts.tolist(), strict=True):
        if label is None or values[1] == label[1]:
            name = group_name([key.column], values[:1])
            groups[name] = groups.get(name, 0) + rows
    refuse_many([key.column], groups)
    return groups
