"""What is measured while libraries load: work that is kept, and answers that nobody uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.drift.columns import Columns
from aims_gate.engines import Engines, RateComparison, Trials
from aims_gate.engines.prefetch import Prefetch
from aims_gate.errors import CheckError
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.policy.model import Role
from aims_gate.stats.disparity import Measure
from tests.checks.subjects import data, inputs

PAIR = (Trials(group="F", rows=100, successes=40), Trials(group="M", rows=80, successes=40))
QUESTION = RateComparison(measure=Measure.RATIO, pairs=[PAIR])


@dataclass
class Loading:
    """Ready after some questions: it looks whether it is asked, as the real one does."""

    left: int
    label: str = "reference 1"

    @property
    def ready(self) -> bool:
        self.left -= 1
        return self.left < 0


def prefetch(left: int) -> Prefetch:
    other: Any = Loading(left)
    return Prefetch(Engines()["native"], other)


def test_it_answers_as_our_own_engine_until_the_other_one_is_ready() -> None:
    engine = prefetch(1)
    assert engine.ask(QUESTION) == Engines()["native"].ask(QUESTION)
    with pytest.raises(CheckError, match="reference 1 is ready"):
        engine.ask(QUESTION)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_columns_that_it_came_to_are_kept_by_their_frames(left: int) -> None:
    """The column whose question is refused has been sorted, too."""
    random = np.random.default_rng(3)
    columns = {name: random.normal(size=400) for name in "abcdef"}
    both = [data(columns, role) for role in (Role.REFERENCE, Role.CURRENT)]
    asked = replace(inputs(*both), engine=prefetch(left))
    with pytest.raises(CheckError):
        list(Columns(numeric="wasserstein", categorical="none").measure(asked))
    for found in both:
        assert isinstance(found.frame, ArrowFrame)
        for name in list(columns)[: left + 1]:
            assert found.frame.cache.kept(("distribution", name)) is not None
