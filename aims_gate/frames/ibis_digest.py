"""The `table-v1` digest of a table that an engine holds: one query, of which buckets come back."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import pyarrow as pa

from aims_gate.frames.ibis_forms import (
    Expr,
    Forms,
    days,
    exact,
    has_nanoseconds,
    kinds_of,
    microseconds,
)
from aims_gate.frames.ibis_session import OWN, EngineTable
from aims_gate.frames.table_digest import FRACTION, NULL, PREFIX, of_buckets, tag_of


def table_v1_of(held: EngineTable, *, where: str) -> str:
    """`table-v1` digest, equal to that of the same rows in memory.

    Raises:
        DataError: A column's type has no encoding, or the engine cannot answer.
    """
    table = held.table
    kinds = kinds_of(table.schema())
    names = sorted(kinds, key=str.encode)
    tags = {name: tag_of(kinds[name], name) for name in names}
    table = _scaled(table, [name for name in names if tags[name] == "float"])
    written = [_written(table, name, tags[name], held.session.forms) for name in names]
    row = written[0]
    for more in written[1:]:
        row = row + ";" + more
    hashed = table.select(hash=row.hexdigest("sha256"))
    buckets = hashed.group_by(prefix=hashed["hash"].substr(0, PREFIX)).aggregate(
        rows=hashed.count(),
        digest=hashed["hash"].collect().sort().join("").hexdigest("sha256"),
    )
    found: pa.Table = held.session.ask(buckets, where=where)
    digests = zip(found["prefix"].to_pylist(), found["digest"].to_pylist(), strict=True)
    return of_buckets(tags, sum(found["rows"].to_pylist()), dict(digests))


def _written(table: Expr, name: str, tag: str, forms: Forms) -> Expr:
    column = table[name]
    if tag == "float":
        return _float(column.cast("float64"), table[_SHIFT + name], table[_SCALED + name])
    if tag == "text":
        text = column.cast("string")
        found = forms.octets(text).cast("string") + ":" + text
    elif tag.startswith("timestamp"):
        found = _instant(column, forms)
    elif tag == "date":
        found = days(column).cast("string")
    elif tag == "bool":
        found = column.cast("int64").cast("string")
    elif tag == "int":
        found = column.cast("string")
    else:
        found = forms.fixed_point(column)
    return found.fill_null(NULL)


def _instant(column: Expr, forms: Forms) -> Expr:
    whole = microseconds(column, forms)
    if not has_nanoseconds(column):
        return whole.cast("string")
    rest = forms.nanoseconds(column) - whole * 1000
    return whole.cast("string") + ibis.cases((rest == 0, ""), else_="." + rest.cast("string"))


def _scaled(table: Expr, names: Sequence[str]) -> Expr:
    """A table with, beside each float, by which power of 2 it is scaled, and the scaled one.

    The logarithm may be one off near powers of 2, which is put right after; and a float is scaled
    in two steps, because 2^1126 is none. Each stage is a query of its own around the one before,
    or an engine would compute it again wherever it is used: what is random is not merged.
    """
    one, two = exact(1.0), exact(2.0)
    usable = {name: _usable(table[name].cast("float64")) for name in names}
    sizes = {
        name: ibis.cases((usable[name], table[name].cast("float64").abs()), else_=one)
        for name in names
    }
    shifts = {_SHIFT + name: FRACTION - sizes[name].log2().floor() for name in names}
    table = table.mutate(**shifts, **{_APART: ibis.random()})
    scaled = {}
    for name in names:
        shift = table[_SHIFT + name]
        half = (shift / 2).floor()
        scaled[_SCALED + name] = table[name].cast("float64") * two**half * two ** (shift - half)
    return table.mutate(**scaled, **{_APART: ibis.random()})


def _usable(column: Expr) -> Expr:
    infinite = exact(float("inf"))
    return column.notnull() & ~column.isnan() & (column != 0) & (column.abs() != infinite)


def _float(column: Expr, shift: Expr, scaled: Expr) -> Expr:
    """Exact, whatever digits the engine would print: see `table_digest`."""
    most = scaled.abs() >= exact(2.0 ** (FRACTION + 1))
    least = scaled.abs() < exact(2.0**FRACTION)
    fraction = ibis.cases((most, scaled / 2), (least, scaled * 2), else_=scaled)
    off = ibis.cases((most, 1), (least, -1), else_=0)
    told = fraction.cast("int64").cast("string") + "e" + (off - shift.cast("int64")).cast("string")
    infinite = exact(float("inf"))
    return ibis.cases(
        (column.isnull() | column.isnan(), NULL),
        (column == 0, "0"),
        (column == infinite, "inf"),
        (column == -infinite, "-inf"),
        else_=told,
    )


_SHIFT, _SCALED, _APART = f"{OWN}shift ", f"{OWN}scaled ", f"{OWN}apart"
