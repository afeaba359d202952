"""Measure, judge, measure finer: metrics of scores in cells are decided as those of every score."""

from __future__ import annotations

from typing import Any

import numpy as np

from aims_gate.facts import Statistic
from aims_gate.plan import Task
from aims_gate.policy.model import DecideOn, Role
from aims_gate.refinement import FIRST
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import data
from tests.support.elsewhere import hard_sample
from tests.support.laws import TIMES
from tests.support.refining import SMALL, cell_of, elsewhere, result_of, task_of


def decided_alike(task: Task, roles: Data, seed: int) -> tuple[Outcome, int | None]:
    """The outcome in cells, which is that of every score, and how closely these were counted."""
    exact = result_of(task, roles)
    other, frame = elsewhere(roles)
    found = result_of(task, other, first=SMALL if seed % 2 else FIRST)
    assert found.outcome is exact.outcome, (seed, task.bars)
    return found.outcome, frame.finest


def limit_near(cell: Statistic, random: np.random.Generator) -> float:
    """A limit at the value or at the low end of its interval, or just beside one."""
    assert cell.value is not None
    assert cell.interval is not None
    at = random.choice([cell.value, cell.interval.low])
    return float(np.clip(at * random.choice([1, 1, 0.97, 1.03]), 0.05, 0.98))


def test_the_outcome_of_an_area_in_cells_is_that_of_every_score() -> None:
    outcomes, finest = set(), set()
    for seed in range(80 * TIMES):
        random = np.random.default_rng(seed)
        rows = int(10 ** random.uniform(1.8, 4))
        truth = random.random(rows) < random.uniform(0.1, 0.9)
        scores = random.normal(0, 1, rows) + random.choice([0.1, 0.7, 1.5, 4.0]) * truth
        if seed % 3 == 0:
            scores = np.round(scores, 1)
        roles = data({"y": truth.astype(int), "s": scores}, label="y", score="s", positive=1)
        burden = str(random.choice(["estimate", "proven_pass"]))
        rule = {"check": "performance.score", "parameters": {"metric": "roc_auc"}}

        def task(limit: float, rule: dict[str, Any] = rule, burden: str = burden) -> Task:
            return task_of({**rule, "decide_on": DecideOn(burden)}, limit, upward=True)

        cell = cell_of(result_of(task(0.6), roles)) if len(set(truth)) > 1 else None
        if cell is None or cell.value is None or cell.interval is None:
            continue
        near = random.choice([cell.value, cell.interval.low, 0.6])
        limit = float(np.clip(near * random.choice([1, 1, 0.97, 1.03]), 0.05, 0.98))
        outcome, step = decided_alike(task(limit), roles, seed)
        outcomes.add(outcome)
        finest.add(step)
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT} <= outcomes
    assert {0, 1, None} <= finest, "some are decided at every step"


def test_the_outcome_of_each_class_in_cells_and_of_their_mean_is_that_of_every_score() -> None:
    outcomes, finest = set(), set()
    for seed in range(40 * TIMES):
        random = np.random.default_rng(seed)
        rows = int(10 ** random.uniform(2.3, 3.3))
        labels = random.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])
        columns = {"y": labels.tolist()}
        for name in "abc":
            spread = random.normal(0, 1, rows) + random.uniform(0, 2) * (labels == name)
            columns[name] = np.round(spread, 1 if seed % 3 == 0 else 9).tolist()
        of_each = seed % 2 == 0
        roles = data(columns, label="y", score={name: name for name in "abc"}, task="multiclass")
        rule = {
            "check": "performance.score",
            "parameters": {"metric": "roc_auc", "classes": "all"}
            if of_each
            else {"metric": "macro_roc_auc"},
            "decide_on": DecideOn(str(random.choice(["estimate", "proven_pass"]))),
        }
        judged = [
            s for s in result_of(task_of(rule, 0.6, upward=True), roles).statistics if s.judged
        ]
        cell = judged[int(random.integers(len(judged)))]
        task = task_of(rule, limit_near(cell, random), upward=True)
        outcome, step = decided_alike(task, roles, seed)
        outcomes.add(outcome)
        finest.add(step)
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT} <= outcomes
    assert {0, None} < finest


