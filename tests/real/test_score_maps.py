"""A class is one whether it is written 0, 0.0 or false, as labels and predictions have it, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.real.gating import Gated, gate

POLICY = """\
data:
  evaluation: {label: y, prediction: yhat, positive: %s, score: %s}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.5}}
  - {id: PERF-02, check: performance.score, with: {metric: log_loss}, require: {at_most: 5}}
"""
SEVERAL = """\
data:
  evaluation: {label: y, prediction: yhat, task: multiclass, score: %s}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: log_loss}, require: {at_most: 5}}
  - {id: PERF-02, check: performance.score, with: {metric: macro_roc_auc}, require: {at_least: 0.1}}
  - {id: PERF-03, check: performance.sample, with: {statistic: positives}, require: {at_least: 9}}
"""


def judged(folder: Path, policy: str, labels: Any, *classes: str) -> Gated:
    """Gate 300 rows whose classes are *labels* in turn, each with a column of scores."""
    random = np.random.default_rng(7)
    code = np.arange(300) % len(labels)
    scores = random.dirichlet(np.ones(len(labels)), 300) + np.eye(len(labels))[code] / 2
    scores /= scores.sum(axis=1, keepdims=True)
    truth = pd.Series(labels).iloc[code].reset_index(drop=True)
    frame = pd.DataFrame({"y": truth, "yhat": truth})
    frame[[f"s{place}" for place in range(len(labels))]] = scores
    frame.to_parquet(folder / "e.parquet", index=False)
    named = ", ".join(f"{name}: s{place}" for place, name in enumerate(classes))
    return gate(folder, policy.replace("score: %s", f"score: {{{named}}}"), "evaluation=e.parquet")


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True]], ids=str)
@pytest.mark.parametrize("classes", [("0", "1"), ("0.0", "1.0"), ("false", "true")], ids=str)
@pytest.mark.parametrize("positive", ["1", "true"])
def test_two_classes_are_the_same_however_they_are_written(
    labels: list[Any], classes: tuple[str, str], positive: str, tmp_path: Path
) -> None:
    found = judged(tmp_path, POLICY.replace("%s", positive, 1), labels, *classes)
    assert set(found.outcomes().values()) == {"PASS"}
    same = judged(tmp_path, POLICY.replace("%s", "1", 1), [0, 1], "0", "1")
    assert found.values() == same.values()


@pytest.mark.parametrize("labels", [[0, 1, 2], [0.0, 1.0, 2.0], [0.5, 1.0, 1e3]], ids=str)
def test_several_classes_are_those_of_the_labels(labels: list[Any], tmp_path: Path) -> None:
    """A column of whole numbers that once had a null holds floats."""
    classes = ("0.50", "1", "1000") if labels[0] else ("0", "1.0", "2")
    found = judged(tmp_path, SEVERAL, labels, *classes)
    assert set(found.outcomes().values()) == {"PASS"}, found.results


def test_text_means_itself_and_a_class_is_named_once(tmp_path: Path) -> None:
    text = judged(tmp_path, SEVERAL, ["01", "1", "1.0"], "'01'", "'1'", "'1.0'")
    assert set(text.outcomes().values()) == {"PASS"}
    other = judged(tmp_path, SEVERAL, ["a", "True", "c"], "a", "'true'", "c")
    assert other.outcomes()["PERF-01"] == "ERROR"
    twice = judged(tmp_path, POLICY.replace("%s", "1", 1), [0, 1], "1", "'1.0'")
    assert twice.outcomes()["PERF-01"] == "ERROR"
    assert "names 2 columns for the class" in twice.reason("PERF-01")
