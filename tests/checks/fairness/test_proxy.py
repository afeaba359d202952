"""Proxies: a column that stands in for an attribute is found, and what tells nothing is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from aims_gate.checks.contract import Check, NoDataError
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue
from aims_gate.plan import build
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged

DEMO = Path(__file__).parents[3] / "aims_gate" / "demo" / "data" / "train.parquet"
RULE: dict[str, Any] = {"check": "fairness.proxy", "parameters": {}}


def check(**parameters: Any) -> Check:
    return build("fairness.proxy", parameters)


def people(rows: int = 3_000, seed: int = 1) -> dict[str, Any]:
    """One column that tells sex nearly, one that tells it a little, and two that do not."""
    random = np.random.default_rng(seed)
    women = random.random(rows) < 0.3
    return {
        "sex": np.where(women, "F", "M"),
        "title": np.where(random.random(rows) < 0.02, "Dr", np.where(women, "Ms", "Mr")),
        "height": random.normal(np.where(women, 166, 179), 9),
        "income": random.normal(40, 9, rows),
        "region": random.choice(["n", "s", "w", "e"], rows),
    }


def scored(columns: dict[str, Any], **spec: Any) -> Data:
    return data(columns, sensitive={"sex": None}, **spec)


def test_a_stand_in_fails_a_hint_warns_and_noise_passes() -> None:
    columns = people()
    found = scored(columns)
    cells = judged(check(), found)
    names = ("title", "height", "income", "region", "all columns together")
    assert list(cells) == [f"sex by {name}" for name in names]
    assert decided(RULE, found).outcome is Outcome.FAIL
    without = scored({name: v for name, v in columns.items() if name != "title"})
    result = decided(RULE, without)
    assert result.outcome is Outcome.WARN
    assert "sex by height" in result.reason
    bare = scored({name: columns[name] for name in ("sex", "income", "region")})
    assert decided(RULE, bare).outcome is Outcome.PASS
    (told,) = context(check(), "strongest_proxies", found).values()
    assert told.reason.startswith("title 1.00, height 0.86")


def test_areas_are_scikit_learns() -> None:
    columns = people(20_000)
    women = columns["sex"] == "F"
    cells = judged(check(), scored(columns))
    height = roc_auc_score(women, -columns["height"])
    assert cells["sex by height"].value == pytest.approx(height, abs=2e-3)
    for name in ("title", "region"):
        shares = pd.Series(women).groupby(columns[name]).transform("mean")
        area = roc_auc_score(women, shares)
        assert cells[f"sex by {name}"].value == pytest.approx(area, abs=1e-12)


def test_on_census_data_the_group_that_is_told_best_is_judged() -> None:
    """Citizenship tells who is Asian, in the demo's own data, as it does by scikit-learn."""
    frame = pd.read_parquet(DEMO)
    found = data(frame, label="employed", key="id", sensitive={"race": None})
    cell = judged(check(columns=["CIT"]), found)["race by CIT"]
    asian = frame["race"] == "Asian"
    shares = asian.groupby(frame["CIT"].astype(str)).transform("mean")
    assert cell.reason.startswith("race=Asian against everybody else")
    assert cell.value == pytest.approx(roc_auc_score(asian, shares), abs=1e-3)


def test_missing_values_that_follow_the_attribute_are_a_proxy() -> None:
    columns = people()
    columns["maiden_name_length"] = np.where(columns["sex"] == "F", 7.0, np.nan)
    assert judged(check(), scored(columns))["sex by maiden_name_length"].value == 1
    columns["maiden_name"] = ["x" if sex == "F" else None for sex in columns["sex"]]
    assert judged(check(), scored(columns))["sex by maiden_name"].value == 1


def test_weights_are_repeated_rows() -> None:
    columns: dict[str, Any] = {
        "sex": ["F", "F", "M", "M"],
        "x": [1.0, 2.0, 2.0, 3.0],
        "n": [90, 40, 70, 200],
    }
    repeated = {name: np.repeat(columns[name], columns["n"]) for name in ("sex", "x")}
    one = judged(check(), scored(columns, weight="n"))["sex by x"]
    other = judged(check(), scored(repeated))["sex by x"]
    assert (one.value, one.interval, one.rows) == (other.value, other.interval, 400)


def test_a_lone_group_and_small_ones_are_never_free_of_proxies() -> None:
    columns = people(200)
    lone = scored({**columns, "sex": ["F"] * 200})
    assert judged(check(), lone)["sex"].lack is NoValue.INSUFFICIENT
    assert decided(RULE, lone).outcome is Outcome.INSUFFICIENT
    few = scored({**columns, "sex": ["F"] * 20 + ["M"] * 180})
    assert judged(check(), few)["sex"].lack is NoValue.INSUFFICIENT
    assert decided(RULE, few).outcome is Outcome.INSUFFICIENT
    assert set(context(check(), "group_rows", few)) == {"sex=F"}


def test_a_column_that_cannot_be_looked_at_refuses_and_hides_no_other() -> None:
    columns = {**people(), "id": [f"c{i}" for i in range(3_000)], "day": [date(2026, 1, 1)] * 3_000}
    named = check(columns=["title", "id", "day", "titel"])
    cells = judged(named, scored(columns))
    assert cells["sex by id"].lack is NoValue.INSUFFICIENT
    assert cells["sex by day"].lack is NoValue.UNDEFINED
    assert cells["sex by titel"].lack is NoValue.MISSING
    assert "did you mean 'title'" in cells["sex by titel"].reason
    assert (cells["sex by title"].value or 0) > 0.95
    assert decided(RULE, scored({"sex": columns["sex"], "id": columns["id"]})).outcome is (
        Outcome.INSUFFICIENT
    )


