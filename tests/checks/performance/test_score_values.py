"""Values of performance.score agree with scikit-learn, whatever the order and names of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.metrics import BUILDERS
from aims_gate.checks.performance.score import Metric
from aims_gate.policy.model import TaskKind
from tests.checks.performance.scored import (
    FITTING,
    LAWS,
    MAKERS,
    ROLES,
    arrays,
    binary,
    cells,
    check,
    expected,
    only,
    same,
)
from tests.checks.subjects import data, inputs


@pytest.mark.parametrize(("metric", "task"), FITTING)
@LAWS
@given(st.integers(0, 2**32 - 1))
def test_values_agree_with_scikit_learn(metric: Metric, task: TaskKind, seed: int) -> None:
    found = MAKERS[task](seed)
    cell = cells(metric, found)[0]
    assert cell.value == pytest.approx(expected(metric, found), rel=1e-9, abs=1e-12)
    assert cell.engine.startswith("native ")
    assert cell.rows <= cell.total == found.frame.rows


@pytest.mark.parametrize(("metric", "task"), FITTING)
def test_weighted_rows_are_repeated_rows(metric: Metric, task: TaskKind) -> None:
    """Value, interval, rows and context agree with the repeated rows and with scikit-learn."""
    weighted = MAKERS[task](7, weight="n")
    columns, n = arrays(weighted)
    spec = {role: getattr(weighted.spec, role) for role in ROLES}
    assert n is not None
    written_out = data({name: np.repeat(c, n) for name, c in columns.items()}, **spec)
    found = check(metric).measure(inputs(weighted))
    again = check(metric).measure(inputs(written_out))
    for one, other in zip(found, again, strict=True):
        assert (one.name, one.slice, one.rows, one.total) == (
            other.name,
            other.slice,
            other.rows,
            other.total,
        )
        assert same(one.value, other.value)
        assert (one.interval is None) == (other.interval is None)
        if one.interval is not None and other.interval is not None:
            assert one.interval.low == pytest.approx(other.interval.low, rel=1e-9)
            assert one.interval.high == pytest.approx(other.interval.high, rel=1e-9)
    cell = cells(metric, weighted)[0]
    assert cell.value == pytest.approx(expected(metric, weighted), rel=1e-9)


@pytest.mark.parametrize(("metric", "task"), FITTING)
def test_the_order_of_rows_changes_nothing(metric: Metric, task: TaskKind) -> None:
    plain = MAKERS[task](11)
    columns, _ = arrays(plain)
    order = np.random.default_rng(1).permutation(len(columns["y"]))
    spec = {role: getattr(plain.spec, role) for role in ROLES}
    turned = data({name: values[order] for name, values in columns.items()}, **spec)
    for one, other in zip(cells(metric, plain), cells(metric, turned), strict=True):
        assert one.lack == other.lack
        assert same(one.value, other.value)


@pytest.mark.parametrize("metric", BUILDERS[TaskKind.BINARY])
def test_the_names_of_the_classes_change_nothing(metric: Metric) -> None:
    plain = binary(3)
    columns, _ = arrays(plain)
    for yes, no in ((1, 0), (True, False), (1.0, 0.0), ("a", "b"), (7, 12)):
        renamed = {name: np.where(columns[name] == "yes", yes, no) for name in ("y", "p")}
        found = data({**columns, **renamed}, label="y", prediction="p", score="s", positive=yes)
        one, other = only(metric, plain), only(metric, found)
        assert (one.value, one.interval) == (other.value, other.interval)
