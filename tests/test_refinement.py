"""Measure, judge, measure finer: the outcome of cells is that of all values, or there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.closer import FINEST
from aims_gate.engines import Engines
from aims_gate.errors import DataError
from aims_gate.frames import Grid
from aims_gate.frames.opening import open_frame
from aims_gate.judge import straddling
from aims_gate.policy.model import Role
from aims_gate.refinement import FIRST, measure_finely
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome, Result
from tests.checks.subjects import NOW, data, inputs
from tests.support.elsewhere import KINDS, Elsewhere, hard_sample
from tests.support.laws import TIMES
from tests.support.refining import SMALL, cell_of, elsewhere, result_of, task_of


def test_the_outcome_of_cells_is_that_of_all_values() -> None:
    """Ties, atoms, heavy tails, nulls, infinities, few rows or none, limits at the very value."""
    outcomes = set[Outcome]()
    finest, small = set[int | None](), set[int | None]()
    methods = ["ks", "wasserstein", "psi", "js", "hellinger", "chi2"]
    for seed in range(150 * TIMES):
        random = np.random.default_rng(seed)
        method, kind = random.choice(methods), random.choice(KINDS)
        rows = (10 ** random.uniform(1.8 if seed % 5 else 0, 4, 2)).astype(int)
        roles = [
            data({"x": hard_sample(kind, int(n), random)}, role)
            for n, role in zip(rows, (Role.REFERENCE, Role.CURRENT), strict=True)
        ]
        effect = float(random.choice([1.0, 1.7]))
        rule = {
            "check": "drift.columns",
            "parameters": {"numeric": str(method), "categorical": "none", "design_effect": effect},
        }
        value = cell_of(result_of(task_of(rule, 0.2), *roles)).value or 0.1
        limit = float(np.clip(value * random.choice([0.5, 1, 1, 1.05, 2]), 0.01, 0.8))
        task = task_of(rule, limit)
        exact = result_of(task, *roles)
        (one, _), (other, frame) = map(elsewhere, roles)
        by_small_steps = bool(random.random() < 0.5)
        found = result_of(task, one, other, first=SMALL if by_small_steps else FIRST)
        assert found.outcome is exact.outcome, (seed, method, kind, limit)
        outcomes.add(found.outcome)
        (small if by_small_steps else finest).add(frame.finest)
    assert {Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.INSUFFICIENT} <= outcomes
    assert {0, 1, 2, None} <= finest, "some are decided at every step"
    assert {0, 1, 2, 3, None} <= small


def test_the_share_of_drifted_columns_in_cells_is_that_of_all_values() -> None:
    """With all that is told beside it, but where curves are cut."""
    shares = set()
    for seed in range(25 * TIMES):
        random = np.random.default_rng(seed)
        method = str(random.choice(["psi", "js", "ks"]))
        rows = (10 ** random.uniform(2, 3.7, 2)).astype(int)
        kinds = random.choice(KINDS, 6)
        roles = [
            data({f"x{i}": hard_sample(kind, n, random) for i, kind in enumerate(kinds)}, role)
            for n, role in zip(rows, (Role.REFERENCE, Role.CURRENT), strict=True)
        ]
        parameters = {"numeric": method, "categorical": "none"}
        task = task_of({"check": "drift.share", "parameters": parameters}, 0.3)
        (one, _), (other, frame) = map(elsewhere, roles)
        exact, found = result_of(task, *roles), result_of(task, one, other)
        assert found.outcome is exact.outcome, (seed, method)
        told = [
            [
                (s.name, s.slice, s.value, s.lack, s.interval, s.alone, s.rows, s.reason)
                for s in result.statistics
            ]
            for result in (exact, found)
        ]
        assert told[0] == told[1], (seed, method)
        if method != "ks" and not any(cells is None for _, cells in frame.asked):
            shares |= {s.value for s in found.statistics if s.judged}
    assert len(shares) > 3, "without one question for every value"


@pytest.mark.parametrize(
    ("check", "role"), [("drift.prediction", "score"), ("drift.label", "label")]
)
def test_drift_of_answers_is_decided_on_cells(check: str, role: str) -> None:
    column: dict[str, Any] = {role: "x"}
    there = [replace(one, spec=replace(one.spec, **column)) for one in _drifted(0.5)]
    (one, _), (other, frame) = map(elsewhere, there)
    task = task_of({"check": check, "parameters": {"method": "psi"}}, 0.1)
    found = result_of(task, one, other)
    assert found.outcome is result_of(task, *there).outcome is Outcome.FAIL
    assert cell_of(found).bracket is not None
    assert frame.finest == 0


def _drifted(by: float) -> tuple[Data, Data]:
    random = np.random.default_rng(1)
    return (
        data({"x": random.normal(0, 1, 50_000), "y": random.normal(0, 1, 50_000)}, Role.REFERENCE),
        data({"x": random.normal(by, 1, 50_000), "y": random.normal(0, 1, 50_000)}, Role.CURRENT),
    )


RULE = {"check": "drift.columns", "parameters": {"numeric": "ks", "categorical": "none"}}


def test_what_is_far_from_the_limit_is_decided_on_a_thousand_cells() -> None:
    (one, _), (other, frame) = map(elsewhere, _drifted(0.5))
    result = result_of(task_of(RULE, 0.1), one, other)
    assert result.outcome is Outcome.FAIL
    assert {cells for _, cells in frame.asked} == {1, 1024}
    cell = next(one for one in result.statistics if one.slice == "x")
    assert cell.bracket is not None
    assert cell.value is not None
    assert cell.bracket.low <= cell.value <= cell.bracket.high
    exact = cell_of(result_of(task_of(RULE, 0.1), *_drifted(0.5))).value
    assert exact == pytest.approx(cell.value, abs=1e-3)
    assert "between 0.203 and 0.206" in result.reason
    assert "cells)" in result.reason


@pytest.mark.parametrize("method", ["chi2", "ks", "psi"])
def test_nothing_but_what_is_known_is_told_beside_a_bracket(method: str) -> None:
    """Rows of bins are counted up to the ends of cells; a p-value of all rows is not known."""
    roles = _drifted(0.5)
    (one, _), (other, _) = map(elsewhere, roles)
    parameters = {"numeric": method, "categorical": "none", "columns": ["x"]}
    task = task_of({"check": "drift.columns", "parameters": parameters}, 0.9)
    found, exact = result_of(task, one, other), result_of(task, *roles)
    assert [cell.name for cell in found.statistics if cell.bracket is None] == []
    assert len(exact.statistics) >= len(found.statistics) == 1


def test_a_distance_of_too_few_rows_is_told_only_where_it_is_exact() -> None:
    few = [
        data({"x": np.random.default_rng(n).normal(0, 1, n)}, role)
        for n, role in ((50, Role.REFERENCE), (5000, Role.CURRENT))
    ]
    (one, _), (other, _) = map(elsewhere, few)
    found, exact = result_of(task_of(RULE, 0.1), one, other), result_of(task_of(RULE, 0.1), *few)
    assert found.outcome is exact.outcome is Outcome.INSUFFICIENT
    assert "observed" in exact.reason
    assert "observed" not in found.reason


def test_a_table_in_duckdb_is_decided_as_one_in_memory() -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("ibis")
    roles = _drifted(0.25)
    with duckdb.connect() as connection:
        there = []
        for role in roles:
            relation = connection.from_arrow(role.frame.table)  # type: ignore[attr-defined]
            relation.create(str(role.role))
            there.append(replace(role, frame=open_frame(connection.table(str(role.role)))))
        for limit in (0.05, 0.3):
            found = result_of(task_of(RULE, limit), *there)
            assert found.outcome is result_of(task_of(RULE, limit), *roles).outcome
            assert cell_of(found).bracket is not None


def test_only_the_column_that_is_undecided_is_looked_at_closer() -> None:
    roles = _drifted(0.25)
    exact = {s.slice: s.value for s in result_of(task_of(RULE, 0.2), *roles).statistics if s.judged}
    (one, _), (other, frame) = map(elsewhere, roles)
    limit = exact["x"]
    assert limit is not None
    result = result_of(task_of(RULE, limit), one, other)
    assert result.outcome is result_of(task_of(RULE, limit), *roles).outcome
    assert {cells for name, cells in frame.asked if name == "y"} == {1, 1024}
    assert {cells for name, cells in frame.asked if name == "x"} == {1, 1024, FINEST}
    cell = next(one for one in result.statistics if one.slice == "x")
    assert (cell.bracket, cell.value) == (None, limit), "all that it rests on was looked at"


def _at_the_very_value(numeric: str) -> Result:
    """A drift rule whose limit is the very value, of frames that are counted no closer."""
    roles = _drifted(0.25)
    parameters = {"numeric": numeric, "categorical": "none"}
    rule: dict[str, Any] = {"check": "drift.columns", "parameters": parameters}
    limit = next(
        s.value for s in result_of(task_of(rule, 0.2), *roles).statistics if s.slice == "x"
    )
    assert limit is not None
    (one, _), (other, _) = (elsewhere(role, refuses=True) for role in roles)
    return result_of(task_of(rule, limit), one, other)


def test_a_bracket_on_both_sides_never_passes_where_the_engine_gives_no_more() -> None:
    """A Wasserstein distance rests on every cell."""
    result = _at_the_very_value("wasserstein")
    assert result.outcome is Outcome.ERROR
    assert result.blocking
    assert "the outcome is not the same between" in result.reason
    assert "more bytes than the budget" in result.reason


def test_why_no_closer_look_was_possible_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many closer looks the engine refused."""
    count = Elsewhere.histogram

    def histogram(self: Elsewhere, of: Any, grid: Grid, by: str | None = None) -> Any:
        if grid.within is not None:
            raise DataError("too many cells")
        return count(self, of, grid, by)

    monkeypatch.setattr(Elsewhere, "histogram", histogram)
    result = _at_the_very_value("ks")
    assert result.outcome is Outcome.ERROR
    assert result.reason.count("no closer look was possible") == 1
    assert "too many cells" not in result.reason
    assert result.reason.endswith("the answer has more bytes than the budget of 64 MB")


def test_a_frame_in_memory_is_never_asked_for_cells() -> None:
    found = result_of(task_of(RULE, 0.2), *_drifted(0.25))
    assert all(one.bracket is None for one in found.statistics)
    assert straddling(task_of(RULE, 0.2), found.statistics) == frozenset()


def test_a_library_is_asked_with_every_value(engines: Engines) -> None:
    task = replace(task_of(RULE, 0.2), engine="both")
    (one, _), (other, frame) = map(elsewhere, _drifted(0.25))
    found = measure_finely(task, inputs(one, other).subject, now=NOW, engines=engines)
    assert {cells for _, cells in frame.asked} == {None}
    assert all(cell.bracket is None for cell in found)
