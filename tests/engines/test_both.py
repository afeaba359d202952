"""The engine `both`: our value decides, and nothing that a library contradicts is a value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.contract import Inputs
from aims_gate.checks.drift.columns import Columns
from aims_gate.checks.drift.prediction_label import Prediction
from aims_gate.checks.drift.share import Share
from aims_gate.checks.fairness.rates import ImpactRatio
from aims_gate.checks.performance.score import Score
from aims_gate.engines import (
    Answer,
    DriftOfBins,
    Engine,
    Engines,
    LibraryValue,
    Question,
    RateComparison,
    Trials,
)
from aims_gate.engines.both import TOLERANCES, Both
from aims_gate.errors import CheckError
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import DataSpec, Role
from aims_gate.sources.subject import Data
from aims_gate.stats.bins import categorical
from aims_gate.stats.disparity import Measure
from tests.checks.subjects import data, inputs


class Dead(Engine):
    """A reference whose process ended."""

    @property
    def label(self) -> str:
        return "reference 1"

    def ask(self, question: Question) -> tuple[Answer, ...]:
        assert isinstance(question, RateComparison)
        return (Answer.none(self.label, "the reference process ended"),) * len(question.pairs)


LOW = Trials(group="F", rows=100, successes=40)
HIGH = Trials(group="M", rows=80, successes=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bent:
    """The reference, with every number moved by a factor: a library with another opinion."""

    behind: Engine
    factor: float
    by: str = ""
    """The name that it answers under, if not its own."""

    def _bend(self, answer: Answer) -> Answer:
        moved = answer.plain * self.factor
        bent = replace(answer, value=answer.value * self.factor, plain=moved)
        return replace(bent, by=self.by or answer.by)

    def ask(self, question: Question) -> tuple[Answer, ...]:
        return tuple(map(self._bend, self.behind.ask(question)))


def one(engine: Engine, question: Question) -> Answer:
    (answer,) = engine.ask(question)
    return answer


def bent(engines: Engines, factor: float) -> Engine:
    other: Any = Bent(behind=engines["reference"], factor=factor)
    return Both(engines["native"], other)


def rows() -> Data:
    """500 scored rows of two groups of unequal size, nine women in twenty selected."""
    random = np.random.default_rng(7)
    sex = np.where(random.random(500) < 0.35, "F", "M")
    label = (random.random(500) < 0.5).astype(int)
    score = np.clip(0.6 * label + 0.5 * random.random(500), 0, 1)
    prediction = (score > 0.55).astype(int)
    columns = {"sex": sex, "y": label, "p": prediction, "s": score}
    return data(columns, label="y", prediction="p", score="s", sensitive={"sex": None})


def moved(role: Role, by: float) -> Data:
    random = np.random.default_rng(len(role))
    columns = {"x": random.normal(by, 1, 900), "c": random.choice(["a", "b", "c"], 900)}
    return data(columns, role)


def with_engine(found: Inputs, engine: Engine) -> Inputs:
    return replace(found, engine=engine)


def test_agreement_names_the_library_and_keeps_our_value(engines: Engines) -> None:
    question = RateComparison(measure=Measure.RATIO, pairs=[(LOW, HIGH)])
    answer, ours = one(engines["both"], question), one(engines["native"], question)
    assert answer.value == ours.value
    assert answer.by.startswith("native ")
    assert "; fairlearn " in answer.by
    assert answer.by.endswith(" agrees")


@pytest.mark.parametrize("measure", list(Measure))
def test_disagreement_shows_both_numbers_and_gives_none(engines: Engines, measure: Measure) -> None:
    answer = one(bent(engines, 1.001), RateComparison(measure=measure, pairs=[(LOW, HIGH)]))
    assert math.isnan(answer.value)
    ours = {Measure.RATIO: "0.8", Measure.GAP: "0.1"}[measure]
    theirs = {Measure.RATIO: "0.8008", Measure.GAP: "0.1001"}[measure]
    assert f"computes {ours} and fairlearn" in answer.problem
    assert f" {theirs}, further apart" in answer.problem


@pytest.mark.parametrize("name", sorted(TOLERANCES))
def test_a_tolerance_holds_within_itself_and_not_beyond(name: str) -> None:
    """And one undefined number agrees with none but another."""
    tolerance = TOLERANCES[name]
    assert tolerance.relative <= 1e-6
    assert tolerance.absolute <= 1e-7
    assert tolerance.holds(0.5, 0.5 * (1 + 0.9 * tolerance.relative))
    assert not tolerance.holds(0.5, 0.5 * (1 + 2.1 * tolerance.relative))
    assert tolerance.holds(0.0, 0.0)
    assert not tolerance.holds(0.0, 1e-6)
    assert not tolerance.holds(math.nan, 0.5)
    assert not tolerance.holds(0.5, math.nan)
    assert tolerance.holds(math.nan, math.nan)


@pytest.mark.parametrize("method", ["psi", "js", "hellinger", "chi2"])
def test_a_million_rows_a_side_are_held_against_a_library_too(
    engines: Engines, method: str
) -> None:
    """Few of them are written out, in the same shares; a thousandth of another opinion is seen."""
    before, after = {"a": 600_000, "b": 399_999, "c": 1}, {"a": 500_000, "b": 700_000, "d": 9_999}
    question = DriftOfBins(method=method, table=categorical(before, after))
    answer = one(engines["both"], question)
    assert answer.by.endswith(" agrees")
    assert answer.value == one(engines["native"], question).value
    assert "further apart" in one(bent(engines, 1.001), question).problem


def test_a_reference_that_cannot_answer_takes_our_value_away(engines: Engines) -> None:
    question = RateComparison(measure=Measure.GAP, pairs=[(LOW, HIGH)])
    answer = one(Both(engines["native"], Dead()), question)
    assert math.isnan(answer.value)
    assert answer.problem == "no second opinion: the reference process ended"


def test_what_a_library_defines_itself_has_no_second_opinion(engines: Engines) -> None:
    with pytest.raises(CheckError, match="cannot answer for evidently"):
        engines["both"].ask(LibraryValue(library="evidently", name="psi", arguments={}))


def numbers(cell: Statistic) -> list[float]:
    """The value and the bounds, as far as there are any."""
    bounds = [cell.interval.low, cell.interval.high] if cell.interval else []
    return bounds if cell.value is None else [cell.value, *bounds]


CHECKS = [
    pytest.param(ImpactRatio(), [rows()], id="fairness"),
    pytest.param(
        Prediction(of="prediction"),
        [
            replace(moved(role, by), spec=DataSpec(prediction="x"))
            for role, by in ((Role.REFERENCE, 0), (Role.CURRENT, 0.5))
        ],
        id="prediction",
    ),
    *(
        pytest.param(Score(metric=metric), [rows()], id=metric)
        for metric in ("f1", "roc_auc", "brier", "log_loss")
    ),
    *(
        pytest.param(
            Columns(numeric=numeric, categorical=categorical),
            [moved(Role.REFERENCE, 0), moved(Role.CURRENT, 0.5)],
            id=numeric,
        )
        for numeric, categorical in (
            ("psi", "psi"),
            ("js", "js"),
            ("hellinger", "hellinger"),
            ("chi2", "chi2"),
            ("ks", "none"),
            ("wasserstein", "none"),
        )
    ),
]


@pytest.mark.parametrize(("check", "roles"), CHECKS)
def test_every_engine_gives_a_check_the_same_cells(
    engines: Engines, check: Any, roles: list[Data]
) -> None:
    """Same slices, lacks, rows, intervals and values."""
    found = {
        name: {
            (s.name, s.slice): s for s in check.measure(with_engine(inputs(*roles), engines[name]))
        }
        for name in ("native", "reference", "both")
    }
    for name in ("reference", "both"):
        assert found[name].keys() == found["native"].keys()
        for where, cell in found[name].items():
            ours = found["native"][where]
            assert (cell.lack, cell.rows, cell.design) == (ours.lack, ours.rows, ours.design)
            assert numbers(cell) == pytest.approx(numbers(ours), rel=1e-9)
    said = [s.engine for s in found["both"].values() if s.judged]
    assert any(text.endswith(" agrees") for text in said)


@pytest.mark.parametrize(("check", "roles"), CHECKS)
def test_a_check_whose_engines_disagree_is_undefined_cell_by_cell(
    engines: Engines, check: Any, roles: list[Data]
) -> None:
    """None of the cells that were asked about keeps a value, and none of them is lost."""
    before = [s for s in check.measure(with_engine(inputs(*roles), engines["both"])) if s.judged]
    after = [s for s in check.measure(with_engine(inputs(*roles), bent(engines, 1.01))) if s.judged]
    asked = {s.slice for s in before if s.engine.endswith(" agrees")}
    lacking = {s.slice: s for s in after if s.lack is NoValue.UNDEFINED}
    assert asked <= lacking.keys()
    assert {s.slice for s in before} <= {s.slice for s in after}
    for where in asked:
        assert "further apart than" in lacking[where].reason
        assert lacking[where].engine.endswith(" disagrees")


def test_exact_parity_needs_a_second_opinion_too(engines: Engines) -> None:
    """Equal rates divide nothing; a library that is dead or disagrees still takes them away."""
    columns = {"sex": ["F"] * 60 + ["M"] * 90, "p": [1, 0, 0] * 50}
    equal = data(columns, prediction="p", sensitive={"sex": None})

    found: dict[str, list[Statistic]] = {}
    for name, engine in (("both", engines["both"]), ("dead", Both(engines["native"], Dead()))):
        measured = ImpactRatio().measure(with_engine(inputs(equal), engine))
        found[name] = [s for s in measured if s.judged]
    assert [s.value for s in found["both"]] == [1.0, 1.0]
    assert all(s.engine.endswith(" agrees") for s in found["both"])
    assert [s.lack for s in found["dead"]] == [NoValue.UNDEFINED] * 2


def test_a_share_of_columns_that_engines_do_not_agree_on_is_no_share(engines: Engines) -> None:
    """Each such column is a lack of its own, and what is left is counted without them."""
    roles = [moved(Role.REFERENCE, 0), moved(Role.CURRENT, 0.5)]
    for engine, lacking in ((engines["both"], set()), (bent(engines, 1.01), {"x", "c"})):
        found = list(Share().measure(with_engine(inputs(*roles), engine)))
        assert {s.slice for s in found if s.judged and s.lack is NoValue.UNDEFINED} == lacking
    shared = next(s for s in Share().measure(with_engine(inputs(*roles), engines["both"])))
    assert shared.engine.endswith(" agrees")


def test_a_library_under_our_own_name_is_held_against_us_too(engines: Engines) -> None:
    """The child says which library answered; it must not be believed that nobody had to."""
    other: Any = Bent(behind=engines["reference"], factor=1.5, by=engines["native"].label)
    engine = Both(engines["native"], other)
    rates = one(engine, RateComparison(measure=Measure.GAP, pairs=[(LOW, HIGH)]))
    table = categorical({"a": 60, "b": 40}, {"a": 40, "b": 60})
    for answer in (rates, one(engine, DriftOfBins(method="psi", table=table))):
        assert math.isnan(answer.value)
        assert "further apart" in answer.problem
