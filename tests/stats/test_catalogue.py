"""The catalogue of metrics: every row is fitted, asked for, written and computed a second time."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest

from aims_gate.checks.metrics import BUILDERS
from aims_gate.checks.performance import score
from aims_gate.engines.reference.libraries.scikit_learn import _SCORES
from aims_gate.policy.model import TaskKind
from aims_gate.stats.formulas import FORMULAS, Formula

METRICS = {formula.metric for formula in FORMULAS}


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f"{f.metric}-{f.table.__name__}")
def test_every_row_of_the_catalogue_is_whole(formula: Formula[Any]) -> None:
    assert any(formula.metric in fitting for fitting in BUILDERS.values())
    assert set(formula.capitals) <= set(formula.metric.split("_"))
    unbounded = math.isinf(formula.high) or math.isinf(formula.low)
    assert (formula.reach is not None) == unbounded, "a limit without an end says how far it goes"
    assert formula.definition
    assert formula.method


def test_scikit_learn_gives_each_metric_and_no_other() -> None:
    assert set(_SCORES) == METRICS


def test_checks_take_each_metric_that_has_what_it_needs() -> None:
    assert set(get_args(score.Metric)) == METRICS
    needing = {formula.metric for formula in FORMULAS if formula.needs}
    assert set(get_args(score.Plain)) == METRICS - needing
    assert needing == {"f_beta", "precision_at_k", "recall_at_k"}


def test_a_loss_of_probabilities_fits_classes_and_others_fit_amounts() -> None:
    assert {"brier", "log_loss"} <= BUILDERS[TaskKind.BINARY].keys()
    assert {"brier", "log_loss"} <= BUILDERS[TaskKind.MULTICLASS].keys()
    assert not {"brier", "log_loss"} & BUILDERS[TaskKind.REGRESSION].keys()
    assert {"mae", "mape", "rmse", "r2"} <= BUILDERS[TaskKind.REGRESSION].keys()
    assert not {"mae", "r2"} & BUILDERS[TaskKind.BINARY].keys()
