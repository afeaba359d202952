"""`evidently-default`: Evidently's own choice and verdict, and what it would pass in silence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aims_gate.checks.drift.columns import Columns
from aims_gate.checks.drift.default import chosen, drifted
from aims_gate.engines import Answer, Engines
from aims_gate.errors import PolicyError
from aims_gate.facts import NoValue, Statistic
from aims_gate.plan import plan
from aims_gate.policy.model import DecideOn, Policy, Role, Rule
from aims_gate.sources.subject import Data
from tests.checks.subjects import data, inputs

CHECK = Columns(numeric="evidently-default", categorical="evidently-default")


def cells(engine: Any, before: object, after: object) -> dict[str, Statistic]:
    roles = data(before, Role.REFERENCE), data(after, Role.CURRENT)
    found = CHECK.measure(replace(inputs(*roles), engine=engine))
    return {s.slice: s for s in found if s.judged}


class Silent:
    def by_name(self, *_arguments: object) -> Answer:
        pytest.fail("Evidently was asked before our preconditions held")


def columns(rows: int, seed: int, shift: float) -> pd.DataFrame:
    """Every kind of column that Evidently's choice tells apart."""
    rng = np.random.default_rng(seed)
    holes = rng.normal(size=rows)
    holes[: rows // 50] = math.nan
    return pd.DataFrame(
        {
            "normal": rng.normal(shift, 1, rows),
            "holes": holes + shift,
            "five": rng.integers(0, 5, rows) + 0.5,
            "two": rng.choice([0.0, 1.0], rows, p=[0.5 - shift / 4, 0.5 + shift / 4]),
            "codes": rng.integers(0, 10, rows),
            "whole": rng.integers(0, 40, rows) + int(10 * shift),
            "text": rng.choice(["a", "b", "c"], rows, p=[0.5 - shift / 4, 0.3, 0.2 + shift / 4]),
            "flag": rng.random(rows) < 0.4 + shift / 3,
            "gap": rng.choice(np.array(["x", "y", None], dtype=object), rows, p=[0.5, 0.48, 0.02]),
        }
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("rows", [400, 1_000, 1_001, 3_000])
@pytest.mark.parametrize("shift", [0.0, 0.12])
def test_score_and_verdict_are_those_of_evidentlys_own_choice(
    engines: Engines, rows: int, shift: float
) -> None:
    """The oracle is Evidently on the columns themselves: its types, its test, its threshold."""
    from evidently.core.datasets import infer_column_type
    from evidently.legacy.calculations.stattests.registry import get_stattest

    before, after = columns(rows, 1, 0.0), columns(700, 2, shift)
    found = cells(engines["reference"], before, after)
    assert found.keys() == set(before.columns)
    for name, cell in found.items():
        kind = infer_column_type(after[name])
        samples = [frame[name].dropna() for frame in (before, after)]
        test = get_stattest(samples[0].copy(), samples[1].copy(), kind, None)
        wanted = test(samples[0].copy(), samples[1].copy(), kind, None)
        assert cell.value == float(wanted.drifted), name
        assert f"chooses {test.name}, gets {wanted.drift_score:.3g} and" in cell.reason, name


def test_the_score_stands_beside_the_verdict(engines: Engines) -> None:
    frames = columns(500, 1, 0.0), columns(700, 2, 0.0)
    roles = data(frames[0], Role.REFERENCE), data(frames[1], Role.CURRENT)
    found = list(CHECK.measure(replace(inputs(*roles), engine=engines["reference"])))
    scores = {s.slice: s.name for s in found if not s.judged}
    assert scores["normal"] == scores["text"] == "p_value"
    assert all(s.engine.startswith("evidently ") for s in found if s.value is not None)


@pytest.mark.parametrize(
    ("numeric", "rows", "values", "test"),
    [
        (True, 1_000, 6, "ks"),
        (True, 1_001, 6, "wasserstein"),
        (True, 1_000, 5, "chisquare"),
        (True, 1_001, 5, "jensenshannon"),
        (True, 1_000, 2, "z"),
        (False, 1_000, 3, "chisquare"),
        (False, 1_000, 2, "z"),
        (False, 1_001, 2, "jensenshannon"),
    ],
)
def test_the_choice_is_the_published_table(
    *, numeric: bool, rows: int, values: int, test: str
) -> None:
    assert chosen(numeric=numeric, rows=rows, values=values) == test


def test_thresholds_belong_to_drift_as_evidently_has_it() -> None:
    """P <= 0.05 for ks and p < 0.05 for the others; distances from 0.1 on."""
    assert drifted("ks", 0.05)
    assert not drifted("chisquare", 0.05)
    assert not drifted("z", 0.05)
    assert drifted("z", 0.0499)
    assert drifted("wasserstein", 0.1)
    assert not drifted("jensenshannon", 0.0999)


TEXTS = [f"text {i}" for i in range(500)]


@pytest.mark.parametrize(
    ("before", "after", "lack", "told"),
    [
        ([1.5] * 500, [math.nan] * 300 + [1.5] * 200, NoValue.UNDEFINED, "drops nulls"),
        (["a"] * 500, [None] * 300 + ["a"] * 200, NoValue.UNDEFINED, "drops nulls"),
        ([1.5] * 500, [1.5] * 499 + [math.inf], NoValue.UNDEFINED, "infinite"),
        ([1.5] * 500, [1.5] * 99, NoValue.INSUFFICIENT, "fewer than 100"),
        (["a"] * 99, ["a"] * 500, NoValue.INSUFFICIENT, "fewer than 100"),
        (TEXTS, TEXTS, NoValue.UNDEFINED, "classifier"),
        ([1.5] * 500, ["a"] * 500, NoValue.UNDEFINED, "type changed"),
    ],
)
def test_what_evidently_drops_or_leaves_to_chance_is_a_lack(
    before: list[Any], after: list[Any], lack: NoValue, told: str
) -> None:
    cell = cells(Silent(), {"x": before}, {"x": after})["x"]
    assert cell.lack is lack
    assert told in cell.reason


def test_empty_data_a_vanished_column_and_unsigned_numbers_are_lacks() -> None:
    few = pa.table({"x": pa.array([], pa.float64())})
    assert cells(Silent(), {"x": [1.0] * 200}, few)["x"].lack is NoValue.MISSING
    assert cells(Silent(), {"x": [1.0] * 200}, {"y": [1.0] * 200})["x"].lack is NoValue.MISSING
    small = pa.table({"x": pa.array([1, 2] * 100, pa.uint8())})
    cell = cells(Silent(), small, small)["x"]
    assert (cell.lack, cell.reason) == (NoValue.UNDEFINED, "evidently has no test for uint8")


def test_more_rows_than_evidently_can_be_sent_are_a_lack() -> None:
    table = {"x": np.arange(100.0), "n": [100_000] * 100}
    roles: list[Data] = [data(table, role, weight="n") for role in (Role.REFERENCE, Role.CURRENT)]
    found = CHECK.measure(replace(inputs(*roles), engine=Silent()))  # type: ignore[arg-type]
    assert [s.lack for s in found if s.judged] == [NoValue.UNDEFINED]


@pytest.mark.parametrize("value", [math.nan, 0.5])
def test_a_library_that_fails_or_gives_no_number_leaves_no_verdict(value: float) -> None:
    class Failing:
        def by_name(self, *_arguments: object) -> Answer:
            problem = "" if math.isnan(value) else "the reference library failed with ValueError"
            return Answer(value=math.nan, by="evidently 1", problem=problem)

    sample = {"x": np.random.default_rng(1).normal(size=300)}
    cell = cells(Failing(), sample, sample)["x"]
    assert cell.lack is NoValue.UNDEFINED
    assert ("failed" in cell.reason) != math.isnan(value)


def task_of(**fields: Any) -> Any:
    parameters = {"numeric": "evidently-default", "categorical": "evidently-default"}
    rule = Rule(id="M-1", check="drift.columns", parameters=parameters, **fields)
    (task,) = plan(Policy(id="p", version="1", engine="both", rules=(rule,))).sound()
    return task


def test_evidently_itself_decides_whatever_the_policy_says() -> None:
    task = task_of()
    assert (task.engine, task.decide_on) == ("reference", DecideOn.ESTIMATE)
    assert (task.threshold.at_most, task.judged.name) == (0, "evidently_drift")
    with pytest.raises(PolicyError, match="engine: reference alone"):
        task_of(engine="native")
    with pytest.raises(PolicyError, match="has no interval"):
        task_of(decide_on=DecideOn.PROVEN_BREACH)
