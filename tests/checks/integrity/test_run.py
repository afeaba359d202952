"""Runs that did not finish, or to which something was added; an unknown end is never 0."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.checks.integrity.run import Run
from aims_gate.facts import NoValue
from aims_gate.registry.entities import MetricPoint
from aims_gate.sources.subject import RunFacts
from tests.checks.integrity.cells import ENDED, measure, subject_of, values

SECOND = timedelta(seconds=1)


def run_facts(**parts: Any) -> RunFacts:
    return RunFacts(**{"run_id": "r", "status": "FINISHED", "ended": ENDED, **parts})


def point(timestamp: datetime | None) -> MetricPoint:
    return MetricPoint(key="auc", value=0.9, timestamp=timestamp)


def test_a_finished_run_has_no_violation_and_its_last_moment_still_counts(folder: Path) -> None:
    run = run_facts(metrics=(point(ENDED - SECOND), point(ENDED)))
    cells = measure(Run(), subject_of(folder, run=run))
    assert values(cells) == {"status": 0.0, "late": 0.0, "commit": 0.0}


def test_no_run_is_missing(folder: Path) -> None:
    cells = measure(Run(), subject_of(folder))
    assert cells["run"].lack is NoValue.MISSING


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED", "SCHEDULED", "", "finished"])
def test_a_run_that_did_not_finish_is_a_violation(folder: Path, status: str) -> None:
    assert measure(Run(), subject_of(folder, run=run_facts(status=status)))["status"].value == 1.0


def test_a_deleted_run_is_one_violation(folder: Path) -> None:
    cell = measure(Run(), subject_of(folder, run=run_facts(deleted=True, status="FAILED")))[
        "status"
    ]
    assert cell.value == 1.0
    assert "FAILED and deleted" in cell.reason


def test_metrics_after_the_end_or_without_a_time_are_counted(folder: Path) -> None:
    """MLflow takes them, and the last value is what everybody sees."""
    late = ENDED + timedelta(milliseconds=1)
    run = run_facts(metrics=(point(ENDED), point(late), point(None)))
    cell = measure(Run(), subject_of(folder, run=run))["late"]
    assert (cell.value, cell.total) == (2.0, 3)
    assert cell.reason == "metric 'auc' at 2026-03-04 05:06:07Z; metric 'auc' without a time"


def test_a_run_without_an_end_cannot_say_what_is_late(folder: Path) -> None:
    cells = measure(Run(), subject_of(folder, run=run_facts(ended=None)))
    assert cells["late"].lack is NoValue.UNDEFINED


def test_a_commit_is_a_violation_only_where_it_is_required(folder: Path) -> None:
    subject = subject_of(folder, run=run_facts())
    assert measure(Run(), subject)["commit"].value == 0.0
    assert measure(Run(require_commit=True), subject)["commit"].value == 1.0
    with_commit = subject_of(folder, run=run_facts(commit="4f1c9e2"))
    assert measure(Run(require_commit=True), with_commit)["commit"].value == 0.0
