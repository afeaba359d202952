"""Of floats of two widths the narrower one is compared, with data and with a policy's limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from aims_gate.frames.opening import open_frame
from aims_gate.frames.widths import alike, limit_at
from tests.real.gating import gate
from tests.support.laws import law

FEW = [0.1, 0.2, 0.3]
DRIFT = """\
data:
  reference: {min_rows: 1}
rules:
  - {id: MON-01, check: drift.columns}
  - {id: MON-02, check: drift.columns, with: {numeric: ks, categorical: none}}
  - {id: MON-03, check: drift.new_value}
  - {id: MON-04, check: drift.share}
  - {id: DATA-03, check: data.ranges, on: current, with: {against: reference}}
  - {id: DATA-04, check: data.ranges, on: current,
     with: {allowed: {rate: {one_of: [0.1, 0.2, 0.3]}}}}
  - {id: DATA-05, check: data.ranges, on: current,
     with: {allowed: {rate: {at_least: 0.1, at_most: 0.3}}}}
"""
ANSWERS = """\
data:
  evaluation:
    {label: y, score: p, threshold: 0.9, positive: 1, key: id, sensitive: {rate: [0.2, 0.3]}}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.9}}
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.8}}
"""
WIDTHS = [pa.float16(), pa.float32(), pa.float64(), pa.decimal128(4, 2)]


def column(kind: pa.DataType, values: Any) -> pa.Array:
    wide = pa.array(values, type=pa.float64())
    return wide.cast(kind) if kind != pa.float16() else pa.array(np.float16(values), type=kind)


def write(folder: Path, name: str, kind: pa.DataType, rows: int = 3000) -> str:
    """Write rates, scores of 0.9 and 0.8, and labels that a threshold of 0.9 tells exactly."""
    place = np.arange(rows)
    table = {
        "id": place,
        "rate": column(kind, np.array(FEW)[place % 3]),
        "p": column(kind, np.where(place % 2, 0.9, 0.8)),
        "y": place % 2,
    }
    parquet.write_table(pa.table(table), folder / f"{name}.parquet")
    return f"{name}={name}.parquet"


@pytest.mark.parametrize("before", WIDTHS, ids=str)
@pytest.mark.parametrize("after", WIDTHS, ids=str)
def test_the_same_values_in_another_width_have_not_moved(
    before: pa.DataType, after: pa.DataType, tmp_path: Path
) -> None:
    data = write(tmp_path, "reference", before), write(tmp_path, "current", after)
    done = gate(tmp_path, DRIFT, *data)
    assert done.code == 0, done.outcomes()
    assert {value for value in done.values().values() if value} <= {0.0}, done.values()


@pytest.mark.parametrize("kind", WIDTHS, ids=str)
def test_a_score_on_the_threshold_and_a_rate_on_an_edge_meet_it(
    kind: pa.DataType, tmp_path: Path
) -> None:
    done = gate(tmp_path, ANSWERS, write(tmp_path, "evaluation", kind))
    assert done.values()["PERF-01 "] == 1.0
    assert done.outcomes() == {"PERF-01": "PASS", "BIAS-01": "PASS"}
    assert any("rate=[0.2,0.3)" in cell for cell in done.values())


def test_evidently_and_both_engines_are_given_the_narrower_width(tmp_path: Path) -> None:
    pytest.importorskip("evidently")
    rules = """\
engine: both
rules:
  - {id: MON-01, check: drift.columns}
  - {id: MON-05, check: "evidently:psi"}
"""
    data = write(tmp_path, "reference", pa.float64()), write(tmp_path, "current", pa.float32())
    done = gate(tmp_path, rules, *data)
    assert set(done.outcomes().values()) == {"PASS"}, done.outcomes()


RATED = """\
data:
  evaluation: {label: y, prediction: yhat, positive: 0.1, sensitive: [g]}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: recall}, require: {at_least: 0.9}}
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.8}}
"""
MAPPED = """\
data:
  evaluation: {label: y, score: {"0.1": a, "0.2": b}, task: multiclass}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: log_loss}, require: {at_most: 0.2}}
