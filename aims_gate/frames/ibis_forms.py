"""Columns of a table in an engine, brought to one form, in which equal values are one group.

A text is its bytes, because collations make engines take different texts for one; floats
have no -0.0 and no NaN, which are 0.0 and null; and what Arrow calls a type decides what a column
holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from aims_gate.frames.column_values import kind_of
from aims_gate.frames.values import ColumnKind

Expr = Any
"""An Ibis expression: a table, a column or a scalar."""

DAY = 86_400_000_000
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000}
_MOST_DECIMAL = 10**38
_BEYOND_FLOAT32 = float.fromhex("0x1.ffffffp127")
"""From here on a number is nearer to infinity than to any float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """What one engine calls what every engine can do."""

    utf8: Callable[[Expr], Expr]
    """The bytes of a text, which no collation covers."""
    is_number: Callable[[Expr], Expr]
    """Whether a float is not NaN, told by the rows and not by a file's footer."""
    octets: Callable[[Expr], Expr]
    """How many bytes a text has."""
    instant: Callable[[Expr], Expr]
    """Microseconds since 1970 of a time with a zone."""
    local: Callable[[Expr], Expr]
    """Microseconds since 1970 of a time without one, which is taken as UTC."""
    nanoseconds: Callable[[Expr], Expr]
    """Nanoseconds since 1970 of a time that has them."""
    fixed_point: Callable[[Expr], Expr]
    """A decimal in digits, with as many after the point as its scale."""
    row_hash: Callable[[Expr, Sequence[Expr], Sequence[Expr]], Expr]
    """A table of SHA-256 in digits, `hash`, of each row's bytes of `table-v1`: of expressions of a
    table, floats and whole numbers, and then texts."""


def kinds_of(schema: Mapping[str, dt.DataType]) -> dict[str, pa.DataType | None]:
    """The Arrow type of each column; None for those that no check can use."""
    return {name: _arrow(kind) for name, kind in schema.items()}


def _arrow(kind: dt.DataType) -> pa.DataType | None:
    if isinstance(kind, (dt.UUID, dt.JSON)):
        return pa.string()
    if isinstance(kind, _TAKEN):
        found = kind.to_pyarrow()
        return None if kind_of(found) is ColumnKind.OTHER else found
    return None


def normal(column: Expr, forms: Forms) -> Expr:
    """A column such that equal values are one group in every engine; null and NaN are one, too."""
    kind = column.type()
    if kind.is_string() or kind.is_uuid() or kind.is_json():
        return forms.utf8(column.cast("string"))
    if kind.is_floating():
        positive = column + exact(0.0).cast(kind)  # -0.0 + 0.0 is 0.0
        return ibis.cases((forms.is_number(column), positive), else_=None)
    return column


def exact(value: float) -> Expr:
    """A float as it is: DuckDB takes a literal of 17 digits for a decimal, and may round twice."""
    return ibis.literal(repr(float(value))).cast("float64")


def equals(column: Expr, value: pa.Scalar, forms: Forms) -> Expr:
    """Whether a column in its normal form is a *value*, as Arrow gives it; null is null.

    OverflowError for a value that cannot be written: an infinite time, or a number of 39 digits.
    """
    kind = value.type
    if not value.is_valid:
        return column.isnull()
    if pa.types.is_string(kind):
        return certain(column == forms.utf8(ibis.literal(value.as_py())))
    if pa.types.is_temporal(kind):
        return certain(_ticks(column, forms) == _written(value))
    if pa.types.is_floating(kind):
        return certain(column.cast("float64") == exact(value.as_py()))
    if pa.types.is_decimal(kind) and abs(value.as_py()) >= _MOST_DECIMAL:
        raise OverflowError
    return certain(column == ibis.literal(value.as_py(), type=column.type()))


def _ticks(column: Expr, forms: Forms) -> Expr:
    """A date or time as `_written` writes one of its values."""
    if column.type().is_date():
        return days(column)
    return forms.nanoseconds(column) if has_nanoseconds(column) else microseconds(column, forms)


def _written(value: pa.Scalar) -> int:
    """Days, nanoseconds or microseconds since 1970 of a date or time."""
    found = int(value.value)
    if abs(found) >= 2 ** (value.type.bit_width - 1) - 1:
        raise OverflowError
    scale = 1 if pa.types.is_date(value.type) else _MICROSECONDS.get(value.type.unit, 1)
    return found * scale


def certain(condition: Expr) -> Expr:
    """A condition that does not hold where it is null."""
    return ibis.coalesce(condition, ibis.literal(value=False))


def bin_of(column: Expr, edges: Sequence[float]) -> Expr:
    """How many of ascending *edges* are not above a number; null where it is null."""
    wide = column.cast("float64")
    below = ((wide < exact(edge), place) for place, edge in enumerate(edges))
    return ibis.cases((wide.isnull(), None), *below, else_=len(edges))


def narrowed(column: Expr, bits: int) -> Expr:
    """A number rounded to floats of so many bits, infinite where they cannot hold it."""
    if bits >= 64:
        return column.cast("float64")
    wide, most = column.cast("float64"), exact(_BEYOND_FLOAT32)
    infinite = exact(float("inf")).cast("float32")
    return ibis.cases(
        (wide >= most, infinite), (wide <= -most, -infinite), else_=wide.cast("float32")
    )


def microseconds(column: Expr, forms: Forms) -> Expr:
    """Microseconds since 1970 of a date, as its first second, or a time, without zone as UTC."""
    kind = column.type()
    if kind.is_date():
        return days(column) * DAY
    return forms.instant(column) if kind.timezone else forms.local(column)


def has_nanoseconds(column: Expr) -> bool:
    """Tell whether a time is kept to the nanosecond."""
    return bool(column.type().scale == 9)


def days(column: Expr) -> Expr:
    """A date as days since 1970."""
    return column.delta(ibis.literal(date(1970, 1, 1)), unit="day").cast("int64")


_TAKEN = (
    *(dt.Boolean, dt.SignedInteger, dt.UnsignedInteger, dt.Floating, dt.Decimal),
    *(dt.String, dt.Date, dt.Timestamp),
)
