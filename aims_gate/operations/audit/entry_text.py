"""Tables as lines of a log entry: text of others that opens no heading and waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aims_gate.harmless import plain
from aims_gate.pages.sheet import SheetTable

_MARKS = (("TODO", "to do"), ("{{", "{ {"), ("<!--", "< !--"))
"""What the reader of records takes for a gap, a placeholder or a comment."""


def bullet(cells: Iterable[str]) -> str:
    """One line of a list."""
    text = "; ".join(plain(cell) for cell in cells if cell)
    for mark, instead in _MARKS:
        text = text.replace(mark, instead)
    return f"- {text}"


def lines(table: SheetTable, most: int = 200) -> Iterator[str]:
    """A table under its title, a row a line; of a long one the first rows, and how many more."""
    yield f"\n{table.title}:\n"
    yield from (bullet(row.cells) for row in table.rows[:most])
    if len(table.rows) > most:
        yield f"- and {len(table.rows) - most} more, on the page"
    if not table.rows:
        yield bullet([table.empty])
