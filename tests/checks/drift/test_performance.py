from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks.drift.performance import Performance
from aims_gate.checks.performance.score import Plain
from aims_gate.engines import Answer
from aims_gate.errors import PolicyError
from aims_gate.facts import NoValue
from aims_gate.policy.model import DecideOn, Role, Threshold
from aims_gate.sources.subject import Data
from aims_gate.stats.intervals import Rate, mover_difference
from aims_gate.verdict import Outcome, Result
from tests.checks.subjects import arrays, context, data, decided, inputs, judged
from tests.support.laws import law

LAWS = law(15)
SPEC: dict[str, Any] = {"label": "y", "prediction": "p", "score": "s", "positive": 1}


def binary(role: Role, seed: int, rows: int, *, skill: float = 1.4, **spec: Any) -> Data:
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.3).astype(int)
    s = np.round(1 / (1 + np.exp(-rng.normal(skill * (y - 0.5), 1))), 3)
    return data({"y": y, "p": (s > 0.5).astype(int), "s": s}, role, **{**SPEC, **spec})


def both(seed: int = 0, rows: int = 3_000, *, skill: float = 1.4, **spec: Any) -> tuple[Data, Data]:
    """The release's evaluation, and fewer rows of service."""
    return (
        binary(Role.EVALUATION, seed, rows),
        binary(Role.CURRENT, seed + 1, rows * 2 // 3, skill=skill, **spec),
    )


def ruled(parameters: dict[str, Any], *roles: Data, **rule: Any) -> Result:
    return decided({"check": "drift.performance", "parameters": parameters, **rule}, *roles)


# refusals first


@pytest.mark.parametrize("skill", [1.4, 9.0])
def test_unlabelled_service_never_passes_however_good_it_may_be(skill: float) -> None:
    before, after = both(skill=skill)
    table = arrays(after)
    unnamed = data({"p": table["p"]}, Role.CURRENT, prediction="p")
    assert ruled({"metric": "accuracy"}, before, unnamed).outcome is Outcome.MISSING
    gone = data({"p": table["p"]}, Role.CURRENT, prediction="p", label="y")
    assert ruled({"metric": "accuracy"}, before, gone).outcome is Outcome.MISSING
    late = data({**table, "y": [None] * len(table["y"])}, Role.CURRENT, **SPEC)
    result = ruled({"metric": "accuracy"}, before, late)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "2,000 of 2,000 current labels have not arrived" in result.reason
    assert result.blocking


def test_labels_that_are_partly_late_are_insufficient_unless_the_policy_allows_it() -> None:
    before, after = both()
    table = arrays(after)
    y = table["y"].astype(object)
    y[:200] = None
    holed = data({**table, "y": y}, Role.CURRENT, **SPEC)
    assert ruled({"metric": "accuracy"}, before, holed).outcome is Outcome.INSUFFICIENT
    allowed = data({**table, "y": y}, Role.CURRENT, max_null_labels=0.2, **SPEC)
    (cell,) = judged(Performance(metric="accuracy"), before, allowed).values()
    kept = slice(200, None)
    expected = (arrays(before)["y"] == arrays(before)["p"]).mean() - (table["y"] == table["p"])[
        kept
    ].mean()
    assert cell.value == pytest.approx(expected)
    assert cell.rows == 1_800


@pytest.mark.parametrize(
    ("against", "roles", "why"),
    [
        ("evaluation", [Role.CURRENT], "no evaluation data"),
        ("reference", [Role.EVALUATION, Role.CURRENT], "no reference data"),
        ("evaluation", [Role.EVALUATION], "no current data"),
    ],
)
def test_without_either_side_it_is_missing(against: str, roles: list[Role], why: str) -> None:
    given_ = [binary(role, 1, 500) for role in roles]
    result = ruled({"metric": "accuracy", "against": against}, *given_)
    assert result.outcome is Outcome.MISSING
    assert why in result.reason


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"positive": 0}, "positive class is 1 in the evaluation data and 0 here"),
        ({"task": "multiclass"}, "task"),
        ({"prediction": "gone"}, "gone"),
    ],
)
def test_data_that_are_about_something_else_are_refused(spec: dict[str, Any], why: str) -> None:
    before = binary(Role.EVALUATION, 1, 500, task="binary")
    result = ruled({"metric": "accuracy"}, before, binary(Role.CURRENT, 2, 500, **spec))
    assert result.outcome in {Outcome.ERROR, Outcome.MISSING}
    assert why in result.reason


def test_a_window_without_a_positive_is_too_little_and_a_release_without_one_an_error() -> None:
    before, after = both()
    nobody = data(
        {k: v[arrays(after)["y"] == 0] for k, v in arrays(after).items()},
        Role.CURRENT,
        **{**SPEC, "positive": None},
    )
    result = ruled({"metric": "roc_auc"}, before, nobody)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "current data: only one class" in result.reason
    never = replace(nobody, role=Role.EVALUATION, spec=replace(nobody.spec, task=None))
    assert ruled({"metric": "roc_auc"}, never, after).outcome is Outcome.ERROR