"""


@pytest.mark.parametrize("kind", WIDTHS[:3], ids=str)
def test_a_class_that_is_a_fraction_is_the_stated_one_in_every_width(
    kind: pa.DataType, tmp_path: Path
) -> None:
    classes = np.array([0.1, 0.2])[np.arange(600) % 2]
    right = np.random.default_rng(1).uniform(0.85, 0.95, 600)
    first = np.where(classes == 0.1, right, 1 - right)
    table = {
        "y": column(kind, classes),
        "yhat": column(kind, classes),
        "g": np.array(["F", "M"])[np.arange(600) // 300],
    }
    parquet.write_table(pa.table(table), tmp_path / "e.parquet")
    done = gate(tmp_path, RATED, "evaluation=e.parquet")
    assert done.values()["PERF-01 "] == 1.0
    assert done.outcomes() == {"PERF-01": "PASS", "BIAS-01": "PASS"}
    parquet.write_table(
        pa.table({"y": table["y"], "a": first, "b": 1 - first}), tmp_path / "e.parquet"
    )
    assert gate(tmp_path, MAPPED, "evaluation=e.parquet").outcomes() == {"PERF-01": "PASS"}


CLASSES = """\
data:
  evaluation:
    label: y
    prediction: yhat
    positive: 0.3
    key: id
    sensitive: [rate]
    task: %s
  champion: {label: y, prediction: yhat, key: id}
  reference: {label: y, prediction: yhat, positive: 0.3, task: %s}
  current: {label: y, prediction: yhat, positive: 0.3, task: %s}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: %s}, require: {at_least: 0.6}}
  - {id: PERF-02, check: performance.champion, with: {metric: %s, by: [rate]},
     require: {at_least: -0.2}}
  - {id: PERF-03, check: performance.champion, with: {metric: accuracy}, require: {at_least: -0.2}}
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.8}}
  - {id: BIAS-02, check: fairness.odds, require: {at_most: 0.2}}
  - {id: BIAS-03, check: fairness.representation,
     with: {population: {rate: {"0.1": 0.3, "0.2": 0.3, "0.7": 0.4}}}, require: {at_least: 0.5}}
  - {id: MON-01, check: drift.prediction, with: {of: prediction, method: positive_rate},
     require: {at_most: 0.3}}
  - {id: MON-02, check: drift.label, with: {method: positive_rate}, require: {at_most: 0.3}}
  - {id: MON-03, check: drift.performance, with: {metric: %s, against: reference},
     require: {at_most: 0.2}}
  - {id: DATA-01, check: data.ranges,
     with: {allowed: {y: {one_of: [0.3, 0.6]}, rate: {one_of: [0.1, 0.2, 0.7]}}}}
"""
BY_CLASS = """\
  - {id: PERF-04, check: performance.score, with: {metric: recall, classes: [0.3, 0.6]},
     require: {at_least: 0.5}}
