"""A case whose data stay in an engine is decided as by their files, and counts are the same.

A bracket holds the value of the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aims_gate.bracket import Bracket
from aims_gate.errors import GateError
from aims_gate.operations.run import run
from aims_gate.sources.readers import read_file
from aims_gate.verdict import Outcome, Result, Verdict
from tests.e2e.test_contract import CASES, Case, case
from tests.support.engine_tables import EACH_ENGINE
from tests.support.laws import nightly

__all__ = ["case"]

ALWAYS = {
    "biased",
    "drifted",
    "lone-group",
    "met",
    "null-labels",
    "champion-worse",
    "repeated-keys",
}
"""The others at night."""
JOINED = {"late-labels", "performance-fallen", "performance-steady", "performance-unlabelled"}
"""Data that are joined, which needs rows; and so do the model's own answers, and a champion's."""
NEED_ROWS = {"champion-few-rows", "champion-no-worse", "champion-worse", *JOINED}
NEED_ROWS |= {"asked-model", "asked-model-disturbed", "asked-model-not-isolated"}
UNTYPED = {"empty-frame"}
"""A file without rows has columns of no type, which cannot be weights."""
_MOMENT = {"age_days": 1e-2}
"""What grows while the case runs."""
_Open = dict[tuple[str, str], Bracket | None]
"""Cells of an engine, by name and slice, and the bracket of those that it did not count exactly."""
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.yaml"))


@EACH_ENGINE
@pytest.mark.parametrize(
    "case",
    [pytest.param(name, marks=[] if name in ALWAYS else nightly, id=name) for name in NAMES],
    indirect=True,
)
def test_a_case_is_decided_in_an_engine_as_by_its_files(
    case: Case, hold: Callable[[pa.Table], Any], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["case"]
    try:
        tables = {role: read_file(Path(path)).table for role, path in case.data.items()}
    except GateError:
        pytest.skip("no file that can be read")
    held = {role: hold(pa.table(table)) for role, table in tables.items()}
    by_files, in_engine = _told(case, case.data), _told(case, held)
    if isinstance(by_files, str) or isinstance(in_engine, str):
        assert in_engine == by_files
        return
    for one, other in zip(in_engine.results, by_files.results, strict=True):
        if name not in NEED_ROWS | UNTYPED:
            open_ = {(cell.name, cell.slice): cell.bracket for cell in one.statistics}
            assert _counted(one, open_) == _counted(other, open_)
            assert all(bracket.holds(exact) for bracket, exact in _bracketed(open_, other))
        elif one.outcome is not other.outcome:
            assert one.outcome is Outcome.ERROR
            assert "rows" in one.reason or name in UNTYPED
    assert in_engine.decision == by_files.decision or name in NEED_ROWS | UNTYPED
    assert not in_engine.passed or by_files.passed


def _told(case: Case, data: dict[str, Any]) -> Verdict | str:
    try:
        return run("policy.yaml", case.model, data=data, stage=case.stage)
    except GateError as error:
        return str(error)


def _bracketed(open_: _Open, exact: Result) -> Iterator[tuple[Bracket, float | None]]:
    """Each bracket, with the value of all rows."""
    for cell in exact.statistics:
        bracket = open_[cell.name, cell.slice]
        if bracket is not None:
            yield bracket, cell.value


def _counted(result: Result, open_: _Open) -> list[Any]:
    """The outcome, and of each cell that an engine counted exactly its rows and its value."""
    cells = [
        (
            cell.name,
            cell.slice,
            cell.lack,
            cell.rows,
            cell.total,
            None
            if cell.value is None
            else pytest.approx(cell.value, rel=1e-9, abs=_MOMENT.get(cell.name, 1e-12)),
        )
        for cell in result.statistics
        if open_[cell.name, cell.slice] is None
    ]
    return [result.outcome, *cells]
