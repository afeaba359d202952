"""One frame through the writers of many tools: one verdict, or a refusal that names the column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import dataset, parquet

from tests.real.deciding import gate, lines

POLICY = """\
data:
  evaluation: &same {label: y, prediction: yhat, score: p, positive: 1, sensitive: [code], key: id}
  reference: {label: y, prediction: yhat, score: p, positive: 1, sensitive: [code], key: id}
rules:
  - {id: BIAS-01, check: fairness.impact_ratio, with: {by: [code, b, t]}}
  - {id: PERF-01, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.2}}
  - {id: PERF-02, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.9}}
  - {id: MON-01, check: drift.columns, on: evaluation}
  - {id: MON-02, check: drift.columns, on: evaluation, with: {columns: [n, f, f2, t, b, dec, code]}}
  - {id: MON-03, check: drift.new_value, on: evaluation}
  - {id: DATA-01, check: data.missing, require: {at_most: 0.2}}
  - id: DATA-02
    check: data.ranges
    with: {allowed: {code: {one_of: ["01", "1", "1.10", "NA"]}, dec: {at_least: 0, at_most: 90}}}
  - {id: DATA-03, check: data.ranges, with: {allowed: {id: {matches: "[0-9]{20}"}}}}
  - {id: DATA-04, check: data.duplicates, with: {by: key}}
  - {id: DATA-05, check: data.overlap, with: {by: key}}
  - {id: DATA-06, check: data.schema, with: {against: reference}}
""".replace("&same ", "")
ROWS = 2_400
NAMES = ["rés", "日本", "a,b", 'say "x"', "x\ny", "-"]


def frame(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, ROWS)
    code = random.choice(["01", "1", "1.10", "NA"], ROWS)
    chosen = np.where(random.random(ROWS) < np.where(code == "01", 0.3, 0.8), 1, 0)
    start = pd.Timestamp("2024-01-01")
    return pd.DataFrame(
        {
            "id": [str(89440000000000000000 + ROWS * seed + i) for i in range(ROWS)],
            "y": y,
            "yhat": chosen,
            "p": random.random(ROWS).round(6),
            "code": code,
            "name": random.choice(NAMES, ROWS),
            "n": random.integers(-5, 50, ROWS),
            "f": random.normal(size=ROWS),
            "f2": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(seed, size=ROWS)),
            "t": [None if i % 9 == 0 else f"v{i % 3}" for i in range(ROWS)],
            "day": [
                date(2024, 1, 1) + timedelta(days=int(i)) for i in random.integers(0, 99, ROWS)
            ],
            "ts": start + pd.to_timedelta(random.integers(0, 9_999_999, ROWS), unit="s"),
            "b": random.random(ROWS) < 0.4,
            "dec": [Decimal(int(value)) / 100 for value in random.integers(0, 10_000, ROWS)],
        }
    )


def _duckdb(table: pa.Table, path: Path, options: str) -> None:
    with duckdb.connect() as connection:
        connection.register("rows", table)
        connection.sql("SELECT * FROM rows").query(
            "rows_", f"COPY (FROM rows_) TO '{path}' ({options})"
        )


def _as_bytes(table: pa.Table, path: Path) -> None:
    """Text as Impala, Hive and old Spark write it: without a word that it is text."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            table = table.set_column(place, field.name, table[field.name].cast(pa.binary()))
    parquet.write_table(table, path, store_schema=False)


