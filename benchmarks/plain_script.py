"""The plain script: what a data scientist writes with MLflow, Evidently and Fairlearn.

`plain_script.py REFERENCE CURRENT TRACKING_URI MODEL_URI` prints its numbers as JSON.
"""

from __future__ import annotations

import json
import sys

import mlflow
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, roc_auc_score
from speed_data import ATTRIBUTES, CATEGORIES, FEATURES, LABEL, NUMBERS, PREDICTION, SCORE


def main() -> None:
    """Compute drift of every feature, group rates, and performance."""
    reference, current, tracking, model = sys.argv[1:]
    client = mlflow.MlflowClient(tracking_uri=tracking)
    name, version = model.removeprefix("models:/").split("/")
    run = client.get_run(client.get_model_version(name, version).run_id)
    before, after = pd.read_parquet(reference), pd.read_parquet(current)
    definition = DataDefinition(
        numerical_columns=list(NUMBERS), categorical_columns=list(CATEGORIES)
    )
    data = [
        Dataset.from_pandas(frame[list(FEATURES)], data_definition=definition)
        for frame in (after, before)
    ]
    drift = Report([DataDriftPreset()]).run(*data).dict()
    groups = MetricFrame(
        metrics={"sr": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=after[LABEL],
        y_pred=after[PREDICTION],
        sensitive_features=after[list(ATTRIBUTES)],
    )
    found = {
        "run": run.info.run_id,
        "drift": {
            metric["config"]["column"]: float(metric["value"])
            for metric in drift["metrics"]
            if "column" in metric.get("config", {})
        },
        "groups": int(groups.by_group.shape[0]),
        "accuracy": accuracy_score(after[LABEL], after[PREDICTION]),
        "roc_auc": roc_auc_score(after[LABEL], after[SCORE]),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
