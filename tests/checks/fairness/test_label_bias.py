"""Labels that fall differently on a group than on everybody else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from aims_gate.checks.fairness.label_bias import LabelBias
from aims_gate.checks.parameters import problems_of
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.policy.model import Threshold
from aims_gate.stats.labels import METRICS, Sides, conditional_disparity
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

SPEC: dict[str, Any] = {"label": "y", "positive": "yes", "sensitive": {"sex": None}}
counts = st.lists(st.integers(1, 400), min_size=2, max_size=4)


def people(rows: int = 900, seed: int = 1, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M", "X"], rows, p=[0.55, 0.3, 0.15])
    home = rng.choice(["own", "rent"], rows)
    chance = 0.3 + 0.2 * (sex == "M") + 0.2 * (home == "own")
    return {"sex": sex, "home": home, "y": np.where(rng.random(rows) < chance, "yes", "no"), **more}


def test_a_lone_group_has_nobody_to_be_compared_with() -> None:
    (cell,) = judged(LabelBias(metric="dpl"), data(people(sex=["F"] * 900), **SPEC)).values()
    assert cell.lack is NoValue.INSUFFICIENT
    assert cell.reason == "there is nobody else"


def test_no_rows_are_missing_and_null_labels_an_error() -> None:
    rule = {
        "check": "fairness.label_bias",
        "parameters": {"metric": "tvd"},
        "require": Threshold(at_most=0.1),
    }
    empty = {name: values[:0] for name, values in people().items()}
    assert decided(rule, data(empty, **SPEC)).outcome is Outcome.MISSING
    table = people()
    table["y"] = table["y"].astype(object)
    table["y"][4] = None
    with pytest.raises(DataError, match="null where they must not be"):
        list(LabelBias(metric="tvd").measure(inputs(data(table, **SPEC))))


def test_small_groups_are_named_and_count_as_everybody_else() -> None:
    table = people()
    table["sex"][:12] = "Z"
    check = LabelBias(metric="ci", must_cover=("sex=Z",), max_uncovered=0.01)
    cells = judged(check, data(table, **SPEC))
    assert cells["sex"].lack is cells["sex=Z"].lack is NoValue.INSUFFICIENT
    women = (table["sex"] == "F").sum()
    assert cells["sex=F"].value == pytest.approx((900 - 2 * women) / 900)


def test_a_label_that_a_group_never_has_is_no_divergence() -> None:
    table = people()
    table["y"][table["sex"] == "X"] = "no"
    found = data(table, **SPEC)
    cells = judged(LabelBias(metric="kl"), found)
    assert cells["sex=X"].lack is NoValue.UNDEFINED
    assert "lacks a label" in cells["sex=X"].reason
    assert cells["sex=F"].value is not None
    assert judged(LabelBias(metric="js"), found)["sex=X"].value is not None


def test_a_stratum_of_one_label_has_no_disparity() -> None:
    """Clarify takes its share of nothing for 0."""
    table = people()
    table["y"][table["home"] == "rent"] = "yes"
    check = LabelBias(metric="cddl", strata="home")
    cells = judged(check, data(table, **SPEC))
    assert {cell.lack for cell in cells.values()} == {NoValue.UNDEFINED}
    assert "only one kind of label" in cells["sex=F"].reason


def test_strata_that_are_missing_lists_or_identifiers_are_told() -> None:
    table = people(2_000, who=[f"id {i}" for i in range(2_000)], many=[[1]] * 2_000)
    found = data(table, **SPEC)
    for strata, lack in (
        ("gone", NoValue.MISSING),
        ("who", NoValue.UNDEFINED),
        ("many", NoValue.UNDEFINED),
    ):
        (cell,) = judged(LabelBias(metric="cddl", strata=strata), found).values()
        assert cell.lack is lack


def test_conditional_disparity_is_that_inside_strata() -> None:
    table = people()
    cells = judged(LabelBias(metric="cddl", strata="home"), data(table, **SPEC))
    for group in "FMX":
        mine, total = table["sex"] == group, 0.0
        for home in ("own", "rent"):
            inside = table["home"] == home
            no, yes = inside & (table["y"] == "no"), inside & (table["y"] == "yes")
            share = (mine & no).sum() / no.sum() - (mine & yes).sum() / yes.sum()
            total += inside.sum() / 900 * share
        assert cells[f"sex={group}"].value == pytest.approx(total)


def test_predictions_can_be_asked_in_the_place_of_labels() -> None:
    table = people()
    found = data({**table, "p": table["y"], "y": table["y"][::-1]}, prediction="p", **SPEC)
    mine = table["sex"] == "F"
    cells = judged(LabelBias(metric="dpl", of="prediction"), found)
    yes = table["y"] == "yes"
    assert cells["sex=F"].value == pytest.approx(yes[~mine].mean() - yes[mine].mean())


def test_every_metric_stands_beside_the_judged_one() -> None:
    found = data(people(), **SPEC)
    for short, metric in METRICS.items():
        check = LabelBias(metric=short, strata="home")  # type: ignore[arg-type]
        assert judged(check, found)["sex=F"].value is not None
        others = {other.name for other in METRICS.values()} - {metric.name}
        assert all(context(check, name, found)["sex=F"].value is not None for name in others)


@law(60)
@given(counts, st.data())
def test_distances_are_scipys_and_within_their_range(group: list[int], draw: st.DataObject) -> None:
    same = len(group)
    rest = draw.draw(st.lists(st.integers(1, 400), min_size=same, max_size=same))
    one, other = np.array(group), np.array(rest)
    sides = Sides(group=one, rest=other)
    p, q = other / other.sum(), one / one.sum()
    told = {short: metric.value(sides) for short, metric in METRICS.items() if short != "cddl"}
    assert told["kl"] == pytest.approx(entropy(p, q), abs=1e-12)
    assert told["js"] == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-12)
    assert told["lp"] == pytest.approx(math.dist(p, q))
    assert told["tvd"] == pytest.approx(abs(p - q).sum() / 2)
    assert told["ks"] == pytest.approx(abs(p - q).max())
    for short, value in told.items():
        assert METRICS[short].low <= value <= METRICS[short].high
    mirrored = {s: METRICS[s].value(Sides(group=other, rest=one)) for s in told}
    assert mirrored["dpl"] == pytest.approx(-told["dpl"])
    assert mirrored["ci"] == pytest.approx(-told["ci"])
    for symmetric in ("js", "lp", "tvd", "ks"):
        assert mirrored[symmetric] == pytest.approx(told[symmetric], abs=1e-12)


def test_without_strata_nothing_is_known_inside_them() -> None:
    assert math.isnan(conditional_disparity(Sides(group=np.array([1, 2]), rest=np.array([3, 4]))))
    assert [field for field, _, _ in problems_of(LabelBias(metric="cddl"))] == ["metric"]
