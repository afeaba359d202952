"""Every engine holds to the contract of `engines`, because each row of ENGINES is tested."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aims_gate.engines import ENGINES, Engine, Trials
from aims_gate.errors import GateError
from aims_gate.frames import Cells, Distribution, Key

LAWS = settings(deadline=None, max_examples=60)
every_engine = pytest.mark.parametrize("name", list(ENGINES))


@st.composite
def groups(draw: st.DrawFn) -> Trials:
    rows = draw(st.integers(1, 50_000))
    return Trials(group="g", rows=rows, successes=draw(st.integers(0, rows)))


def numbers(rows: np.typing.NDArray[np.float64]) -> Distribution:
    values, counts = np.unique(rows, return_counts=True)
    return Distribution(values=values, counts=counts.astype(np.int64), nulls=0)


def categories(counts: dict[str, int]) -> Cells:
    return Cells(
        keys=(Key(column="c"),),
        values=tuple((name,) for name in counts),
        counts=np.array(list(counts.values()), dtype=np.int64),
    )


@every_engine
def test_an_engine_names_itself_and_its_version(name: str) -> None:
    assert re.fullmatch(rf"{name} \d+\.\d+(\.\w+)*", ENGINES[name].label)


@every_engine
@LAWS
@given(groups(), groups())
def test_ratio_and_gap_are_those_of_the_rates(name: str, low: Trials, high: Trials) -> None:
    engine: Engine = ENGINES[name]
    p, q = low.successes / low.rows, high.successes / high.rows
    assert engine.gap(low, high) == pytest.approx(q - p, abs=1e-9)
    ratio = engine.ratio(low, high)
    if q == 0:
        assert math.isnan(ratio)
    else:
        assert ratio == pytest.approx(p / q, rel=1e-9)


@every_engine
@pytest.mark.parametrize("method", ["psi", "wasserstein"])
def test_a_sample_has_no_distance_to_itself_and_more_the_further_it_moves(
    name: str, method: str
) -> None:
    engine: Engine = ENGINES[name]
    rows = np.random.default_rng(1).normal(size=4_000)
    found = [
        engine.drift_of_numbers(method, numbers(rows), numbers(rows + shift))
        for shift in (0.0, 0.2, 0.5, 1.0)
    ]
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert found == sorted(found)
    assert found[3] > 0.9


@every_engine
@pytest.mark.parametrize("method", ["psi", "wasserstein"])
@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e9])
def test_a_distance_does_not_depend_on_the_unit(name: str, method: str, factor: float) -> None:
    """But for the floor under the spread, which a column of a thousandth's size meets."""
    engine: Engine = ENGINES[name]
    rng = np.random.default_rng(2)
    before, after = rng.exponential(size=2_000), rng.exponential(1.4, size=1_500)
    if method == "wasserstein" and abs(factor) < 0.01:
        before, after = before * 1e6, after * 1e6
    plain = engine.drift_of_numbers(method, numbers(before), numbers(after))
    scaled = engine.drift_of_numbers(method, numbers(before * factor), numbers(after * factor))
    # a mirrored column cuts its bins from the other end
    assert scaled == pytest.approx(plain, rel=0.05 if factor < 0 else 1e-6)


@every_engine
def test_categories_that_swap_shares_have_moved_and_unseen_ones_count(name: str) -> None:
    engine: Engine = ENGINES[name]
    before = categories({"a": 600, "b": 300, "c": 100})
    swapped = categories({"a": 300, "b": 600, "c": 100})
    unseen = categories({"a": 600, "b": 300, "d": 100})
    same = engine.drift_of_categories("psi", before, before)
    assert same == pytest.approx(0, abs=1e-9)
    assert engine.drift_of_categories("psi", before, swapped) > 0.3
    assert engine.drift_of_categories("psi", before, unseen) > 0.3


@every_engine
def test_an_unknown_method_is_an_error(name: str) -> None:
    sample = numbers(np.arange(200.0))
    with pytest.raises(GateError):
        ENGINES[name].drift_of_numbers("no such method", sample, sample)
    with pytest.raises(GateError):
        ENGINES[name].drift_of_categories("no such method", *[categories({"a": 9})] * 2)
