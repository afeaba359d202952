"""Every engine holds to the contract of `engines`, because each row of ENGINES is tested."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from aims_gate.checks.metrics import MetricRequest, outcomes
from aims_gate.engines import (
    ENGINES,
    Answer,
    CalibrationError,
    CountedRows,
    DriftOfBins,
    DriftOfNumbers,
    Engine,
    Engines,
    MetricValue,
    Question,
    RateComparison,
    SampleMeans,
    Trials,
)
from aims_gate.errors import GateError
from aims_gate.frames import Distribution
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats import bins
from aims_gate.stats.disparity import Measure
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.drift import DISTANCES
from aims_gate.stats.formulas import FORMULAS, RANKINGS
from aims_gate.stats.tables import (
    BetaConfusion,
    Classes,
    ClassRanked,
    Confusion,
    Ranked,
    ScoreTable,
)
from tests.checks.subjects import data
from tests.support.laws import law

Rows = np.typing.NDArray[np.float64]
LAWS = law(40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine; only those that need a child process wait for one."""
    if request.param == "native":
        return Engines()["native"]
    engines: Engines = request.getfixturevalue("engines")
    return engines[request.param]


@st.composite
def groups(draw: st.DrawFn) -> Trials:
    rows = draw(st.integers(1, 50_000))
    return Trials(group="g", rows=rows, successes=draw(st.integers(0, rows)))


def one(engine: Engine, question: Question) -> Answer:
    (answer,) = engine.ask(question)
    return answer


def numbers(rows: np.typing.NDArray[np.float64]) -> Distribution:
    values, counts = np.unique(rows, return_counts=True)
    return Distribution(values=values, counts=counts.astype(np.int64), nulls=0)


def test_an_engine_names_itself_and_its_version(engine: Engine) -> None:
    assert re.fullmatch(r"(native|reference|both) \d+\.\d+(\.\w+)*", engine.label)


@LAWS
@given(pair=st.tuples(groups(), groups()))
def test_ratio_and_gap_are_those_of_the_rates(engine: Engine, pair: tuple[Trials, Trials]) -> None:
    low, high = pair
    p, q = low.successes / low.rows, high.successes / high.rows
    gap = one(engine, RateComparison(measure=Measure.GAP, pairs=[pair]))
    ratio = one(engine, RateComparison(measure=Measure.RATIO, pairs=[pair]))
    assert gap.value == pytest.approx(q - p, abs=1e-9)
    assert not gap.problem
    assert not ratio.problem
    if q == 0:
        assert math.isnan(ratio.value)
    else:
        assert ratio.value == pytest.approx(p / q, rel=1e-9)


def test_every_pair_has_an_answer_of_its_own(engine: Engine) -> None:
    """Answers come in the order of the pairs, and groups may occur in several of them."""
    a, b, c = (Trials(group=g, rows=100, successes=s) for g, s in (("a", 10), ("b", 20), ("c", 80)))
    answers = engine.ask(RateComparison(measure=Measure.RATIO, pairs=[(a, b), (b, c), (a, c)]))
    assert [answer.value for answer in answers] == pytest.approx([0.5, 0.25, 0.125])
    assert engine.ask(RateComparison(measure=Measure.GAP, pairs=[])) == ()


METHODS = [*DIVERGENCES, *DISTANCES]


def moved(engine: Engine, method: str, before: Rows, after: Rows) -> Answer:
    """The distance of two samples of numbers, binned where the method is about bins."""
    if method in DIVERGENCES:
        table = bins.numeric(numbers(before), numbers(after))
        return one(engine, DriftOfBins(method=method, table=table))
    samples = {"reference": numbers(before), "current": numbers(after)}
    return one(engine, DriftOfNumbers(method=method, **samples))


@pytest.mark.parametrize("method", METHODS)
def test_a_sample_has_no_distance_to_itself_and_more_the_further_it_moves(
    engine: Engine, method: str
) -> None:
    rows = np.random.default_rng(1).normal(size=4_000)
    answers = [moved(engine, method, rows, rows + shift) for shift in (0.0, 0.2, 0.5, 1.0)]
    assert not any(answer.problem for answer in answers)
    found = [answer.value for answer in answers]
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert found == sorted(found)
    assert found[3] > 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e9])
def test_a_distance_does_not_depend_on_the_unit(engine: Engine, method: str, factor: float) -> None:
    """But for the floor under the spread, which a column of a thousandth's size meets."""
    rng = np.random.default_rng(2)
    before, after = rng.exponential(size=2_000), rng.exponential(1.4, size=1_500)
    if method == "wasserstein" and abs(factor) < 0.01:
        before, after = before * 1e6, after * 1e6
    plain = moved(engine, method, before, after).value
    scaled = moved(engine, method, before * factor, after * factor)
    # a mirrored column cuts its bins from the other end
    assert scaled.value == pytest.approx(plain, rel=0.05 if factor < 0 else 1e-6)


@pytest.mark.parametrize("method", DIVERGENCES)
def test_categories_that_swap_shares_have_moved_and_unseen_ones_count(
    engine: Engine, method: str
) -> None:
    before = {"a": 600, "b": 300, "c": 100}
    found = [
        one(engine, DriftOfBins(method=method, table=bins.categorical(before, after))).value
        for after in (before, {"a": 300, "b": 600, "c": 100}, {"a": 600, "b": 300, "d": 100})
    ]
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert min(found[1:]) > 0.2


