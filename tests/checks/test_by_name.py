"""`fairlearn:METRIC` and `evidently:TEST`: the library's own number, after our preconditions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aims_gate.checks import CHECKS, REFUSED
from aims_gate.engines import Answer, Engines
from aims_gate.errors import PolicyError
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.plan import build, plan
from aims_gate.policy.model import DecideOn, Policy, Role, Rule, Threshold
from aims_gate.sources.subject import Data
from tests.checks.subjects import data, inputs

FAIRLEARN = [name.partition(":")[2] for name in CHECKS if name.startswith("fairlearn:")]
EVIDENTLY = [name.partition(":")[2] for name in CHECKS if name.startswith("evidently:")]


def people(rows: int = 900, **columns: Any) -> Data:
    random = np.random.default_rng(5)
    sex = random.choice(["F", "M", "X"], rows, p=[0.55, 0.35, 0.1])
    label = (random.random(rows) < 0.4).astype(int)
    prediction = (random.random(rows) < 0.3 + 0.3 * label + 0.1 * (sex == "M")).astype(int)
    table = {"sex": sex, "y": label, "p": prediction, **columns}
    return data(table, label="y", prediction="p", positive=1, sensitive={"sex": None})


def sample(role: Role, shift: float = 0.0, rows: int = 1500, **columns: Any) -> Data:
    random = np.random.default_rng(len(role))
    table: dict[str, Any] = {
        "x": random.normal(shift, 1, rows),
        "c": random.choice(["a", "b", "c"], rows, p=[0.5 - shift / 4, 0.3, 0.2 + shift / 4]),
        "two": random.choice(["a", "b"], rows, p=[0.5 - shift / 4, 0.5 + shift / 4]),
        "day": pd.date_range("2026-01-01", periods=rows),
    }
    return data({**table, **columns}, role)


def cells(engines: Engines | None, name: str, *roles: Data, **parameters: Any) -> Any:
    """The judged cells by slice; without engines nothing may be asked."""

    class Silent:
        def ask(self, _question: object) -> tuple[Answer, ...]:
            pytest.fail("the library was asked before our preconditions held")

    engine: Any = engines["reference"] if engines else Silent()
    found = build(name, parameters).measure(replace(inputs(*roles), engine=engine))
    return {s.slice: s for s in found if s.judged}


# --- Fairlearn -----------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", FAIRLEARN)
def test_it_is_fairlearns_number_of_the_rows(engines: Engines, metric: str) -> None:
    import fairlearn.metrics

    found = people()
    frame: Any = found.frame
    table = frame.table.to_pydict()
    wanted = getattr(fairlearn.metrics, metric)(
        table["y"], table["p"], sensitive_features=table["sex"]
    )
    (cell,) = cells(engines, f"fairlearn:{metric}", found).values()
    assert cell.value == pytest.approx(wanted, rel=1e-9)
    assert (cell.slice, cell.name, cell.interval) == ("sex", metric, None)
    assert cell.engine.startswith("fairlearn ")


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("demographic_parity_ratio", {"method": "to_overall"}),
        ("false_negative_rate_difference", {"method": "to_overall"}),
        ("equalized_odds_difference", {"agg": "mean"}),
        ("equalized_odds_ratio", {"agg": "mean", "method": "to_overall"}),
    ],
)
def test_its_options_are_fairlearns(engines: Engines, metric: str, options: Any) -> None:
    import fairlearn.metrics

    found = people()
    frame: Any = found.frame
    table = frame.table.to_pydict()
    wanted = getattr(fairlearn.metrics, metric)(
        table["y"], table["p"], sensitive_features=table["sex"], **options
    )
    (cell,) = cells(engines, f"fairlearn:{metric}", found, **options).values()
    assert cell.value == pytest.approx(wanted, rel=1e-9)
    (plain,) = cells(engines, f"fairlearn:{metric}", found).values()
    assert cell.value != plain.value


@pytest.mark.parametrize("metric", FAIRLEARN)
def test_one_lone_group_is_never_asked_about(metric: str) -> None:
    """Fairlearn gives 0 and 1, perfect fairness, for it."""
    (cell,) = cells(None, f"fairlearn:{metric}", people(sex=["F"] * 900)).values()
    assert cell.lack is NoValue.INSUFFICIENT


def test_small_groups_are_left_out_and_too_many_of_them_are_a_lack(engines: Engines) -> None:
    """Twelve rows that are never selected would be the worst group there is."""
    sex = np.array(["F", "M"] * 450)
    sex[:12] = "X"
    found = people(sex=sex, p=np.where(sex == "X", 0, np.arange(900) % 3 == 0).astype(int))
    name = "fairlearn:demographic_parity_ratio"
    (cell,) = cells(engines, name, found).values()
    assert cell.value > 0.9
    check = build(name, {"max_uncovered": 0.01})
    measured = check.measure(replace(inputs(found), engine=engines["reference"]))
    assert [s.lack for s in measured if s.judged] == [NoValue.INSUFFICIENT, None]


@pytest.mark.parametrize("metric", ["equalized_odds_difference", "equalized_odds_ratio"])
def test_a_group_that_is_too_small_for_one_rate_does_not_vanish_from_the_others(
    metric: str, engines: Engines
) -> None:
    """Of 600 positives of X nobody is found; 10 negatives are too few, and no reason to pass."""
    sex = ["F"] * 600 + ["M"] * 600 + ["X"] * 610
    label = [0, 1] * 600 + [1] * 600 + [0] * 10
    prediction = np.arange(1_810) % 6 < 4
    prediction[1_200:] = False
    found = people(1_810, sex=sex, y=label, p=prediction.astype(int))
    name = f"fairlearn:{metric}"
    told = cells(engines, name, found)
    assert told["TPR sex"].lack is NoValue.INSUFFICIENT
    assert "50.0% of the positives" in told["TPR sex"].reason
    beside = build(name, {}).measure(replace(inputs(found), engine=engines["reference"]))
    assert [s.slice for s in beside if not s.judged] == ["sex=X", "sex=X"]


def test_a_ratio_of_nothing_is_not_asked_for() -> None:
    nobody = people(p=[0] * 900)
    (cell,) = cells(None, "fairlearn:demographic_parity_ratio", nobody).values()
    assert cell.lack is NoValue.INSUFFICIENT
    assert "0/0" in cell.reason


# --- Evidently -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("test", EVIDENTLY)
def test_it_is_evidentlys_number_of_the_rows(engines: Engines, test: str) -> None:
    """The oracle is the registered test on the columns themselves; times are left out."""
    from evidently.legacy.calculations.stattests.registry import get_registered_stattest
    from evidently.legacy.core import ColumnType

    reference, current = sample(Role.REFERENCE), sample(Role.CURRENT, 0.15)
    found = cells(engines, f"evidently:{test}", reference, current)
    assert found
    kinds = dict.fromkeys(["c", "two"], ColumnType.Categorical) | {"x": ColumnType.Numerical}
    frames: list[Any] = [reference.frame, current.frame]
    if test == "fisher_exact":
        assert found.pop("c").reason == "fisher_exact is for at most 2 values, not 3"
    for column, cell in found.items():
        rows = [pd.Series(frame.table.to_pydict()[column]) for frame in frames]
        wanted = get_registered_stattest(test, kinds[column])(*rows, kinds[column], None)
        assert cell.value == pytest.approx(wanted.drift_score, rel=1e-6, abs=1e-9)
        assert cell.engine.startswith("evidently ")


def one(test: str, reference: Data, current: Data, column: str) -> Statistic:
    found = cells(None, f"evidently:{test}", reference, current, columns=(column,))
    cell: Statistic = found[column]
    return cell


@pytest.mark.parametrize("test", EVIDENTLY)
def test_what_evidently_would_pass_in_silence_is_a_lack(test: str) -> None:
    """A vanished column, five rows, and a column that the test is not for."""
    kind: Any = CHECKS[f"evidently:{test}"]
    column = "x" if ColumnKind.NUMBER in kind.test.kinds else "two"
    whole, few = sample(Role.REFERENCE), sample(Role.CURRENT, rows=5)
    assert one(test, whole, few, column).lack is NoValue.INSUFFICIENT
    gone = data({"other": [1.0] * 50}, Role.CURRENT)
    assert one(test, whole, gone, column).lack is NoValue.MISSING
    assert one(test, whole, sample(Role.CURRENT), "day").lack is NoValue.UNDEFINED


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_new_nulls_and_infinite_values_are_a_lack(bad: float) -> None:
    values = np.random.default_rng(1).normal(size=1500)
    values[::4] = bad
    cell = one("wasserstein", sample(Role.REFERENCE), sample(Role.CURRENT, x=values), "x")
    assert cell.lack is NoValue.UNDEFINED


def test_nulls_of_categories_are_a_category(engines: Engines) -> None:
    """Evidently alone drops them: a quarter of the rows would vanish without drift."""
    texts = [None if row % 4 == 0 else "a" for row in range(1500)]
    reference = sample(Role.REFERENCE, c=["a"] * 1500)
    current = sample(Role.CURRENT, c=texts)
    found = cells(engines, "evidently:psi", reference, current, columns=("c",))
    assert found["c"].value > 0.5


def test_more_rows_than_a_test_of_rows_can_take_are_a_lack() -> None:
    table = {"x": np.arange(100.0), "n": [100_000] * 100}
    many = [data(table, role, weight="n") for role in (Role.REFERENCE, Role.CURRENT)]
    assert one("ks", many[0], many[1], "x").lack is NoValue.UNDEFINED


def test_a_failing_library_is_a_cell_without_a_value() -> None:
    class Failing:
        def ask(self, _question: object) -> tuple[Answer, ...]:
            return (Answer.none("reference 1", "the reference library failed with ValueError"),)

    engine: Any = Failing()
    for name, roles in (
        ("fairlearn:demographic_parity_difference", [people()]),
        ("evidently:psi", [sample(Role.REFERENCE), sample(Role.CURRENT)]),
    ):
        found = build(name, {}).measure(replace(inputs(*roles), engine=engine))
        judged = [s for s in found if s.judged]
        assert {s.lack for s in judged} == {NoValue.UNDEFINED}
        assert all("failed with ValueError" in s.reason for s in judged)


@pytest.mark.parametrize("test", ["fisher_exact", "g_test"])
def test_a_test_of_paired_counts_needs_as_many_rows_in_both(test: str) -> None:
    """Evidently, or SciPy behind it, would raise."""
    cell = one(test, sample(Role.REFERENCE), sample(Role.CURRENT, rows=1400), "two")
    assert cell.lack is NoValue.UNDEFINED
    assert cell.reason == f"{test} needs as many rows in both, not 1,500 and 1,400"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_every_test_that_evidently_registers_is_here_or_refused_with_a_reason() -> None:
    """And with Evidently's own default threshold."""
    from evidently.legacy.calculations.stattests import registry

    registered = registry._registered_stat_tests
    assert set(EVIDENTLY) | {n.partition(":")[2] for n in REFUSED} == set(registered)
    for test in EVIDENTLY:
        limits = {found.default_threshold for found in registered[test].values()}
        assert limits == {CHECKS[f"evidently:{test}"]().judged().limit}


