"""A page stays small and is made fast, however large the policy and the data are."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import pytest

from aims_gate.facts import CURVES
from aims_gate.pages.figures import CHARTS, TABLE
from aims_gate.pages.verdict_page import render
from aims_gate.verdict import Decision, Outcome, bounded
from tests.pages.pictured import PICTURED, drift, large, scored
from tests.reports.cases import verdict_of

MOST_BYTES = 3_000_000
MOST_SECONDS = 10.0


def test_a_large_verdict_is_a_page_of_three_megabytes_in_ten_seconds() -> None:
    verdict = large()
    started = time.perf_counter(), time.process_time()
    text = render(verdict)
    took, worked = time.perf_counter() - started[0], time.process_time() - started[1]
    size = len(text.encode())
    told = f"{size:,} bytes, {took:.1f} s, {worked:.1f} s of processors"
    print(f"\n{told}")  # noqa: T201  # the figure of the page of performance
    assert size < MOST_BYTES
    assert worked < MOST_SECONDS  # which is longer than it takes where nothing else runs
    assert text.count("<svg") == CHARTS
    assert f"{5_000 - TABLE:,} more, none of them worse" in text
    assert all(f">RULE-{place:03}<" in text or f" RULE-{place:03}" in text for place in range(198))


def test_names_of_any_length_do_not_make_it_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts cut them at thirty characters; here the tables are tried."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = drift(300)
    long = tuple(replace(s, slice=s.slice + "x" * 5_000) for s in result.statistics)
    text = render(verdict_of(*[replace(result, statistics=long)] * 20, decision=Decision.REFUSED))
    assert len(text.encode()) < MOST_BYTES


def test_a_record_holds_the_curves_of_the_worst_rules_and_cells() -> None:
    met = replace(drift(50), outcome=Outcome.PASS, raw_outcome=Outcome.PASS, blocking=False)
    kept = bounded((met, drift(55), *scored()))
    counted = [sum(len(s.curves) for s in result.statistics) for result in kept]
    assert counted == [4, 55, 0, 1, 0]
    assert sum(counted) == CURVES
    assert [bool(s.curves) for s in kept[0].statistics] == [True] * 4 + [False] * 46
    assert [r.statistics[0].value for r in kept] == [
        r.statistics[0].value for r in (met, drift(55), *scored())
    ]


def test_what_fits_is_kept_as_it_is() -> None:
    assert bounded(PICTURED.results) == PICTURED.results
