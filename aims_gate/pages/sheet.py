"""Tables about the AI management system, each as text, HTML, CSV and JSON from one value."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aims_gate.harmless import plain
from aims_gate.pages.environment import html

_WIDTH = 78
"""Characters at which text is wrapped; a path or a command is not cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A row of a table, and how it is to be looked at: `good`, `warn`, `bad` or `quiet`."""

    cells: tuple[str, ...]
    tone: str = "quiet"
    link: str = ""
    """Page beside this one that the first cell leads to; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTable:
    """A table; without rows it says what it is when empty."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    narrow: int = 1
    """Columns of a terminal; the others share one that is wrapped."""
    pressing: int | None = None
    """Rows of a terminal, the first; None shows all of them there, too."""
    empty: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a command answers: a title, how it is meant, tables, and notes below them."""

    title: str
    lead: str
    tables: tuple[SheetTable, ...]
    notes: tuple[str, ...] = ()
    main: int = 0
    """Place of the table that CSV holds."""


def render_text(sheet: Sheet) -> str:
    """Lines for a terminal."""
    lines = [plain(sheet.title), plain(sheet.lead)]
    for table in sheet.tables:
        lines += ["", plain(table.title)]
        lines += _columns(table) if table.rows else [f"  {plain(table.empty)}"]
        left = 0 if table.pressing is None else len(table.rows) - table.pressing
        lines += [f"  and {left:,} that need nobody today: --html or --format csv"] if left else []
    lines += ["", *map(plain, sheet.notes)] if sheet.notes else []
    return "".join(f"{line}\n" for line in lines)


def _columns(table: SheetTable) -> list[str]:
    """Heads and rows: narrow cells in columns, the others behind them, wrapped below themselves."""
    shown = [one.cells for one in table.rows[: table.pressing]]
    rows = [tuple(map(plain, row)) for row in (table.heads, *shown)]
    widths = [max(len(row[place]) for row in rows) for place in range(table.narrow)]
    lines = []
    for row in rows:
        first = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        rest = "; ".join(filter(None, row[table.narrow :]))
        told = textwrap.wrap(rest, _WIDTH, break_long_words=False, break_on_hyphens=False)
        lines.append(f"  {first}  {(told or [''])[0]}".rstrip())
        lines += [f"{'':{len(first) + 4}}{more}" for more in told[1:]]
    return lines


def render_html(sheet: Sheet) -> str:
    """One page that loads nothing, without script."""
    return html("sheet.html", sheet=sheet)


def render_csv(sheet: Sheet) -> str:
    """The main table; no cell begins a formula in a spreadsheet."""
    table = sheet.tables[sheet.main]
    rows = (table.heads, *(row.cells for row in table.rows))
    return csv_text([plain(cell) for cell in cells] for cells in rows)


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Rows as CSV; no cell begins a formula in a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([_inert(cell) for cell in cells] for cells in rows)
    return written.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell


def render_json(sheet: Sheet) -> str:
    """All tables, each row by the heads of its columns."""
    tables = [
        {
            "title": table.title,
            "rows": [dict(zip(table.heads, row.cells, strict=True)) for row in table.rows],
        }
        for table in sheet.tables
    ]
    told = {"title": sheet.title, "lead": sheet.lead, "tables": tables, "notes": sheet.notes}
    return json.dumps(told, indent=1, ensure_ascii=True) + "\n"


RENDERERS: Mapping[str, Callable[[Sheet], str]] = MappingProxyType(
    {"text": render_text, "html": render_html, "csv": render_csv, "json": render_json}
)
