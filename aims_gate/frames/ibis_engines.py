"""Where engines differ: what each calls what every engine can do. Only here.

Each form is tested on each engine (tests/frames/test_ibis_forms.py).
"""

from __future__ import annotations

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
        finite=_function("isfinite", "boolean"),  # not `isnan`: of Parquet it is looked up
        octets=_function("strlen", "int64"),
        instant=micros,
        local=micros,
        nanoseconds=nanos,
        fixed_point=fixed_point,
        row_hash=row_hash,
    )


def _raised(number: Expr) -> Expr:
    """To which power of 2 a float is raised, as its bits say; one off near powers of 2."""
    size = number.abs()
    finite = ibis.cases((size < exact(float("inf")), size), else_=exact(1.0))
    of_positive = ibis.cases((finite > exact(0.0), finite), else_=exact(1.0)).log2().floor()
    found = ibis.cases((finite > exact(0.0), of_positive.cast("int64")), else_=_LEAST_POWER)
    return ibis.greatest(found, _LEAST_POWER)


def _scaled(number: Expr, raised: Expr) -> Expr:
    """The size of a finite float over 2^(raised - 52): in two steps, because 2^1074 is none."""
    two, shift = exact(2.0), _FRACTION - raised
    half = (shift / 2).floor().cast("int64")
    scaled = number.abs() * two**half * two ** (shift - half)
    return ibis.cases((number.abs() < exact(float("inf")), scaled), else_=exact(0.0))


def _bits(number: Expr, raised: Expr, scaled: Expr) -> Expr:
    """The whole number that has the order of a float: its bits, and those below 0 inverted."""
    one = 1 << _FRACTION
    above = raised - _LEAST_POWER
    most, least = scaled >= exact(2.0 * one), (scaled < exact(1.0 * one)) & (above > 0)
    bits = (above + ibis.cases((most, 1), (least, -1), else_=0)) * one + ibis.cases(
        (most, scaled / 2), (least, scaled * 2), else_=scaled
    ).cast("int64")
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
    sha2 = _function("sha2", "string", 2)

    def utf8(column: Expr) -> Expr:
        return encode(column, "UTF-8")

    def local(column: Expr) -> Expr:
        """By its parts: a cast would move it by the zone of the session."""
        minutes = column.hour().cast("int64") * 60 + column.minute().cast("int64")
        seconds = (part("SECOND", column) * 1_000_000).cast("int64")
        return day(column.date()) * DAY + minutes * 60_000_000 + seconds

    def row_hash(table: Expr, numbers: Sequence[Expr], texts: Sequence[Expr]) -> Expr:
        """A float is the whole number that is its bits, by arithmetic: to print it costs 20 times.

        Each stage is a query of its own, or Spark would compute it again wherever it is used: what
        is random is not merged.
        """
        places = {f"n{n}": number for n, number in enumerate(numbers)}
        floats = [name for name, number in places.items() if number.type().is_floating()]
        table = table.select(**places, **{f"t{n}": text for n, text in enumerate(texts)})
        table = table.mutate(
            **{f"{name} raised": _raised(table[name]) for name in floats}, apart=ibis.random()
        )
        table = table.mutate(
            **{f"{name} scaled": _scaled(table[name], table[f"{name} raised"]) for name in floats},
            apart=ibis.random(),
        )
        words = []
        for name in places:
            number = table[name]
            if name in floats:
                number = _bits(number, table[f"{name} raised"], table[f"{name} scaled"])
            word = padded(hex_(number.cast("int64") ^ _LEAST), 16, "0")
            words.append(ibis.coalesce("02" + word, "01"))
        parts = [ibis.coalesce(utf8(table[f"t{n}"]), ibis.literal(b"")) for n in range(len(texts))]
        row = _function("concat", "binary", 1 + len(parts))
        return table.select(hash=sha2(row(unhex(ibis.literal("").join(words)), *parts), 256))

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
