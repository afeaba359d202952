"""The `table-v1` digest of a table that an engine holds: one query, of which buckets come back."""

from __future__ import annotations

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
from aims_gate.frames.ibis_session import EngineTable
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
    written = [_written(table[name], tags[name], held.session.forms) for name in names]
    row = written[0]
    for more in written[1:]:
        row = row + ";" + more
    hashed = table.select(hash=row.hexdigest("sha256").lower())
    buckets = hashed.group_by(prefix=hashed["hash"].substr(0, PREFIX)).aggregate(
        rows=hashed.count(),
        digest=hashed["hash"].collect().sort().join("").hexdigest("sha256").lower(),
    )
    found: pa.Table = held.session.ask(buckets, where=where)
    digests = zip(found["prefix"].to_pylist(), found["digest"].to_pylist(), strict=True)
    return of_buckets(tags, sum(found["rows"].to_pylist()), dict(digests))


def _written(column: Expr, tag: str, forms: Forms) -> Expr:
    if tag == "float":
        return _float(column.cast("float64"))
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


def _float(column: Expr) -> Expr:
    """Exact, whatever digits the engine would print: see `table_digest`.

    The logarithm may be one off near powers of 2, which is put right after; and the column is
    scaled in two steps, because 2^1126 is no float.
    """
    shift = FRACTION - column.abs().log2().floor()
    half = (shift / 2).floor()
    two = exact(2.0)
    scaled = column * two**half * two ** (shift - half)
    most = scaled.abs() >= exact(2.0 ** (FRACTION + 1))
    least = scaled.abs() < exact(2.0**FRACTION)
    fraction = ibis.cases((most, scaled / 2), (least, scaled * 2), else_=scaled)
    off = ibis.cases((most, 1), (least, -1), else_=0)
    exponent = off - shift.cast("int64")
    told = fraction.cast("int64").cast("string") + "e" + exponent.cast("string")
    infinite = exact(float("inf"))
    return ibis.cases(
        (column.isnull() | column.isnan(), NULL),
        (column == 0, "0"),
        (column == infinite, "inf"),
        (column == -infinite, "-inf"),
        else_=told,
    )
