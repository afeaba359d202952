"""What all formats share: harmless text, the order of results, the sentence that decides."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.advice import advice, every_cell, in_order, next_steps, proof, question
from aims_gate.errors import RecordError
from aims_gate.facts import CLAIMED
from aims_gate.harmless import plain
from aims_gate.redact import redact
from aims_gate.reports import REPORTS, headline, record_of, refuse_contradiction, remark, tally
from aims_gate.verdict import Decision, Outcome
from tests.reports.cases import (
    BIAS,
    CASES,
    CRASH,
    FEW,
    NOT_HERE,
    ROC,
    SOFT_FAIL,
    WAIVED,
    hostile_verdict,
    verdict_of,
)
from tests.support.laws import law

EXTENSIONS = {
    "text": "txt",
    "json": "json",
    "markdown": "md",
    "junit": "xml",
    "sarif": "sarif",
    "codequality": "codequality.json",
}
SECRETS = {
    "userinfo": ("https://alice:hunter2@mlflow.example/api", "hunter2"),
    "userinfo of a database": ("postgresql+psycopg2://u:hunter2@db/mlflow", "hunter2"),
    "percent-encoded userinfo": (
        "pkg:mlflow/m@7?repository_url=https%3A%2F%2Fu%3Ahunter2%40h",
        "hunter2",
    ),
    "signed query": ("s3://b/k?X-Amz-Signature=deadbeef&x=1", "deadbeef"),
    "shared access": ("https://acc.blob.example/c?sv=1&sig=c2VjcmV0", "c2VjcmV0"),
    "bearer": ("401 for Authorization: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
    "personal token": ("clone with ghp_" + "a1B2" * 9, "ghp_a1B2"),
    "access key": ("AKIA" + "ABCD" * 4, "AKIAABCD"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", sorted(REPORTS.keys() - {"html"}))  # tests/pages has its own
def test_reports_are_as_they_were(case: str, name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{case}.{EXTENSIONS[name]}", REPORTS[name](CASES[case]))


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_says_passed_over_a_blocking_result(name: str) -> None:
    with pytest.raises(RecordError, match="BIAS-02 stands in the way"):
        REPORTS[name](verdict_of(ROC, BIAS, decision=Decision.PASSED))


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_says_passed_over_no_results_at_all(name: str) -> None:
    with pytest.raises(RecordError, match="no rule was decided"):
        REPORTS[name](verdict_of(decision=Decision.PASSED))


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=list(SECRETS))
@pytest.mark.parametrize("name", REPORTS)
def test_no_report_tells_a_secret(name: str, text: str, secret: str) -> None:
    assert secret in text
    assert secret not in REPORTS[name](hostile_verdict(text))


@pytest.mark.parametrize(
    "text",
    [
        "models:/credit-risk@champion",
        "pkg:mlflow/credit-risk@7?repository_url=https%3A%2F%2Fmlflow.example%2Fa",
        "https://example.com/a?signal=strong",
        "approved by ann@acme.example",
        "s3://bucket/key?versionId=3",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_doctored_name_does_not_pass_for_the_name_it_imitates() -> None:
    assert plain("cre\u202edit") == "cre?dit"
    assert plain("credit\u200b") == "credit?"
    assert plain("\x1b[31mcredit\x1b[0m") == "?credit?"
    assert plain("really?? yes") == "really?? yes"


def test_text_in_any_script_stays_readable() -> None:
    assert plain("Straße  \n 顧客 كريم Ωmega") == "Straße 顧客 كريم Ωmega"


def test_long_text_is_cut_and_shows_it() -> None:
    assert plain("x" * 3_000) == "x" * 1_997 + "..."
    assert plain("x" * 2_000) == "x" * 2_000


@law(200)
@given(text=st.text() | st.text("\x1b[]:#vso;m\\\u202e\n \ud800", max_size=40))
def test_plain_text_is_one_harmless_line(text: str) -> None:
    shown = plain(text)
    assert shown == " ".join(shown.split())
    assert "::" not in shown
    assert "##" not in shown
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    assert plain(shown) == shown


@pytest.mark.parametrize(
    "text", ["a." * 10**5, "%3A%2F%2F" * 10**4, "?token" * 10**4, "\x1b]" * 10**5]
)
def test_text_made_to_stall_patterns_does_not(text: str) -> None:
    started = time.thread_time()
    plain(text)
    redact(text)
    assert time.thread_time() - started < 5


def test_blocking_results_come_first_then_the_worst() -> None:
    order = [BIAS, CRASH, FEW, SOFT_FAIL, WAIVED, ROC, NOT_HERE]
    for shuffled in list(permutations(order))[:: 5_040 // 60]:
        assert in_order(verdict_of(*shuffled, decision=Decision.REFUSED)) == order


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            "passed",
            (
                "policy met: nothing stands in the way of production "
                "(1 FAIL, 1 WAIVED, 1 WARN, 2 PASS, 1 NOT_APPLICABLE)"
            ),
        ),
        ("refused", "policy not met: 5 of 8 rules stand in the way of production"),
        ("unsigned", "policy not met: 1 of 2 rules stands in the way of production"),
        (
            "undecided",
            (
                "undecided: 1 of 2 rules could not be measured, so the policy is neither met "
                "nor not met; production stays closed"
            ),
        ),
        (
            "nothing-decided",
            "undecided: no blocking rule could be decided; production stays closed",
        ),
    ],
)
def test_the_verdict_in_words(case: str, told: str) -> None:
    assert headline(CASES[case]) == told


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("case", CASES)
def test_no_report_calls_anything_certified_or_compliant(name: str, case: str) -> None:
    report = REPORTS[name](CASES[case]).lower()
    assert "certif" not in report
    assert "complian" not in report
    assert "required by iso" not in report


def test_a_miss_that_does_not_block_says_why_not() -> None:
    assert remark(SOFT_FAIL) == "does not block (severity warn)"
    assert remark(replace(FEW, blocking=False)) == "does not block at this stage"
    assert not remark(BIAS)
    assert not remark(ROC)


def test_a_waiver_is_named_and_so_is_what_it_hides() -> None:
    assert remark(WAIVED) == "FAIL waived by W-2026-014"
    assert remark(replace(WAIVED, waiver=None)) == "FAIL waived by no waiver that is named"


def test_each_kind_of_refusal_says_what_to_do() -> None:
    steps = list(next_steps(CASES["refused"]))
    kinds = ["FAIL BIAS-02", "ERROR BIAS-06", "MISSING MON-01", "STALE DATA-07"]
    assert [step.split(":")[0] for step in steps] == [*kinds, "INSUFFICIENT BIAS-03"]
    many = [replace(BIAS, rule=f"BIAS-{n}") for n in range(7)]
    (step,) = next_steps(verdict_of(*many, decision=Decision.REFUSED))
    assert step.startswith("FAIL BIAS-0, BIAS-1, BIAS-2, BIAS-3, BIAS-4 and 2 more: ")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (
            "accuracy: evaluation data (e.csv), prediction: no column 'pred'; there are p, y",
            "name a column that is there, prediction: under data.evaluation of the policy",
        ),
        (
            "evaluation data (a b.csv): no column 'i', which data.evaluation names as key; there",
            "name a column that is there, key: under data.evaluation of the policy",
        ),
        (
            "impact ratio sx: evaluation data: no column 'sx'; did",
            "data.evaluation, or in the rule",
        ),
        ("accuracy: the evaluation data have no rows (file:e.csv)", "and hand over rows"),
        ("there are no current data", "log it with aims_gate.log_evaluation"),
    ],
)
def test_the_remedy_of_what_is_missing_names_the_key_to_write(reason: str, remedy: str) -> None:
    """Data that are not there, a column that is not in them, and data without rows differ."""
    result = replace(BIAS, outcome=Outcome.MISSING, raw_outcome=Outcome.MISSING, reason=reason)
    assert remedy in advice(result)


@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        ("performance.score", "train it anew"),
        ("performance.sample", "evaluate on more rows"),
        ("performance.logged", "log what was measured"),
        ("data.missing", "mend the named columns"),
        ("data.overlap", "take the rows that training knows out"),
        ("evidently:psi", "look at the named columns"),
    ],
)
def test_the_remedy_is_that_of_the_check(check: str, remedy: str) -> None:
    """A wrong number in a log, or too few rows, is not mended by another model."""
    result = replace(BIAS, check=check)
    (step,) = next_steps(verdict_of(result, decision=Decision.REFUSED))
    assert remedy in step
    assert ("train it anew" in step) is (check == "performance.score")


def test_a_claimed_score_that_is_low_is_mended_in_the_model_and_not_in_the_log() -> None:
    """Neither more rows nor another number in the log would make it better."""
    for check in ("performance.logged", "performance.score"):
        result = replace(BIAS, check=check, reason=f"0.4 < 0.8; scores of exact, {CLAIMED}")
        (step,) = next_steps(verdict_of(result, decision=Decision.REFUSED))
        assert "mend the model, its prompt or its data" in step
        assert "log it" not in step
        assert "more rows" not in step


def test_too_few_rows_are_asked_of_the_data_that_lack_them() -> None:
    """Of drift the current data are short, not the evaluation's groups."""
    short = replace(BIAS, outcome=Outcome.INSUFFICIENT, raw_outcome=Outcome.INSUFFICIENT)
    told = {
        check: next(next_steps(verdict_of(result, decision=Decision.REFUSED)))
        for check in ("drift.columns", "evidently:psi", "fairness.odds", "performance.logged")
        for result in [replace(short, check=check)]
    }
    assert "a longer window" in told["drift.columns"]
    assert told["evidently:psi"] == told["drift.columns"]
    assert "of every group" in told["fairness.odds"]
    assert told["performance.logged"] == told["fairness.odds"]