def test_the_outcome_of_the_area_of_each_group_in_cells_is_that_of_every_score() -> None:
    outcomes, finest = set(), set()
    for seed in range(40 * TIMES):
        random = np.random.default_rng(seed)
        rows = int(10 ** random.uniform(2.3, 3.7))
        groups = random.choice(["f", "m", "x"], rows, p=[0.5, 0.4, 0.1])
        truth = random.random(rows) < random.uniform(0.2, 0.8)
        scores = random.normal(0, 1, rows) + truth * random.uniform(0.3, 2) * (groups != "f")
        scores += truth * 0.8
        columns = {"y": truth.astype(int), "g": groups.tolist()}
        columns["s"] = np.round(scores, 1 if seed % 3 == 0 else 9)
        roles = data(columns, label="y", score="s", positive=1, sensitive={"g": None})
        rule = {
            "check": "fairness.group_performance",
            "parameters": {"metric": "roc_auc", "min_cell": 30},
            "decide_on": DecideOn(str(random.choice(["estimate", "proven_pass"]))),
        }
        exact = result_of(task_of(rule, 0.6, upward=True), roles).statistics
        judged = [one for one in exact if one.judged and one.interval is not None]
        cell = judged[int(random.integers(len(judged)))]
        task = task_of(rule, limit_near(cell, random), upward=True)
        outcome, step = decided_alike(task, roles, seed)
        outcomes.add(outcome)
        finest.add(step)
        asked = result_of(task, elsewhere(roles)[0], first=SMALL).statistics
        assert [(one.name, one.slice) for one in asked] == [(one.name, one.slice) for one in exact]
        for one, other in zip(asked, exact, strict=True):
            assert one.value == other.value or (one.bracket and one.bracket.holds(other.value))
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT} <= outcomes
    assert {0, None} <= finest


def test_the_outcome_of_a_fall_in_cells_is_that_of_every_score() -> None:
    """Of one table in an engine and one in memory, too."""
    outcomes, finest = set(), set()
    for seed in range(40 * TIMES):
        random = np.random.default_rng(seed)
        metric = str(random.choice(["roc_auc", "median_error"]))
        roles = []
        for role in (Role.EVALUATION, Role.CURRENT):
            rows = int(10 ** random.uniform(2, 3.7))
            label = (random.random(rows) < 0.4).astype(float)
            score = random.normal(0, 1, rows) + label * random.uniform(0.5, 2)
            columns = {"y": label, "s": np.round(score, 1 if seed % 3 == 0 else 9)}
            spec: dict[str, Any] = {"label": "y", "score": "s", "positive": 1, "task": "binary"}
            if metric == "median_error":
                columns["y"] = columns["s"] + random.normal(0, random.uniform(0.5, 2), rows)
                spec = {"label": "y", "prediction": "s", "task": "regression"}
            roles.append(data(columns, role, **spec))
        rule = {
            "check": "drift.performance",
            "parameters": {"metric": metric},
            "decide_on": DecideOn(str(random.choice(["estimate", "proven_pass", "proven_breach"]))),
        }
        exact = result_of(task_of(rule, 0.05), *roles)
        cell = cell_of(exact)
        near = [one for one in (cell.value, cell.interval and cell.interval.high) if one]
        limit = float(np.clip(random.choice([*near, 0.05]) * random.choice([1, 1, 1.1]), 1e-3, 0.9))
        task = task_of(rule, limit)
        exact = result_of(task, *roles)
        moved = [elsewhere(one) for one in roles]
        held = [one[0] for one in moved] if seed % 4 else [roles[0], moved[1][0]]
        found = result_of(task, *held, first=SMALL if seed % 2 else FIRST)
        assert found.outcome is exact.outcome, (seed, limit)
        for one, other in zip(found.statistics, exact.statistics, strict=True):
            assert one.value == other.value or (one.bracket and one.bracket.holds(other.value))
        outcomes.add(found.outcome)
        finest.add(moved[1][1].finest)
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT} <= outcomes
    assert {0, None} <= finest


