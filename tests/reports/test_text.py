"""The report for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.reports import outcome_word
from aims_gate.reports.text import render, render_text
from aims_gate.verdict import Decision, Outcome
from tests.reports.cases import BIAS, CASES, ROC, hostile_verdict, verdict_of
from tests.support.laws import law

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def lines(text: str) -> list[str]:
    """The lines without the commands, which are long because they are there to be copied."""
    return [line for line in text.splitlines() if "aims-gate " not in line]


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("case", CASES)
def test_no_line_is_wider_than_the_terminal(case: str, width: int) -> None:
    told = lines(render_text(CASES[case], colour=False, width=width))
    assert all(len(line) <= width or _is_one_piece(line) or "img" in line for line in told)


@law(50)
@given(text=st.text(min_size=1, max_size=400), width=st.integers(-5, 200))
def test_any_text_fits_any_terminal(text: str, width: int) -> None:
    told = lines(render_text(hostile_verdict(text), colour=False, width=width))
    assert all(len(line) <= max(width, 60) or text or _is_one_piece(line) for line in told)


def _is_one_piece(line: str) -> bool:
    """Tell whether a line is a name or a path after its label, which no terminal may break."""
    return max(map(len, line.split()), default=0) > 30


@pytest.mark.parametrize("width", range(60, 141, 4))
def test_no_number_and_no_name_is_broken(width: int) -> None:
    told = render_text(CASES["refused"], colour=False, width=width)
    for piece in (
        "(95 % 0.661-0.764)", "< 0.8", "n=1,212 of 5,000", "(95 % -0.04-0.26)", "n=61 of 5,000",
        "sex=F", "policy.yaml:41", "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE",
    ):  # fmt: skip
        assert piece in told


def test_the_name_of_an_intersection_is_one_piece() -> None:
    name = "sex=F & race=Two or more"
    cell = replace(BIAS.statistics[0], slice=f"{name} vs sex=M & race=White")
    result = replace(BIAS, reason=f"impact ratio {cell.slice} 0.7", statistics=(cell,))
    for width in range(60, 100):
        verdict = verdict_of(result, decision=Decision.REFUSED)
        assert name in render_text(verdict, colour=False, width=width)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("case", ["refused", "passed", "ended"])
def test_terminals_look_as_they_did(
    case: str,
    width: int,
    colour: bool,  # a case
    golden: Callable[[str, str], None],
) -> None:
    name = f"terminal/{case}-{width}{'-colour' if colour else ''}.txt"
    golden(name, render_text(CASES[case], colour=colour, width=width))


def test_what_is_in_nobodys_way_reads_so_and_stands_below_what_is() -> None:
    told = render(CASES["refused"]).splitlines()
    advisory = next(n for n, line in enumerate(told) if line.startswith("fail (advisory)  DATA-05"))
    blocking = [n for n, line in enumerate(told) if line.startswith(("FAIL ", "ERROR ", "STALE "))]
    assert max(blocking) < advisory


@pytest.mark.parametrize("case", CASES)
def test_colour_changes_nothing_but_colour(case: str) -> None:
    painted = render_text(CASES[case], colour=True, width=100)
    assert ANSI.sub("", painted) == render(CASES[case])
    assert "\x1b" in painted
    assert "\x1b" not in render(CASES[case])


def test_every_outcome_has_a_colour_and_a_line() -> None:
    for outcome in Outcome:
        result = replace(ROC, outcome=outcome, raw_outcome=outcome)
        told = render_text(verdict_of(result, decision=Decision.UNDECIDED), colour=True, width=100)
        word = outcome_word(result).replace("(", "\\(").replace(")", "\\)")
        assert re.search(rf"^\x1b\[[0-9]+m{word}\x1b\[0m +PERF-01 ", told, re.MULTILINE)


def test_every_rule_is_shown_once_with_its_place_unless_it_passed() -> None:
    told = " ".join(render(CASES["refused"]).split())
    for result in CASES["refused"].results:
        assert told.count(f"{outcome_word(result)} {result.rule} ".replace("  ", " ")) >= 1
        assert (result.place in told) is (result.outcome is not Outcome.PASS)


def test_nothing_of_a_rule_that_passed_is_cut() -> None:
    result = replace(ROC, reason="word " * 60)
    told = render_text(verdict_of(result, decision=Decision.PASSED), colour=False, width=80)
    assert told.count("word") == 60
    assert all(len(line) <= 80 for line in told.splitlines() if "word" in line)


def test_a_refusal_explains_itself_on_lines_that_hang_under_it() -> None:
    told = render(verdict_of(ROC, BIAS, decision=Decision.REFUSED)).splitlines()
    start = next(n for n, line in enumerate(told) if line.startswith("FAIL  BIAS-02  impact ratio"))
    assert " ".join(told[start : start + 2]).count("policy.yaml:41") == 1
    assert told[start + 2] == " " * 15 + "Groups are selected at similar rates"
    assert told[start + 3].startswith(" " * 15 + "why: Four fifths")


def test_the_exit_code_is_told() -> None:
    assert render(CASES["undecided"]).endswith("exit code   3\n")
    assert render(CASES["refused"]).endswith("exit code   1\n")
    assert render(CASES["passed"]).endswith("exit code   0\n")
