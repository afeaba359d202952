"""What charts are drawn from: true to the rows, small, and silent about few of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from aims_gate.facts import POINTS, Curve, CurveKind
from aims_gate.stats import calibration, curves
from aims_gate.stats.bins import Binned, categorical
from tests.stats.samples import ranked
from tests.support.laws import law


def scored(seed: int, rows: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < 0.3).astype(np.float64)
    return truth, np.round(random.random(rows) * 0.5 + truth * 0.3, digits)


@law(40)
@given(st.integers(0, 9_999), st.integers(2, 6_000), st.sampled_from([1, 2, 12]))
def test_points_are_those_of_scikit_learn_and_thirty_rows_apart(
    seed: int, rows: int, digits: int
) -> None:
    truth, scores = scored(seed, rows, digits)
    found = curves.ranking(ranked(truth, scores))
    if not found:
        assert rows < 2 * curves.LEAST or digits == 1 or truth.sum() in {0, rows}
        return
    roc, precision = found
    assert len(roc.x) <= POINTS
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    exact = set(zip(np.round(fpr, 4), np.round(tpr, 4), strict=True))
    assert exact >= set(zip(roc.x, roc.y, strict=True))
    p, r, _ = precision_recall_curve(truth, scores)
    exact = set(zip(np.round(r, 4), np.round(p, 4), strict=True))
    assert exact >= set(zip(precision.x, precision.y, strict=True))
    positives = truth.sum()
    steps = np.diff(np.array(roc.x)) * (rows - positives) + np.diff(np.array(roc.y)) * positives
    assert steps.min() >= curves.LEAST - 1e-4 * rows


def test_one_class_or_few_rows_make_no_curve() -> None:
    truth, scores = scored(1, 59, 12)
    assert curves.ranking(ranked(truth, scores)) == ()
    assert curves.ranking(ranked(np.ones(500), np.linspace(0, 1, 500))) == ()
    assert curves.ranking(ranked(truth[:0], scores[:0])) == ()


def test_a_reliability_diagram_leaves_small_bins_out() -> None:
    truth, scores = scored(1, 900, 12)
    (full,) = curves.reliability_diagram(calibration.reliability(ranked(truth, scores), 15))
    assert len(full.x) == 15
    found = calibration.reliability(ranked(truth, scores), 60)
    assert curves.reliability_diagram(found) == ()  # fifteen rows a bin
    assert curves.reliability_diagram(found, least=1) == ()  # never fewer than thirty
    assert (
        curves.reliability_diagram(calibration.reliability(ranked(truth, scores), 15), least=99)
        == ()
    )


@law(100)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=90))
def test_no_bin_of_few_rows_is_told_nor_follows_from_the_others(
    rows: list[tuple[int, int]],
) -> None:
    """Small bins are pooled until the pool itself is none."""
    reference, current = np.array(rows, dtype=np.int64).T
    names = tuple(f"b{place}" for place in range(len(rows)))
    found = curves.histogram(Binned(reference=reference, current=current, names=names))
    if not reference.sum() or not current.sum():
        assert found == ()
        return
    if not found:  # everything is in small bins, or would be pooled with them
        few = ((reference > 0) & (reference < 30)) | ((current > 0) & (current < 30))
        assert few.any()
        return
    (curve,) = found
    assert len(curve.names) <= POINTS
    for counts, shares in ((reference, curve.x), (current, curve.y)):
        least = round(curves.LEAST / counts.sum(), 4)
        assert all(share == 0 or share >= least for share in shares)
        assert sum(shares) == pytest.approx(1, abs=1e-4 * POINTS)
        shown = [int(name[1:]) for name in curve.names if name[0] == "b"]
        assert shown == sorted(shown)
        told = zip(shares, shown, strict=False)
        assert all(share == round(counts[place] / counts.sum(), 4) for share, place in told)


def test_a_small_bin_takes_the_next_smallest_with_it() -> None:
    reference, current = np.array([500, 300, 100, 100]), np.array([400, 90, 3, 100])
    table = Binned(reference=reference, current=current, names=("a", "b", "c", "d"))
    (curve,) = curves.histogram(table)
    assert curve.names == ("a", "b", "2 other bins")
    assert curve.x == (0.5, 0.3, 0.2)
    assert curve.y == tuple(round(n / 593, 4) for n in (400, 90, 103))
    few = Binned(reference=reference // 40, current=current, names=("a", "b", "c", "d"))
    assert curves.histogram(few) == ()


def test_many_categories_are_pooled() -> None:
    table = categorical(
        {f"v{n:03}": 40 + n for n in range(100)}, {f"v{n:03}": 40 for n in range(100)}
    )
    (curve,) = curves.histogram(table)
    assert len(curve.names) == POINTS
    assert curve.names[-1] == "37 other bins"
    assert sum(curve.x) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "names", "x", "y"),
    [
        ("roc", (), (0.0,), (0.0, 1.0)),
        ("roc", (), (0.0,), (1.1,)),
        ("roc", (), (0.0,), (float("nan"),)),
        ("roc", (), (0.0,) * 65, (0.0,) * 65),
        ("histogram", ("a",), (0.1, 0.2), (0.1, 0.2)),
        ("histogram", ("a",), (-0.1,), (0.1,)),
    ],
)
def test_what_is_no_curve_is_refused(
    kind: str, names: tuple[str, ...], x: tuple[float, ...], y: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=kind):
        Curve(kind=CurveKind(kind), names=names, x=x, y=y)


@pytest.mark.parametrize(
    "said", [{}, [], {"kind": "pie", "x": [], "y": []}, {"kind": "roc", "x": 1}]
)
def test_what_does_not_read_as_a_curve_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match=r"no curve|not a valid"):
        Curve.read(said)  # type: ignore[arg-type]


def test_a_curve_reads_back_from_numbers_and_from_decimal_strings() -> None:
    curve = Curve(kind=CurveKind.HISTOGRAM, names=("a", "b"), x=(0.25, 0.75), y=(0.5, 0.5))
    assert Curve.read(curve.said(lambda v: v)) == curve
    assert Curve.read(curve.said("{:g}".format)) == curve