def test_roles_and_the_attributes_themselves_are_no_inputs() -> None:
    columns = {**people(), "y": [1, 0] * 1_500, "p": np.linspace(0, 1, 3_000)}
    found = data(columns, label="y", score="p", sensitive={"sex": None, "region": None})
    names = {cell.partition(" by ")[2] for cell in judged(check(by=["sex"]), found)}
    assert names == {"title", "height", "income", "all columns together"}
    alone = judged(check(by=["sex"], together=False), found)
    assert {cell.partition(" by ")[2] for cell in alone} == {"title", "height", "income"}


def test_without_attributes_inputs_or_data_nothing_is_measured() -> None:
    with pytest.raises(DataError, match="no column is named as sensitive"):
        list(check().measure(inputs(data(people()))))
    assert decided(RULE, data(people())).outcome is Outcome.ERROR
    assert judged(check(), scored({"sex": ["F", "M"]}))[""].lack is NoValue.MISSING
    gone = scored({"height": [1.0, 2.0]})
    assert judged(check(), gone)["sex"].lack is NoValue.MISSING
    listed = scored({"sex": [["F"], ["M"]], "height": [1.0, 2.0]})
    assert judged(check(), listed)["sex"].lack is NoValue.UNDEFINED
    with pytest.raises(NoDataError):
        list(check().measure(inputs(data(people(), Role.REFERENCE))))


def test_numbers_in_bins_are_attributes() -> None:
    random = np.random.default_rng(3)
    age = random.uniform(18, 90, 2_000)
    found = data(
        {"age": age, "pension": age > 65, "income": random.normal(size=2_000)},
        sensitive={"age": (25.0, 65.0)},
    )
    cells = judged(check(), found)
    assert cells["age by pension"].value == pytest.approx(1.0, abs=1e-3)
    assert cells["age by pension"].reason.startswith("age=[65,inf)")
    assert (cells["age by income"].value or 1) < 0.6


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"by": ["sex", "sex"]}, "twice"),
        ({"by": [""]}, "empty"),
        ({"columns": []}, "names no column"),
        ({"by": ["sex"], "columns": ["sex"]}, "the attribute itself"),
        ({"min_cell": 19}, "below 20"),
        ({"max_uncovered": 1.0}, "outside"),
    ],
)
def test_parameters_that_mean_nothing_are_problems(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        decided({**RULE, "parameters": parameters}, scored(people(100)))


def test_without_any_effect_no_column_looks_like_a_proxy() -> None:
    """30 columns that tell nothing, groups of 60 and 240: the largest area stays below the line."""
    random = np.random.default_rng(11)
    columns: dict[str, Any] = {"sex": ["F"] * 60 + ["M"] * 240}
    columns |= {f"x{i}": random.standard_t(3, 300) for i in range(15)}
    columns |= {f"c{i}": random.choice(list("abcdefgh"), 300) for i in range(15)}
    areas = [
        cell.value if cell.value is not None else 1
        for cell in judged(check(), scored(columns)).values()
    ]
    assert max(areas) < 0.70


def test_columns_that_tell_little_alone_may_tell_all_together() -> None:
    """Ten hints of which none is past the line: together they are a name tag."""
    random = np.random.default_rng(5)
    women = random.random(4_000) < 0.4
    columns: dict[str, Any] = {"sex": np.where(women, "F", "M")}
    columns |= {f"hint{i}": random.normal(women * 0.85, 1.0) for i in range(10)}
    cells = dict(judged(check(), scored(columns)))
    joint = cells.pop("sex by all columns together")
    assert max(cell.value or 1 for cell in cells.values()) < 0.75
    assert (joint.value or 0) > 0.90
    assert joint.reason == "sex=F against everybody else, by 10 columns, cross-validated"
    assert decided(RULE, scored(columns)).outcome is Outcome.FAIL
    alone = {**RULE, "parameters": {"together": False}}
    assert decided(alone, scored(columns)).outcome is Outcome.PASS


def test_people_without_an_attribute_are_told_by_columns_alone() -> None:
    """No rule is fitted to find who said nothing, and rows of a missing attribute are no error."""
    columns = people(2_000)
    columns["sex"] = [None if i % 2 else sex for i, sex in enumerate(columns["sex"])]
    cells = judged(check(columns=["height", "income"]), scored(columns))
    assert set(cells) == {"sex by height", "sex by income", "sex by all columns together"}
    lost = scored({**columns, "sex": [None] * 1_000 + ["F"] * 20 + ["M"] * 5 + [None] * 975})
    found = judged(check(columns=["height", "income"]), lost)
    assert "sex" in found or all(cell.value is not None for cell in found.values())


def test_columns_that_nothing_is_asked_of_are_named() -> None:
    """A date of birth or a list may be a proxy, and the report does not hide it."""
    columns = {**people(), "born": [date(1990, 1, 1)] * 3_000, "tags": [["a"]] * 3_000}
    columns["y"] = [0, 1] * 1_500
    told = context(check(), "left_out", scored(columns, label="y"))
    assert list(told) == ["sex", "born", "tags", "y"]
    assert "date32" in told["born"].reason
    assert "a role" in told["y"].reason
    named = check(columns=("income", "born"))
    assert not context(named, "left_out", scored(columns))
    assert judged(named, scored(columns))["sex by born"].lack is NoValue.UNDEFINED


def test_one_group_beside_rows_without_an_attribute_is_not_told_by_all_columns() -> None:
    """No rule is fitted to them, and the cell says so in place of vanishing or crashing."""
    columns = people()
    columns["sex"] = [value if value == "F" else None for value in columns["sex"]]
    cells = {**judged(check(), scored(columns))}
    together = cells.pop("sex by all columns together")
    assert together.lack is NoValue.INSUFFICIENT
    assert all(cell.value is not None for cell in cells.values())
