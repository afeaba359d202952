"""Counts of an attribute's groups, for checks that compare no rates between them."""

from __future__ import annotations

from aims_gate.checks.fairness.families import MOST_GROUPS
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import MISSING, Frame, Key, Kind, Scalar
from aims_gate.policy.model import DataSpec
from aims_gate.sources.subject import Data


def group_key(frame: Frame, column: str, spec: DataSpec, *, where: str) -> Key:
    """Give what to count an attribute by, with its bin edges.

    Raises:
        MissingColumnError: There is no such column.
        DataError: It cannot be counted by, or its edges do not fit.
    """
    if column not in frame.kinds:
        raise MissingColumnError.from_columns(column, frame.kinds, where=where)
    kind, edges = frame.kinds[column], spec.sensitive.get(column) or ()
    if kind is Kind.OTHER:
        raise DataError(
            f"{column} holds {frame.types[column]}, which is not an attribute to group by"
        )
    if edges and kind is not Kind.NUMBER:
        raise DataError(f"{column} has bin edges, but holds {kind}, not numbers")
    return Key(column=column, edges=tuple(edges))


def group_names(
    data: Data,
    column: str,
    *,
    frame: Frame | None = None,
    label: tuple[str, Scalar] | None = None,
) -> dict[str, int]:
    """Count rows by group, such as `sex=F`; null is `sex=(missing)`.

    Args:
        data: The role's data; *frame* takes the place of its frame.
        column: The attribute.
        frame: Some of the data's rows.
        label: A column and its value: only rows that have it are counted.

    Raises:
        MissingColumnError: There is no such column.
        DataError: It cannot be counted by, or has more than 250 groups.
    """
    counted = data.frame if frame is None else frame
    key = group_key(counted, column, data.spec, where=f"{data.role} data")
    cells = counted.count(key, *([Key(column=label[0])] if label else []))
    groups: dict[str, int] = {}
    for values, rows in zip(cells.values, cells.counts.tolist(), strict=True):
        if label is None or values[1] == label[1]:
            name = f"{column}={named(values[0])}"
            groups[name] = groups.get(name, 0) + rows
    if len(groups) > MOST_GROUPS:
        raise DataError(
            f"{column} has {len(groups):,} groups, more than {MOST_GROUPS}",
            hint="give bin edges for numbers under sensitive:, or use a coarser attribute",
        )
    return groups


def named(value: Scalar | None) -> str:
    """Write a group's value as a policy does."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
