"""Photograph a page in light and dark: `python tools/page_picture.py aims-gate-demo/biased.html`.

Writes docs/report-light.png and docs/report-dark.png with the system's Chromium and Pillow. README
shows the demo's own page: how it begins, and its first rule; what lies between is left out.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
WIDTH = 900
PARTS = ("header", "main > section:first-child", "article")
"""What is shown: the decision, the reasons, and the first rule with its chart."""
EDGE = 16
MOST = 200_000
"""Bytes of a picture: README is read on phones, too."""


def photograph(browser: Browser, page: Path, scheme: Literal["light", "dark"]) -> bytes:
    """PNG of the parts of a page, one below the other, in one colour scheme."""
    tab = browser.new_page(
        viewport={"width": WIDTH, "height": 900}, color_scheme=scheme, java_script_enabled=False
    )
    tab.goto(page.resolve().as_uri())
    shots = [Image.open(io.BytesIO(tab.locator(one).first.screenshot())) for one in PARTS]
    paper = shots[0].getpixel((shots[0].width - 1, 0))
    height = sum(shot.height + EDGE for shot in shots) + EDGE
    whole = Image.new("RGB", (shots[0].width + 2 * EDGE, height), paper)
    top = EDGE
    for shot in shots:
        whole.paste(shot, (EDGE, top))
        top += shot.height + EDGE
    out = io.BytesIO()
    whole.quantize(256).save(out, "PNG", optimize=True)
    return out.getvalue()


def main(page: Path) -> None:
    """Write both pictures; SystemExit if one is too large."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        browser = chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            data = photograph(browser, page, scheme)
            if len(data) > MOST:
                raise SystemExit(f"the {scheme} picture has {len(data):,} bytes, over {MOST:,}")
            (DOCS / f"report-{scheme}.png").write_bytes(data)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
