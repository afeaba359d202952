"""Subjects made of frames in memory, for tests of checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.checks.contract import Check, Inputs
from aims_gate.engines.native import ENGINE
from aims_gate.facts import DatasetIdentity, DigestKind, ModelIdentity, Statistic
from aims_gate.frames.opening import open_frame
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.plan import plan
from aims_gate.policy.model import DataSpec, OnInsufficient, Policy, Role, Rule
from aims_gate.sources.subject import Data, Subject
from aims_gate.verdict import Result

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def data(columns: object, role: Role = Role.EVALUATION, **spec: Any) -> Data:
    """A role's data from columns in memory, all named by the policy; `weight` is honoured."""
    frame = open_frame(columns, weight=spec.get("weight"))
    identity = DatasetIdentity(
        role=role,
        name=role,
        uri="memory",
        digest="0" * 64,
        digest_kind=DigestKind.ROWS,
        rows=frame.rows,
    )
    return Data(
        role=role,
        frame=frame,
        spec=DataSpec(**spec),
        identity=identity,
        declared=frozenset(frame.columns),
    )


def arrays(found: Data) -> dict[str, Any]:
    """The columns of data from `data`, for oracles."""
    table = found.frame.table.to_pydict()  # type: ignore[attr-defined]  # an ArrowFrame
    return {name: np.array(values) for name, values in table.items()}


def inputs(*roles: Data, on: Role | None = None, alpha: float = 0.05) -> Inputs:
    """What a check may look at: these data, the native engine and a fixed time."""
    subject = Subject(
        model=ModelIdentity(uri="file:model", name="model"),
        manifest=Manifest(entries=(ManifestEntry(path="weights", sha256="0" * 64, bytes=1),)),
        folder=Path("model"),
        data={found.role: found for found in roles},
    )
    return Inputs(subject=subject, engine=ENGINE, alpha=alpha, alpha_alone=alpha, now=NOW, on=on)


def judged(check: Check, *roles: Data, **options: Any) -> Mapping[str, Statistic]:
    """The judged cells by slice; every one has a value or a lack with its reason."""
    cells = [s for s in check.measure(inputs(*roles, **options)) if s.judged]
    assert cells
    for cell in cells:
        assert cell.name == check.judged().name
        assert (cell.value is None) == (cell.lack is not None)
        assert cell.reason or cell.lack is None
    return {cell.slice: cell for cell in cells}


def context(check: Check, name: str, *roles: Data) -> Mapping[str, Statistic]:
    """The statistics called *name* that are not judged, by slice."""
    found: Iterable[Statistic] = check.measure(inputs(*roles))
    return {s.slice: s for s in found if s.name == name and not s.judged}


def decided(rule: Mapping[str, Any], *roles: Data) -> Result:
    """What the gate itself makes of a rule: planned, measured and judged."""
    policy = Policy(id="p", version="1.0.0", rules=(Rule(id="RULE-01", **rule),))
    (task,) = plan(policy).sound()
    statistics = measure(task, inputs(*roles).subject, now=NOW)
    return judge(task, statistics, now=NOW, insufficient=OnInsufficient.BLOCK)
