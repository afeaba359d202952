"""Every number that Evidently's own tests assert, through our question to Evidently.

evidentlyai/evidently@a4aa4c2b37fe, tests/stattests/test_stattests.py. Their samples are of 8 to 100
rows, so that the checks themselves refuse them; what is asked and answered is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from aims_gate.checks import REFUSED
from aims_gate.checks.drift.asking import categories, numbers
from aims_gate.engines import Engines, LibraryValue
from aims_gate.facts import NoValue
from aims_gate.frames import Distribution
from aims_gate.plan import build
from aims_gate.policy.model import Role
from tests.checks.subjects import data, inputs
from tests.support.real_data import published

TESTS = {
    "chisquare_pvalue": "chisquare",
    "hellinger": "hellinger",
    "anderson_darling_pvalue": "anderson",
    "t_test_pvalue": "t_test",
    "mann_whitney_pvalue": "mannw",
    "epps_singleton_pvalue": "es",
    "g_test_pvalue": "g_test",
    "cvm_pvalue": "cramer_von_mises",
}
"""The publication's metrics, by Evidently's names."""
NUMBERS = frozenset({"anderson", "t_test", "mannw", "es", "cramer_von_mises"})


def sample(text: str) -> dict[float, int]:
    """Read `ref=[…]` of values or counts, `ref=a5,b5,c8` or `ref=N(seed0)` as counts by value."""
    _, _, told = text.partition("=")
    if told.startswith("N(seed"):
        return dict.fromkeys(norm.rvs(size=100, random_state=int(told[6:-1])), 1)
    if told.startswith("["):
        values = [float(value) for value in told.strip("[]").split(",")]
        whole = all(value == int(value) for value in values) and len(values) == 6
        return {float(i + 1): int(v) for i, v in enumerate(values)} if whole else _counted(values)
    return {float(ord(part[0])): int(part[1:]) for part in told.split(",")}


def _counted(values: list[float]) -> dict[float, int]:
    return {value: values.count(value) for value in values}


def ordered(counts: dict[float, int]) -> Distribution:
    values = sorted(counts)
    told = np.array([counts[value] for value in values], dtype=np.int64)
    return Distribution(values=np.array(values), counts=told, nulls=0)


def arguments(test: str, reference: dict[float, int], current: dict[float, int]) -> dict[str, Any]:
    if test in NUMBERS:
        return numbers(ordered(reference), ordered(current), every=True)
    return categories(reference, current)  # type: ignore[arg-type]  # None is allowed, not there


def test_all_eight_numbers_without_chance_are_ours(engines: Engines) -> None:
    rows = [row for row in published("evidently_tests") if "randomised" not in row["note"]]
    assert len(rows) == 8
    for row in rows:
        test = TESTS[row["metric"]]
        told = arguments(test, sample(row["attribute"]), sample(row["group"]))
        question = LibraryValue(library="evidently", name=test, arguments=told)
        (answer,) = engines["reference"].ask(question)
        assert not answer.problem
        wanted, digits = float(row["value"]), int(row["decimals"])
        assert answer.value == pytest.approx(wanted, abs=0.51 * 10.0**-digits), row


def test_the_five_numbers_of_chance_are_refused_by_name() -> None:
    """A permutation test of 1,000 random draws: another seed gives another number."""
    rows = [row for row in published("evidently_tests") if "randomised" in row["note"]]
    assert len(rows) == 5
    assert {row["metric"] for row in rows} == {"tvd_permutation_pvalue"}
    assert "random" in REFUSED["evidently:TVD"]


@pytest.mark.parametrize("test", sorted(set(TESTS.values()) - {"cramer_von_mises"}))
def test_a_gate_does_not_decide_on_so_few_rows(test: str) -> None:
    values: list[Any] = [38.7, 41.5, 43.8, 44.5] if test in NUMBERS else ["a", "b", "c", "a"]
    few = [data({"x": values * 2}, role) for role in (Role.REFERENCE, Role.CURRENT)]
    found = [s for s in build(f"evidently:{test}", {}).measure(inputs(*few)) if s.judged]
    assert [s.lack for s in found] == [NoValue.INSUFFICIENT]
