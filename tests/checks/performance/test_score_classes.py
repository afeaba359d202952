"""Metrics of several classes, all of them and each against the rest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.metrics import multiclass
from aims_gate.checks.performance.score import Metric, Score
from aims_gate.errors import DataError
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import TaskKind, Threshold
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.performance.scored import (
    PARAMETERS,
    arrays,
    cells,
    numbers,
    only,
    several,
)
from tests.checks.subjects import data, decided, inputs

# each class against the rest


def by_class(metric: Metric, found: Data, **parameters: Any) -> dict[str, Statistic]:
    made = Score(metric=metric, **{"classes": "all", "min_cell": 1, **parameters})
    measured = [s for s in made.measure(inputs(found)) if s.judged and s.value is not None]
    return {cell.slice: cell for cell in measured}


@pytest.mark.parametrize("metric", multiclass.BY_CLASS)
def test_a_class_is_measured_as_a_binary_task_of_its_own(metric: Metric) -> None:
    """Each cell is what the metric of the class against all others is, bounds included."""
    found, parameters = several(4), PARAMETERS.get(metric, {})
    columns, _ = arrays(found)
    measured = by_class(metric, found, **parameters)
    assert list(measured) == ["0", "1", "2", "3", "4"]
    for name, cell in measured.items():
        alone = data(
            {
                "y": columns["y"] == int(name),
                "p": columns["p"] == int(name),
                "s": columns[f"s{name}"],
            },
            label="y",
            prediction="p",
            score="s",
        )
        measured_alone = Score(metric=metric, **parameters).measure(inputs(alone, alpha=0.05 / 5))
        same_cell = next(s for s in measured_alone if s.judged)
        assert cell.value == pytest.approx(same_cell.value, rel=1e-12)
        assert (cell.interval is None) == (same_cell.interval is None)
        if cell.interval is not None and same_cell.interval is not None:
            assert cell.interval.low == pytest.approx(same_cell.interval.low, rel=1e-9)
            assert cell.interval.level == pytest.approx(1 - 2 * 0.05 / 5)


def test_the_mean_over_classes_is_the_macro_metric() -> None:
    found = several(9)
    for metric, macro in (("recall", "macro_recall"), ("roc_auc", "macro_roc_auc")):
        each = [c.value for c in by_class(metric, found).values()]
        assert np.mean(np.array(each, dtype=float)) == pytest.approx(
            only(macro, found).value,
            rel=1e-12,
        )


def test_a_tiny_class_is_insufficient_however_well_it_is_found() -> None:
    y = ["cat"] * 100 + ["dog"] * 50 + ["fox"] * 29
    found = data({"y": y, "p": y}, label="y", prediction="p")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "recall", "classes": "all"},
        "require": Threshold(at_least=0.5),
    }
    result = decided(rule, found)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "<30 labelled rows, below min_cell 30" in result.reason
    named = {**rule, "parameters": {"metric": "recall", "classes": ["cat", "dog"]}}
    assert decided(named, found).outcome is Outcome.PASS


def test_a_class_that_is_never_predicted_has_no_precision_and_the_rule_does_not_pass() -> None:
    y = ["cat"] * 100 + ["dog"] * 50 + ["fox"] * 40
    p = ["cat"] * 100 + ["dog"] * 90
    found = data({"y": y, "p": p}, label="y", prediction="p")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "precision", "classes": "all"},
        "require": Threshold(at_least=0.1),
    }
    assert decided(rule, found).outcome is Outcome.ERROR


@pytest.mark.parametrize("classes", [("0",), (7,), (0, "1")])
def test_a_class_that_occurs_nowhere_is_an_error(classes: tuple[Any, ...]) -> None:
    """Text and numbers differ, so a misspelt class is never left out of a rule."""
    with pytest.raises(DataError, match="occurs nowhere"):
        tuple(Score(metric="recall", classes=classes).measure(inputs(several(1))))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"s0": 0.9}, "do not sum to 1"),
        ({"s0": -0.2}, "outside"),
        ({"s0": math.nan}, "null"),
    ],
)
def test_scores_of_several_classes_that_are_no_probabilities_are_refused(
    change: dict[str, float], why: str
) -> None:
    found = several(2)
    columns, _ = arrays(found)
    broken = data({**columns, "s0": np.full(500, change["s0"])}, label="y", score=found.spec.score)
    for metric in ("log_loss", "brier"):
        with pytest.raises(DataError, match=why):
            tuple(Score(metric=metric).measure(inputs(broken)))


def test_one_column_of_scores_does_not_say_which_of_several_classes_it_is_of() -> None:
    columns, _ = arrays(several(2))
    with pytest.raises(DataError, match="does not say which class"):
        cells("macro_roc_auc", data(columns, label="y", score="s0"))


def test_a_label_of_zero_has_no_percentage_error() -> None:
    with pytest.raises(DataError, match="not finite"):
        cells("mape", numbers(1, label="zero"))


def test_a_class_with_scores_and_without_labels_is_insufficient() -> None:
    """`classes: all` is every class that the model knows, also one that nobody has looked at."""
    columns: dict[str, Any] = {"y": ["a", "b"] * 200}
    columns |= {"s_a": [0.6, 0.2] * 200, "s_b": [0.2, 0.6] * 200, "s_c": [0.2, 0.2] * 200}
    spec: dict[str, Any] = {"label": "y", "task": TaskKind.MULTICLASS}
    spec |= {"score": {n: f"s_{n}" for n in "abc"}}
    for metric, limit in (("roc_auc", Threshold(at_least=0.5)), ("brier", Threshold(at_most=0.5))):
        rule = {"check": "performance.score", "parameters": {"metric": metric, "classes": "all"}}
        result = decided({**rule, "require": limit}, data(columns, **spec))
        (cell,) = [s for s in result.statistics if s.judged and s.slice == "c"]
        assert cell.lack is NoValue.INSUFFICIENT
        assert "0 labelled rows" in cell.reason
