"""Representation: a group that is absent, too small or undeclared is never taken for complete."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.checks.contract import Check, NoDataError
from aims_gate.errors import PolicyError
from aims_gate.facts import NoValue
from aims_gate.plan import build
from aims_gate.policy.model import Role, Threshold
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged

HALVES = {"sex": {"F": 0.5, "M": 0.5}}
RACES = {"race": {"a": 0.7, "b": 0.2, "c": 0.1}}


def check(population: Any = None, **parameters: Any) -> Check:
    return build("fairness.representation", {"population": population or HALVES, **parameters})


def rows(column: str = "sex", /, **counts: int) -> Data:
    """Training data with so many rows of each group; `_` is null."""
    values = [None if name == "_" else name for name in counts]
    return data({column: values, "n": [*counts.values()]}, Role.REFERENCE, weight="n")


def rule(population: Any, **parameters: Any) -> dict[str, Any]:
    return {
        "check": "fairness.representation",
        "parameters": {"population": population, **parameters},
    }


def test_half_and_twice_of_the_populations_share_are_on_the_limit() -> None:
    cells = judged(check(), rows(F=2_500, M=7_500))
    assert {name: cell.value for name, cell in cells.items()} == {
        "sex=F": 0.5,
        "sex=M": pytest.approx(2 / 3),
    }
    assert (
        cells["sex=F"].reason == "25.0% of the data, 50.0% of the population: 0.50 times its share"
    )
    assert decided(rule(HALVES), rows(F=2_500, M=7_500)).outcome is not Outcome.FAIL
    assert decided(rule(HALVES), rows(F=2_300, M=7_700)).outcome is Outcome.FAIL
    assert decided(rule(HALVES), rows(F=4_900, M=5_100)).outcome is Outcome.PASS


def test_a_group_that_is_there_too_often_counts_unless_the_rule_is_about_the_others() -> None:
    crowd = rows("race", a=2_000, b=2_000, c=6_000)
    cells = judged(check(RACES), crowd)
    assert cells["race=c"].value == pytest.approx(1 / 6)
    assert judged(check(RACES, side="under"), crowd)["race=c"].value == 1
    assert decided(rule(RACES), crowd).outcome is Outcome.FAIL


def test_a_group_without_any_row_is_refused() -> None:
    result = decided(rule(HALVES), rows(F=0, M=9_000))
    assert result.outcome is Outcome.FAIL
    assert judged(check(), rows(F=0, M=9_000))["sex=F"].value == 0


def test_a_group_with_few_rows_refuses_however_large_its_share_is() -> None:
    few = rows(F=60, M=70)
    cells = judged(check(), few)
    assert cells["rows of sex=F"].lack is NoValue.INSUFFICIENT
    assert cells["rows of sex=M"].lack is NoValue.INSUFFICIENT
    assert decided(rule(HALVES), few).outcome is Outcome.INSUFFICIENT
    assert decided(rule(HALVES, min_count=60), few).outcome is Outcome.PASS


def test_few_rows_with_no_least_count_still_prove_nothing() -> None:
    """Of 40 rows none is of a group of 2 %: that is what chance does, and no representation."""
    rare = {"sex": {"F": 0.49, "M": 0.49, "X": 0.02}}
    result = decided(rule(rare, min_count=1), rows(F=20, M=20))
    assert result.outcome is Outcome.INSUFFICIENT
    lone = decided(rule(rare, min_count=1), rows(F=20, M=20, X=1))
    assert lone.outcome is Outcome.INSUFFICIENT
    assert "<30 rows" in lone.reason


def test_a_refusal_of_few_rows_names_the_floor_that_refuses() -> None:
    """24 rows are no fewer than min_count 10: they are too few to be told in evidence at all."""
    few = rows(F=24, M=26)
    for least, floor in ((10, "30, below which"), (30, "min_count 30"), (100, "min_count 100")):
        cell = judged(check(min_count=least), few)["rows of sex=F"]
        assert cell.lack is NoValue.INSUFFICIENT
        assert cell.reason.startswith(f"<30 rows, fewer than {floor}"), least


def test_rows_of_undeclared_groups_and_of_none_refuse_past_a_share_and_are_named() -> None:
    for odd in ("X", "_"):
        cells = judged(check(), rows(F=4_700, M=4_700, **{odd: 600}))
        assert cells["sex"].lack is NoValue.INSUFFICIENT
        name = "sex=(missing)" if odd == "_" else "sex=X"
        assert name in cells["sex"].reason
        assert cells["sex=F"].value == 1
        few = rows(F=4_800, M=4_800, **{odd: 400})
        assert "sex" not in judged(check(), few)
        assert set(context(check(), "undeclared_group", few)) == {name}
        assert decided(rule(HALVES), rows(F=4_700, M=4_700, **{odd: 600})).outcome is (
            Outcome.INSUFFICIENT
        )


def test_an_attribute_that_is_not_there_hides_no_other() -> None:
    cells = judged(check({**HALVES, **RACES}), rows(F=10, M=9_990))
    assert cells["race"].lack is NoValue.MISSING
    assert cells["sex=F"].value == pytest.approx(0.006)  # ten people are told as at most 30
    assert decided(rule({**HALVES, **RACES}), rows(F=10, M=9_990)).outcome is Outcome.FAIL
    assert decided(rule(RACES), rows(F=10, M=10)).outcome is Outcome.MISSING


def test_no_declared_group_at_all_is_missing() -> None:
    cells = judged(check(), rows(female=900, male=900))
    assert cells["sex"].lack is NoValue.MISSING
    assert "there are sex=female, sex=male" in cells["sex"].reason


def test_lists_and_identifiers_are_no_attribute() -> None:
    listed = data({"sex": [["F"], ["M"]]}, Role.REFERENCE)
    assert judged(check(), listed)["sex"].lack is NoValue.UNDEFINED
    named = data({"sex": [f"name-{i}" for i in range(400)]}, Role.REFERENCE)
    cell = judged(check(), named)["sex"]
    assert cell.lack is NoValue.UNDEFINED
    assert "name-1" not in cell.reason


def test_numbers_in_bins_are_groups_by_the_name_of_the_bin() -> None:
    ages = np.repeat([20.0, 30.0, 70.0], 300)
    found = data({"age": ages}, Role.REFERENCE, sensitive={"age": (25.0, 65.0)})
    shares = {"age": {"(-inf,25)": 0.3, "[25,65)": 0.3, "[65,inf)": 0.4}}
    assert set(judged(check(shares), found)) == {"age=(-inf,25)", "age=[25,65)", "age=[65,inf)"}


def test_bounds_hold_together_for_all_groups() -> None:
    """A population's own share lies in every interval of a rule at least 95 times in 100."""
    random = np.random.default_rng(8)
    held = 0
    for _ in range(120):
        drawn = random.multinomial(2_000, [0.7, 0.2, 0.1])
        cells = judged(check(RACES), rows("race", **dict(zip("abc", map(int, drawn), strict=True))))
        held += all(cell.interval.high == 1 for cell in cells.values() if cell.interval)
    assert held >= 108