"""
TASKS = {"binary": "recall", "multiclass": "macro_recall"}
SINGLE, DOUBLE = pa.float32(), pa.float64()


def classes(folder: Path, name: str, label: pa.DataType, answer: pa.DataType, seed: int) -> str:
    """Write two classes and answers of which 85 in 100 are right; 0.3 and 0.6 in some width."""
    random = np.random.default_rng(seed)
    truth = np.random.default_rng(1).integers(0, 2, 4000)
    told = np.where(random.random(4000) < 0.85, truth, 1 - truth)
    held = np.array([0.3, 0.6])
    table = {
        "id": np.arange(4000),
        "rate": column(label, np.array([0.1, 0.2, 0.7])[np.arange(4000) % 3]),
        "y": column(label, held[truth]),
        "yhat": column(answer, held[told]),
    }
    parquet.write_table(pa.table(table), folder / f"{name}.parquet")
    return f"{name}={name}.parquet"


@pytest.mark.parametrize("task", TASKS)
def test_classes_and_groups_are_the_same_in_any_two_widths(task: str, tmp_path: Path) -> None:
    policy = CLASSES.replace("%s", task, 3).replace("%s", TASKS[task])
    if task == "multiclass":
        policy += BY_CLASS
    found = []
    for first, second in ((DOUBLE, DOUBLE), (SINGLE, SINGLE), (DOUBLE, SINGLE), (SINGLE, DOUBLE)):
        data = [
            classes(tmp_path, "evaluation", first, second, 2),
            classes(tmp_path, "champion", second, first, 3),
            classes(tmp_path, "reference", first, first, 4),
            classes(tmp_path, "current", second, second, 5),
        ]
        done = gate(tmp_path, policy, *data)
        assert set(done.outcomes().values()) == {"PASS"}, (first, second, done.results)
        found.append((done.values(), {rule: done.reason(rule) for rule in done.results}))
    assert found[0] == found[1] == found[2] == found[3]


def test_classes_that_were_computed_are_compared_in_the_narrower_width(tmp_path: Path) -> None:
    thirds = np.array([1 / 3, 2 / 3])[np.arange(3000) % 2]
    table = {"y": thirds, "yhat": thirds.astype(np.float32), "g": ["F", "M", "M"] * 1000}
    parquet.write_table(pa.table(table), tmp_path / "e.parquet")
    for stated in ("0.3333333333333333", "0.33333334"):
        done = gate(tmp_path, RATED.replace("0.1", stated, 1), "evaluation=e.parquet")
        assert done.outcomes() == {"PERF-01": "PASS", "BIAS-01": "PASS"}, done.results
        assert done.values()["PERF-01 "] == 1.0
    near = {**table, "yhat": (thirds + 1e-4).astype(np.float32)}
    parquet.write_table(pa.table(near), tmp_path / "e.parquet")
    assert gate(tmp_path, RATED, "evaluation=e.parquet").outcomes()["PERF-01"] == "ERROR"


def test_what_has_moved_is_seen_in_every_width(tmp_path: Path) -> None:
    reference = write(tmp_path, "reference", pa.float64())
    moved = pa.table({"rate": column(pa.float32(), [0.1, 0.2, 0.4] * 1000)})
    parquet.write_table(moved, tmp_path / "current.parquet")
    outcomes = gate(tmp_path, DRIFT, reference, "current=current.parquet").outcomes()
    assert outcomes["MON-03"] == outcomes["DATA-03"] == outcomes["DATA-04"] == "FAIL"


def test_whole_numbers_past_what_float32_holds_equal_the_float_that_holds_them() -> None:
    whole = open_frame(pa.table({"n": pa.array([2**24, 2**24 + 1, 5])}))
    floats = open_frame(pa.table({"n": pa.array([2**24, 2**24, 5], type=pa.float32())}))
    first, second = alike(whole, floats, "n")
    assert first.values.tolist() == second.values.tolist() == [5, 2**24]
    assert first.counts.tolist() == second.counts.tolist() == [1, 2]


def test_a_limit_that_a_width_cannot_hold_stays() -> None:
    """A least of 1e-50 must not become 0, which every 0 meets, nor a large one infinite."""
    assert limit_at(1e-50, 32) == 1e-50
    assert limit_at(1e39, 32) == 1e39
    assert limit_at(0.1, 32) == float(np.float32(0.1))
    assert limit_at(0.1, 64) == 0.1


@law(100)
@given(st.lists(st.floats(-1e4, 1e4), min_size=1), st.sampled_from([16, 32]))
def test_two_widths_of_the_same_numbers_have_one_distribution(
    values: list[float], bits: int
) -> None:
    narrow = np.array(values).astype(f"f{bits // 8}")
    wide, short = (open_frame(pa.table({"v": pa.array(v)})) for v in (values, narrow))
    for one, other in ((wide, short), (short, wide)):
        first, second = alike(one, other, "v")
        assert first.values.tolist() == second.values.tolist()
        assert first.counts.tolist() == second.counts.tolist()
        assert (np.diff(first.values) > 0).all()
