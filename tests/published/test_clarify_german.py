"""What SageMaker Clarify's notebook prints of German credit, to ten digits.

Nine of its rows are of definitions that Clarify has left since (KL, JS and KS of the notebook do
not follow from the formulas that its code has today); the table names them, and they are told
apart here instead of being left out.
"""

from __future__ import annotations

from typing import Any

import pytest

from aims_gate.checks.fairness.label_bias import LabelBias
from aims_gate.checks.fairness.rates import Parity
from aims_gate.sources.subject import Data
from aims_gate.stats.labels import METRICS
from tests.checks.subjects import context, data, inputs
from tests.published.tables import FOLDER, columns, table

PRINTED = table(FOLDER / "clarify_german.csv")
COMPARED = [row for row in PRINTED if row["note"] == "matches current definition"]
GROUPS = {
    "yes (A201)": "foreign=A201",
    "no (A202)": "foreign=A202",
    "(40,75]": "age=[41,inf)",
}


def german() -> Data:
    """Good credit is positive; the one edge cuts the ages that the file holds as 40 and 41."""
    rows = columns(FOLDER / "german.csv")
    numbers = {name: list(map(int, rows[name])) for name in ("age", "risk", "n")}
    sensitive: dict[str, Any] = {"foreign": None, "age": (41.0,)}
    return data({**rows, **numbers}, label="risk", positive=1, weight="n", sensitive=sensitive)


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], float | None]:
    check = LabelBias(metric="cddl", strata="housing")
    return {(s.slice, s.name): s.value for s in check.measure(inputs(german()))}


@pytest.mark.parametrize("row", COMPARED, ids=lambda row: f"{row['group']}-{row['metric']}")
def test_a_printed_number_is_ours(
    row: dict[str, str], measured: dict[tuple[str, str], float | None]
) -> None:
    value = measured[GROUPS[row["group"]], METRICS[row["metric"].lower()].name]
    assert value == pytest.approx(float(row["value"]), abs=5e-11)


def test_fifteen_rows_are_compared_and_nine_say_why_not() -> None:
    others = [row for row in PRINTED if row not in COMPARED]
    assert (len(COMPARED), len(others)) == (15, 9)
    assert {row["note"] for row in others} == {"older smclarify definition"}
    assert {row["metric"] for row in others} == {"KL", "JS", "KS"}


def test_the_difference_of_label_rates_is_that_of_parity_of_labels() -> None:
    """Which has an interval, and so can prove a breach."""
    told = context(Parity(of="label"), "label_rate_difference", german())
    assert told["foreign, between groups"].value == pytest.approx(0.1992646852459936)
