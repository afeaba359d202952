"""Which checks record curves, of whom, and that weighted rows have none."""

from __future__ import annotations

import numpy as np
import pytest

from aims_gate.checks.drift.prediction_label import Prediction
from aims_gate.checks.drift.share import Share
from aims_gate.checks.performance.calibration import Calibration
from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.score import Score
from aims_gate.facts import CurveKind, Statistic
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from tests.checks.performance.champions import BINARY_ROLES, binary
from tests.checks.subjects import context, data, judged

BOTH = (CurveKind.ROC, CurveKind.PRECISION_RECALL)


def kinds(cell: Statistic) -> tuple[CurveKind, ...]:
    return tuple(curve.kind for curve in cell.curves)


def answers(role: Role, shift: float = 0.0, **spec: object) -> Data:
    random = np.random.default_rng(1)
    columns = {"s": np.clip(random.beta(2, 3, 2_000) + shift, 0, 1), "n": np.ones(2_000, int)}
    return data(columns, role, score="s", **spec)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_a_ranking_has_both_curves_and_of_weighted_rows_none(metric: str) -> None:
    ours, _ = binary()
    (cell,) = judged(Score(metric=metric), ours).values()
    assert kinds(cell) == BOTH
    columns = ours.frame.table.to_pydict()  # type: ignore[attr-defined]
    (weighted,) = judged(Score(metric=metric), data(columns, **BINARY_ROLES, weight="n")).values()
    assert weighted.curves == ()
    (accuracy,) = judged(Score(metric="accuracy"), ours).values()
    assert accuracy.curves == ()


def test_each_slice_has_the_curves_of_candidate_and_champion() -> None:
    cells = judged(Champion(metric="roc_auc", by=("g",)), *binary())
    assert len(cells) == 4
    for cell in cells.values():
        assert kinds(cell) == BOTH * 2
        assert [curve.of for curve in cell.curves] == ["candidate"] * 2 + ["champion"] * 2


def test_each_slice_has_its_reliability_diagram_and_of_weighted_rows_none() -> None:
    ours, _ = binary()
    cells = judged(Calibration(by=("g",)), ours)
    assert {kinds(cell) for cell in cells.values()} <= {(CurveKind.CALIBRATION,), ()}
    assert cells[""].curves
    columns = ours.frame.table.to_pydict()  # type: ignore[attr-defined]
    weighted = judged(Calibration(), data(columns, **BINARY_ROLES, weight="n"))
    assert weighted[""].curves == ()


@pytest.mark.parametrize("method", ["psi", "ks", "wasserstein"])
def test_distributions_are_recorded_by_whatever_distance(method: str) -> None:
    """In the same bins: those of the reference."""
    before, after = answers(Role.REFERENCE), answers(Role.CURRENT, 0.2)
    (curve,) = judged(Prediction(method=method), before, after)["s"].curves
    assert curve.kind is CurveKind.HISTOGRAM
    # three of ten bins hold fewer than 30 current rows
    assert len(curve.names) == 8
    assert curve.names[-1] == "3 other bins"
    assert curve.x == pytest.approx((*[0.1] * 7, 0.3), abs=0.001)
    assert curve.y[-2] > 0.3
    assert sum(curve.y) == pytest.approx(1, abs=0.001)


def test_the_share_of_drifted_columns_records_each_ones_distribution() -> None:
    random = np.random.default_rng(2)
    before, after = (
        data({"x": random.normal(shift, 1, 3_000), "k": random.integers(0, 3, 3_000)}, role)
        for role, shift in ((Role.REFERENCE, 0.0), (Role.CURRENT, 2.0))
    )
    cells = context(Share(), "psi", before, after)
    assert {name: kinds(cell) for name, cell in cells.items()} == dict.fromkeys(
        ("x", "k"), (CurveKind.HISTOGRAM,)
    )
