"""Sheets of the management system: hostile words do nothing, in any format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from aims_gate.pages.sheet import (
    RENDERERS,
    Sheet,
    SheetRow,
    SheetTable,
    render_csv,
    render_html,
    render_json,
    render_text,
)
from tests.reports.test_harmless import ATTACKS

EVIL = tuple(ATTACKS)
TABLE = SheetTable(
    title="Requirements",
    heads=("state", "what", "where"),
    rows=(
        SheetRow(
            cells=("missing", "no internal audit " * 9, "aims-gate aims log new audit"), tone="bad"
        ),
        *(SheetRow(cells=("=1+1", one, "@where")) for one in EVIL),
    ),
)
SHEET = Sheet(title="Gap", lead=EVIL[0], tables=(TABLE, replace(TABLE, rows=())), notes=EVIL)


def test_hostile_words_are_no_markup_no_control_and_no_formula() -> None:
    assert "<script" not in render_html(SHEET).lower()
    assert all(line.isprintable() for line in render_text(SHEET).splitlines())
    rows = list(csv.reader(io.StringIO(render_csv(SHEET))))
    assert len(rows) == 2 + len(EVIL)
    assert not [cell for row in rows for cell in row if cell[:1] in set("=+-@")]
    assert len(json.loads(render_json(SHEET))["tables"][0]["rows"]) == 1 + len(EVIL)


def test_a_terminal_shows_what_presses_and_says_how_much_more_there_is() -> None:
    told = render_text(replace(SHEET, notes=(), tables=(replace(TABLE, pressing=1),)))
    assert f"and {len(EVIL)} that need nobody today" in told
    assert max(map(len, told.splitlines()[2:])) < 100
    assert "none" in render_text(SHEET)
    assert "none" in render_html(SHEET)
    assert set(RENDERERS) == {"text", "html", "csv", "json"}


@pytest.mark.tool("chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible_and_alone(browser: Browser, tmp_path: Path, width: int) -> None:
    file = tmp_path / "gap.html"
    file.write_text(render_html(SHEET), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert [one["id"] for one in found.response["violations"]] == []
    context.close()
