from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from aims_gate.checks.performance.calibration import Calibration
from aims_gate.errors import CheckError, DataError, MissingColumnError, PolicyError
from aims_gate.facts import NoValue, Statistic
from aims_gate.plan import plan
from aims_gate.policy.model import DecideOn, Policy, Rule, Threshold
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs

RULE = {"check": "performance.calibration"}


def scored(rows: int, shift: float = 0.0, seed: int = 1, **spec: Any) -> Data:
    """Scores from 0 to 0.8, each *shift* below the rate; group b, a fifth, off by 0.3 more."""
    random = np.random.default_rng(seed)
    scores = random.beta(2, 2, rows) * 0.6
    group = np.where(random.random(rows) < 0.2, "b", "a")
    rates = scores + shift + np.where(group == "b", spec.pop("more", 0.0), 0.0)
    columns = {
        "y": np.where(random.random(rows) < rates, "yes", "no"),
        "s": scores,
        "g": group,
        "n": random.integers(0, 4, rows),
    }
    return data(columns, **{"label": "y", "score": "s", "positive": "yes", **spec})


def cells(found: Data, **parameters: Any) -> dict[str, list[Statistic]]:
    made: dict[str, list[Statistic]] = {}
    for statistic in Calibration(**parameters).measure(inputs(found)):
        if statistic.judged:
            made.setdefault(statistic.slice, []).append(statistic)
    return made


# refusals first


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"score": None}, DataError, "no column is named as score"),
        ({"score": "gone"}, MissingColumnError, "no column 'gone'"),
        ({"positive": None}, DataError, "which class is positive"),
        ({"score": "margin"}, CheckError, "outside"),
        ({"score": "hole"}, DataError, "null"),
    ],
)
def test_data_that_have_no_calibration_are_refused(
    change: dict[str, Any], error: type[Exception], why: str
) -> None:
    found = scored(300)
    table = found.frame.table.to_pydict()  # type: ignore[attr-defined]  # an ArrowFrame
    margins = [4 * s - 2 for s in table["s"]]
    more = {**table, "margin": margins, "hole": [math.nan, *table["s"][1:]]}
    roles = {"label": "y", "score": "s", "positive": "yes", **change}
    with pytest.raises(error, match=why):
        cells(data(more, **roles))


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"bins": 1}, "cannot tell scores apart"),
        ({"min_cell": 0}, "outside"),
        ({"max_uncovered": 1.0}, "outside"),
        ({"by": [["g", "g"]]}, "different columns"),
    ],
)
def test_parameters_that_measure_nothing_are_policy_errors(
    parameters: dict[str, Any], why: str
) -> None:
    rule = Rule(id="PERF-05", check="performance.calibration", parameters=parameters)
    with pytest.raises(PolicyError, match=why):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize("decide_on", DecideOn)
def test_too_few_rows_are_insufficient_however_small_the_error(decide_on: DecideOn) -> None:
    (found,) = cells(scored(224)).values()
    value, lack = found
    assert value.value is not None
    assert value.interval is None
    assert lack.lack is NoValue.INSUFFICIENT
    rule = {**RULE, "decide_on": decide_on, "require": Threshold(at_most=0.4)}
    assert decided(rule, scored(224)).outcome is Outcome.INSUFFICIENT


def test_rows_that_could_not_show_a_serious_error_are_insufficient() -> None:
    result = decided({**RULE, "serious": 0.06}, scored(400))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "does not exclude a serious 0.06; about " in result.reason


def test_a_column_of_identifiers_cuts_data_into_rows_and_is_refused() -> None:
    with pytest.raises(DataError, match="slices, more than 250"):
        cells(scored(300), by=("s",))


# values


def test_a_calibrated_model_passes_and_one_that_is_off_fails() -> None:
    assert decided(RULE, scored(4_000)).outcome is Outcome.PASS
    result = decided(RULE, scored(4_000, 0.12))
    assert result.outcome is Outcome.FAIL
    assert "provably above 0.025" in result.reason


def test_the_plain_error_is_scikit_learns_and_weighted_rows_are_repeated_rows() -> None:
    found = scored(900, 0.1, weight="n")
    table = found.frame.table.to_pydict()  # type: ignore[attr-defined]  # an ArrowFrame
    n = np.array(table["n"])
    truth = np.repeat([y == "yes" for y in table["y"]], n)
    scores = np.repeat(table["s"], n)
    rates, means = calibration_curve(truth, scores, n_bins=15, strategy="quantile")
    edges = np.percentile(scores, np.linspace(0, 1, 16) * 100)
    rows = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=15)
    plain = context(Calibration(), "plain_error", found)[""]
    assert plain.value == pytest.approx(float(rows @ np.abs(rates - means)) / rows.sum(), rel=1e-9)
    assert plain.rows == len(scores)


def test_a_group_whose_scores_are_off_is_found_behind_a_good_whole() -> None:
    found = scored(6_000, more=0.3)
    by_group = cells(found, by=("g",))
    assert list(by_group) == ["", "g=a", "g=b"]
    values = {name: cell.value or 0.0 for name, (cell,) in by_group.items()}
    assert values["g=a"] < 0.02
    assert values["g=b"] > 0.25
    level = by_group["g=b"][0].interval
    assert level is not None
    assert level.level == pytest.approx(1 - 2 * 0.05 / 3)
    assert decided({**RULE, "parameters": {"by": ["g"]}}, found).outcome is Outcome.FAIL


def test_small_slices_are_named_and_too_many_of_their_rows_are_insufficient() -> None:
    found = scored(6_000)
    small = cells(found, by=("g",), min_cell=2_000)
    assert set(small) == {"", "g", "g=a"}
    assert small["g"][0].lack is NoValue.INSUFFICIENT
    assert "more than max_uncovered 5.0%" in small["g"][0].reason
    named = context(Calibration(by=("g",), min_cell=2_000), "small_slice", found)
    assert "below min_cell 2000" in named["g=b"].reason
