"""Drift that is missed, or cried where there is none: rebuilt from tools that fail there.

Every docstring names the tool and what it did, as measured or reported; `test_fail_open.py` says
which version of it was run.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import PolicyError
from aims_gate.verdict import Outcome
from tests.attacks.deciding import DRIFT, LABELS, Gate, cells, normal, only, scored


def test_shifted_data_exit_with_1_without_any_flag(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """Evidently's command line exits 0 on shifted data unless --test-summary is given."""
    gate(DRIFT, reference=normal(1, 2_000), current=normal(2, 2_000, shift=2))
    arguments = ["run", "--model", "file:model", "--unsigned", "--quiet"]
    arguments += ["--data", "reference=reference.parquet", "--data", "current=current.parquet"]
    assert guarded(arguments) == 1
    assert "MON-01" in capsys.readouterr().out


@pytest.mark.parametrize("rows", [5, 8])
def test_a_handful_of_rows_is_too_little_and_not_drift(gate: Gate, rows: int) -> None:
    """Evidently fails 5 rows of the same law (Wasserstein 0.86), and 8 rows (its issue 509)."""
    result = only(gate(DRIFT, reference=normal(1, 2_000), current=normal(2, rows)))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "fewer than 100" in result.reason


@pytest.mark.parametrize("share", [0.6, 1.0])
def test_new_nulls_are_drift(gate: Gate, share: float) -> None:
    """Evidently drops nulls: 0 % to 60 % passes there, and 100 % loses the whole report."""
    current = normal(2, 3_000, columns=2)
    current["x0"] = np.where(np.arange(3_000) < share * 3_000, np.nan, current["x0"])
    verdict = gate(DRIFT, reference=normal(1, 3_000, columns=2), current=current)
    assert only(verdict).outcome is Outcome.FAIL
    assert "null" in only(verdict).reason
    assert cells(verdict)["x1"].value == pytest.approx(0, abs=0.01), "and x1 is still measured"
    missing = gate("rules: [{id: D-1, check: data.missing, on: current}]\n", current=current)
    assert only(missing).outcome is Outcome.FAIL


def test_a_column_of_nothing_but_nulls_of_another_type_is_still_refused(gate: Gate) -> None:
    """A column that a writer left empty has no type; Evidently's issue 1480: the report is lost."""
    current = {**normal(2, 3_000, columns=2), "x0": pa.nulls(3_000)}
    verdict = gate(DRIFT, reference=normal(1, 3_000, columns=2), current=current)
    assert only(verdict).outcome is Outcome.FAIL
    assert (cells(verdict)["x0"].value or 0) > 1, "every value is null, where none was"
    assert cells(verdict)["x1"].value is not None


def test_a_column_that_is_gone_is_missing(gate: Gate) -> None:
    """Evidently does not test a column that the current data lack, and passes."""
    current = normal(2, 2_000, columns=3)
    del current["x1"]
    result = only(gate(DRIFT, reference=normal(1, 2_000, columns=3), current=current))
    assert result.outcome is Outcome.MISSING
    assert "no column 'x1'" in result.reason


def test_one_shifted_column_of_forty_is_found(gate: Gate) -> None:
    """Evidently's data set test passes it: 2.5 % of the columns are less than half of them."""
    verdict = gate(
        DRIFT, reference=normal(1, 2_000, columns=40), current=normal(2, 2_000, columns=40, shift=5)
    )
    assert only(verdict).outcome is Outcome.FAIL
    assert "psi x0" in only(verdict).reason.lower()


def test_forty_columns_without_drift_raise_no_alarm(gate: Gate) -> None:
    """Evidently fails 3 of 40 at n=900 by raw p-values; Giskard's correction crashes on none."""
    verdict = gate(DRIFT, reference=normal(1, 900, columns=40), current=normal(2, 900, columns=40))
    assert only(verdict).outcome is Outcome.PASS
    assert len(cells(verdict)) == 40


def test_the_place_of_a_column_does_not_decide_how_many_drifted(gate: Gate) -> None:
    """Giskard's Benjamini-Hochberg step takes sorted places for ranks, and crashes without any."""
    rule = "rules: [{id: MON-07, check: drift.share}]\n"
    before, after = normal(1, 2_000, columns=4), normal(2, 2_000, columns=4, shift=1)
    for order in (["x0", "x1", "x2", "x3"], ["x3", "x2", "x1", "x0"]):
        roles = [{name: side[name] for name in order} for side in (before, after)]
        found = cells(gate(rule, reference=roles[0], current=roles[1]))
        assert [cell.value for cell in found.values()] == [0.25]
    quiet = gate(rule, reference=before, current=normal(2, 2_000, columns=4))
    assert [cell.value for cell in cells(quiet).values()] == [0]


def test_one_bad_slice_is_not_hidden_by_the_whole(gate: Gate) -> None:
    """Deepchecks drops slices under 5 rows, Giskard under 20; many gates know the average alone."""
    columns = scored(right=0.95)
    worse = columns["sex"] == "F"
    flipped = np.random.default_rng(1).random(4_000) < 0.35
    columns["yhat"] = np.where(worse & flipped, 1 - columns["y"], columns["yhat"])
    rule = "{id: PERF-07, check: performance.slices, with: {metric: accuracy, by: [sex]}}"
    result = only(gate(f"{LABELS}rules: [{rule}]\n", evaluation=columns))
    assert result.outcome is Outcome.FAIL
    assert "sex=F" in result.reason


def test_nulls_in_one_column_change_nothing_in_another(gate: Gate) -> None:
    """Evidently's issue 241: a NaN in an unrelated column changed the result."""
    before, after = normal(1, 2_000, columns=2), normal(2, 2_000, columns=2)
    clean = cells(gate(DRIFT, reference=before, current=after))["x1"]
    after["x0"] = np.where(np.arange(2_000) % 3 == 0, np.nan, after["x0"])
    assert cells(gate(DRIFT, reference=before, current=after))["x1"] == clean


def test_data_are_not_held_against_themselves(gate: Gate) -> None:
    """MLflow's `evaluate` once compared a model with itself, and no test caught it (PR 12215)."""
    for check in ("drift.columns", "data.overlap", "data.ranges"):
        with pytest.raises(PolicyError, match="against themselves"):
            gate(f"rules: [{{id: A-1, check: {check}, on: reference}}]\n", reference=normal(1, 50))
