"""What is asked of Fairlearn, Evidently and scikit-learn, in their own terms.

Runs in the child process only. Every function gives the label of the library that answered, and
its numbers; which of them is which is said where the question is asked.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Told = tuple[str, list[float]]

_MODULES = {
    "fairlearn": "fairlearn.metrics",
    "evidently": "evidently.legacy.calculations.stattests",
    "scikit-learn": "sklearn.metrics",
}


def load(library: str) -> None:
    """Import a library before it is asked; if that fails, its first question says so."""
    try:
        importlib.import_module(_MODULES[library])
    except ImportError:
        return


def rates(rows: Counts, successes: Counts) -> Told:
    """Give Fairlearn's selection rate of each group, from cells counted by `sample_weight`.

    Each group is two cells: those to whom it happened and those to whom it did not.
    """
    import fairlearn
    from fairlearn.metrics import MetricFrame, selection_rate

    groups = np.repeat(np.arange(len(rows)), 2)
    happened = np.tile([1, 0], len(rows))
    weights = np.column_stack([successes, rows - successes]).ravel()
    there = np.repeat(rows > 0, 2)
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=happened[there],
        y_pred=happened[there],
        sensitive_features=groups[there],
        sample_params={"sample_weight": weights[there]},
    )
    found = frame.by_group.reindex(range(len(rows)))
    return f"fairlearn {fairlearn.__version__}", [float(rate) for rate in found]


def means(values: Floats, counts: Counts, group: Counts, groups: Counts) -> Told:
    """Give Fairlearn's mean prediction of each of *groups*, values counted by `sample_weight`."""
    import fairlearn
    from fairlearn.metrics import MetricFrame, mean_prediction

    frame = MetricFrame(
        metrics=mean_prediction,
        y_true=values,
        y_pred=values,
        sensitive_features=group,
        sample_params={"sample_weight": counts},
    )
    found = frame.by_group.reindex(groups)
    return f"fairlearn {fairlearn.__version__}", [float(mean) for mean in found]


def fairness(
    metric: str,
    truth: Counts,
    prediction: Counts,
    group: Counts,
    counts: Counts,
    **options: str,
) -> Told:
    """Give one of Fairlearn's named metrics over cells counted by `sample_weight`.

    *options* are Fairlearn's own: `method` of differences and ratios, `agg` of equalized odds.
    """
    import fairlearn
    from fairlearn import metrics

    found = getattr(metrics, metric)(
        truth, prediction, sensitive_features=group, sample_weight=counts, **options
    )
    return f"fairlearn {fairlearn.__version__}", [float(found)]


def drift(
    *, test: str, kind: str, reference: Floats, before: Counts, current: Floats, after: Counts
) -> Told:
    """Give the score of one of Evidently's registered tests.

    *reference* and *current* are values, *before* and *after* how often each of them occurs; *kind*
    is `num` or `cat`.
    """
    import evidently
    import pandas as pd
    from evidently.legacy.calculations.stattests.registry import get_registered_stattest
    from evidently.legacy.core import ColumnType

    column = ColumnType(kind)
    found = get_registered_stattest(test, column)(
        pd.Series(np.repeat(reference, before)),
        pd.Series(np.repeat(current, after)),
        column,
        None,
    )
    return f"evidently {evidently.__version__}", [float(found.drift_score)]


def distance(method: str, reference: Floats, current: Floats) -> Told:
    """Give a distance that Evidently's tests turn into a p-value, from SciPy, which it asks.

    `ks` is of two samples of values; `chi2`, Cramer's V, of two rows of counts weighted alike.
    """
    import scipy
    from scipy.stats import chi2_contingency, ks_2samp

    if method == "ks":
        found = ks_2samp(reference, current, method="asymp").statistic
    else:
        shares = np.array([reference / reference.sum(), current / current.sum()])
        found = math.sqrt(chi2_contingency(shares, correction=False).statistic / 2)
    return f"scipy {scipy.__version__}", [float(found)]


def score(metric: str, truth: Floats, estimate: Floats, counts: Counts) -> Told:
    """Give a performance metric of scikit-learn over rows counted by `sample_weight`."""
    import sklearn

    there = counts > 0
    found = _SCORES[metric](truth[there], estimate[there], counts[there])
    return f"scikit-learn {sklearn.__version__}", [float(found)]


_Score = Callable[[Any, Any, Any], float]


def _of(name: str, **options: Any) -> _Score:
    def compute(truth: Any, estimate: Any, counts: Any) -> float:
        from sklearn import metrics

        function = getattr(metrics, name)
        return float(function(truth, estimate, sample_weight=counts, **options))

    return compute


def _rmse(truth: Any, estimate: Any, counts: Any) -> float:
    # the root by hand: `root_mean_squared_error` came with scikit-learn 1.4
    return math.sqrt(_of("mean_squared_error")(truth, estimate, counts))


_UNDEFINED: dict[str, Any] = {"zero_division": np.nan}
_SCORES: Mapping[str, _Score] = {
    "accuracy": _of("accuracy_score"),
    "balanced_accuracy": _of("balanced_accuracy_score"),
    "precision": _of("precision_score", **_UNDEFINED),
    "recall": _of("recall_score", **_UNDEFINED),
    "specificity": _of("recall_score", pos_label=0, **_UNDEFINED),
    "f1": _of("f1_score", **_UNDEFINED),
    "mcc": _of("matthews_corrcoef"),
    "roc_auc": _of("roc_auc_score"),
    "brier": _of("brier_score_loss"),
    "log_loss": _of("log_loss", labels=[0.0, 1.0]),
    "macro_precision": _of("precision_score", average="macro", **_UNDEFINED),
    "macro_recall": _of("recall_score", average="macro", **_UNDEFINED),
    "macro_f1": _of("f1_score", average="macro"),
    "weighted_f1": _of("f1_score", average="weighted"),
    "mae": _of("mean_absolute_error"),
    "mse": _of("mean_squared_error"),
    "rmse": _rmse,
    "r2": _of("r2_score"),
}
ANSWERS: Mapping[str, Callable[..., Told]] = {
    "rates": rates,
    "means": means,
    "fairness": fairness,
    "drift": drift,
    "distance": distance,
    "score": score,
}
"""Everything that can be asked."""
