"""The page of a portfolio: hostile names do nothing, and only what is verified is green."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from aims_gate.pages.portfolio_page import (
    Portfolio,
    PortfolioModel,
    PortfolioNumber,
    PortfolioVersion,
    render_html,
    render_text,
)
from aims_gate.verdict import Authenticity, VerificationStatus
from tests.reports.cases import CASES, STARTED, hostile_verdict
from tests.reports.test_harmless import ATTACKS
from tests.support.html_page import Parsed


def version(number: int, case: str, worth: Authenticity | None, *aliases: str) -> PortfolioVersion:
    verdict = CASES[case]
    if worth is not None:
        status = VerificationStatus(authenticity=worth, told="t", read=STARTED)
        verdict = replace(verdict, standing=status)
    numbers = {"PERF-01.roc_auc": 0.7 + number / 100}
    return PortfolioVersion(version=str(number), aliases=aliases, verdict=verdict, numbers=numbers)


def portfolio(*versions: PortfolioVersion, name: str = "credit") -> Portfolio:
    number = PortfolioNumber(key="PERF-01.roc_auc", title="PERF-01 roc auc", at_least=0.7)
    model = PortfolioModel(name=name, versions=versions, numbers=(number,))
    return Portfolio(server="mlflow.example", read=STARTED, trust="trust.yaml", models=(model,))


@pytest.mark.parametrize("worth", Authenticity)
def test_only_a_verified_pass_is_green(worth: Authenticity) -> None:
    text = render_html(portfolio(version(1, "passed", worth, "champion")))
    assert ('<tr class="good">' in text) == (worth is Authenticity.VERIFIED)
    told = render_text(portfolio(version(1, "passed", worth, "champion")))
    assert ("✓" in told) == (worth is Authenticity.VERIFIED)


def test_waivers_in_force_are_told_with_their_end() -> None:
    verdict = CASES["passed"]
    results = tuple(replace(one, expires=STARTED) if one.waiver else one for one in verdict.results)
    one = replace(version(1, "passed", None, "a"), verdict=replace(verdict, results=results))
    assert "DATA-09 by W-2026-014 until 2026-11-23" in render_html(portfolio(one))
    assert "DATA-09 by W-2026-014" in render_text(portfolio(one))


def test_a_number_is_a_chart_and_a_column() -> None:
    found = portfolio(version(2, "passed", None, "b"), version(1, "refused", None))
    parsed = Parsed(render_html(found))
    assert parsed.words.count("PERF-01 roc auc") == 2
    assert "0.72" in parsed.words
    assert "over versions, at least 0.7 was asked" in parsed.words
    single = render_html(portfolio(version(1, "passed", None, "b")))
    assert "<svg" not in single  # one point is no trend


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_name_of_a_stranger_is_obeyed(attack: str) -> None:
    text = ATTACKS[attack]
    bad = PortfolioVersion(version=text, aliases=(text,), problem=text)
    judged = PortfolioVersion(version=text, aliases=(text,), verdict=hostile_verdict(text))
    found = replace(portfolio(bad, judged, name=text), server=text, trust=text)
    page, lines = render_html(found), render_text(found)
    assert not re.search(r"<(?:script|img|iframe|a)\b", page)
    for shown in (page, lines):
        unseen = {unicodedata.category(one) for one in shown.replace("\n", "")}
        assert not unseen & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        assert not re.search(r"^\s*::|##\[|##vso\[", shown, re.MULTILINE)
    assert len(lines.splitlines()) == 7


@pytest.mark.tool("chromium")
def test_it_fits_a_phone_and_asks_for_nothing(browser: Browser) -> None:
    found = portfolio(
        *(version(n, "refused", Authenticity.VERIFIED, f"a{n}") for n in range(9, 0, -1)),
        name="a-model-with-quite-a-long-name" * 3,
    )
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url))
    page.set_content(render_html(found))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("svg").count() == 1
    assert said == []
    page.close()
