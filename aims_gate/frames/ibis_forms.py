"""Where engines differ: columns brought to one form, in the words of each engine's SQL.

Only here. A text is its bytes, because collations make engines take different texts for one; floats
have no -0.0 and no NaN, which are 0.0 and null; and what Arrow calls a type decides what a column
holds. Each form is tested on each engine (tests/frames/test_ibis_forms.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from inspect import Parameter, Signature
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from aims_gate.frames.column_values import kind_of
from aims_gate.frames.values import ColumnKind

Expr = Any
"""An Ibis expression: a table, a column or a scalar."""

_DAY = 86_400_000_000
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000}
_MOST_DECIMAL = 10**38
_LEAST = -(2**63)
_BEYOND_FLOAT32 = float.fromhex("0x1.ffffffp127")
"""From here on a number is nearer to infinity than to any float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """What one engine calls what every engine can do."""

    utf8: Callable[[Expr], Expr]
    """The bytes of a text, which no collation covers."""
    finite: Callable[[Expr], Expr]
    """Whether a float is neither NaN nor infinite, told by the rows and not by a file's footer."""
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
    row_hash: Callable[[Sequence[Expr], Sequence[Expr]], Expr]
    """SHA-256, in digits, of the bytes of `table-v1`: floats and whole numbers, and then texts."""


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
        return ibis.cases((forms.finite(column), positive), (column.isinf(), column))
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
        return days(column) * _DAY
    return forms.instant(column) if kind.timezone else forms.local(column)


def has_nanoseconds(column: Expr) -> bool:
    """Tell whether a time is kept to the nanosecond."""
    return bool(column.type().scale == 9)


def days(column: Expr) -> Expr:
    """A date as days since 1970."""
    return column.delta(ibis.literal(date(1970, 1, 1)), unit="day").cast("int64")


def _function(name: str, result: str, arguments: int = 1) -> Callable[..., Expr]:
    """A function of the engine's own."""

    def own(): ...  # type: ignore[no-untyped-def]  # noqa: ANN202

    taken = [Parameter(f"a{n}", Parameter.POSITIONAL_OR_KEYWORD) for n in range(arguments)]
    own.__signature__ = Signature(taken)  # type: ignore[attr-defined]
    own.__annotations__["return"] = dt.dtype(result)
    found: Callable[..., Expr] = ibis.udf.scalar.builtin(own, name=name)
    return found


def _of_duckdb() -> Forms:
    nanos, whole = _function("epoch_ns", "int64"), _function("epoch_us", "int64")
    utf8, joined = _function("encode", "binary"), _function("||", "binary", 2)
    sha256, quotient = _function("sha256", "string"), _function("//", "int64", 2)

    def micros(column: Expr) -> Expr:
        """Rounded down, in whole numbers: `epoch_us` rounds, and Ibis divides as floats."""
        if not has_nanoseconds(column):
            return whole(column)
        found = nanos(column)
        return quotient(found - (found % 1000 + 1000) % 1000, 1000)

    def fixed_point(column: Expr) -> Expr:
        """With a digit before the point, which DuckDB leaves out where the type has none there."""
        digits, kind = column.cast("string"), column.type()
        return (
            digits.replace(".", "0.")
            if kind.is_decimal() and kind.precision == kind.scale
            else digits
        )

    def row_hash(numbers: Sequence[Expr], texts: Sequence[Expr]) -> Expr:
        """All numbers by one call, which writes them as wanted: 01, or 02 and 8 bytes."""
        key = _function("create_sort_key", "binary", 2 * len(numbers))
        written = key(*(part for number in numbers for part in (number, "ASC NULLS FIRST")))
        return sha256(joined(written, utf8(ibis.literal("").join(texts))) if texts else written)

    return Forms(
        utf8=utf8,
        finite=_function("isfinite", "boolean"),  # not `isnan`: of Parquet it is looked up
        octets=_function("strlen", "int64"),
        instant=micros,
        local=micros,
        nanoseconds=nanos,
        fixed_point=fixed_point,
        row_hash=row_hash,
    )


def _of_spark() -> Forms:
    encode = _function("encode", "binary", 2)
    day, part = _function("unix_date", "int64"), _function("date_part", "decimal(8, 6)", 2)
    grouped, printed = _function("format_number", "string", 2), _function("printf", "string", 2)
    padded, filled = _function("lpad", "string", 3), _function("rpad", "string", 3)
    hex_, unhex = _function("hex", "string"), _function("unhex", "binary")
    sha2 = _function("sha2", "string", 2)

    def utf8(column: Expr) -> Expr:
        return encode(column, "UTF-8")

    def local(column: Expr) -> Expr:
        """By its parts: a cast would move it by the zone of the session."""
        minutes = column.hour().cast("int64") * 60 + column.minute().cast("int64")
        seconds = (part("SECOND", column) * 1_000_000).cast("int64")
        return day(column.date()) * _DAY + minutes * 60_000_000 + seconds

    def word(number: Expr) -> Expr:
        """The digits of 01 for null, or of 02 and 8 bytes: floats first, as Java writes them."""
        if number.type().is_integer():
            return ibis.coalesce("02" + padded(hex_(number ^ _LEAST), 16, "0"), "01")
        zero, infinite = exact(0.0), exact(float("inf"))
        told = printed("%a", number.abs())  # 0x1.8p3, or 0x0.8p-1022
        parts = told.substr(2).split("p")
        raised = ibis.cases((told.substr(2, 1) == "1", parts[1].cast("int64") + 1023), else_=0)
        digits = filled(told.substr(4).split("p")[0], 13, "0")
        above = (hex_(raised + 2048) + digits).upper()
        below = above.translate("0123456789ABCDEF", "FEDCBA9876543210")
        return ibis.cases(
            (number.isnull(), "01"),
            (number == infinite, "02FFFFFFFFFFFFFFFE"),
            (number == -infinite, "02" + "0" * 16),
            (number == zero, "028" + "0" * 15),
            (number > zero, "02" + above),
            else_="02" + below,
        )

    def row_hash(numbers: Sequence[Expr], texts: Sequence[Expr]) -> Expr:
        words = unhex(ibis.literal("").join([word(number) for number in numbers]))
        parts = [ibis.coalesce(utf8(text), ibis.literal(b"")) for text in texts]
        return sha2(_function("concat", "binary", 1 + len(parts))(words, *parts), 256)

    return Forms(
        utf8=utf8,
        finite=lambda column: ~(column.isnan() | column.isinf()),
        octets=_function("octet_length", "int64"),
        instant=_function("unix_micros", "int64"),
        local=local,
        nanoseconds=lambda column: column,  # there are none
        fixed_point=lambda column: grouped(column, column.type().scale).replace(",", ""),
        row_hash=row_hash,
    )


FORMS: Mapping[str, Callable[[], Forms]] = {"duckdb": _of_duckdb, "pyspark": _of_spark}
"""By the name that Ibis has for an engine; tables of no other one are read."""
_TAKEN = (
    *(dt.Boolean, dt.SignedInteger, dt.UnsignedInteger, dt.Floating, dt.Decimal),
    *(dt.String, dt.Date, dt.Timestamp),
)
