"""The `table-v1` digest of a table that an engine holds: one query, of which buckets come back."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from itertools import pairwise

import ibis
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames.ibis_forms import (
    Expr,
    Forms,
    days,
    exact,
    has_nanoseconds,
    kinds_of,
    microseconds,
    normal,
)
from aims_gate.frames.ibis_session import EngineSession, EngineTable
from aims_gate.frames.table_digest import PREFIX, of_buckets, tag_of

_KNOWN = bytes.fromhex(
    "02BFB999999999999A 028000000000000000 024007FFFFFFFFFFFF 028000000000000001"
    "02FFFFFFFFFFFFFFFE 020000000000000000 01 027FFFFFFFFFFFFFFF 028000000000000003 C3A961"
)
"""The bytes of a row of known values."""
_AT_ONCE = 1 << 23
"""Rows whose hashes may be in memory together: about 1 GiB."""
_PREFIXES = 16**PREFIX


def table_v1_of(held: EngineTable, *, where: str) -> str:
    """`table-v1` digest of all rows, as 64 hexadecimal digits.

    It changes with any value, null, name or kind of column, and with how often a row occurs; it
    does not change with the order of rows or columns; -0.0 is 0.0, and NaN is null.

    Raises:
        DataError: A column's type has no encoding, or the engine cannot answer, or writes rows
            otherwise.
    """
    kinds = kinds_of(held.table.schema())
    tags = {name: tag_of(kinds[name], name) for name in sorted(kinds, key=str.encode)}
    _refuse_other_bytes(held.session, where)
    rows = _row_hash(held.table, tags, held.session.forms)
    found = _buckets(held.session, rows, where)
    digests = zip(found["prefix"].to_pylist(), found["digest"].to_pylist(), strict=True)
    return of_buckets(tags, sum(found["rows"].to_pylist()), dict(digests))


def _buckets(session: EngineSession, rows: Expr, where: str) -> pa.Table:
    """Buckets of the hashes of rows.

    DuckDB sorts a list in memory only. So many rows are sorted first, as a table that may be on
    disk, and then taken by parts.
    """
    (count,) = session.ask(rows.aggregate(rows=rows.count()), where=where)["rows"].to_pylist()
    parts = 1 if session.execute is None else min(-(-count // _AT_ONCE) or 1, _PREFIXES)
    sorted_ = nullcontext(rows) if parts == 1 else session.kept(rows.order_by("hash"), where=where)
    with sorted_ as hashes:
        ends = [f"{_PREFIXES * part // parts:0{PREFIX}x}" for part in range(parts)] + ["g"]
        return pa.concat_tables(
            session.ask(_of_part(hashes, *span), where=where) for span in pairwise(ends)
        )


def _of_part(hashes: Expr, low: str, high: str) -> Expr:
    """Buckets from a prefix to another; all without a filter, or Spark hashes again for it."""
    whole = (low, high) == ("000", "g")
    part = hashes if whole else hashes.filter(hashes["hash"] >= low, hashes["hash"] < high)
    return part.group_by(prefix=part["hash"].substr(0, PREFIX)).aggregate(
        rows=part.count(), digest=part["hash"].collect().sort().join("").hexdigest("sha256")
    )


def _refuse_other_bytes(session: EngineSession, where: str) -> None:
    """Refuse an engine whose functions write a row of known values otherwise than they should."""
    floats = [exact(x) for x in (0.1, 0.0, -1.5, 5e-324, float("inf"), float("-inf"))]
    wholes = [ibis.literal(n, "int8").cast("int64") for n in (-1, 3)]  # or SQL has no type for them
    numbers = [*floats, ibis.null("int64"), *wholes]
    texts = [ibis.literal("é"), ibis.null("string"), ibis.literal("a")]
    row = session.forms.row_hash(ibis.literal(0).as_table(), numbers, texts)
    (found,) = session.ask(row, where=where)["hash"].to_pylist()
    if found != hashlib.sha256(_KNOWN).hexdigest():
        what = f"{session.engine} writes values as other bytes than those that table-v1 names"
        raise DataError(what, where=where, hint="use a version of it that is tested here")


def _row_hash(table: Expr, tags: dict[str, str], forms: Forms) -> Expr:
    """SHA-256 of each row: the numbers of all columns in their order, and then all texts."""
    numbers: list[Expr] = []
    texts: list[Expr] = []
    for name, tag in tags.items():
        column = table[name]
        if tag == "float":
            numbers.append(normal(column, forms).cast("float64"))
        elif tag == "date":
            numbers.append(_at_ends(days(column), column))
        elif tag.startswith("timestamp"):
            numbers += _instant(column, forms)
        elif tag in {"bool", "int"}:
            numbers.append(column.cast("int64"))
        else:
            texts.append(column.cast("string") if tag == "text" else forms.fixed_point(column))
            numbers.append(forms.octets(texts[-1]))
    return forms.row_hash(table, numbers, texts)


def _instant(column: Expr, forms: Forms) -> list[Expr]:
    """Microseconds, and the nanoseconds that are left; null where none are, as in most types."""
    whole = microseconds(column, forms)
    rest = ibis.null("int64")
    if has_nanoseconds(column):
        rest = (forms.nanoseconds(column) - whole * 1000).nullif(0)
    return [_at_ends(whole, column), rest]


def _at_ends(number: Expr, column: Expr) -> Expr:
    """Put a number in place of null for DuckDB's infinite times, which it does not count."""
    before = column.cast("string").startswith("-")
    infinite = ibis.cases((before, -_INFINITE), (column.notnull(), _INFINITE))
    return ibis.coalesce(number, infinite).cast("int64")


_INFINITE = 2**63 - 1
