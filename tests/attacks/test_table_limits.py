"""Limits of time and bytes that the judged party uses up, so that what decides is not asked."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any

import pytest

from aims_gate.errors import DataError, SourceError
from aims_gate.frames import Key
from aims_gate.verdict import Decision, Outcome
from tests.attacks.warehouse import Warehouse, outcomes

POLICY = (
    "on_insufficient: warn\n"
    "data:\n  reference: {{table: before, connection: warehouse}}\n"
    "  current: {{table: now, connection: warehouse}}\n"
    "rules:\n"
    "  - {{id: DATA-01, check: data.missing, on: current, with: {{columns: [y]}}}}\n"
    "  - id: MON-01\n"
    "    check: drift.columns\n"
    "    with: {{columns: [x], numeric: ks, categorical: none}}\n"
    "    decide_on: estimate\n"
    "    require: {{at_most: {limit}}}\n"
)


def test_a_view_without_end_takes_no_longer_than_one_question_may(warehouse: Warehouse) -> None:
    warehouse.write("create view now as select i as y from range(1000000000000) t(i)")
    warehouse.connect(timeout_seconds=0.3)
    policy = (
        "data: {current: {table: now, connection: warehouse}}\n"
        "rules: [{id: DATA-01, check: data.missing, on: current, with: {columns: [y]}}]\n"
    )
    (result,) = warehouse.gate(policy).results
    assert result.outcome is Outcome.ERROR
    assert "gave no answer within 0.3 s" in result.reason


def test_a_pipe_in_place_of_the_log_beside_a_database_keeps_nobody(warehouse: Warehouse) -> None:
    warehouse.write("create table now as select 1 as y")
    os.mkfifo(f"{warehouse.file}.wal")
    with pytest.raises(SourceError, match="cannot be opened"):
        warehouse.frame("now")


def test_texts_of_any_length_come_no_faster_than_they_are_counted(warehouse: Warehouse) -> None:
    """Half a megabyte of file holds gigabytes of text, which came in one piece."""
    warehouse.write("create table now as select repeat('a', 10000) || i as g from range(9000) t(i)")
    frame = warehouse.frame("now", max_bytes=1 << 20)
    ask = frame.session.run
    came: list[int] = []

    def run(question: Any, most: int) -> Any:
        with closing(ask(question, most)) as answer:
            came.extend(batch.nbytes for batch in answer)
        raise DataError("as much as that")

    frame.session.run = run
    with pytest.raises(DataError, match="as much"):
        frame.count(Key(column="g"))
    assert 0 < max(came) < 30 << 20


def test_a_budget_that_is_used_up_where_it_would_decide_is_no_lack_of_rows(
    warehouse: Warehouse,
) -> None:
    """Too few rows may only warn at an early stage; rows that nobody looked at never do."""
    warehouse.write(
        "create table before as from range(100000) t(i) select (i + 0.5) / 100000 as x, i as y",
        "create table now as from range(100000) t(i) select (i + 0.5) / 100000 + 0.2 as x, i as y",
    )
    (_, drift) = warehouse.gate(POLICY.format(limit=0.2)).results
    (value,) = (cell.value for cell in drift.statistics if cell.judged)
    at_limit = POLICY.format(limit=value)
    warehouse.connect(max_bytes=2_000_000)
    verdict = warehouse.gate(at_limit)
    assert outcomes(verdict) == {"DATA-01": Outcome.PASS, "MON-01": Outcome.ERROR}
    assert verdict.decision is Decision.UNDECIDED
