"""Cells of a table that an engine holds: counted by the engine, and found again in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import ibis
import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames import Key
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.ibis_columns import COUNT, IbisColumns
from aims_gate.frames.ibis_forms import Expr, bin_of, certain, equals
from aims_gate.frames.ibis_session import OWN

_MOST_AHEAD = 1 << 10
"""Values of a column that is counted together with others."""


def counted(frame: IbisColumns, keys: Sequence[Key]) -> tuple[ArrowFrame, tuple[Key, ...]]:
    """A row of values for each cell, and the keys that tell its cell from it.

    Of a bin the least value comes back, which Arrow then puts into the same bin. By a pattern all
    different values do: only RE2 says in which of them it is found.
    """
    asked = [key.column for key in keys]
    if any(key.matches is not None or key.contains is not None for key in keys):
        return frame.different(asked), tuple(keys)
    groups: dict[str, Expr] = {}
    least: dict[str, Expr] = {}
    names = {f"{OWN}{place}" if c in asked[:place] else c: c for place, c in enumerate(asked)}
    for name, key in zip(names, keys, strict=True):
        column = frame.table[key.column]
        if key.edges:
            groups[f"{OWN}bin {name}"] = bin_of(column, key.edges)
            least[name] = column.min()
        else:
            groups[name] = column
    question = frame.table.group_by(**groups).aggregate(**least, **{COUNT: frame.total()})
    places = tuple(replace(key, column=n) for n, key in zip(names, keys, strict=True))
    return frame.in_memory(question, names), places


def count_ahead(frame: IbisColumns, columns: Iterable[str]) -> None:
    """Count the values of columns that will be asked for: those of one type by one question.

    A column of more than 1,024 values is left to its own question, which says if they are too many.
    """
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for column in columns:
        if frame.cache.kept(("count", (Key(column=column),))) is None:
            alike[str(frame.types[column])].append(column)
    for some in alike.values():
        if len(some) > 1:
            _count_together(frame, some)


def _count_together(frame: IbisColumns, columns: Sequence[str]) -> None:
    place, value = f"{OWN}place", f"{OWN}value"
    every = [
        frame.table.group_by(**{value: frame.table[column]})
        .aggregate(**{COUNT: frame.total()})
        .mutate(**{place: ibis.literal(number, type="int64")})
        .limit(_MOST_AHEAD + 1)
        for number, column in enumerate(columns)
    ]
    found = frame.in_memory(ibis.union(*every), {value: columns[0]})
    for (number,), part in found.parts(Key(column=place), columns=[value]):
        key = Key(column=columns[int(number or 0)])
        cells = part.count(Key(column=value))
        if len(cells.values) <= _MOST_AHEAD:
            frame.cache.get(("count", (key,)), partial(replace, cells, keys=(key,)))


def is_in(frame: IbisColumns, keys: Sequence[Key], values: Sequence[pa.ChunkedArray]) -> Expr:
    """Whether a row is in a cell, of which there are the values of each key.

    DataError for a value that cannot be asked for, such as an infinite time.
    """
    return ibis.and_(
        *(
            ibis.or_(*(_is(frame, key, value) for value in column.unique()))
            for key, column in zip(keys, values, strict=True)
        )
    )


def _is(frame: IbisColumns, key: Key, value: pa.Scalar) -> Expr:
    """Whether a row's value is *value*, or in its bin."""
    column = frame.table[key.column]
    if key.edges and value.is_valid:
        (bin_,) = np.searchsorted(key.edges, [float(value.as_py())], side="right")
        return certain(bin_of(column, key.edges) == int(bin_))
    try:
        return equals(column, value, frame.session.forms)
    except OverflowError as error:
        what = f"column {key.column!r} holds a value that rows cannot be parted by"
        raise DataError(what, where=frame.name, hint="infinite times are none") from error
