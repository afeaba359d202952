"""Real data and published numbers that lie beside a checkout, and are too large to be in it.

The folder is `../shared/data`, or what `AIMS_GATE_DATA` names. Tests that need it are skipped where
it is not, and red instead where `AIMS_GATE_REQUIRE` names `data`. The folder's README says where
each file is from and under which licence.
"""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv as pacsv
from pyarrow import parquet

_BESIDE = Path(__file__).parents[3] / "shared" / "data"

ADULT = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week",
    "native_country", "income",
)  # fmt: skip
"""The columns of UCI Adult, which has no header."""


def real(name: str) -> Path:
    """The path of a file or folder of the real data; skips the test where it is not."""
    path = Path(os.environ.get("AIMS_GATE_DATA", _BESIDE)) / name
    if not path.exists():
        required = os.environ.get("AIMS_GATE_REQUIRE", "").replace(",", " ").split()
        if "data" in required:
            pytest.fail(f"AIMS_GATE_REQUIRE names data, and there is no {path}")
        pytest.skip(f"the real data are not beside this checkout: no {name}")
    return path


def published(pub_id: str) -> list[dict[str, str]]:
    """The rows of published_numbers.csv of one publication."""
    with real("published_numbers.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["pub_id"] == pub_id]
    assert rows
    return rows


@cache
def adult() -> pa.Table:
    """The 32,561 rows of adult.data in file order; text is stripped, `?` stays as it is."""
    return _csv(real("adult/adult.data"), ADULT, ",")


@cache
def german() -> pa.Table:
    """The 1,000 rows of german.data as columns `c1` to `c21`; `c21` is 1 for good, 2 for bad."""
    return _csv(real("german/german.data"), tuple(f"c{i}" for i in range(1, 22)), " ")


@cache
def massachusetts() -> tuple[pa.Table, pa.Table]:
    """2015 (reference), and 2016-2018 in file order with the labels that were kept apart."""
    folder = real("ma_employment")
    reference = parquet.read_table(folder / "employment_MA_reference.pq")
    analysis = parquet.read_table(folder / "employment_MA_analysis.pq")
    late = parquet.read_table(folder / "employment_MA_analysis_target.pq")
    place = pc.index_in(analysis["id"], late["id"].combine_chunks())
    return reference, analysis.append_column("employed", late["employed"].take(place))


def _csv(path: Path, names: tuple[str, ...], delimiter: str) -> pa.Table:
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(column_names=list(names)),
        parse_options=pacsv.ParseOptions(delimiter=delimiter),
    )
    stripped = {
        name: pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column
        for name, column in zip(names, table.columns, strict=True)
    }
    return pa.table(stripped)