def test_labels_are_told_by_group_and_decide_nothing() -> None:
    columns = {"sex": ["F", "F", "M", "M", "X"], "y": [1, 0, 1, 0, 1], "n": [100, 300, 200, 200, 9]}
    found = data(columns, Role.REFERENCE, weight="n", label="y")
    rates = context(check(), "label_rate", found)
    assert (rates["sex=F"].value, rates["sex=M"].value) == (0.25, 0.5)
    assert (rates["sex=X"].value, rates["sex=X"].lack) == (None, NoValue.INSUFFICIENT)
    (gap,) = context(check(), "label_rate_gap", found).values()
    assert (gap.value, gap.reason) == (0.25, "sex=M over sex=F")
    many = data({**columns, "y": ["a", "b", "c", "d", "e"]}, Role.REFERENCE, weight="n", label="y")
    assert context(check(), "label_rate", many)["sex"].lack is NoValue.UNDEFINED
    assert judged(check(), many)["sex=F"].value == 1


def test_the_data_may_be_others_and_must_be_there() -> None:
    evaluation = data({"sex": ["F", "M"], "n": [500, 500]}, weight="n")
    assert judged(check(), evaluation, on=Role.EVALUATION)["sex=F"].value == 1
    with pytest.raises(NoDataError):
        list(check().measure(inputs(evaluation)))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"population": {}}, "declares no attribute"),
        ({"population": {"sex": {"F": 1.0}}}, "one group alone"),
        ({"population": {"sex": {"F": 0.5, "M": 0.4}}}, "add up to 0.9, not 1"),
        ({"population": {"sex": {"F": 1.0, "M": 0.0}}}, "outside"),
        ({"population": {"": {"F": 0.5, "M": 0.5}}}, "an empty name"),
        ({"population": HALVES, "min_count": 0}, "min_count 0 is outside"),
        ({"population": HALVES, "max_uncovered": 1.0}, "outside"),
    ],
)
def test_a_population_that_is_none_is_refused_before_data_are_read(
    parameters: dict[str, Any], said: str
) -> None:
    given = {"check": "fairness.representation", "parameters": parameters}
    with pytest.raises(PolicyError, match=said):
        decided(given, rows(F=1, M=1))


def test_a_limit_of_its_own_is_held() -> None:
    strict = {**rule(HALVES), "require": Threshold(at_least=0.9)}
    assert decided(strict, rows(F=4_000, M=6_000)).outcome is Outcome.FAIL
