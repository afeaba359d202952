"""Adapter to Fairlearn."""

from __future__ import annotations

import numpy as np

from aims_gate.engines.reference.libraries.library_answer import Counts, Floats, Told


def rates(rows: Counts, successes: Counts) -> Told:
    """Fairlearn's selection rate of each group, from cells weighted by `sample_weight`.

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
    """Fairlearn's mean prediction of each of *groups*, weighted by `sample_weight`."""
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
    """A fairness metric of Fairlearn by its name, over cells weighted by `sample_weight`.

    *options* are Fairlearn's own: `method` of differences and ratios, `agg` of equalized odds.
    """
    import fairlearn
    from fairlearn import metrics

    found = getattr(metrics, metric)(
        truth, prediction, sensitive_features=group, sample_weight=counts, **options
    )
    return f"fairlearn {fairlearn.__version__}", [float(found)]