def _spark(table: pa.Table, path: Path) -> None:
    path.mkdir()
    (path / "_SUCCESS").touch()
    for part in range(3):
        name = f"part-0000{part}-c000.snappy.parquet"
        rows = table.slice(part * ROWS // 3, ROWS // 3)
        parquet.write_table(
            rows, path / name, use_deprecated_int96_timestamps=True, store_schema=False
        )


def _hive(table: pa.Table, path: Path) -> None:
    keys = dataset.partitioning(table.select(["code"]).schema, flavor="hive")
    dataset.write_dataset(table, path, format="parquet", partitioning=keys)


def _pandas_csv(quoting: int) -> Callable[[pa.Table, Path], None]:
    def write(table: pa.Table, path: Path) -> None:
        table.to_pandas().to_csv(path, index=False, quoting=quoting)

    return write


WRITERS: Mapping[str, Callable[[pa.Table, Path], Any]] = {
    "pandas.csv": _pandas_csv(csv.QUOTE_MINIMAL),
    "pandas_words.csv": _pandas_csv(csv.QUOTE_NONNUMERIC),
    "pandas_all.csv": _pandas_csv(csv.QUOTE_ALL),
    "pandas.csv.gz": _pandas_csv(csv.QUOTE_MINIMAL),
    "pandas.jsonl": lambda t, p: t.to_pandas().to_json(
        p, orient="records", lines=True, date_format="iso"
    ),
    "pandas.feather": lambda t, p: t.to_pandas().to_feather(p),
    "pandas.parquet": lambda t, p: t.to_pandas().sample(frac=1, random_state=0).to_parquet(p),
    "polars.parquet": lambda t, p: pl.DataFrame(t).write_parquet(p),
    "polars.csv": lambda t, p: pl.DataFrame(t).write_csv(p),
    "polars.jsonl": lambda t, p: pl.DataFrame(t).write_ndjson(p),
    "polars.arrow": lambda t, p: pl.DataFrame(t).write_ipc(p),
    "duckdb.parquet": lambda t, p: _duckdb(t, p, "FORMAT parquet"),
    "duckdb.csv": lambda t, p: _duckdb(t, p, "FORMAT csv, HEADER"),
    "duckdb.jsonl": lambda t, p: _duckdb(t, p, "FORMAT json"),
    "arrow.csv": arrow_csv.write_csv,
    "legacy.parquet": lambda t, p: parquet.write_table(
        t, p, use_deprecated_int96_timestamps=True, version="1.0", store_schema=False
    ),
    "bytes.parquet": _as_bytes,
    "spark": _spark,
    "hive": _hive,
}
TOLD_APART: Mapping[str, Mapping[str, str]] = {
    # pandas writes 'Z'-less milliseconds, Polars decimals in quotes: both are text, and say so
    "pandas.jsonl": {"MON-01": "ts"},
    "polars.jsonl": {"MON-01": "dec", "MON-02": "dec", "DATA-02": "'dec' is string"},
}
"""By writer the rules that it leaves undecided, and the column that their lines name."""
UNDECIDED = {"ERROR", "INSUFFICIENT"}


def _written(write: Callable[[pa.Table, Path], Any], folder: Path, name: str) -> dict[str, Path]:
    paths = {}
    for seed, role in enumerate(("reference", "evaluation"), 1):
        paths[role] = folder / role / name
        paths[role].parent.mkdir(exist_ok=True)
        write(pa.Table.from_pandas(frame(seed), preserve_index=False), paths[role])
    return paths


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    folder = tmp_path_factory.mktemp("arrow")
    found = lines(gate(folder, POLICY, **_written(parquet.write_table, folder, "rows.parquet")))
    outcomes = {rule: outcome for rule, (outcome, _) in found.items()}
    assert [rule for rule, outcome in outcomes.items() if outcome == "FAIL"] == [
        "BIAS-01", "PERF-02", "MON-01", "MON-02", "DATA-02",
    ]  # fmt: skip
    return found


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_gives_one_verdict(
    tmp_path: Path, expected: dict[str, tuple[str, str]], name: str
) -> None:
    found = lines(gate(tmp_path, POLICY, **_written(WRITERS[name], tmp_path, name)))
    for rule, column in TOLD_APART.get(name, {}).items():
        outcome, line = found.pop(rule)
        assert outcome in {*UNDECIDED, "FAIL"}
        assert outcome == expected[rule][0] or column in line
    for rule, (outcome, line) in found.items():
        assert (outcome, line.split("; left out")[0]) == (
            expected[rule][0],
            expected[rule][1].split("; left out")[0],
        )