def test_an_unknown_method_is_an_error(engine: Engine) -> None:
    sample = numbers(np.arange(200.0))
    with pytest.raises(GateError):
        engine.ask(DriftOfNumbers(method="no such method", reference=sample, current=sample))
    table = bins.categorical({"a": 9}, {"a": 9})
    with pytest.raises(GateError):
        engine.ask(DriftOfBins(method="no such method", table=table))


def _ranked(seed: int) -> Ranked:
    rng = np.random.default_rng(seed)
    return Ranked(
        scores=np.linspace(0, 1, 40),
        positives=rng.integers(0, 9, 40),
        negatives=rng.integers(0, 9, 40)[::-1],
    )


COUNTED: dict[type[ScoreTable], ScoreTable] = {
    Confusion: Confusion(tp=31, fp=12, fn=7, tn=58),
    BetaConfusion: BetaConfusion(tp=31, fp=12, fn=7, tn=58, beta=2.0),
    Classes: Classes(labels=("a", "b", "c"), counts=np.array([[40, 3, 2], [5, 0, 6], [1, 9, 70]])),
    Ranked: _ranked(3),
    ClassRanked: ClassRanked(labels=("a", "b"), tables=(_ranked(3), _ranked(5))),
}
"""Tables that are their own sample."""


def _rows(metric: str) -> Data:
    """Rows for the metrics that need them: unequal queries with ties, probabilities, amounts."""
    rng = np.random.default_rng(3)
    if metric in RANKINGS:
        grade = rng.integers(0, 3, 400)
        score, query = np.round(grade + rng.normal(size=400)), rng.integers(0, 40, 400)
        columns = {"y": grade, "s": score, "q": query}
        return data(columns, label="y", score="s", query="q", task=TaskKind.RANKING)
    if metric in {"brier", "log_loss"}:
        return data({"y": rng.integers(0, 2, 500), "s": rng.random(500)}, label="y", score="s")
    truth = rng.normal(size=500)
    columns = {"y": truth, "p": truth + rng.normal(size=500)}
    return data(columns, label="y", prediction="p", task=TaskKind.REGRESSION)


def _case(table: type[ScoreTable], metric: str) -> tuple[ScoreTable, CountedRows | None]:
    """A table of unequal counts or, where it holds moments only, with the rows behind them."""
    if table in COUNTED:
        return COUNTED[table], None
    k = None if metric in {"map", "mrr"} else 4
    made = outcomes(MetricRequest(metric=metric, k=k), _rows(metric))
    assert type(made.table) is table
    return made.table, made.sample()


def _given(sample: CountedRows | None) -> Callable[[], CountedRows]:
    def give() -> CountedRows:
        assert sample is not None, "a table of counts is its own sample"
        return sample

    return give


@pytest.mark.parametrize(("metric", "table"), [(f.metric, f.table) for f in FORMULAS], ids=str)
def test_every_metric_has_one_value_whoever_computes_it(
    engine: Engine, metric: str, table: type[ScoreTable]
) -> None:
    """Our formula is the oracle of the libraries, and they are ours: all of them agree."""
    case, sample = _case(table, metric)
    question = MetricValue(metric=metric, table=case, sample=_given(sample))
    answer, native = one(engine, question), one(Engines()["native"], question)
    assert not answer.problem
    assert answer.value == pytest.approx(native.value, rel=1e-9)
    assert math.isfinite(answer.value)


@pytest.mark.parametrize("metric", ["brier", "log_loss"])
def test_losses_of_several_classes_have_one_value_whoever_computes_them(
    engine: Engine, metric: str
) -> None:
    """A class without a label has a column too, and each row is a distinct one."""
    rng = np.random.default_rng(4)
    chances = rng.dirichlet(np.ones(4), 300)
    columns = {f"s{place}": chances[:, place] for place in range(4)} | {
        "y": rng.integers(0, 3, 300)
    }
    score = {str(place): f"s{place}" for place in range(4)}
    made = outcomes(metric, data(columns, label="y", score=score))
    answer = made.value(metric, engine)
    assert not answer.problem
    native = made.value(metric, Engines()["native"])
    assert answer.value == pytest.approx(native.value, rel=1e-9)


@pytest.mark.parametrize(("positives", "negatives"), [(1, 1), (4, 0)])
def test_scores_are_as_far_from_their_rates_whoever_computes_it(
    engine: Engine, positives: int, negatives: int
) -> None:
    """With ties, and with one class only."""
    rng = np.random.default_rng(6)
    table = Ranked(
        scores=np.linspace(0, 1, 60) ** 2,
        positives=rng.integers(0, 9, 60) * positives,
        negatives=rng.integers(0, 9, 60) * negatives,
    )
    question = CalibrationError(table=table, bins=7)
    answer, native = one(engine, question), one(Engines()["native"], question)
    assert not answer.problem
    assert answer.value == pytest.approx(native.value, rel=1e-9)
    assert 0 < answer.value <= native.plain + 1e-9


@LAWS
@given(
    rows=st.lists(
        st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=9),
        min_size=2,
        max_size=4,
    )
)
def test_means_are_those_of_the_rows(engine: Engine, rows: list[list[float]]) -> None:
    answers = engine.ask(SampleMeans(samples=[numbers(np.array(values)) for values in rows]))
    for values, answer in zip(rows, answers, strict=True):
        assert not answer.problem
        assert answer.value == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert engine.ask(SampleMeans(samples=[])) == ()
