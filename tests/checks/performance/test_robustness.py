from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks.performance.robustness import Robustness
from aims_gate.engines import Answer
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue
from aims_gate.policy.model import DecideOn, Role, Threshold
from aims_gate.sources.subject import Data
from aims_gate.stats.intervals import proportion_bounds
from aims_gate.stats.paired import Discordant, tango
from aims_gate.verdict import Outcome, Result
from tests.checks.subjects import arrays, context, data, decided, inputs, judged
from tests.support.laws import law

LAWS = law(15)
Z = 1.6448536269514722


def disturbed(seed: int = 0, rows: int = 3_000, *, noise: float = 0.3, **spec: Any) -> Data:
    """Clean answers, and in the same table those on rows with noise and with a column lost."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.4).astype(int)
    signal = rng.normal(1.8 * y - 0.9, 1)
    found = {
        "clean": signal,
        "noisy": signal + rng.normal(0, noise, rows),
        "lost": 0.7 * signal - 0.3,
    }
    columns: dict[str, Any] = {"id": np.arange(rows), "y": y}
    for name, values in found.items():
        columns[f"s_{name}"] = np.round(1 / (1 + np.exp(-values)), 4)
        columns[f"p_{name}"] = (values > 0).astype(int)
    roles = {"label": "y", "prediction": "p_clean", "score": "s_clean", "positive": 1, "key": "id"}
    return data(columns, **{**roles, **spec})


def apart(found: Data, seed: int = 0, **spec: Any) -> Data:
    """The noisy answers as data of their own, in another order."""
    a = arrays(found)
    order = np.random.default_rng(seed).permutation(len(a["y"]))
    columns = {"id": a["id"][order], "q": a["p_noisy"][order], "t": a["s_noisy"][order]}
    other = data(columns, Role.PERTURBED, **{"prediction": "q", "score": "t", **spec})
    return replace(other, identity=replace(other.identity, digest="1" * 64))


def ruled(parameters: dict[str, Any], *roles: Data, **rule: Any) -> Result:
    return decided({"check": "performance.robustness", "parameters": parameters, **rule}, *roles)


# refusals first


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({}, "a drop is that of a metric"),
        ({"effect": "flips", "metric": "accuracy"}, "whatever the metric"),
        ({"effect": "falls"}, "effect"),
        ({"metric": "accuracy", "columns": ["a", "a"]}, "twice"),
        ({"metric": "accuracy", "columns": [""]}, "empty"),
        ({"metric": "mae"}, "no conventional limit"),
    ],
)
def test_parameters_that_contradict_themselves_are_policy_errors(
    parameters: dict[str, Any], why: str
) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(parameters)


@pytest.mark.parametrize(
    ("parameters", "outcome", "why"),
    [
        ({"metric": "accuracy"}, Outcome.MISSING, "no perturbed data"),
        ({"effect": "flips"}, Outcome.MISSING, "no perturbed data"),
        ({"metric": "accuracy", "columns": ["gone"]}, Outcome.MISSING, "gone"),
        ({"effect": "flips", "columns": ["gone"]}, Outcome.MISSING, "gone"),
        ({"metric": "accuracy", "columns": ["p_clean"]}, Outcome.ERROR, "no disturbed answer"),
        ({"metric": "roc_auc", "columns": ["s_clean"]}, Outcome.ERROR, "no disturbed answer"),
        ({"metric": "accuracy", "columns": ["y"]}, Outcome.ERROR, "no disturbed answer"),
        ({"effect": "flips", "columns": ["s_noisy"]}, Outcome.ERROR, "no classes to flip"),
    ],
)
def test_without_disturbed_answers_nothing_passes(
    parameters: dict[str, Any], outcome: Outcome, why: str
) -> None:
    result = ruled(parameters, disturbed(rows=300))
    assert (result.outcome, result.blocking) == (outcome, True)
    assert why in result.reason


@pytest.mark.parametrize("parameters", [{"metric": "accuracy"}, {"effect": "flips"}])
def test_answers_of_other_rows_are_an_error(parameters: dict[str, Any]) -> None:
    found = disturbed(rows=300)
    other = apart(disturbed(rows=301))
    assert ruled(parameters, found, other).outcome is Outcome.ERROR
    unkeyed = replace(found, spec=replace(found.spec, key=None))
    assert ruled(parameters, unkeyed, apart(found)).outcome is Outcome.ERROR


def test_null_answers_and_answers_of_another_kind_are_errors() -> None:
    found = disturbed(rows=300)
    a = arrays(found)
    holes = a["p_noisy"].astype(object)
    holes[5] = None
    texts = a["p_noisy"].astype(str)
    for column in (holes, texts):
        broken = replace(data({**a, "q": column}), spec=found.spec)
        for parameters in ({"metric": "accuracy"}, {"effect": "flips"}):
            result = ruled({**parameters, "columns": ["q"]}, broken)
            assert result.outcome is Outcome.ERROR, parameters


def test_a_model_that_stops_to_say_yes_has_no_precision_left_to_lose() -> None:
    found = disturbed(rows=300)
    a = arrays(found)
    never = replace(data({**a, "q": np.zeros(300, dtype=int)}), spec=found.spec)
    result = ruled({"metric": "precision", "columns": ["q"]}, never)
    assert result.outcome is Outcome.ERROR


def test_an_engine_that_fails_leaves_no_value() -> None:
    class Broken:
        def ask(self, _question: object) -> tuple[Answer, ...]:
            return (Answer.none("both", "they disagree"),)

    made = replace(inputs(disturbed(rows=200)), engine=Broken())  # type: ignore[arg-type]
    check = Robustness(metric="accuracy", columns=("p_noisy",))
    (cell,) = [s for s in check.measure(made) if s.judged]
    assert (cell.lack, cell.reason) == (NoValue.UNDEFINED, "they disagree")


# values


@LAWS
@given(st.integers(0, 2**31))
def test_the_drop_is_the_difference_of_what_scikit_learn_says(seed: int) -> None:
    found = disturbed(seed, rows=500)
    a = arrays(found)
    cells = judged(Robustness(metric="accuracy", columns=("p_noisy", "p_lost")), found)
    for column in ("p_noisy", "p_lost"):
        value = sk.accuracy_score(a["y"], a["p_clean"]) - sk.accuracy_score(a["y"], a[column])
        assert cells[column].value == pytest.approx(value, abs=1e-12)
    (auc,) = judged(Robustness(metric="roc_auc", columns=("s_noisy",)), found).values()
    value = sk.roc_auc_score(a["y"], a["s_clean"]) - sk.roc_auc_score(a["y"], a["s_noisy"])
    assert auc.value == pytest.approx(value, abs=1e-12)
    (brier,) = judged(Robustness(metric="brier", columns=("s_noisy",)), found).values()
    value = sk.brier_score_loss(a["y"], a["s_noisy"]) - sk.brier_score_loss(a["y"], a["s_clean"])
    assert brier.value == pytest.approx(value, abs=1e-12)
    assert brier.interval is not None
    assert brier.interval.low - 1e-12 <= value <= brier.interval.high + 1e-12


@LAWS
@given(st.integers(0, 2**31))
def test_flips_are_counted_and_have_wilsons_interval(seed: int) -> None:
    found = disturbed(seed, rows=400)
    a = arrays(found)
    flips = int((a["p_clean"] != a["p_noisy"]).sum())
    (cell,) = judged(Robustness(effect="flips", columns=("p_noisy",)), found).values()
    assert cell.value == flips / 400
    assert cell.interval is not None
    assert (cell.interval.low, cell.interval.high) == pytest.approx(
        proportion_bounds(flips, 400, Z)
    )


def test_several_columns_share_alpha_and_the_interval_is_tangos() -> None:
    found = disturbed()
    a = arrays(found)
    cells = judged(Robustness(metric="accuracy", columns=("p_noisy", "p_lost")), found)
    good, bad = a["p_clean"] == a["y"], a["p_noisy"] == a["y"]
    counted = Discordant(
        first=int((good & ~bad).sum()), second=int((bad & ~good).sum()), rows=3_000
    )
    interval = cells["p_noisy"].interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(tango(counted, 1.959963984540054))
    assert interval.level == pytest.approx(0.95)


def test_data_of_their_own_are_matched_by_key_and_say_the_same_as_columns() -> None:
    found = disturbed()
    each: tuple[dict[str, Any], ...] = ({"metric": "accuracy"}, {"effect": "flips"})
    for parameters in each:
        (one,) = judged(Robustness(**parameters, columns=("p_noisy",)), found).values()
        (other,) = judged(Robustness(**parameters), found, apart(found)).values()
        assert (one.value, one.interval, one.rows) == (other.value, other.interval, other.rows)
    (one,) = judged(Robustness(metric="roc_auc", columns=("s_noisy",)), found).values()
    (other,) = judged(Robustness(metric="roc_auc"), found, apart(found, 7)).values()
    assert one.value == other.value


def test_flips_need_no_labels_and_amounts_have_none() -> None:
    found = disturbed(rows=300)
    a = arrays(found)
    unlabelled = data({"id": a["id"], "p": a["p_clean"]}, prediction="p", key="id")
    (cell,) = judged(Robustness(effect="flips"), unlabelled, apart(found)).values()
    assert cell.value == (a["p_clean"] != a["p_noisy"]).mean()
    amounts = data({"p": [1.5, 2.0], "q": [1.6, 2.0]}, prediction="p")
    with pytest.raises(DataError, match="no classes"):
        judged(Robustness(effect="flips", columns=("q",)), amounts)


@pytest.mark.parametrize(
    ("parameters", "noise", "rule", "outcome"),
    [
        ({"metric": "accuracy"}, 0.2, {}, Outcome.PASS),
        ({"metric": "accuracy"}, 3.0, {}, Outcome.FAIL),
        ({"effect": "flips"}, 0.02, {}, Outcome.PASS),
        ({"effect": "flips"}, 1.0, {}, Outcome.FAIL),
        ({"metric": "accuracy"}, 0.2, {"decide_on": DecideOn.PROVEN_PASS}, Outcome.PASS),
        ({"effect": "flips"}, 1.0, {"decide_on": DecideOn.PROVEN_BREACH}, Outcome.FAIL),
        ({"metric": "brier"}, 0.2, {"require": Threshold(at_most=0.05)}, Outcome.PASS),
    ],
)
def test_answers_that_hold_pass_and_answers_that_fall_over_are_refused(
    parameters: dict[str, Any], noise: float, rule: dict[str, Any], outcome: Outcome
) -> None:
    column = "s_noisy" if parameters.get("metric") == "brier" else "p_noisy"
    result = ruled({**parameters, "columns": [column]}, disturbed(noise=noise), **rule)
    assert result.outcome is outcome, result.reason


def test_a_few_rows_prove_no_robustness() -> None:
    parameters = {"metric": "accuracy", "columns": ["p_noisy"]}
    found = disturbed(rows=40, noise=0.1)
    result = ruled(parameters, found, decide_on=DecideOn.PROVEN_PASS)
    assert result.outcome is Outcome.INSUFFICIENT
    with pytest.raises(PolicyError, match="no interval"):
        ruled({**parameters, "metric": "average_precision"}, found, decide_on=DecideOn.PROVEN_PASS)


@pytest.mark.parametrize("parameters", [{"effect": "flips"}, {"metric": "roc_auc"}])
def test_the_clean_rows_with_their_clean_answers_are_no_disturbed_ones(
    parameters: dict[str, Any],
) -> None:
    """Handed over as role perturbed, the evaluation file would have a drop of 0."""
    ours = disturbed()
    same = data(arrays(ours), Role.PERTURBED, prediction="p_clean", score="s_clean", key="id")
    result = ruled(parameters, ours, same)
    assert result.outcome is Outcome.ERROR
    assert "they are the evaluation data, with the clean answers" in result.reason
    other = data(arrays(ours), Role.PERTURBED, prediction="p_noisy", score="s_noisy", key="id")
    assert ruled(parameters, ours, other).statistics[-1].value is not None


def test_a_class_s_clean_score_is_no_disturbed_one() -> None:
    """Scores by class are columns of the clean data, too."""
    ours = disturbed(score={"0": "s_lost", "1": "s_clean"})
    result = ruled({"metric": "roc_auc", "columns": ("s_clean",)}, ours)
    assert result.outcome is Outcome.ERROR
    assert "a column of the clean data" in result.reason


@pytest.mark.parametrize(
    "parameters",
    [
        {"metric": "roc_auc", "columns": ("s_noisy",)},
        {"effect": "flips", "columns": ("p_noisy",)},
    ],
)
def test_rows_that_only_the_disturbed_answers_leave_out_are_told(
    parameters: dict[str, Any],
) -> None:
    """The rows on which a model gives nothing any more are those that one wants to know of."""
    columns = arrays(disturbed())
    for name in ("s_noisy", "p_noisy"):
        columns[name] = [None, None, *columns[name].tolist()[2:]]
    ours = data(columns, label="y", prediction="p_clean", score="s_clean", max_null_labels=0.01)
    told = context(Robustness(**parameters), "dropped_rows", ours)
    assert [found.value for found in told.values()] == [2]
