"""Metrics of a multi-class confusion table."""

from __future__ import annotations

from aims_gate.stats import classes
from aims_gate.stats.formulas.formula import MOVER, Formula, at_z, named, proportion
from aims_gate.stats.tables import Classes

MULTICLASS: tuple[Formula[Classes], ...] = (
    proportion(
        "accuracy",
        Classes,
        classes.accuracy,
        "rows predicted right / rows",
        "there are no rows",
    ),
    *(
        Formula(
            metric=metric,
            table=Classes,
            definition="mean over classes of the rows predicted right, of the rows labelled so, in "
            "[0, 1]: 1 is perfect, 1/classes is chance",
            value=classes.macro_recall,
            undefined=lambda t: named(
                classes.unlabelled(t), "classes that are predicted and have no label"
            ),
            bounds=at_z(classes.macro_recall_bounds),
            method=MOVER,
        )
        for metric in ("balanced_accuracy", "macro_recall")
    ),
    Formula(
        metric="macro_precision",
        table=Classes,
        definition="mean over classes of the rows labelled so, of the rows predicted as it, in "
        "[0, 1]: 1 is perfect",
        value=classes.macro_precision,
        undefined=lambda t: named(classes.unpredicted(t), "classes that are never predicted"),
        bounds=at_z(classes.macro_precision_bounds),
        method=MOVER,
    ),
    Formula(
        metric="macro_f1",
        table=Classes,
        definition="plain mean over classes of 2 tp / (2 tp + fp + fn), in [0, 1]: 1 is perfect",
        value=classes.macro_f1,
    ),
    Formula(
        metric="weighted_f1",
        table=Classes,
        definition="mean over classes of 2 tp / (2 tp + fp + fn), weighted by labelled rows, in "
        "[0, 1]: 1 is perfect",
        value=classes.weighted_f1,
    ),
)
