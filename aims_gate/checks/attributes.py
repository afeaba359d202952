"""Attributes: columns whose values part the rows into groups or slices, and how each is called.

One column is an attribute, and so is an intersection of several. Null is a group of its own,
`(missing)`. Every check that looks at parts of the rows comes through here, so that a part has one
name (`checks.levels` says which), and columns are usable, or refused in the same words, for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aims_gate.checks.column_roles import require
from aims_gate.checks.levels import Levels, levels, title
from aims_gate.errors import DataError, looks
from aims_gate.frames import ColumnKind, Frame, Key, Scalar
from aims_gate.frames.widths import limit_at
from aims_gate.sources.subject import Data

Columns = tuple[str, ...]
Bins = Mapping[str, tuple[float, ...]]
MOST = 250
"""Columns with more groups than this are a number without bin edges, or an identifier."""


def listed(by: Iterable[str | Columns]) -> list[Columns]:
    """Parameter `by`, with each attribute as a tuple of columns."""
    return [(a,) if isinstance(a, str) else a for a in by]


def chosen(by: Iterable[str | Columns], data: Data) -> list[Columns]:
    """Attributes of a rule, else the sensitive columns; DataError if there are neither."""
    found = listed(by) or listed(data.spec.sensitive)
    if not found:
        raise DataError(
            "no column is named as sensitive, and none in by:",
            where=f"{data.role} data",
            hint=f"name them in by:, or as sensitive: under data.{data.role}",
        )
    return found


def problems(attributes: Sequence[Columns]) -> Iterable[tuple[str, str, str]]:
    """Invalid entries of the parameter `by`, each as (field, what is wrong, hint)."""
    for columns in attributes:
        if not columns or not all(columns) or len(set(columns)) != len(columns):
            yield "by", f"{list(columns)} is not a list of different columns", ""
    if len({frozenset(columns) for columns in attributes}) != len(attributes):
        yield "by", "an attribute is named twice", "each of its groups counts once"


def keys(
    columns: Sequence[str], data: Data, frame: Frame, bins: Bins | None = None
) -> tuple[Key, ...]:
    """Grouping keys: each column, with the bin edges of *bins* or of the data.

    Raises:
        MissingColumnError: A column is not there.
        DataError: A column cannot be counted by, or has edges and holds no numbers.
    """
    require(columns, data)
    return tuple(_key(column, data, frame, bins or {}) for column in columns)


def parts(
    columns: Columns,
    data: Data,
    frame: Frame,
    kept: Iterable[str],
    *,
    bins: Bins | None = None,
    called: str = "groups",
) -> dict[str, Frame]:
    """Partition of the rows by group: name to frame, with the columns *kept* only.

    Raises:
        MissingColumnError: A column of the attribute is not in the data.
        DataError: It cannot be grouped by, has more than 250 groups, or two with one name.
    """
    by = keys(columns, data, frame, bins)
    groups = frame.count(*by).values
    refuse_many(columns, len(groups), called=called)
    named = levels(by, data)
    refuse_alike(named, groups, called=called)
    found = frame.parts(*by, columns=tuple(dict.fromkeys(kept)))
    return {named.name(values): part for values, part in found}


def refuse_many(columns: Sequence[str], many: int, *, called: str = "groups") -> None:
    """Refuse an attribute of more groups than anybody could compare; DataError."""
    if many > MOST:
        raise DataError(
            f"{title(columns)} has {many:,} {called}, more than {MOST}",
            hint="cut numbers at bin edges, or use a coarser column",
        )


def refuse_alike(
    named: Levels, groups: Iterable[Sequence[Scalar | None]], *, called: str = "groups"
) -> None:
    """Refuse different groups that have one name: one of them would be taken for the other.

    That is a value written like a null, or one that holds ` & ` and the name of the next column;
    and `F` beside `F `, or one letter composed in two ways, whose rows are one group's.
    """
    names: dict[str, tuple[Scalar | None, ...]] = {}
    seen: dict[tuple[Scalar | None, ...], tuple[Scalar | None, ...]] = {}
    for values in map(tuple, groups):
        look = tuple(looks(v) if isinstance(v, str) else v for v in values)
        if seen.setdefault(look, values) != values:
            alike = f"{named.name(seen[look])!r} and {named.name(values)!r}"
            raise DataError(
                f"two {called} of {title(named.columns)} only differ in spaces, or in how letters "
                f"are composed: {alike}",
                hint="write them alike: strip the text, and normalise it (NFC)",
            )
        one = named.name(values)
        if names.setdefault(one, values) != values:
            raise DataError(
                f"two {called} of {title(named.columns)} are called {one!r}",
                hint="a value must not be written like a null or like another one",
            )


def _key(column: str, data: Data, frame: Frame, bins: Bins) -> Key:
    kind, where = frame.columns[column].kind, f"{data.role} data"
    edges = bins.get(column) or data.spec.sensitive.get(column) or ()
    if kind is ColumnKind.OTHER:
        if frame.nulls(column) == frame.rows:
            what = f"every value of {column} is null, so that there are no groups"
            raise DataError(what, where=where)
        what = f"{column} holds {frame.columns[column].type}, which is not an attribute to group by"
        raise DataError(what, where=where, hint="store it as text, as .astype(str) does")
    if edges and kind is not ColumnKind.NUMBER:
        raise DataError(f"{column} has bin edges, but holds {kind}, not numbers", where=where)
    bits = frame.columns[column].bits
    return Key(column=column, edges=tuple(limit_at(edge, bits) for edge in edges))
