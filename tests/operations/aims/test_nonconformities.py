"""Three things in service open a nonconformity; a refused candidate, the control at work, none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.aims.nonconformities import nonconformities, open_nonconformities
from aims_gate.verdict import Outcome, Result
from tests.operations.aims.test_gap import NOW, Company, company
from tests.support.gated import measured
from tests.support.records import edit

__all__ = ["company"]


def told(company: Company, days: float = 0) -> list[str]:
    return [one.told for one in nonconformities(company.survey(NOW + timedelta(days=days)))]


def opened(company: Company) -> list[Path | None]:
    return [path for _one, path in open_nonconformities(company.survey(), company.org)]


def refused(company: Company, version: str = "7") -> None:
    company.gated.judge("credit", version, NOW - timedelta(hours=2), passed=False)


def test_a_champion_inside_its_limits_is_in_order(company: Company) -> None:
    assert told(company) == []


def test_a_refused_candidate_opens_nothing(company: Company) -> None:
    refused(company, "8")
    assert told(company) == []


def test_a_champion_outside_its_limits_opens_one_and_only_one(company: Company) -> None:
    refused(company)
    (said,) = told(company)
    assert said.startswith("credit 7 is in service outside the limits of ")
    assert said.endswith(": BIAS-02")
    (path,) = opened(company)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert path.parent == company.aims / "log"
    for line in ("type: nonconformity", "rule: BIAS-02", "models:/credit/7", "severity: high"):
        assert line in text.replace('"', "")
    assert "2026-12-29" in text  # due
    refused(company)  # a week later it is the same
    assert opened(company) == [None]


def test_a_deployment_without_a_verdict_opens_one(company: Company) -> None:
    evidence = company.gated.judge("credit", "9", NOW - timedelta(days=2), passed=False)
    company.gated.promote(evidence, NOW - timedelta(days=1), previous="7")
    assert told(company) == ["credit 9 is in service without a verdict that it may be"]


def test_a_model_of_no_system_is_written_into_the_organisations_log(company: Company) -> None:
    evidence = company.gated.judge("ranker", "4", NOW - timedelta(days=2), passed=False)
    company.gated.promote(evidence, NOW - timedelta(days=1))
    assert told(company) == ["ranker 4 is in service without a verdict that it may be"]
    (path,) = opened(company)
    assert path is not None
    assert path.parent == company.org / "log"


def test_an_expired_waiver_in_use_opens_one_from_its_last_day_on(company: Company) -> None:
    waived: Result = replace(
        measured("BIAS-02", "A.5.4", outcome=Outcome.WAIVED),
        raw_outcome=Outcome.FAIL,
        waiver="WVR-1",
        expires=NOW + timedelta(days=3),
    )

    def with_waiver(days: int) -> list[str]:
        found = company.survey(NOW + timedelta(days=days))
        (system,) = found.systems
        verdict = replace(system.verdicts[0], results=(*system.verdicts[0].results, waived))
        found = replace(found, systems=(replace(system, verdicts=(verdict,)),))
        return [one.told for one in nonconformities(found)]

    day = f"{NOW + timedelta(days=3):%Y-%m-%d}"
    assert with_waiver(2) == []
    assert with_waiver(4) == [f"credit 7 is in service by a waiver of BIAS-02 that ended on {day}"]


def test_what_was_closed_and_is_so_again_is_opened_again(company: Company) -> None:
    refused(company)
    (path,) = opened(company)
    assert path is not None
    edit(path, "opened: ", "closed: 2026-11-28\nopened: ")
    path.rename(path.with_name("2026-11-01-earlier.md"))
    assert [one is not None for one in opened(company)] == [True]


def test_what_was_closed_on_the_day_it_was_opened_is_opened_under_a_number(
    company: Company,
) -> None:
    refused(company)
    (path,) = opened(company)
    assert path is not None
    edit(path, "opened: ", "closed: 2026-11-29\nopened: ")
    (again,) = opened(company)
    assert again == path.with_name(f"{path.stem}-2.md")
    assert opened(company) == [None]


def test_the_command_says_what_it_opened(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(company.folder)
    options = ["--evidence", str(company.gated.folder), "--as-of", f"{NOW:%Y-%m-%d}"]
    assert guarded(["aims", "log", "find", *options]) == 2
    assert "no verdict counts" in capsys.readouterr().err
    options += ["--trust", str(company.gated.trust)]
    assert guarded(["aims", "log", "find", *options]) == 0
    assert "no control failed in service" in capsys.readouterr().out
    refused(company)
    assert guarded(["aims", "log", "find", *options]) == 0
    assert "opened aims/log/" in capsys.readouterr().out
    assert guarded(["aims", "log", "find", *options]) == 0
    assert "open already: credit 7" in capsys.readouterr().out
