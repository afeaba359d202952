"""What performance.champion refuses, and what it decides."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.paired_intervals import METHODS
from aims_gate.checks.performance.score import Metric, Plain
from aims_gate.engines import Engines
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue
from aims_gate.judge import decide
from aims_gate.plan import plan
from aims_gate.policy.model import DecideOn, Policy, Role, Rule, Threshold
from aims_gate.sources.subject import ChampionModel, Data
from aims_gate.verdict import Decision, Outcome
from tests.checks.performance.champions import (
    MARGIN,
    arrays,
    binary,
    champion,
    only,
    ruled,
)
from tests.checks.subjects import data, inputs

# refusals first

ALIAS: dict[str, Any] = {"metric": "accuracy", "alias": "champion"}
EXCUSED: dict[str, Any] = {
    **ALIAS,
    "when_none": "not_applicable",
    "reason": "the first version of this model",
}
NONE = ChampionModel(alias="credit@champion")
OTHER = ChampionModel(alias="credit@champion", uri="models:/credit/3")
ITSELF = ChampionModel(alias="credit@champion", uri="models:/credit/4", is_candidate=True)


@pytest.mark.parametrize(
    ("parameters", "found", "why"),
    [
        ({"metric": "accuracy"}, None, "no alias says which model it is"),
        (ALIAS, None, "nobody can say"),
        (EXCUSED, None, "nobody can say"),
        (ALIAS, NONE, "no version has the alias credit@champion"),
        (ALIAS, OTHER, r"the run of models:/credit/3 .* logged no evaluation data"),
        (EXCUSED, OTHER, "logged no evaluation data"),
    ],
)
def test_without_a_champion_or_its_answers_it_is_missing(
    parameters: dict[str, Any], found: ChampionModel | None, why: str
) -> None:
    ours, _ = binary()
    result = ruled(parameters, ours, found=found)
    assert (result.outcome, result.blocking) == (Outcome.MISSING, True)
    assert re.search(why, result.reason)


def test_no_champion_yet_is_not_applicable_only_with_a_reason_and_then_decides_nothing() -> None:
    ours, _ = binary()
    result = ruled(EXCUSED, ours, found=NONE)
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert "the first version of this model" in result.reason
    assert not result.blocking
    assert decide([result]) is Decision.UNDECIDED


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({**ALIAS, "when_none": "not_applicable"}, "not_applicable needs a reason"),
        ({**EXCUSED, "reason": " "}, "not_applicable needs a reason"),
        ({"metric": "accuracy", "when_none": "not_applicable", "reason": "new"}, "needs an alias"),
        ({**ALIAS, "when_none": "pass"}, "when_none"),
        ({**ALIAS, "reason": "new"}, "with when_none: not_applicable only"),
        ({"metric": "accuracy", "model": "credit"}, "there is none"),
        ({**ALIAS, "alias": "credit@champion"}, "is no alias"),
        ({**ALIAS, "by": ["g", "g"]}, "attribute is named twice"),
        ({**ALIAS, "by": ["g"], "bins": {"age": [25]}}, "no column of by"),
        ({**ALIAS, "by": ["age"], "bins": {"age": [25, 25]}}, "not ascending"),
        ({**ALIAS, "min_cell": 0}, "outside"),
        ({**ALIAS, "max_uncovered": 1.0}, "outside"),
    ],
)
def test_parameters_that_contradict_themselves_are_policy_errors(
    parameters: dict[str, Any], why: str
) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(parameters)


@pytest.mark.parametrize(
    ("require", "why"),
    [
        (None, "no conventional limit"),
        (Threshold(at_most=0.01), "wrong way round"),
        (Threshold(at_least=-1.0), "met by every value"),
    ],
)
def test_a_margin_that_cannot_refuse_is_a_policy_error(require: Threshold | None, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(ALIAS, require=require)


def test_one_policy_has_one_champion() -> None:
    rules = tuple(
        Rule(id=f"P-{n}", check="performance.champion", require=MARGIN, parameters=parameters)
        for n, parameters in enumerate([ALIAS, ALIAS, {**ALIAS, "alias": "shadow"}])
    )
    (problem,) = plan(Policy(id="p", version="1", rules=rules)).problems
    assert "P-0 compares with 'champion' already" in problem.what


@pytest.mark.parametrize(
    "broken",
    [
        {"id": [1, 2, 3], "q": [0, 1, 0]},
        {"id": [1, 2, 2, 4], "q": [0, 1, 0, 1]},
        {"id": [1, 2, 3, 5], "q": [0, 1, 0, 1]},
        {"id": [1, 2, 3, 4], "q": [0, 1, 0, None]},
        {"id": [1, 2, 3, 4], "q": ["0", "1", "0", "1"]},
        {"id": [1, 2, 3, 4], "q": [0, 1, 0, 1], "y": [1, 1, 1, 1]},
    ],
)
def test_other_rows_other_labels_and_unusable_answers_are_errors(broken: Any) -> None:
    columns = {"id": [1, 2, 3, 4], "y": [0, 1, 1, 0], "p": [0, 1, 1, 0]}
    ours = data(columns, label="y", prediction="p", positive=1, key="id")
    result = ruled({"metric": "accuracy"}, ours, champion(broken, score=None))
    assert (result.outcome, result.blocking) == (Outcome.ERROR, True)


def test_unusable_champion_data_are_an_error_even_if_none_is_excused() -> None:
    ours, _ = binary()
    made = inputs(ours)
    broken = replace(made.subject, unread={Role.CHAMPION: DataError("a broken file")})
    with pytest.raises(DataError, match="a broken file"):
        tuple(Champion(**EXCUSED).measure(replace(made, subject=broken)))


def test_a_champion_that_never_says_yes_has_no_precision_to_compare_with() -> None:
    ours, theirs = binary()
    columns = theirs.frame.table.to_pydict()  # type: ignore[attr-defined]
    never = champion({**columns, "q": [0] * len(columns["q"])})
    cell = only(Champion(metric="precision"), ours, never)
    assert (cell.lack, cell.value) == (NoValue.UNDEFINED, None)


def test_the_candidate_is_no_worse_than_itself_if_it_can_be_measured() -> None:
    ours, _ = binary(rows=60)
    result = ruled(ALIAS, ours, found=ITSELF)
    assert result.outcome is Outcome.PASS
    (cell,) = [s for s in result.statistics if s.judged]
    assert cell.value == 0
    assert "the alias credit@champion is on the candidate itself (models:/credit/4)" in cell.reason
    assert ruled(ALIAS, found=ITSELF).outcome is Outcome.MISSING
    one_class = data({"y": [1] * 50, "s": [0.5] * 50}, label="y", score="s", positive=1)
    assert ruled({**ALIAS, "metric": "roc_auc"}, one_class, found=ITSELF).outcome is Outcome.ERROR


def test_handed_over_answers_count_whatever_the_alias_says() -> None:
    ours, theirs = binary(noise=2.0)
    for found in (None, NONE, ITSELF):
        result = ruled(ALIAS, ours, theirs, found=found)
        (cell,) = [s for s in result.statistics if s.judged]
        assert cell.value is not None
        assert cell.value > 0.02


# decisions


def counted(both: int, first: int, second: int) -> tuple[Data, Data]:
    """Rows that both, only the candidate, or only the champion gets right."""
    right = [(1, 1)] * both + [(1, 0)] * first + [(0, 1)] * second
    ids = list(range(len(right)))
    ours = data(
        {"id": ids, "y": [1] * len(ids), "p": [one for one, _ in right]},
        label="y",
        prediction="p",
        positive=1,
        key="id",
    )
    return ours, champion({"id": ids, "q": [other for _, other in right]}, score=None)


@pytest.mark.parametrize(
    ("cells", "decide_on", "outcome"),
    [
        ((9_000, 500, 500), None, Outcome.PASS),
        ((900, 50, 50), None, Outcome.INSUFFICIENT),
        ((9_000, 440, 560), None, Outcome.FAIL),
        ((880, 50, 70), DecideOn.ESTIMATE, Outcome.FAIL),
        ((900, 50, 50), DecideOn.ESTIMATE, Outcome.WARN),
        ((970, 10, 20), DecideOn.ESTIMATE, Outcome.WARN),
        ((1_980, 10, 10), None, Outcome.PASS),
        ((8_000, 400, 800), DecideOn.PROVEN_BREACH, Outcome.FAIL),
        ((900, 50, 50), DecideOn.PROVEN_BREACH, Outcome.PASS),
        ((400, 40, 40), DecideOn.PROVEN_BREACH, Outcome.INSUFFICIENT),
        ((9_000, 500, 500), DecideOn.PROVEN_BREACH, Outcome.PASS),
        ((2_701, 134, 165), DecideOn.PROVEN_BREACH, Outcome.WARN),
    ],
)
def test_non_inferiority_is_proven_refused_or_undecided(
    cells: tuple[int, int, int], decide_on: DecideOn | None, outcome: Outcome
) -> None:
    """At a margin of 0.01; (970, 10, 20) lies exactly on it and so meets it."""
    result = ruled({"metric": "accuracy"}, *counted(*cells), decide_on=decide_on)
    assert result.outcome is outcome, result.reason


def test_the_rows_that_would_prove_it_are_named() -> None:
    """(b + c) / n (2.486 / margin)^2 = 6,180 at a discordance of 0.1 (statistics 1.5)."""
    result = ruled({"metric": "accuracy"}, *counted(900, 50, 50))
    rows = int(result.reason.split("about ")[1].split(" rows")[0].replace(",", ""))
    assert rows == pytest.approx(6_180, rel=0.05)
    assert "if there is no effect" in result.reason


def test_losses_are_better_below_zero_and_a_champion_of_zero_is_no_special_case() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(0, 1, 500)
    ids = np.arange(500)
    ours = data(
        {"id": ids, "y": y, "p": y + rng.normal(0, 0.1, 500)}, label="y", prediction="p", key="id"
    )
    perfect = champion({"id": ids, "q": y}, score=None)
    mae = {"metric": "mae"}
    assert ruled(mae, ours, perfect, require=Threshold(at_most=0.01)).outcome is Outcome.FAIL
    assert ruled(mae, ours, perfect, require=Threshold(at_most=0.2)).outcome is Outcome.PASS
    with pytest.raises(PolicyError, match="wrong way round"):
        ruled(mae, require=MARGIN)


def test_too_few_rows_for_an_interval_are_insufficient_beside_the_value() -> None:
    ours, theirs = binary(rows=40)
    result = ruled({"metric": "roc_auc"}, ours, theirs)
    assert result.outcome in {Outcome.INSUFFICIENT, Outcome.FAIL}
    lacks = [s for s in result.statistics if s.judged and s.lack is NoValue.INSUFFICIENT]
    assert "the rarer class has" in lacks[0].reason


def test_no_champion_pair_can_prove_what_has_no_interval() -> None:
    known = {metric for part in get_args(Metric) for metric in get_args(part) or (part,)}
    assert set(METHODS) <= known
    bare = {"average_precision", "macro_average_precision", "median_error", "r2"}
    assert known - set(METHODS) == {*bare, "explained_variance"}
    with pytest.raises(PolicyError, match="no interval"):
        ruled({"metric": "r2"}, decide_on=DecideOn.PROVEN_PASS)


@pytest.mark.parametrize("metric", ["f1", "precision", "balanced_accuracy", "mcc"])
def test_the_same_answers_are_proven_equal_by_enough_rows_only(metric: str) -> None:
    """No row differs: a difference of 0 with an interval, and the margin decides."""
    for rows, outcome in ((120, Outcome.INSUFFICIENT), (4_000, Outcome.PASS)):
        ours, theirs = binary(rows=rows, noise=0.0)
        result = ruled({"metric": metric}, ours, theirs)
        (cell,) = [s for s in result.statistics if s.judged]
        assert cell.value == 0
        assert cell.interval is not None
        assert cell.interval.low == -cell.interval.high < 0
        assert result.outcome is outcome, result.reason


@pytest.mark.parametrize("metric", ["f1", "precision", "balanced_accuracy", "mcc"])
def test_under_30_rows_nothing_is_proven_of_counts(metric: str) -> None:
    ours, theirs = binary(rows=29)
    wide = Threshold(at_least=-0.9)
    result = ruled({"metric": metric}, ours, theirs, require=wide)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "29 rows, and an interval needs 30" in result.reason
    kept = ruled({"metric": metric}, ours, theirs, require=wide, decide_on=DecideOn.ESTIMATE)
    assert kept.outcome is Outcome.INSUFFICIENT


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "mcc"])
def test_a_worse_candidate_fails_and_a_better_one_passes_on_any_metric(metric: str) -> None:
    ours, theirs = binary(noise=1.5)
    assert ruled({"metric": metric}, ours, theirs).outcome is Outcome.PASS
    a = arrays(ours, theirs)
    spec: dict[str, Any] = {"label": "y", "prediction": "p", "positive": 1, "key": "id"}
    worse = data({"id": a["id"], "y": a["y"], "p": a["q"]}, **spec)
    better = champion({"id": a["id"], "q": a["p"]}, score=None)
    assert ruled({"metric": metric}, worse, better).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"metric": "f_beta"}, "f_beta needs beta"),
        ({"metric": "f1", "beta": 2.0}, "f1 has no beta"),
        ({"metric": "precision_at_k"}, "precision_at_k needs k"),
        ({"metric": "accuracy", "k": 3}, "accuracy has no k"),
    ],
)
def test_parameters_that_a_metric_lacks_or_needs_are_refused(
    parameters: dict[str, Any], why: str
) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(parameters)


def test_without_evaluation_data_there_is_nothing_to_compare() -> None:
    _, theirs = binary(rows=100)
    with pytest.raises(NoDataError, match="no evaluation data"):
        tuple(Champion(metric="accuracy").measure(inputs(theirs)))


# two opinions


def test_scikit_learn_computes_both_sides_and_so_the_difference(engines: Engines) -> None:
    """With engine both, the value and the words of the line name the library that agreed."""
    ours, theirs = binary(rows=400)
    both = replace(inputs(ours, theirs), engine=engines["both"])
    metrics: tuple[Plain, ...] = ("accuracy", "roc_auc", "brier")
    for metric in metrics:
        found = Champion(metric=metric, by=("g",)).measure(both)
        cells = [s for s in found if s.judged and s.lack is None]
        plain = Champion(metric=metric, by=("g",)).measure(inputs(ours, theirs))
        expected = [s for s in plain if s.judged and s.lack is None]
        assert [s.value for s in cells] == [s.value for s in expected]
        assert all(re.search(r"native .*; scikit-learn .* agrees", s.engine) for s in cells)
    reference = replace(both, engine=engines["reference"])
    (cell, *_) = [s for s in Champion(metric="roc_auc").measure(reference) if s.judged]
    assert cell.engine.startswith("scikit-learn")
    assert cell.value == pytest.approx(
        only(Champion(metric="roc_auc"), ours, theirs).value, abs=1e-9
    )
