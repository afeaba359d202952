"""Reports, and the explanation of evidence, say between what a counted value lies."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.bracket import Bracket
from aims_gate.facts import DatasetIdentity, DigestKind
from aims_gate.judge import judge
from aims_gate.operations.explain_evidence import open_evidence
from aims_gate.policy.model import DecideOn, OnInsufficient, Threshold
from aims_gate.policy.resolve import load
from aims_gate.reports import REPORTS
from aims_gate.verdict import Decision, Outcome
from tests.evidence.test_rebuild import read, written
from tests.reports.cases import verdict_of
from tests.support.html_page import Parsed
from tests.support.judging import NOW, cell, task
from tests.support.proofs import Lab

RULE = task("drift.columns", require=Threshold(at_most=0.05), decide_on=DecideOn.ESTIMATE)
CELL = replace(
    cell(0.0817, name=RULE.judged.name, slice="income"),
    bracket=Bracket(low=0.08123, high=0.08234, cells=2048),
)
SAID = "between 0.0812 and 0.0823 (2,048 cells)"
RESULT = judge(RULE, [CELL], now=NOW, insufficient=OnInsufficient.BLOCK)


@pytest.mark.parametrize("name", ["text", "markdown", "html", "junit", "sarif"])
def test_a_report_says_the_bracket_of_a_counted_value(name: str) -> None:
    verdict = verdict_of(RESULT, decision=Decision.REFUSED)
    assert RESULT.outcome is Outcome.FAIL
    assert SAID in " ".join(html.unescape(REPORTS[name](verdict)).split())


def test_the_page_says_the_bracket_of_each_value_of_a_rule() -> None:
    other = replace(CELL, slice="age", value=0.0821)
    both = judge(RULE, [CELL, other], now=NOW, insufficient=OnInsufficient.BLOCK)
    page = REPORTS["html"](verdict_of(both, decision=Decision.REFUSED))
    assert page.count(SAID) >= 3


def test_the_explanation_of_evidence_says_the_bracket(tmp_path: Path) -> None:
    lab = Lab.make(tmp_path, results=(RESULT,), decision=Decision.REFUSED)
    told = " ".join(open_evidence(lab.evidence).outcome(RULE).split())
    assert f"value: PSI income 0.082 {SAID}; limit 0.05" in told


def test_the_report_of_past_evidence_says_the_bracket_too(tmp_path: Path) -> None:
    """And reads it without a warning on the reader's terminal; warnings are errors here."""
    past = read(written(Lab.make(tmp_path), verdict_of(RESULT, decision=Decision.REFUSED)))
    assert SAID in REPORTS["text"](past)


HELD = DatasetIdentity(
    role="current",
    name="main.scored",
    uri="table:warehouse/main.scored",
    digest="ab" * 32,
    digest_kind=DigestKind.TABLE,
    rows=5_000,
    snapshot="7",
    notes=("held by duckdb 2.0.0, connection warehouse",),
)
MEANT = (
    "held by: the rows stayed in that engine",
    "table-v1: by which the table is known again",
    "version: the table keeps its versions",
    "between: rows were counted in cells",
)


def test_words_of_tables_in_engines_are_explained_to_who_is_no_engineer(tmp_path: Path) -> None:
    """Where they are said, and nowhere else."""
    lab = Lab.make(tmp_path, results=(RESULT,), decision=Decision.REFUSED)
    verdict = replace(verdict_of(RESULT, decision=Decision.REFUSED), datasets=(HELD,))
    lab.evidence = written(lab, verdict)
    policy = load("pack:release@1.2.0")
    told = " ".join(open_evidence(lab.evidence).head(policy).split())
    shown = Parsed(REPORTS["html"](verdict)).words
    for meaning in MEANT:
        assert meaning in told
        assert meaning in shown
    usual = replace(HELD, digest_kind=DigestKind.FILE, snapshot="", notes=())
    whole = replace(RESULT, statistics=(replace(CELL, bracket=None),))
    verdict = replace(verdict_of(whole, decision=Decision.REFUSED), datasets=(usual,))
    shown = Parsed(REPORTS["html"](verdict)).words
    for meaning in MEANT:
        assert meaning not in shown
