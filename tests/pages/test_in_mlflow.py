"""The page beside the evidence in MLflow, and inside MLflow's own viewer of artifacts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from aims_gate.pages.verdict_page import render
from aims_gate.sinks.mlflow import PAGE, publish
from aims_gate.verdict import EvidenceIdentity, Verdict
from tests.reports.cases import CASES
from tests.sinks.test_mlflow import FILES, environ, identity
from tests.support.laws import nightly
from tests.support.registry_content import Content, write

pytestmark = pytest.mark.server


def published(server: str, folder: Path) -> tuple[Content, str, Verdict]:
    """A refusal and its page beside the evidence: its place, and what was rendered there."""
    content = Content(uri=server)
    logged = content.registered()
    kept = EvidenceIdentity(id=f"E-{logged.name}", directory="", signed=True, key="SHA256:k")
    model = identity(content, logged.uri, folder / "w")
    verdict = replace(CASES["refused"], model=model, evidence=kept)

    def there(place: str) -> Verdict:
        return replace(verdict, evidence=replace(kept, published=place))

    evidence = write(folder / "evidence", FILES)
    place = publish(verdict, evidence, environ(server), page=lambda where: render(there(where)))
    return content, place, there(place)


def test_the_page_lies_beside_the_evidence_and_says_how_to_verify_that(
    mlflow_server: str, tmp_path: Path
) -> None:
    content, place, verdict = published(mlflow_server, tmp_path)
    run, _, path = place.removeprefix("runs:/").partition("/")
    found = content.client.download_artifacts(run, f"{path}/{PAGE}", str(tmp_path))
    text = Path(found).read_text(encoding="utf-8")
    assert text == render(verdict)
    assert f"aims-gate verify {place} --model {verdict.model.uri}" in text
    assert str(tmp_path) not in text


@nightly
@pytest.mark.tool("chromium")
def test_mlflows_viewer_shows_it_with_its_own_styles(
    mlflow_server: str, browser: Browser, tmp_path: Path
) -> None:
    """In a frame whose sandbox has scripts and an origin of its own; the page needs neither."""
    content, place, _ = published(mlflow_server, tmp_path)
    run, _, path = place.removeprefix("runs:/").partition("/")
    experiment = content.client.get_run(run).info.experiment_id
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    refused: list[str] = []
    page.on("console", lambda m: refused.append(m.text) if "Content Security" in m.text else None)
    page.goto(f"{mlflow_server}/#/experiments/{experiment}/runs/{run}/artifacts/{path}/{PAGE}")
    frame = page.frame_locator("iframe.mlflow-html-iframe")
    frame.locator("h1").wait_for(timeout=120_000)
    assert "may not go to production" in frame.locator("h1").inner_text()
    sizes = "e => [e.scrollWidth <= innerWidth, getComputedStyle(e.querySelector('header'))"
    sizes += ".borderLeftStyle, e.querySelectorAll('svg').length > 0]"
    assert frame.locator("html").evaluate(sizes) == [True, "solid", True]
    frame.locator("summary").first.click()
    assert frame.locator("details table").first.is_visible()
    assert refused == []
    page.close()
