"""A report read back says what was written: every format of it comes out the same."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.facts import Statistic
from aims_gate.github.reading import read
from aims_gate.reports import REPORTS, json_report
from aims_gate.verdict import Verdict
from tests.reports.cases import CASES


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
    for name in REPORTS.keys() - {"json"}:  # model files, parents and power are in the report only
        assert REPORTS[name](found) == REPORTS[name](without_nan(CASES[case]))
