"""What scikit-learn says of one side of a comparison."""

from __future__ import annotations

from typing import Any

from sklearn import metrics as sk

# values


def expected(metric: str, y: Any, p: Any, s: Any) -> float:
    """What scikit-learn says of one side."""
    by_name = {
        "accuracy": lambda: sk.accuracy_score(y, p),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, p),
        "precision": lambda: sk.precision_score(y, p),
        "recall": lambda: sk.recall_score(y, p),
        "specificity": lambda: sk.recall_score(y, p, pos_label=0),
        "f1": lambda: sk.f1_score(y, p),
        "mcc": lambda: sk.matthews_corrcoef(y, p),
        "roc_auc": lambda: sk.roc_auc_score(y, s),
        "brier": lambda: sk.brier_score_loss(y, s),
        "log_loss": lambda: sk.log_loss(y, s),
    }
    return float(by_name[metric]())
