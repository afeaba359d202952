"""The report for a pull request, read back with a Markdown parser and an HTML parser."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.advice import in_order
from aims_gate.harmless import code, plain, prose
from aims_gate.reports.markdown import render
from aims_gate.verdict import Decision, Outcome
from tests.reports.cases import BIAS, CASES, HOSTILE, ROC, WAIVED, hostile_verdict, verdict_of
from tests.support.laws import law
from tests.support.markdown_page import OURS, outside, page


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_stranger_is_markup(text: str) -> None:
    """No tag, link, image, emphasis or table cell comes from a name."""
    parsed = page(render(hostile_verdict(text)))
    assert set(parsed.tags) <= OURS
    assert parsed.tags.count("details") == 1
    assert {len(row) for row in parsed.rows} == {4}
    assert len(parsed.rows) == 2 + 3


@pytest.mark.parametrize("text", HOSTILE)
def test_mentions_and_links_are_only_ever_in_code(text: str) -> None:
    seen = outside(render(hostile_verdict(text)))
    assert not re.search(r"@|://|www\.|#\d|GH-\d|evil", seen)


TRICKY = st.text(max_size=60) | st.text("`|\\ *_<>[]()#@&;a\n", max_size=40)


@law(150)
@given(text=TRICKY)
def test_code_shows_the_text_itself(text: str) -> None:
    shown = plain(text, most=600)
    assert page(f"before {code(text)} after").codes == ([shown] if shown else [])


@law(150)
@given(text=TRICKY)
def test_a_cell_shows_the_text_itself(text: str) -> None:
    """But for a blank between a backslash and a bar, on which readers of Markdown differ."""
    result = replace(ROC, outcome=Outcome.WARN, reason=text, place="", title="")
    parsed = page(render(verdict_of(result, BIAS, decision=Decision.REFUSED)))
    shown = re.sub(r"\\(?=\|)", r"\\ ", plain(text, most=600))
    assert parsed.rows[2] == ["WARN", "PERF-01", shown, "iso42001:A.6.2.4"]


@law(150)
@given(text=st.text(max_size=60) | st.from_regex(r"[a-zA-Z',;.( )@-]{0,30}", fullmatch=True))
def test_prose_is_text_without_markup_or_code(text: str) -> None:
    parsed = page(f"- x {prose(text)}")
    assert set(parsed.tags) <= {"ul", "li", "code"}
    assert not re.search(r"@|://|www\.", "".join(parsed.outside))


def test_words_made_to_stall_a_pattern_do_not() -> None:
    started = time.thread_time()
    assert prose("aaaa bbbb " * 50 + "!").startswith("`")
    assert time.thread_time() - started < 5


def test_a_title_of_plain_words_stays_prose() -> None:
    assert prose(ROC.title) == ROC.title
    assert prose("The model's files (all of them) are well-formed.") == (
        "The model's files (all of them) are well-formed."
    )
    assert prose("see www.evil.example") == "`see www.evil.example`"


@pytest.mark.parametrize("case", [case for case in CASES if case != "hostile"])
def test_every_rule_has_a_row_and_those_that_passed_are_folded_away(case: str) -> None:
    text = render(CASES[case])
    before, _, folded = text.partition("<details>")
    ordered = in_order(CASES[case])
    rest = [r.rule for r in ordered if r.outcome is not Outcome.PASS]
    passed = [r.rule for r in ordered if r.outcome is Outcome.PASS]
    assert (
        re.findall(
            r"^\| \*\*[a-zA-Z_]+(?: \(advisory\))?\*\*.*? \| `([A-Z0-9-]+)`", before, re.MULTILINE
        )
        == rest
    )
    assert re.findall(r"^\| \*\*PASS\*\* \| `([A-Z0-9-]+)`", folded, re.MULTILINE) == passed


def test_the_first_lines_decide() -> None:
    first = render(CASES["refused"]).splitlines()[:3]
    assert first == [
        "## aims-gate: policy not met",
        "",
        "**policy not met**: 5 of 8 rules stand in the way of `production`",
    ]
    assert render(CASES["undecided"]).startswith("## aims-gate: undecided\n")
    assert render(CASES["passed"]).startswith("## aims-gate: policy met\n")


def test_waivers_controls_and_what_blocks_are_visible() -> None:
    text = render(verdict_of(BIAS, WAIVED, decision=Decision.REFUSED))
    assert "| **FAIL** (blocks) | `BIAS-02` Groups are selected at similar rates |" in text
    assert "| `iso42001:A.5.4` `iso42001:A.6.2.4` |" in text
    assert "FAIL waived by `W-2026-014`" in text


def test_a_very_long_report_fits_a_comment_and_says_what_it_left_out() -> None:
    """The blocking results are shown; everything that is cut is counted."""
    many = [replace(ROC, rule=f"PERF-{n}", reason="word " * 200) for n in range(200)]
    text = render(verdict_of(*many, BIAS, decision=Decision.REFUSED))
    assert len(text) < 65_536
    assert "| **FAIL** (blocks) | `BIAS-02`" in text
    (left,) = re.findall(r"^([0-9]+) more do not fit here", text, re.MULTILINE)
    assert text.count("| **PASS** |") + int(left) == 200


def test_too_many_refusals_are_counted_too() -> None:
    many = [replace(BIAS, rule=f"BIAS-{n}", reason="word " * 200) for n in range(300)]
    text = render(verdict_of(*many, ROC, decision=Decision.REFUSED))
    assert len(text) < 65_536
    (left,) = re.findall(r"^([0-9]+) more do not fit here", text, re.MULTILINE)
    assert text.count("| **FAIL** (blocks) |") + int(left) == 300
