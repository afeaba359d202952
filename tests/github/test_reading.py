"""A report read back says what was written: every format of it comes out the same."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.facts import Statistic
from aims_gate.github.reading import read, verdict_of
from aims_gate.github.review import Around, review
from aims_gate.reports import REPORTS, json_report
from aims_gate.reports.log_commands import LOG_FORMATS
from aims_gate.verdict import Authenticity, Verdict, VerificationStatus
from tests.reports.cases import CASES
from tests.support.laws import law


def without_nan(verdict: Verdict) -> Verdict:
    """JSON has no NaN: there it is null, with a reason."""

    def known(cell: Statistic) -> Statistic:
        nan = cell.value is not None and math.isnan(cell.value)
        return replace(cell, value=None, reason="the value is nan") if nan else cell

    results = (replace(r, statistics=tuple(map(known, r.statistics))) for r in verdict.results)
    return replace(verdict, results=tuple(results))


@pytest.mark.parametrize("case", [case for case in CASES if case != "hostile"])
def test_every_format_of_a_report_that_was_read_is_as_it_was(case: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json_report.render(CASES[case]), encoding="utf-8")
    found = read(report)
    assert (found.decision, found.exit_code) == (CASES[case].decision, CASES[case].exit_code)
    for name in REPORTS.keys() - {"json", "html"}:  # these hold model files, parents and power, too
        assert REPORTS[name](found) == REPORTS[name](without_nan(CASES[case]))


NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=2) | st.dictionaries(st.text(), v, max_size=2)
)


@law(300)
@given(case=st.sampled_from([*CASES]), seed=st.randoms(use_true_random=False), value=VALUES)
def test_whatever_stands_in_a_report_it_is_shown_and_never_passes_for_another_exit_code(
    case: str, seed: Random, value: object
) -> None:
    """One value of a real report is anything: no crash keeps the outputs from being written."""
    document = json.loads(json_report.render(CASES[case]))
    place: Any = document
    while True:
        key = seed.choice([*place] if isinstance(place, dict) else range(len(place)))
        if not place[key] or not isinstance(place[key], dict | list) or seed.random() < 0.2:
            break
        place = place[key]
    place[key] = value
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        report.write_text(json.dumps(document).replace("Infinity", "1e999"), encoding="utf-8")
        found = verdict_of(report, CASES[case].exit_code, NOW)
        assert found.exit_code == (CASES[case].exit_code or 3) or found.passed
        assert found.passed <= CASES[case].passed
        assert not verdict_of(report, 1, NOW).passed
    assert review(found, Around(), most=60_000).startswith("### ")
    for log in LOG_FORMATS.values():
        assert log(found) or found.passed


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, '"1"', "true", "[]"])
@pytest.mark.parametrize("field", ["rows", "total", "value"])
def test_a_number_that_is_none_is_no_crash(field: str, number: str, tmp_path: Path) -> None:
    document = json.loads(json_report.render(CASES["refused"]))
    for result in document["results"]:
        for cell in result["statistics"]:
            cell[field] = "HERE"
    text = json.dumps(document).replace('"HERE"', number)
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    found = verdict_of(tmp_path / "report.json", 1, NOW)
    assert (found.exit_code, found.passed) == (1, False)
    assert review(found, Around(), most=60_000)


@pytest.mark.parametrize("case", ["passed", "refused"])
def test_a_reason_why_no_verdict_counts_leaves_out_no_rule(case: str, tmp_path: Path) -> None:
    """As in bootstrap: what the change says of itself is shown, and is undecided."""
    verdict = CASES[case]
    (tmp_path / "report.json").write_text(json_report.render(verdict), encoding="utf-8")
    found = verdict_of(tmp_path / "report.json", 3, NOW, "the base branch has no policy yet")
    assert (found.passed, found.exit_code) == (False, 3)
    assert found.results[0].reason == "the base branch has no policy yet"
    assert {r.rule for r in found.results[1:]} == {r.rule for r in verdict.results}
    shown = review(found, Around(), most=60_000)
    assert shown.startswith("### ? aims-gate")
    assert all(f"`{result.rule}`" in shown for result in verdict.results)


@pytest.mark.parametrize("worth", [one for one in Authenticity if one != Authenticity.VERIFIED])
@pytest.mark.parametrize("code", [0, 4])
def test_a_report_of_evidence_that_does_not_hold_is_no_pass(
    worth: Authenticity, code: int, tmp_path: Path
) -> None:
    """Made by `evidence report` of a pass, and handed over as if the gate had run."""
    read_then = datetime(2026, 12, 1, tzinfo=UTC)
    status = VerificationStatus(authenticity=worth, told="unsigned", read=read_then)
    report = tmp_path / "report.json"
    claim = replace(CASES["passed"], standing=status)
    report.write_text(REPORTS["json"](claim), encoding="utf-8")
    found = verdict_of(report, code, read_then)
    assert not found.passed
    assert found.exit_code == (code or 3)
