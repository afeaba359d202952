"""Tests of the model itself: plain functions, on frames and an estimator in memory."""

from __future__ import annotations

import pandas as pd
import pytest
import train
from sklearn.pipeline import Pipeline

import aims_gate


@pytest.fixture(scope="session")
def model() -> Pipeline:
    """The model, fitted on all training data."""
    return train.fit(train.load("train"))


@pytest.fixture(scope="session")
def evaluation() -> pd.DataFrame:
    """Rows that the model has not seen."""
    return train.load("evaluation")


def test_women_are_selected_as_often_as_men(model: Pipeline, evaluation: pd.DataFrame) -> None:
    """Proven on the rows that there are; too few of them would fail."""
    aims_gate.assert_passes(
        "fairness.impact_ratio",
        evaluation,
        model=model,
        label="employed",
        by=["sex"],
        at_least=0.8,
    )


def test_production_looks_like_the_training_data() -> None:
    """No column has drifted."""
    aims_gate.assert_passes(
        "drift.columns",
        reference=train.load("train")[train.FEATURES],
        current=train.load("current_stable")[train.FEATURES],
        at_most=0.25,
    )


def test_the_policy_is_met_before_anything_is_logged(
    aims_gate, model: Pipeline, evaluation: pd.DataFrame
) -> None:
    """The fitted estimator itself, held against the policy that CI will apply."""
    verdict = aims_gate.run(
        "policy.yaml",
        model,
        data={
            "evaluation": evaluation,
            "reference": train.load("train"),
            "current": train.load("current_stable"),
        },
    )
    assert verdict.passed, [result.reason for result in verdict.results if result.blocking]
