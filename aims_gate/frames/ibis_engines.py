"""Where engines differ: what each calls what every engine can do. Only here.

Each form is tested on each engine (tests/frames/test_ibis_forms.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature

import ibis
import ibis.expr.datatypes as dt

from aims_gate.frames.ibis_forms import DAY, Expr, Forms, has_nanoseconds

_LEAST = -(2**63)


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


def _of_spark_text(number: Expr) -> Expr:
    """The digits of 01 for null, or of 02 and 8 bytes, from a number's text.

    It is `null`, or 16 digits of a whole number, or a float in the form that has all its bits, as
    -0x1.8p3: Spark tells of them in no other.
    """
    lpad, rpad, part = (
        _function(name, "string", 3) for name in ("lpad", "rpad", "substring_index")
    )
    hex_, complement = _function("hex", "string"), _function("translate", "string", 3)

    def parted(start: int) -> tuple[Expr, Expr]:
        normal = number.substr(start, 1) == "1"
        power = normal.ifelse(part(number, "p", -1).cast("int64") + 1023, 0)
        return power, rpad(part(number.substr(start + 2), "p", 1), 13, "0")

    (power, fraction), (below, rest) = parted(len("0x")), parted(len("-0x"))
    inverted = complement(rest, "0123456789abcdef", "fedcba9876543210")
    return ibis.cases(
        (number == "null", "01"),
        (number.startswith("0x"), "02" + hex_(power + 2048) + fraction),
        (number.startswith("-0x"), "02" + lpad(hex_(2047 - below), 3, "0") + inverted),
        (number == "Infinity", "02FFFFFFFFFFFFFFFE"),
        (number == "-Infinity", "020000000000000000"),
        else_="02" + number,
    )


def _of_spark() -> Forms:
    encode = _function("encode", "binary", 2)
    day, part = _function("unix_date", "int64"), _function("date_part", "decimal(8, 6)", 2)
    grouped, padded = _function("format_number", "string", 2), _function("lpad", "string", 3)
    hex_, unhex = _function("hex", "string"), _function("unhex", "binary")
    printed = _function("format_string", "string", 2)
    sha2, joined = _function("sha2", "string", 2), _function("array_join", "string", 2)

    def utf8(column: Expr) -> Expr:
        return encode(column, "UTF-8")

    def local(column: Expr) -> Expr:
        """By its parts: a cast would move it by the zone of the session."""
        minutes = column.hour().cast("int64") * 60 + column.minute().cast("int64")
        seconds = (part("SECOND", column) * 1_000_000).cast("int64")
        return day(column.date()) * DAY + minutes * 60_000_000 + seconds

    def told(number: Expr) -> Expr:
        if number.type().is_floating():
            return printed("%a", number)
        return ibis.coalesce(padded(hex_(number ^ _LEAST), 16, "0"), "null")

    def row_hash(table: Expr, numbers: Sequence[Expr], texts: Sequence[Expr]) -> Expr:
        """From an array: one long expression for all numbers is not compiled."""
        words = joined(ibis.array([told(number) for number in numbers]).map(_of_spark_text), "")
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