def test_cells_that_a_line_only_counts_are_to_be_found() -> None:
    """`(and 3 more)` leads to the file that has them; without a directory there is none."""
    verdict = verdict_of(BIAS, decision=Decision.REFUSED)
    assert verdict.evidence is not None
    evidence = replace(verdict.evidence, directory="some where")
    one = replace(BIAS, statistics=BIAS.statistics[:1])
    two = replace(BIAS, statistics=(*one.statistics, *one.statistics))
    kept = verdict_of(two, decision=Decision.REFUSED)
    assert list(every_cell(replace(kept, evidence=evidence))) == ["'some where/report.json'"]
    assert not list(every_cell(replace(kept, evidence=None)))
    alone = verdict_of(one, decision=Decision.REFUSED)
    assert not list(every_cell(replace(alone, evidence=evidence)))


def test_a_stage_that_nothing_decided_says_where_to_look() -> None:
    assert "applies_to" in next(next_steps(CASES["nothing-decided"]))
    assert not list(next_steps(CASES["passed"]))


def test_what_warns_without_a_value_is_what_to_mend_where_nothing_was_decided() -> None:
    """The rules that were held against nothing are named, by what they lack."""
    steps = list(next_steps(CASES["nothing-held"]))
    assert [step.partition(":")[0] for step in steps] == ["MISSING MON-01", "INSUFFICIENT BIAS-03"]
    assert question(CASES["nothing-held"]) == "aims-gate explain policy.yaml BIAS-03"