def test_too_few_rows_for_an_interval_or_for_a_serious_fall_are_insufficient() -> None:
    before = binary(Role.EVALUATION, 1, 3_000)
    few = binary(Role.CURRENT, 2, 40)
    result = ruled({"metric": "roc_auc"}, before, few)
    assert result.outcome is Outcome.INSUFFICIENT
    result = ruled({"metric": "accuracy"}, before, binary(Role.CURRENT, 2, 30))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "does not exclude a serious 0.1; about" in result.reason
    small = binary(Role.EVALUATION, 5, 30)
    result = ruled({"metric": "accuracy"}, small, binary(Role.CURRENT, 2, 3_000))
    assert "no number of current rows could settle it; more reference rows" in result.reason


def test_an_engine_that_fails_leaves_no_value() -> None:
    class Broken:
        def ask(self, _question: object) -> tuple[Answer, ...]:
            return (Answer.none("both", "they disagree"),)

    made = replace(inputs(*both()), engine=Broken())  # type: ignore[arg-type]  # what is asked
    (cell,) = [s for s in Performance(metric="accuracy").measure(made) if s.judged]
    assert (cell.lack, cell.reason) == (NoValue.UNDEFINED, "they disagree")


# values


@LAWS
@given(st.integers(0, 2**31))
def test_the_fall_is_the_difference_of_what_scikit_learn_says(seed: int) -> None:
    before, after = both(seed, rows=600, skill=1.0)
    one, other = arrays(before), arrays(after)
    functions: dict[Plain, Any] = {
        "accuracy": lambda a: sk.accuracy_score(a["y"], a["p"]),
        "f1": lambda a: sk.f1_score(a["y"], a["p"]),
        "mcc": lambda a: sk.matthews_corrcoef(a["y"], a["p"]),
        "roc_auc": lambda a: sk.roc_auc_score(a["y"], a["s"]),
        "brier": lambda a: -sk.brier_score_loss(a["y"], a["s"]),
        "log_loss": lambda a: -sk.log_loss(a["y"], a["s"]),
    }
    for metric, function in functions.items():
        (cell,) = judged(Performance(metric=metric), before, after).values()
        value = function(one) - function(other)
        assert cell.value == pytest.approx(value, abs=1e-10)
        assert cell.interval is not None
        assert cell.interval.low - 1e-10 <= value <= cell.interval.high + 1e-10
        assert cell.interval.level == pytest.approx(0.9)


def test_the_interval_of_proportions_is_newcombes() -> None:
    before, after = both(skill=1.0)
    (cell,) = judged(Performance(metric="accuracy"), before, after).values()
    z = 1.6448536269514722
    rates = [
        Rate.of(int((a["y"] == a["p"]).sum()), len(a["y"]), z)
        for a in (arrays(before), arrays(after))
    ]
    assert cell.interval is not None
    assert (cell.interval.low, cell.interval.high) == pytest.approx(mover_difference(*rates))


def test_exchanging_the_data_mirrors_value_and_interval() -> None:
    before, after = both()
    for metric in ("roc_auc", "brier"):
        check = Performance(metric=metric)
        (cell,) = judged(check, before, after).values()
        swapped = replace(after, role=Role.EVALUATION), replace(before, role=Role.CURRENT)
        (other,) = judged(check, *swapped).values()
        assert cell.value is not None
        assert other.value == pytest.approx(-cell.value)
        assert cell.interval is not None
        assert other.interval is not None
        assert other.interval.low == pytest.approx(-cell.interval.high)


def test_regression_and_reference_data_fit_too() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 800)
    spec = {"label": "y", "prediction": "p"}
    before = data({"y": y, "p": y + rng.normal(0, 0.5, 800)}, Role.REFERENCE, **spec)
    after = data({"y": y, "p": y + rng.normal(0, 0.9, 800)}, Role.CURRENT, **spec)
    check = Performance(metric="mae", against="reference")
    (cell,) = judged(check, before, after).values()
    assert cell.value == pytest.approx(0.4 * np.sqrt(2 / np.pi), abs=0.06)
    assert set(context(check, "mae", before, after)) == {"reference", "current"}
    parameters = {"metric": "mae", "against": "reference"}
    with pytest.raises(PolicyError, match="no conventional limit"):
        ruled(parameters, before, after)
    require = Threshold(at_most=0.1)
    assert ruled(parameters, before, after, require=require).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("skill", "rows", "rule", "outcome"),
    [
        (1.4, 6_000, {}, Outcome.PASS),
        (0.4, 6_000, {}, Outcome.FAIL),
        (1.15, 9_000, {"require": Threshold(at_most=0.05, warn_above=0.02)}, Outcome.WARN),
        (2.5, 6_000, {}, Outcome.PASS),
        (1.4, 60_000, {"decide_on": DecideOn.PROVEN_PASS}, Outcome.PASS),
    ],
)
def test_a_fall_is_refused_where_it_is_proven(
    skill: float, rows: int, rule: dict[str, Any], outcome: Outcome
) -> None:
    before, after = both(rows=rows, skill=skill)
    result = ruled({"metric": "accuracy"}, before, after, **rule)
    assert result.outcome is outcome, result.reason


@pytest.mark.parametrize(
    ("require", "why"),
    [
        (Threshold(at_least=0.05), "wrong way round"),
        (Threshold(at_most=1.0), "met by every value"),
        (Threshold(at_most=1.2), "lies in"),
    ],
)
def test_a_threshold_that_cannot_refuse_is_a_policy_error(require: Threshold, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled({"metric": "accuracy"}, require=require)
