"""Adapter to scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aims_gate.engines.reference.libraries.library_answer import Counts, Floats, Told
from aims_gate.stats.formulas import FORMULAS


def score(
    *,
    metric: str,
    truth: Floats,
    estimate: Floats,
    counts: Counts,
    group: Counts | None = None,
    **options: Floats,
) -> Told:
    """A performance metric of scikit-learn over rows weighted by `sample_weight`.

    With *group* it is the plain mean of the metric of each group's rows. An *estimate* longer than
    *truth* holds a row of probabilities for each. *options* are single numbers: `beta`, `k`.
    """
    import sklearn

    single = {name: number.item() for name, number in options.items()}
    rows = estimate.reshape(len(truth), -1) if len(estimate) > len(truth) else estimate
    groups = [counts > 0] if group is None else [(counts > 0) & (group == g) for g in set(group)]
    values = [_SCORES[metric](truth[g], rows[g], counts[g], **single) for g in groups]
    return f"scikit-learn {sklearn.__version__}", [math.fsum(values) / len(values)]


def calibration(*, scores: Floats, positives: Counts, negatives: Counts, bins: Counts) -> Told:
    """Expected calibration error from scikit-learn's calibration curve by quantiles.

    The curve does not tell the rows of its bins, by which distances are weighted: they are counted
    between the edges that it cuts at.
    """
    import sklearn
    from sklearn.calibration import calibration_curve

    rows = np.repeat(np.tile(scores, 2), np.concatenate([positives, negatives]))
    truth = np.repeat([1, 0], [positives.sum(), negatives.sum()])
    number = bins.item()
    rates, means = calibration_curve(truth, rows, pos_label=1, n_bins=number, strategy="quantile")
    edges = np.percentile(rows, np.linspace(0, 1, number + 1) * 100)
    sizes = np.bincount(np.searchsorted(edges[1:-1], rows), minlength=number)
    error = float(sizes[sizes > 0] @ np.abs(rates - means)) / len(rows)
    return f"scikit-learn {sklearn.__version__}", [error]


_Score = Callable[..., float]


def _of(name: str, **options: Any) -> _Score:
    def compute(truth: Any, estimate: Any, counts: Any, **single: Any) -> float:
        from sklearn import metrics

        function = getattr(metrics, name)
        return float(function(truth, estimate, sample_weight=counts, **options, **single))

    return compute


def _log_loss(truth: Any, estimate: Any, counts: Any) -> float:
    classes = range(estimate.shape[1]) if estimate.ndim > 1 else range(2)
    return _of("log_loss", labels=[float(place) for place in classes])(truth, estimate, counts)


def _brier(truth: Any, estimate: Any, counts: Any) -> float:
    if estimate.ndim == 1:
        return _of("brier_score_loss")(truth, estimate, counts)
    # class by class: `brier_score_loss` takes several classes from scikit-learn 1.7 on only
    each = [
        _of("mean_squared_error")((truth == place).astype(float), estimate[:, place], counts)
        for place in range(estimate.shape[1])
    ]
    return math.fsum(each) / 2


def _median_error(truth: Any, estimate: Any, counts: Any) -> float:
    from sklearn import metrics

    # rows written out: until 1.7 weights gave the lower of the two in the middle
    return float(
        metrics.median_absolute_error(np.repeat(truth, counts), np.repeat(estimate, counts))
    )


def _ndcg(truth: Any, estimate: Any, counts: Any, k: int | None = None) -> float:
    from sklearn import metrics

    rows = [np.repeat(values, counts)[np.newaxis, :] for values in (truth, estimate)]
    return float(metrics.ndcg_score(*rows, k=k))


def _average_precision(truth: Any, estimate: Any, counts: Any, **_k: Any) -> float:
    return _of("average_precision_score")(truth > 0, estimate, counts)


def _reciprocal_rank(truth: Any, estimate: Any, counts: Any, **_k: Any) -> float:
    """Rank one relevant row among the best ones alone: its precision is the reciprocal rank."""
    from sklearn import metrics

    truth, estimate = np.repeat(truth, counts), np.repeat(estimate, counts)
    relevant = np.flatnonzero(truth > 0)
    first = np.zeros((1, len(truth)), dtype=np.int64)
    first[0, relevant[np.argmax(estimate[relevant])]] = 1
    return float(metrics.label_ranking_average_precision_score(first, estimate[np.newaxis, :]))


def _at_k(name: str) -> _Score:
    """Precision or recall at k; tied rows at the boundary count in parts."""

    def compute(truth: Any, estimate: Any, counts: Any, k: int) -> float:
        scores, place = np.unique(-estimate, return_inverse=True)
        sizes = np.bincount(place, counts, len(scores))
        before = np.cumsum(sizes) - sizes
        inside = (np.clip(k - before, 0, sizes) / sizes)[place] * counts
        weights = np.concatenate([inside, counts - inside])
        called = np.repeat([1, 0], len(truth))
        found = _of(name)(np.tile(truth > 0, 2).astype(int), called, weights)
        # a query with fewer rows than k has empty places
        return found * min(1.0, counts.sum() / k) if name == "precision_score" else found

    return compute


def _rmse(truth: Any, estimate: Any, counts: Any) -> float:
    # the root by hand: `root_mean_squared_error` came with scikit-learn 1.4
    return math.sqrt(_of("mean_squared_error")(truth, estimate, counts))


_SCORES: Mapping[str, _Score] = {
    **{f.metric: _of(f.oracle[0], **f.oracle[1]) for f in FORMULAS if f.oracle},
    "brier": _brier,
    "log_loss": _log_loss,
    "median_error": _median_error,
    "rmse": _rmse,
    "ndcg": _ndcg,
    "map": _average_precision,
    "mrr": _reciprocal_rank,
    "precision_at_k": _at_k("precision_score"),
    "recall_at_k": _at_k("recall_score"),
}
"""What gives each metric: the function that its row names, or what takes more than one."""