def test_a_pass_of_which_nothing_was_decided_is_never_written() -> None:
    """Warnings alone are no yes."""
    passed = replace(CASES["nothing-held"], decision=Decision.PASSED)
    with pytest.raises(RecordError, match="no rule was decided"):
        refuse_contradiction(passed)


def test_commands_are_quoted_for_a_shell() -> None:
    verdict = hostile_verdict("x; rm -rf $HOME '")
    assert (
        question(verdict) == """aims-gate explain 'x; rm -rf $HOME '"'"'' 'x; rm -rf $HOME '"'"''"""
    )
    assert "--model 'x; rm" in proof(verdict)


def test_only_signed_evidence_that_was_written_can_be_verified() -> None:
    assert proof(CASES["refused"]).endswith("--model models:/credit-risk/7 --stage production")
    assert not proof(CASES["unsigned"])
    assert not proof(CASES["unrecorded"])
    assert record_of(CASES["unrecorded"]) == "none was kept"
    assert record_of(CASES["unsigned"]).endswith(", unsigned: it never verifies")


def test_every_outcome_is_counted() -> None:
    results = [replace(ROC, outcome=outcome, raw_outcome=outcome) for outcome in Outcome]
    told = tally(verdict_of(*results, decision=Decision.REFUSED))
    assert told == ", ".join(f"1 {outcome}" for outcome in Outcome)
