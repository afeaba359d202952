"""The public page: every outcome is told, only a pass is green, and hostile names do nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from aims_gate.pages.public_page import badge, holds_until, public_rows, render
from aims_gate.verdict import Decision, Outcome
from tests.reports.cases import BIAS, CASES, HOSTILE, hostile_verdict
from tests.support.html_page import Parsed

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_told_and_only_a_pass_is_green(outcome: Outcome) -> None:
    ends = NOW if outcome is Outcome.WAIVED else None
    one = replace(BIAS, outcome=outcome, raw_outcome=outcome, expires=ends)
    verdict = replace(CASES["refused"], results=(one,))
    (row,) = public_rows(verdict)
    assert (row.tone == "good") == (outcome is Outcome.PASS)
    assert (row.outcome == "met") == (outcome is Outcome.PASS)
    assert ("until 2026-11-29" in row.outcome) == (outcome is Outcome.WAIVED)
    assert holds_until(verdict) == ends


@pytest.mark.parametrize("raw", [one for one in Outcome if one is not Outcome.WARN])
def test_what_only_warns_for_now_is_never_called_met(raw: Outcome) -> None:
    """A known debt, or a rule that is not yet in force: it failed, and nobody was stopped."""
    one = replace(BIAS, outcome=Outcome.WARN, raw_outcome=raw, expires=NOW)
    (row,) = public_rows(replace(CASES["passed"], results=(one,)))
    assert (row.tone, row.outcome) == ("warn", "not met, warned of only, until 2026-11-29")


def test_a_check_of_their_own_tells_nothing_of_itself() -> None:
    one = replace(BIAS, check="acme.secret_score")
    (row,) = public_rows(replace(CASES["refused"], results=(one,)))
    assert (row.about, row.measured, row.asked) == ("a check of the company's own", "", "")


def test_a_rule_without_a_number_is_a_row() -> None:
    one = replace(BIAS, statistics=(), outcome=Outcome.MISSING)
    (row,) = public_rows(replace(CASES["refused"], results=(one,)))
    assert (row.measured, row.outcome) == ("no number", "not decided")


def test_the_worst_is_shown_whichever_end_that_is() -> None:
    low, high = (replace(BIAS.statistics[0], value=x, interval=None) for x in (0.5, 0.9))
    (row,) = public_rows(
        replace(CASES["refused"], results=(replace(BIAS, statistics=(high, low)),))
    )
    assert row.measured == "impact ratio 0.500, the worst of 2"
    bounded = replace(BIAS, threshold=replace(BIAS.threshold, at_least=None, at_most=0.3))  # type: ignore[type-var]
    (row,) = public_rows(
        replace(CASES["refused"], results=(replace(bounded, statistics=(high, low)),))
    )
    assert (row.measured, row.asked) == ("impact ratio 0.900, the worst of 2", "at most 0.3")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_nothing(name: str) -> None:
    """In the name that the company gave, and wherever the verdict has one."""
    page = Parsed(render(hostile_verdict(name), name, "", NOW))
    assert not {"script", "img"} & set(page.tags)
    links = {value for key, value in page.attributes if key == "href"}
    assert links == {"#evidence"}


@pytest.mark.parametrize("decision", Decision)
def test_the_badge_says_the_decision_and_its_day(decision: Decision) -> None:
    text = badge(replace(CASES["passed"], decision=decision))
    told = {"passed": "policy met", "refused": "policy not met", "undecided": "not decided"}
    assert f"aims-gate: {told[decision]}, 2026-11-23" in Parsed(text).words


@pytest.mark.tool("chromium")
def test_the_page_is_accessible_and_alone(browser: Browser, tmp_path: Path) -> None:
    """It asks for nothing, and nothing is wider than a telephone."""
    file = tmp_path / "index.html"
    file.write_text(render(CASES["refused"], "Consumer loans", "", NOW), encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 900}, bypass_csp=True)
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    found = Axe().run(page)
    assert [one["id"] for one in found.response["violations"]] == []
    context.close()


def test_between_two_limits_the_worst_is_the_farthest_from_them() -> None:
    """And a cell without a number is counted, and is no number that was met."""
    cells = [replace(BIAS.statistics[0], value=x, interval=None) for x in (0.99, 3.0, None)]
    limits = replace(BIAS.threshold, at_least=0.8, at_most=1.25)  # type: ignore[type-var]
    one = replace(BIAS, threshold=limits, statistics=tuple(cells[:2]))
    (row,) = public_rows(replace(CASES["refused"], results=(one,)))
    assert row.measured == "impact ratio 3, the worst of 2"
    one = replace(one, statistics=(cells[0], cells[2]))
    (row,) = public_rows(replace(CASES["refused"], results=(one,)))
    assert row.measured == "impact ratio 0.990; 1 of 2 without a number"
