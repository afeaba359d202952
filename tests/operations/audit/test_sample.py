"""A sample is drawn from all that happened, again the same, and what disagrees is listed."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.catalogue.iso42001 import Requirement, requirement
from aims_gate.errors import UsageError
from aims_gate.operations.audit.period import Period, period
from aims_gate.operations.audit.population import Population, disagreements, draw, population
from aims_gate.operations.audit.sample_sheet import sample_sheet
from aims_gate.pages.sheet import render_html
from aims_gate.verdict import Outcome
from tests.operations.aims.test_gap import NOW, Company, company
from tests.support.gated import measured
from tests.support.proofs import new_signer
from tests.support.records import edit

__all__ = ["company"]
PAGE = Path(__file__).parents[3] / "docs" / "audits.md"
YEAR = Period(begins=date(2025, 12, 1), ends=NOW.date())


def row(name: str) -> Requirement:
    found = requirement(name)
    assert found is not None
    return found


def of(company: Company, control: str, when: Period = YEAR) -> Population:
    return population(row(control), company.survey(), when)


def judge(company: Company, count: int) -> None:
    for number in range(count):
        at = NOW - timedelta(days=30 + number)
        company.gated.judge("credit", str(20 + number), at, measured("PERF-01", "A.6.2.4"))


def test_failures_and_candidates_are_in_the_population(company: Company) -> None:
    failed = measured("BIAS-02", "A.6.2.4", outcome=Outcome.FAIL)
    company.gated.judge("credit", "8", NOW - timedelta(days=2), failed, passed=False)
    first, second = of(company, "A.6.2.4").items
    assert first.what == "policy met at production: PERF-01 PASS, BIAS-02 PASS"
    assert (second.about, second.day) == ("credit 8", date(2026, 11, 27))
    assert second.what.startswith("policy not met")
    assert Path(second.evidence[0]).is_dir()


def test_a_rule_that_measured_nothing_is_an_item_all_the_same(company: Company) -> None:
    lost = measured("X-01", "A.7.5", outcome=Outcome.MISSING)
    company.gated.judge("credit", "8", NOW - timedelta(days=2), measured("PERF-01", "9.1"), lost)
    (item,) = of(company, "A.7.5").items
    assert "X-01 MISSING" in item.what


def test_equal_seeds_draw_equally_and_others_do_not(company: Company) -> None:
    judge(company, 8)
    everything = of(company, "A.6.2.4")
    drawn = draw(everything, 3, "4711")
    assert len(drawn) == 3
    assert draw(of(company, "A.6.2.4"), 3, "4711") == drawn
    assert {draw(everything, 3, str(seed)) for seed in range(5)} != {drawn}
    by_hand = sorted(
        everything.items, key=lambda one: hashlib.sha256(f"4711\n{one.id}".encode()).hexdigest()
    )
    assert set(by_hand[:3]) == set(drawn)


def test_a_later_item_takes_the_place_of_at_most_one(company: Company) -> None:
    judge(company, 4)
    before = set(draw(of(company, "A.6.2.4"), 2, "7"))
    company.gated.judge("credit", "90", NOW - timedelta(days=9), measured("P", "A.6.2.4"))
    assert len(before - set(draw(of(company, "A.6.2.4"), 2, "7"))) <= 1


def test_more_than_there_are_draws_all_and_says_so(company: Company) -> None:
    found = of(company, "A.6.2.4")
    drawn = draw(found, 9, "1")
    assert drawn == found.items
    assert "9 were asked for" in sample_sheet(drawn, found, n=9, seed="1", apart=()).lead


def test_an_empty_period_is_said_and_is_no_sample(company: Company) -> None:
    when = Period(begins=date(2024, 1, 1), ends=date(2024, 1, 2))
    found = of(company, "A.6.2.4", when)
    assert found.items == ()
    told = sample_sheet((), found, n=5, seed="1", apart=())
    assert "which is a finding itself" in render_html(told)
    with pytest.raises(UsageError, match="no period"):
        period(NOW, NOW - timedelta(days=1), today=NOW.date())
    with pytest.raises(UsageError, match="no period"):
        period(None, NOW + timedelta(days=1), today=NOW.date())


def test_promotions_entries_and_documents_have_their_controls(company: Company) -> None:
    assert [one.kind for one in of(company, "A.6.2.5").items] == ["promotion"]
    assert [one.kind for one in of(company, "10.2").items] == ["incident"]
    assert [one.kind for one in of(company, "A.5.3").items] == ["impact"]


def test_what_has_no_day_belongs_to_every_period(company: Company) -> None:
    edit(company.aims / "log" / "2026-10-21-income.md", "opened: 2026-10-21\n", "")
    when = Period(begins=date(2026, 3, 1), ends=date(2026, 3, 31))
    (item,) = of(company, "10.2", when).items
    assert "fault" in item.what


def test_forged_and_contradicting_evidence_is_listed_and_not_drawn(company: Company) -> None:
    genuine, company.gated.lab.signer = company.gated.lab.signer, new_signer()
    forged = company.gated.judge("credit", "9", NOW - timedelta(days=1), measured("P", "A.6.2.4"))
    company.gated.lab.signer = genuine
    assert str(forged) in " ".join(disagreements(company.survey()))
    assert len(of(company, "A.6.2.4").items) == 1
    edit(
        company.aims / "log" / "2026-10-21-income.md",
        "rule: PERF-01\n",
        "rule: PERF-01\ndetected_by: 20260101T000000Z-00000000\n",
    )
    assert "which no evidence that was read is called" in " ".join(disagreements(company.survey()))


def test_the_command_lists_draws_and_refuses(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(company.folder)
    company.gated.judge("<script>x", "9", NOW - timedelta(days=1), measured("P", "A.6.2.4"))
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    ask = ["aims", "sample", *read, "--from", "2026-07-01", "--seed", "4711"]
    assert guarded([*ask, "--control", "A.6.2.4", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lead"].startswith("2 of 2 drawn with seed 4711, 2026-07-01 to 2026-11-29; 5 were")
    assert guarded([*ask, "--control", "A.6.2.4", "--html"]) == 0
    assert "<script" not in capsys.readouterr().out
    assert guarded([*ask, "--control", "A.6.2.9"]) == 2
    assert guarded([*ask, "--control", "A.6.2.4", "--n", "0"]) == 2
    assert guarded(["aims", "sample", *read, "--control", "A.6.2.4"]) == 2


def test_the_pages_recipe_draws_the_same(company: Company) -> None:
    """The order that docs/audits.md computes with sha256sum is ours."""
    script = re.search(r"<!-- draw -->\n```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert script is not None
    done = subprocess.run(
        ["bash", "-euc", script[1]], capture_output=True, text=True, check=True, cwd=company.folder
    )
    ids = re.findall(r"\d{8}T\d{6}Z-\d{8}", script[1])
    by_us = [replace(of(company, "A.6.2.4").items[0], id=one) for one in ids]
    found = replace(of(company, "A.6.2.4"), items=tuple(by_us))
    (first,) = draw(found, 1, "4711")
    assert done.stdout.split()[1] == first.id
