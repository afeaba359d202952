"""Every number that alibi-detect's notebook prints of UCI Adult, where nothing has drifted.

SeldonIO/alibi-detect@5ff45c3f9cdc, doc/source/examples/cd_chi2ks_adult.ipynb: rows 0 to 10,000 in
file order against the next two ten thousands. Columns are grouped first as
`alibi.datasets.fetch_adult` does. Ours are the report's own statistics: the distance of `ks`, which
is judged, and what stands beside `ks` and `chi2`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest

from aims_gate.checks.drift.columns import Columns
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, judged
from tests.support.real_data import adult, published

NAMES = {
    "age": "Age",
    "workclass": "Workclass",
    "education": "Education",
    "marital_status": "Marital Status",
    "occupation": "Occupation",
    "relationship": "Relationship",
    "race": "Race",
    "sex": "Sex",
    "capital_gain": "Capital Gain",
    "capital_loss": "Capital Loss",
    "hours_per_week": "Hours per week",
    "native_country": "Country",
}
GROUPS: dict[str, dict[str, str]] = {
    "Education": {
        "Dropout": "10th 11th 12th 1st-4th 5th-6th 7th-8th 9th Preschool",
        "High School grad": "HS-grad Some-college",
        "Associates": "Assoc-acdm Assoc-voc",
    },
    "Occupation": {
        "Blue-Collar": "Craft-repair Farming-fishing Handlers-cleaners Machine-op-inspct "
        "Transport-moving",
        "Service": "Other-service Priv-house-serv",
        "Other": "Protective-serv Tech-support",
    },
    "Marital Status": {
        "Married": "Married-AF-spouse Married-civ-spouse",
        "Separated": "Married-spouse-absent Separated Divorced",
    },
    "Country": {
        "SE-Asia": "Cambodia Laos Philippines Thailand Vietnam",
        "British-Commonwealth": "Canada England India Ireland Scotland",
        "China": "China Hong Taiwan",
        "South-America": "Columbia Ecuador El-Salvador Peru",
        "Latin-America": "Dominican-Republic Guatemala Haiti Honduras Jamaica Mexico Nicaragua "
        "Outlying-US(Guam-USVI-etc) Puerto-Rico Trinadad&Tobago",
        "Euro_1": "France Germany Holand-Netherlands Italy",
        "Euro_2": "Greece Hungary Poland Portugal South",
        "Other": "Cuba Iran Japan",
    },
}
TESTS = {"t0": 10_000, "t1": 20_000}
KS = Columns(numeric="ks", categorical="none")
CHI2 = Columns(numeric="none", categorical="chi2")


def grouped() -> pa.Table:
    """The twelve columns as the notebook has them."""
    table = adult()
    columns = {}
    for stored, name in NAMES.items():
        to = {old: new for new, olds in GROUPS.get(name, {}).items() for old in olds.split()}
        values = table[stored].to_pylist()
        columns[name] = pa.array([to.get(value, value) for value in values])
    return pa.table(columns)


@pytest.fixture(scope="module")
def parts() -> Mapping[str, Data]:
    table = grouped()
    found = {t: data(table.slice(start, 10_000), Role.CURRENT) for t, start in TESTS.items()}
    return {"reference": data(table.slice(0, 10_000), Role.REFERENCE), **found}


@pytest.fixture(scope="module")
def measured(parts: Mapping[str, Data]) -> dict[tuple[str, str], float | None]:
    """Our statistics by the notebook's feature and metric."""
    found: dict[tuple[str, str], float | None] = {}
    for test in TESTS:
        both = parts["reference"], parts[test]
        for name, cell in judged(KS, *both).items():
            found[name, f"ks_stat_{test}"] = cell.value
        for kind, check in (("ks", KS), ("chi2", CHI2)):
            for name, cell in context(check, "p_value", *both).items():
                found[name, f"{kind}_pvalue_{test}"] = cell.value
        for name, cell in context(CHI2, "chi2", *both).items():
            found[name, f"chi2_stat_{test}"] = cell.value
        least = min(
            v for (_, m), v in found.items() if "pvalue" in m and test in m and v is not None
        )
        # the notebook's rule: drift if any of twelve p-values is below 0.05 / 12
        found["*", f"is_drift_{test}"] = float(least < 0.05 / len(NAMES))
    return found


def test_all_fifty_printed_numbers_are_ours(
    measured: dict[tuple[str, str], float | None],
) -> None:
    printed = published("alibi_adult")
    assert len(printed) == 50
    for row in printed:
        ours = measured[row["group"], row["metric"]]
        assert ours is not None
        assert round(ours, int(row["decimals"])) == float(row["value"]), row


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("method", ["psi", "js", "hellinger", "chi2"])
def test_where_nothing_drifted_the_default_policy_is_quiet(
    parts: Mapping[str, Data], test: str, method: str
) -> None:
    parameters = {"numeric": method, "categorical": method}
    rule = {"check": "drift.columns", "parameters": parameters}
    assert decided(rule, parts["reference"], parts[test]).outcome is Outcome.PASS
