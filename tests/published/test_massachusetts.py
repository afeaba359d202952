"""The Massachusetts employment data: our numbers are those of independent computations."""

from __future__ import annotations

import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from aims_gate.checks.fairness.rates import ImpactRatio
from aims_gate.checks.performance.score import Score
from aims_gate.policy.model import Role, TaskKind
from tests.checks.subjects import context, data, judged
from tests.support.real_data import massachusetts

CHUNK = 4_352
"""Rows of a chunk: 48 chunks of 2016-2018, in file order."""


def area(table: pa.Table) -> float:
    """The gate's ROC AUC of a part of the data."""
    columns = table.select(["employed", "predicted_probability"])
    part = data(
        columns,
        label="employed",
        score="predicted_probability",
        positive=1,
        task=TaskKind.BINARY,
    )
    (cell,) = judged(Score(metric="roc_auc"), part).values()
    assert cell.value is not None
    return cell.value


def independent(table: pa.Table) -> float:
    return float(
        roc_auc_score(table["employed"].to_numpy(), table["predicted_probability"].to_numpy())
    )


def test_roc_auc_of_each_year_is_scikit_learns() -> None:
    reference, analysis = massachusetts()
    assert area(reference) == pytest.approx(independent(reference), abs=1e-12)
    assert round(area(reference), 5) == 0.90336
    assert round(area(analysis), 5) == 0.90428
    years = analysis["year"].to_numpy()
    for year in (2016, 2017, 2018):
        part = analysis.filter(pa.array(years == year))
        assert part.num_rows > 69_000
        assert area(part) == pytest.approx(independent(part), abs=1e-12)


def test_roc_auc_of_each_chunk_is_scikit_learns_and_shows_the_broken_stretch() -> None:
    """All chunks lie near 0.90; only among group-quarters residents it falls to about 0.80."""
    _, analysis = massachusetts()
    chunks = [analysis.slice(start, CHUNK) for start in range(0, analysis.num_rows, CHUNK)]
    found = [area(chunk) for chunk in chunks]
    assert found == pytest.approx([independent(chunk) for chunk in chunks], abs=1e-12)
    low = [place for place, value in enumerate(found) if value < 0.88]
    assert low == [31, 32]
    assert max(found[place] for place in low) < 0.82


@pytest.mark.parametrize("by", [("SEX",), ("RAC1P",), ("SEX", "RAC1P")], ids="-".join)
def test_selection_rates_of_groups_are_those_of_a_plain_group_by(by: tuple[str, ...]) -> None:
    """Intersections and groups of one person, too: of fewer than 30 rows nothing is shown."""
    _, analysis = massachusetts()
    columns = ["employed", "prediction", *by]
    check = ImpactRatio(by=(by if len(by) > 1 else by[0],))
    evaluation = data(
        analysis.select(columns), Role.EVALUATION, label="employed", prediction="prediction",
        positive=1,
    )  # fmt: skip
    shown = context(check, "selection_rate", evaluation)
    frame = analysis.select(columns).to_pandas()
    wanted = frame.groupby(list(by), observed=True)["prediction"].agg(["mean", "size"])
    assert len(shown) == len(wanted)
    for key, row in wanted.iterrows():
        values = key if isinstance(key, tuple) else (key,)
        name = " & ".join(f"{column}={value}" for column, value in zip(by, values, strict=True))
        if row["size"] >= 30:
            assert shown[name].rows == row["size"]
            assert shown[name].value == pytest.approx(row["mean"], abs=1e-12)
        else:
            assert shown[name].value is None
            assert shown[name].rows == 0
            assert "<30 rows" in shown[name].reason
