"""Frames opened from tables of any known library; the one place that knows which backend it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from aims_gate.errors import MissingColumnError
from aims_gate.frames import Frame, Grid, Key
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.convert import to_table
from aims_gate.frames.engine_tables import library_of
from aims_gate.frames.identity import compared
from aims_gate.frames.identity import same_rows as equal_rows
from aims_gate.frames.lazy import LazyTable
from aims_gate.frames.weights import weights_of


def open_frame(
    data: object,
    *,
    weight: str | None = None,
    name: str = "data",
    max_bytes: int | None = None,
    seconds: float | None = None,
) -> Frame:
    """Frame over a table of any known library.

    Args:
        data: What `open_rows` takes; or a table that stays in the engine that holds it: an Ibis
            table, a DuckDB relation or a Spark DataFrame.
        weight: A column of whole numbers, 0 or more: how many rows each row stands for.
        name: What the data are called in errors.
        max_bytes: How much may come back from an engine in all; 64 MiB unless stated.
        seconds: How long it may take for one answer; 600 unless stated.

    Raises:
        DataError: *data* is no table, two columns have one name, or names that an engine takes for
            one, or a weight is null, negative, not whole or not a number.
        MissingColumnError: There is no column *weight*.
    """
    if not is_engine_table(data):
        return open_rows(data, weight=weight, name=name)
    from aims_gate.frames.ibis_frame import IbisFrame

    return IbisFrame.over(data, weight=weight, name=name, max_bytes=max_bytes, seconds=seconds)


def open_rows(data: object, *, weight: str | None = None, name: str = "data") -> ArrowFrame:
    """Frame over rows that this process holds.

    Args:
        data: A pandas or Polars DataFrame, a pyarrow Table, a mapping of names to sequences,
            anything that speaks the Arrow C stream protocol, or a `LazyTable`.
        weight: A column of whole numbers, 0 or more: how many rows each row stands for.
        name: What the data are called in errors.

    Raises:
        DataError: *data* is no table, two columns have one name, or a weight is null, negative,
            not whole or not a number.
        MissingColumnError: There is no column *weight*.
    """
    table = data if isinstance(data, LazyTable) else to_table(data, where=name)
    if weight is None:
        return ArrowFrame(table=table, given=table, name=name)
    if weight not in table.column_names:
        raise MissingColumnError.from_columns(weight, table.column_names, where=name)
    weights = weights_of(table.column(weight), where=f"{name}, weight column {weight!r}")
    there = weights > 0
    kept = table if there.all() else table.filter(pa.array(there))
    return ArrowFrame(table=kept, weights=weights[there], given=table, name=name)


def is_engine_table(data: object) -> bool:
    """Tell whether *data* stays in the engine that holds it: of Ibis, a DuckDB relation, Spark."""
    return bool(library_of(data))


def in_memory(frame: object) -> ArrowFrame | None:
    """The frame whose rows this process holds; None where rows are elsewhere, or it is no frame.

    Joining, pairing and predicting need rows; a check never does.
    """
    return frame if isinstance(frame, ArrowFrame) else None


def same_rows(one: Frame, other: Frame, columns: Sequence[str]) -> bool:
    """Tell whether two frames have the same rows in *columns*, in whatever order; weights aside.

    DataError where rows that are elsewhere would have to come here, and are too many.
    """
    first, second = in_memory(one), in_memory(other)
    if first is None or second is None:
        return _same_elsewhere(*((one, other) if first is None else (other, one)), columns)
    if first.table.num_rows != second.table.num_rows:
        return False
    tables = (first.table, first.name), (second.table, second.name)
    return equal_rows(compared(columns, *tables), first.table.num_rows)


def _same_elsewhere(held: Frame, other: Frame, columns: Sequence[str]) -> bool:
    """Compare rows that an engine holds with others, beginning with what costs least."""
    held, other = held.unweighted(), other.unweighted()
    if held.rows != other.rows or held.repeats(columns) != other.repeats(columns):
        return False
    if held.repeats(columns, other) < held.rows:
        return False
    if not held.repeats(columns):  # as many different rows, and all of them known
        return True
    keys = [Key(column=column) for column in columns]
    cells = held.count(*keys), other.count(*keys)
    one, two = (dict(zip(c.values, c.counts.tolist(), strict=True)) for c in cells)
    return one == two


def count_ahead(frame: Frame, grids: Mapping[str, Grid], columns: Sequence[str]) -> None:
    """Let an engine count columns together before they are asked for: on grids, or each value.

    DataError if it cannot answer.
    """
    if in_memory(frame) is None:
        from aims_gate.frames import ibis_cells, ibis_histograms
        from aims_gate.frames.ibis_columns import IbisColumns

        if isinstance(frame, IbisColumns):
            ibis_histograms.count_ahead(frame, grids)
            ibis_cells.count_ahead(frame, columns)


def keep_sorted(frame: Frame, *, keep: bool) -> None:
    """Keep columns that are sorted from now on for who asks again, or save their memory."""
    arrow = in_memory(frame)
    if arrow is not None:
        arrow.keep_sorted(keep=keep)
