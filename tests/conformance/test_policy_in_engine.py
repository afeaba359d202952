"""Random policies on hostile data: a table in an engine is decided as its rows in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.facts import Statistic
from aims_gate.judge import decide, judge
from aims_gate.plan import Task, build, plan
from aims_gate.policy.model import OnInsufficient, Policy, Role, Rule, Threshold
from aims_gate.refinement import measure_finely
from aims_gate.sources.subject import Data
from aims_gate.verdict import Result
from tests.checks.subjects import NOW, data, inputs
from tests.support.elsewhere import KINDS, hard_sample
from tests.support.engine_tables import EACH_ENGINE
from tests.support.laws import TIMES

Random = np.random.Generator
Hold = Callable[[pa.Table], Any]
LABELS: Mapping[str, tuple[Any, Any, pa.DataType]] = {
    "whole": (0, 1, pa.int64()),
    "unsigned": (7, 2**64 - 1, pa.uint64()),
    "narrow": (0.1, 0.7, pa.float32()),
    "truth": (False, True, pa.bool_()),
    "text": ("n", "y' or 1=1 --", pa.string()),
    "case": ("Yes", "yes", pa.string()),
    "decimal": (Decimal("0.10"), Decimal("1.10"), pa.decimal128(9, 2)),
}
GROUPS = [
    pa.array(["F", "f", "M", None]),
    pa.array(["é", "e\u0301", "a\\", "a' --"]),
    pa.array([1.0, math.nan, -0.0, 0.0]),
    pa.array([True, False, None, True]),
    pa.array(["", " ", "\t", "\u202e"]),
    pa.array([2**53, 2**53 + 1, -1, 0]),
    pa.array([Decimal("1.57"), Decimal("0.29"), None, Decimal("2.25")], pa.decimal128(20, 2)),
    pa.array(["a", "b", "a", "c"]).dictionary_encode(),
]
METRICS = ["accuracy", "precision", "recall", "f1", "specificity", "roc_auc", "brier", "log_loss"]
METHODS = ["psi", "js", "hellinger", "chi2", "ks", "wasserstein"]
ALLOWED = {"d": {"at_most": 0.57}, "c": {"one_of": ["low", "Low"]}}
PARAMETERS: Mapping[str, Mapping[str, list[Any]]] = {
    "performance.score": {"metric": METRICS},
    "performance.calibration": {"bins": [5, 10]},
    "performance.slices": {"metric": METRICS[:3], "by": [["g", "c"]], "min_cell": [10]},
    "fairness.impact_ratio": {"min_cell": [5, 30]},
    "fairness.parity": {"min_cell": [5], "pool_small": [True, False]},
    "fairness.odds": {"min_cell": [5]},
    "fairness.predictive_parity": {"min_cell": [5]},
    "fairness.group_performance": {"metric": METRICS, "min_cell": [5]},
    "fairness.score_gap": {"min_cell": [5]},
    "fairness.label_bias": {"metric": ["tvd", "kl"], "min_cell": [5]},
    "fairness.proxy": {"min_cell": [30]},
    "drift.columns": {"numeric": METHODS, "categorical": ["none"]},
    "drift.share": {"numeric": METHODS, "categorical": ["psi", "js"]},
    "drift.new_value": {"unseen_share": [0.05]},
    "drift.prediction": {"of": ["score", "prediction"]},
    "drift.label": {},
    "drift.performance": {"metric": METRICS},
    "data.schema": {"columns": [{"x": "number", "c": "text"}]},
    "data.missing": {},
    "data.ranges": {"allowed": [ALLOWED]},
    "data.duplicates": {"by": ["rows", "key"]},
    "data.overlap": {"by": ["rows", "key", "time"]},
    "data.freshness": {},
    "data.personal": {},
}
SEEDS = range(8 * TIMES)


def _class(kind: str, truth: Any, random: Random) -> pa.Array:
    low, high, made = LABELS[kind]
    values = [high if one else low for one in truth]
    if random.random() < 0.05:
        values[0] = None
    return pa.array(values, made)


def _rows(random: Random, kind: str, groups: pa.Array, numbers: str) -> pa.Table:
    size = int(random.choice([1, 30, 120, 400], p=[0.05, 0.2, 0.4, 0.35]))
    truth = random.random(size) < random.choice([0.02, 0.3, 0.5])
    score = np.clip(0.4 * truth + 0.6 * random.random(size), 0, 1)
    score = score.round(int(random.choice([1, 2, 9])))
    if random.random() < 0.1:
        score[0] = random.choice([math.nan, 1.5, math.inf, -0.0])
    answer = np.where(random.random(size) < 0.8, truth, ~truth)
    times = [NOW - timedelta(hours=float(hours)) for hours in random.integers(-5, 900, size)]
    cents = [Decimal(int(one)).scaleb(-2) for one in random.integers(-99, 99, size)]
    return pa.table(
        {
            "y": _class(kind, truth, random),
            "p": _class(kind, answer, random),
            "s": score,
            "g": groups.take(pa.array(random.choice(4, size, p=random.dirichlet([3, 3, 3, 3])))),
            "x": hard_sample(numbers, size, random),
            "n": random.integers(-3, 300, size),
            "d": pa.array(cents, pa.decimal128(12, 2)),
            "c": random.choice(["low", "mid", "high", "Low"], size),
            "w": random.choice([0, 1, 2, 5], size),
            "t": pa.array(times, pa.timestamp("us", "UTC")),
            "id": [f"row {one}" for one in random.integers(0, 5 * size, size)],
        }
    )


def _world(random: Random, hold: Hold) -> tuple[list[Data], list[Data]]:
    """The same rows by role in memory, and in an engine."""
    kind, groups = str(random.choice(list(LABELS))), GROUPS[random.integers(len(GROUPS))]
    positive = LABELS[kind][1]
    spec: dict[str, Any] = {"label": "y", "prediction": "p", "score": "s", "time": "t", "key": "id"}
    spec |= {"positive": float(positive) if isinstance(positive, Decimal) else positive}
    spec |= {"sensitive": {"g": None}} | ({"weight": "w"} if random.random() < 0.25 else {})
    numbers = str(random.choice(KINDS))
    roles = (Role.EVALUATION, Role.REFERENCE, Role.CURRENT)
    tables = [(_rows(random, kind, groups, numbers), role) for role in roles]
    here = [data(table, role, **spec) for table, role in tables]
    return here, [data(hold(table), role, **spec) for table, role in tables]


def _tasks(random: Random) -> tuple[Task, ...]:
    names = [str(name) for name in random.choice(list(PARAMETERS), 6, replace=False)]
    rules = [_rule(f"RULE-{place:02}", name, random) for place, name in enumerate(names)]
    return plan(Policy(id="p", version="1.0.0", rules=tuple(rules)), now=NOW).sound()


def _rule(name: str, check: str, random: Random) -> Rule:
    found = {key: values[random.integers(len(values))] for key, values in PARAMETERS[check].items()}
    spec = build(check, found).judged()
    limit = Threshold(at_least=0.5) if spec.higher_is_better else Threshold(at_most=0.5)
    require = limit if spec.limit is None else None
    return Rule(id=name, check=check, parameters=found, require=require)


def _judged(task: Task, roles: list[Data]) -> Result:
    found = measure_finely(task, inputs(*roles).subject, now=NOW)
    return judge(task, found, now=NOW, insufficient=OnInsufficient.BLOCK)


def _told(result: Result) -> list[Any]:
    return [(cell.name, cell.slice, cell.lack, cell.judged) for cell in result.statistics]


def _differs(asked: Statistic, exact: Statistic) -> bool:
    if asked.bracket is not None:
        return not asked.bracket.holds(exact.value)
    if exact.value is None or not asked.judged:
        return False
    return asked.value != pytest.approx(exact.value, rel=1e-9, abs=1e-12)


@EACH_ENGINE
@pytest.mark.parametrize("seed", SEEDS)
def test_a_policy_decides_on_an_engine_as_in_memory(seed: int, hold: Hold) -> None:
    random = np.random.default_rng(seed)
    here, there = _world(random, hold)
    tasks = _tasks(random)
    exact, asked = ([_judged(task, roles) for task in tasks] for roles in (here, there))
    assert [r.outcome for r in asked] == [r.outcome for r in exact], (asked, exact)
    assert decide(asked) is decide(exact)
    for one, other in zip(asked, exact, strict=True):
        assert _told(one) == _told(other), one.check
        wrong = [
            (mine, true)
            for mine, true in zip(one.statistics, other.statistics, strict=True)
            if _differs(mine, true)
        ]
        assert not wrong, one.check