# --- in a policy ---------------------------------------------------------------------------------


def problems(**fields: Any) -> str:
    policy = Policy(id="p", version="1", engine="both", rules=(Rule(id="BIAS-05", **fields),))
    return "\n".join(str(problem) for problem in plan(policy).problems)


def test_the_library_measures_whatever_the_policy_says() -> None:
    """And a rule that says otherwise, or wants proof from a bare number, is refused."""
    rule = {"check": "fairlearn:demographic_parity_ratio"}
    (task,) = plan(Policy(id="p", version="1", rules=(Rule(id="B-1", **rule),))).sound()  # type: ignore[arg-type]
    assert task.engine == "reference"
    assert task.threshold == Threshold(at_least=0.8)
    assert "engine: reference alone" in problems(**rule, engine="both")
    assert "has no interval" in problems(**rule, decide_on=DecideOn.PROVEN_BREACH)
    assert "wrong way round" in problems(**rule, require=Threshold(at_most=0.8))


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_is_left_out_on_purpose_says_why(name: str) -> None:
    with pytest.raises(PolicyError, match="it draws random numbers"):
        plan(Policy(id="p", version="1", rules=(Rule(id="M-1", check=name),))).sound()


def test_an_unknown_name_is_refused_with_the_near_ones() -> None:
    with pytest.raises(PolicyError, match="did you mean 'evidently:wasserstein'"):
        plan(
            Policy(id="p", version="1", rules=(Rule(id="M-1", check="evidently:waserstein"),))
        ).sound()
