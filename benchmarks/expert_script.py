"""The expert script: the same libraries by somebody who knows where their time goes.

Polars reads and counts, Evidently's registered tests are called directly on bare columns, Fairlearn
works on the counted cells. `expert_script.py REFERENCE CURRENT` prints its numbers as JSON.
"""

from __future__ import annotations

import json
import sys

import polars as pl
from evidently.legacy.calculations.stattests.registry import get_registered_stattest
from evidently.legacy.core import ColumnType
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, roc_auc_score
from speed_data import ATTRIBUTES, CATEGORIES, LABEL, NUMBERS, PREDICTION, SCORE

_TESTS = (
    (NUMBERS, "wasserstein", ColumnType.Numerical),
    (CATEGORIES, "jensenshannon", ColumnType.Categorical),
)


def main() -> None:
    """Compute drift of every feature, group rates, and performance."""
    before, after = (pl.scan_parquet(path) for path in sys.argv[1:])
    drift = {}
    for columns, test, kind in _TESTS:
        measure = get_registered_stattest(test, kind)
        for column in columns:
            # one column of each side in memory at a time, nulls dropped as Evidently would
            sides = [
                side.select(column).collect().to_series().drop_nulls().to_pandas()
                for side in (before, after)
            ]
            drift[column] = float(measure(*sides, kind, None).drift_score)
    cells = after.group_by(*ATTRIBUTES, LABEL, PREDICTION).len().collect().to_pandas()
    weights = {"sample_weight": cells["len"]}
    metrics = {"sr": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate}
    groups = MetricFrame(
        metrics=metrics,
        y_true=cells[LABEL],
        y_pred=cells[PREDICTION],
        sensitive_features=cells[list(ATTRIBUTES)],
        sample_params=dict.fromkeys(metrics, weights),
    )
    scored = after.select(LABEL, SCORE).collect()
    found = {
        "drift": drift,
        "groups": int(groups.by_group.shape[0]),
        "accuracy": accuracy_score(cells[LABEL], cells[PREDICTION], sample_weight=cells["len"]),
        "roc_auc": roc_auc_score(scored[LABEL].to_numpy(), scored[SCORE].to_numpy()),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
