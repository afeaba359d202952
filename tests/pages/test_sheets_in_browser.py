"""Pages of audits and reviews in a real browser: alone, readable, accessible, and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from aims_gate.operations.audit.review_inputs import review_sheet
from aims_gate.pages.sheet import render_html
from tests.operations.aims.test_gap import Company
from tests.operations.audit.conftest import PERIOD, audited, company, pack
from tests.pages.test_in_browser import SMALL, WIDER, Scheme, Shown
from tests.support.laws import nightly

__all__ = ["audited", "company"]
pytestmark = pytest.mark.tool("chromium")
PAPER = 690
"""CSS pixels between the margins of an A4 page."""


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "dark"), pytest.param(1280, "light", marks=nightly)]
)
def test_index_page_of_a_control_and_review_are_readable_accessible_and_printable(
    browser: Browser, audited: Company, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    folder = pack(audited, tmp_path / "pack")
    review = tmp_path / "review.html"
    review.write_text(render_html(review_sheet(audited.survey(), PERIOD)), encoding="utf-8")
    for file in (folder / "index.html", folder / "controls" / "A.5.4.html", review):
        shown = Shown(browser, file, width, scheme)
        page = shown.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []
        assert page.evaluate(SMALL) == []
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PAPER, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER, file.name
        shown.context.close()
