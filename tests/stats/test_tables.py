from __future__ import annotations

import math

import numpy as np
import pytest

from aims_gate.errors import CheckError
from aims_gate.stats.tables import Classes, Confusion, Ranked


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(CheckError, match="negative count"):
        Confusion(tp=5, fp=-1, fn=2, tn=3)
    with pytest.raises(CheckError, match="no table of 2 classes"):
        Classes(labels=("a", "b"), counts=np.array([[1, 2], [3, -4]]))
    with pytest.raises(CheckError, match="negative count"):
        Ranked(scores=np.array([0.1]), positives=np.array([1]), negatives=np.array([-1]))


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(CheckError, match="no table of 3 classes"):
        Classes(labels=("a", "b", "c"), counts=np.array([[1, 2], [3, 4]]))
    with pytest.raises(CheckError, match="length"):
        Ranked(scores=np.array([0.1, 0.2]), positives=np.array([1]), negatives=np.array([1]))


@pytest.mark.parametrize("scores", [[0.2, 0.1], [0.1, 0.1], [0.1, math.nan], [0.1, math.inf]])
def test_scores_that_are_not_finite_and_ascending_are_refused(scores: list[float]) -> None:
    with pytest.raises(CheckError, match="ascending"):
        Ranked(scores=np.array(scores), positives=np.array([1, 2]), negatives=np.array([3, 4]))


def test_merging_keeps_every_count_at_its_score() -> None:
    table = Ranked.merge(
        (np.array([0.1, 0.5, 0.9]), np.array([1, 2, 3])), (np.array([0.5, 0.7]), np.array([40, 50]))
    )
    assert table.scores.tolist() == [0.1, 0.5, 0.7, 0.9]
    assert table.positives.tolist() == [1, 2, 0, 3]
    assert table.negatives.tolist() == [0, 40, 50, 0]
    assert table.rows == 96