def test_the_outcome_of_a_calibration_error_in_cells_is_that_of_every_score() -> None:
    """Ties at the edges of bins, scores of a few values, slices, and a limit at the very value."""
    outcomes, finest = set(), set()
    for seed in range(25 * TIMES):
        random = np.random.default_rng(seed)
        rows = int(10 ** random.uniform(1.5, 4))
        scores = random.beta(random.uniform(0.3, 3), random.uniform(0.3, 3), rows)
        scores = np.round(scores, int(random.choice([1, 2, 12])))
        off = random.choice([0.0, 0.05, 0.2]) * random.choice([-1, 1])
        truth = (random.random(rows) < np.clip(scores + off, 0, 1)).astype(int)
        group = np.where(random.random(rows) < 0.5, "f", "m").tolist()
        columns = {"y": truth, "s": scores, "g": group}
        roles = data(columns, label="y", score="s", positive=1, task="binary")
        parameters: dict[str, Any] = {"bins": int(random.choice([2, 5, 15]))}
        parameters |= {"by": ["g"]} if seed % 3 == 0 else {}
        burden = DecideOn(str(random.choice(["estimate", "proven_pass", "proven_breach"])))
        rule = {"check": "performance.calibration", "parameters": parameters, "decide_on": burden}
        cell = cell_of(result_of(task_of(rule, 0.05), roles))
        near = [one for one in (cell.value, cell.interval and cell.interval.high) if one]
        limit = float(np.clip(random.choice([*near, 0.05]) * random.choice([1, 1, 1.1]), 1e-3, 0.9))
        task = task_of(rule, limit)
        outcome, step = decided_alike(task, roles, seed)
        outcomes.add(outcome)
        finest.add(step)
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT} <= outcomes
    assert {1, None} <= finest, "some are decided on cells, and some on every score"


def test_scores_that_are_no_probabilities_are_refused_in_cells_too() -> None:
    for far in (-1e-9, 1 + 1e-9):
        scores = np.append(np.linspace(0, 1, 400), far)
        roles = data({"y": np.arange(401) % 2, "s": scores}, label="y", score="s", positive=1)
        result = result_of(task_of({"check": "performance.calibration"}, 0.05), elsewhere(roles)[0])
        assert result.outcome is Outcome.ERROR
        assert "a score lies outside [0, 1]" in result.reason


def test_the_outcome_of_a_median_error_in_cells_is_that_of_every_error() -> None:
    outcomes, finest = set(), []
    for seed in range(60 * TIMES):
        random = np.random.default_rng(seed)
        rows = int(10 ** random.uniform(1.3, 4))
        labels = hard_sample(random.choice(["normal", "rounded", "cauchy", "atom"]), rows, random)
        labels = np.nan_to_num(labels)
        guesses = np.round(labels + random.normal(0, 1, rows), int(random.choice([0, 1, 12])))
        roles = data({"y": labels, "p": guesses}, label="y", prediction="p", task="regression")
        burden = DecideOn(str(random.choice(["estimate", "proven_pass"])))
        rule = {"check": "performance.score", "parameters": {"metric": "median_error"}}
        rule |= {"decide_on": burden}
        cell = cell_of(result_of(task_of(rule, 0.6), roles))
        near = [one for one in (cell.value, cell.interval and cell.interval.high) if one]
        limit = float(random.choice([*near, 0.6]) * random.choice([1, 1, 1.05]))
        task = task_of(rule, limit)
        outcome, step = decided_alike(task, roles, seed)
        outcomes.add(outcome)
        finest.append(step)
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT} <= outcomes
    assert {0, 1} <= set(finest)
    # errors that differ by rounding alone have no cells of their own
    assert finest.count(None) < 0.3 * len(finest)
