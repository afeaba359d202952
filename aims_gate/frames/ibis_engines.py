"""Where engines differ: what each calls what every engine can do. Only here.

Each form is tested on each engine (tests/frames/test_ibis_forms.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature

import ibis
import ibis.expr.datatypes as dt

from aims_gate.frames.ibis_forms import DAY, Expr, Forms, exact, has_nanoseconds

_LEAST = -(2**63)
_LEAST_POWER, _FRACTION = -1022, 52
"""Of normal floats, and how many bits stand after their first."""


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
    finite = _function("isfinite", "boolean")

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

    def row_hash(table: Expr, numbers: Sequence[Expr], texts: Sequence[Expr]) -> Expr:
        """All numbers by one call, which writes them as wanted: 01, or 02 and 8 bytes."""
        key = _function("create_sort_key", "binary", 2 * len(numbers))
        written = key(*(part for number in numbers for part in (number, "ASC NULLS FIRST")))
        if texts:
            written = joined(written, utf8(ibis.literal("").join(texts)))
        return table.select(hash=sha256(written))

    return Forms(
        utf8=utf8,
        is_number=lambda column: finite(column) | column.isinf(),  # `isnan` is looked up of Parquet
        octets=_function("strlen", "int64"),
        instant=micros,
        local=micros,
        nanoseconds=nanos,
        fixed_point=fixed_point,
        row_hash=row_hash,
    )


def _number(number: Expr) -> Expr:
    """A float `x`, or a whole number `n`."""
    of_float = number.type().is_floating()
    none = {"x": ibis.null("float64"), "n": ibis.null("int64")}
    return ibis.struct({**none, "x" if of_float else "n": number})


def _with(one: Expr, **more: Expr) -> Expr:
    return ibis.struct({**{name: one[name] for name in one.type().names}, **more})


def _raised(number: Expr) -> Expr:
    """To which power of 2 a float is raised, as its bits say; one off near powers of 2."""
    found = ibis.least(number.abs(), exact(sys.float_info.max)).log2().floor().cast("int64")
    return ibis.greatest(ibis.coalesce(found, _LEAST_POWER), _LEAST_POWER)


def _bits(of: Expr) -> Expr:
    """The whole number that has the order of a float: its bits, and those below 0 inverted."""
    number, fraction, one = of["x"], of["fraction"], 1 << _FRACTION
    above = of["raised"] - _LEAST_POWER
    most, least = fraction >= exact(2.0), (fraction < exact(1.0)) & (above > 0)
    steps = above + ibis.cases((most, 1), (least, -1), else_=0)
    half, two = exact(one / 2.0), exact(one * 2.0)
    rest = fraction * ibis.cases((most, half), (least, two), else_=exact(1.0 * one))
    bits = steps * one + rest.cast("int64")
    infinite = exact(float("inf"))
    return ibis.cases(
        (number.isnull(), None),
        (number == infinite, -_LEAST - 2),
        (number == -infinite, _LEAST),
        (number < exact(0.0), -bits - 1),
        else_=bits,
    )


def _of_spark() -> Forms:
    encode = _function("encode", "binary", 2)
    day, part = _function("unix_date", "int64"), _function("date_part", "decimal(8, 6)", 2)
    grouped, padded = _function("format_number", "string", 2), _function("lpad", "string", 3)
    hex_, unhex = _function("hex", "string"), _function("unhex", "binary")
    sha2, joined = _function("sha2", "string", 2), _function("array_join", "string", 2)

    def utf8(column: Expr) -> Expr:
        return encode(column, "UTF-8")

    def local(column: Expr) -> Expr:
        """By its parts: a cast would move it by the zone of the session."""
        minutes = column.hour().cast("int64") * 60 + column.minute().cast("int64")
        seconds = (part("SECOND", column) * 1_000_000).cast("int64")
        return day(column.date()) * DAY + minutes * 60_000_000 + seconds

    def word(number: Expr) -> Expr:
        """The digits of 01 for null, or of 02 and 8 bytes."""
        return ibis.coalesce("02" + padded(hex_(number ^ _LEAST), 16, "0"), "01")

    def row_hash(table: Expr, numbers: Sequence[Expr], texts: Sequence[Expr]) -> Expr:
        """A float is the whole number that is its bits, by arithmetic: to print it costs 20 times.

        In an array, whose steps are computed once each: of one long expression Java compiles none.
        """
        given = ibis.array([_number(number) for number in numbers])
        raised = given.map(lambda one: _with(one, raised=_raised(one["x"])))
        parted = raised.map(
            lambda one: _with(one, fraction=one["x"].abs() * exact(2.0) ** -one["raised"])
        )
        words = joined(parted.map(lambda one: word(ibis.coalesce(one["n"], _bits(one)))), "")
        parts = [ibis.coalesce(utf8(text), ibis.literal(b"")) for text in texts]
        row = _function("concat", "binary", 1 + len(parts))
        return table.select(hash=sha2(row(unhex(words), *parts), 256))

    return Forms(
        utf8=utf8,
        is_number=lambda column: ~column.isnan(),
        octets=_function("octet_length", "int64"),
        instant=_function("unix_micros", "int64"),
        local=local,
        nanoseconds=lambda column: column,  # there are none
        fixed_point=lambda column: grouped(column, column.type().scale).replace(",", ""),
        row_hash=row_hash,
    )


FORMS: Mapping[str, Callable[[], Forms]] = {"duckdb": _of_duckdb, "pyspark": _of_spark}
"""By the name that Ibis has for an engine; tables of no other one are read."""
