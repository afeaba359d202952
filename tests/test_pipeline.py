"""A run measures rule after rule over the same frames."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aims_gate import pipeline, request
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.plan import plan
from aims_gate.policy.model import Role
from aims_gate.policy.resolve import resolve
from aims_gate.sources import SOURCES
from aims_gate.sources.subject import Workspace
from aims_gate.verdict import Outcome

NOW = datetime(2027, 1, 15, tzinfo=UTC)
NUMBERS = "{id: A-01, check: drift.columns, with: {numeric: wasserstein, categorical: none}}"
TEXTS = "{id: A-02, check: drift.columns, with: {numeric: none, categorical: js}}"
VALUES = "{id: A-03, check: drift.new_value}"


@pytest.mark.parametrize(
    ("rules", "kept"),
    [([NUMBERS], 0), ([TEXTS, NUMBERS], 0), ([NUMBERS, TEXTS], 0), ([VALUES, NUMBERS, TEXTS], 4)],
)
def test_sorted_columns_are_kept_for_a_later_rule_and_else_take_no_memory(
    rules: list[str], kept: int, tmp_path: Path
) -> None:
    random = np.random.default_rng(2)
    given = {
        role: pa.table(
            {
                **{f"x{i}": random.normal(size=rows) for i in range(4)},
                "c": random.choice(list("abc"), rows),
            }
        )
        for role, rows in ((Role.REFERENCE, 900), (Role.CURRENT, 700))
    }
    text = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: '1'}\nrules:\n"
    policy, problems = resolve((text + "".join(f"  - {r}\n" for r in rules)).encode(), uri="p")
    assert policy is not None, problems
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w").touch()
    (tmp_path / "work").mkdir()
    subject = SOURCES["file"].open(
        f"file:{tmp_path / 'model'}",
        policy=policy,
        given=given,
        workspace=Workspace(folder=tmp_path / "work"),
    )
    world = request.World(now=lambda: NOW, new_id=lambda _now: "1")
    results = pipeline.evaluate(
        policy, plan(policy).sound(), subject, stage="production", world=world
    )
    assert {result.outcome for result in results} == {Outcome.PASS}
    for data in subject.data.values():
        assert isinstance(data.frame, ArrowFrame)
        names = [f"x{i}" for i in range(4)]
        found = [data.frame.cache.kept(("distribution", name)) for name in names]
        assert sum(one is not None for one in found) == kept
