"""Columns as writers store them: text as bytes, no value, an index, types without a method."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import aims_gate
from aims_gate.errors import DataError
from aims_gate.frames.convert import to_table
from aims_gate.sources.folders import read_folder
from aims_gate.sources.legible import legible
from aims_gate.sources.readers import read_file
from tests.real.deciding import HEAD, gate, lines

DRIFT = """\
data:
  reference: {min_rows: 1}
rules:
  - {id: MON-01, check: drift.columns}
  - {id: MON-02, check: drift.share}
  - {id: MON-03, check: drift.new_value}
  - {id: DATA-03, check: data.ranges, on: current, with: {against: reference}}
  - {id: DATA-05, check: data.schema, on: current, with: {against: reference}}
"""
ROWS = 2_000


def drifted(folder: Path, reference: Any, current: Any) -> dict[str, tuple[str, str]]:
    for role, columns in (("reference", reference), ("current", current)):
        parquet.write_table(pa.table(columns), folder / f"{role}.parquet")
    roles = {role: folder / f"{role}.parquet" for role in ("reference", "current")}
    return lines(gate(folder, DRIFT, **roles))


def numbers(seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=ROWS)


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.binary())]
)
def test_bytes_that_are_utf_8_are_text(tmp_path: Path, kind: pa.DataType) -> None:
    def channels(*names: str) -> pa.Array:
        return pa.array([name.encode() for name in names] * (ROWS // 2), pa.binary()).cast(kind)

    found = drifted(
        tmp_path,
        {"x": numbers(), "channel": channels("web", "rés")},
        {"x": numbers(1), "channel": channels("app", "tv")},
    )
    assert {rule: outcome for rule, (outcome, _) in found.items()} == {
        "MON-01": "FAIL", "MON-02": "FAIL", "MON-03": "FAIL", "DATA-03": "FAIL", "DATA-05": "PASS",
    }  # fmt: skip
    assert "channel" in found["MON-01"][1]


def test_what_no_method_fits_stands_in_the_line(tmp_path: Path) -> None:
    def rows(seed: int) -> Any:
        return {
            "x": numbers(seed),
            "blob": pa.array([b"\xff"] * ROWS),
            "at": pa.array([time(1, 2)] * ROWS),
            "tags": pa.array([["a"]] * ROWS),
            "wait": pa.array([1] * ROWS, pa.duration("s")),
            "seen": pa.array([0] * ROWS, pa.timestamp("s")),
        }

    found = drifted(tmp_path, rows(0), rows(1))
    for rule in ("MON-01", "MON-02", "MON-03", "DATA-03"):
        outcome, line = found[rule]
        assert outcome in {"PASS", "WARN"}
        assert "left out: blob" in line
        for told in ("at (", "tags (", "wait (", "list<", "duration[s]", "time64[us]"):
            assert told in line
        assert ("seen (" in line) is (rule != "MON-03")  # which counts times


@pytest.mark.parametrize(
    "empty", [pa.nulls(ROWS), pa.nulls(ROWS, pa.float64()), pa.nulls(ROWS, pa.string())]
)
@pytest.mark.parametrize("values", [["a"], [1.5], [True]], ids=str)
def test_a_column_that_lost_its_values_has_no_kind(
    tmp_path: Path, empty: pa.Array, values: list[Any]
) -> None:
    """3 of 2,000 rows held a value: that none does now is no drift and no change of type."""
    some = pa.array([*values * 3, *[None] * (ROWS - 3)])
    for before, after in ((some, empty), (empty, some)):
        found = drifted(
            tmp_path, {"x": numbers(), "note": before}, {"x": numbers(1), "note": after}
        )
        found.pop("DATA-03")  # no value, no range
        outcomes = {outcome for outcome, _ in found.values()}
        assert outcomes <= {"PASS", "WARN"}, found


def test_a_column_that_lost_many_values_has_drifted(tmp_path: Path) -> None:
    found = drifted(
        tmp_path,
        {"x": numbers(), "note": pa.array(["a"] * ROWS)},
        {"x": numbers(1), "note": pa.nulls(ROWS)},
    )
    assert found["MON-01"][0] == "FAIL"
    found = drifted(
        tmp_path, {"x": numbers(), "n": pa.nulls(ROWS)}, {"x": numbers(1), "n": pa.nulls(ROWS)}
    )
    assert "left out: n (every value is null)" in found["MON-01"][1]


def test_a_named_column_of_nothing_but_null_says_so(tmp_path: Path) -> None:
    rules = """\
data:
  evaluation: {label: y, prediction: y2, positive: 1, sensitive: [n]}
rules:
  - {id: MON-01, check: drift.columns, on: evaluation, with: {columns: [n]}}
  - {id: BIAS-01, check: fairness.impact_ratio}
"""
    y = pa.array([0, 1] * (ROWS // 2))
    path = tmp_path / "e.parquet"
    parquet.write_table(pa.table({"y": y, "y2": y, "n": pa.nulls(len(y))}), path)
    found = lines(gate(tmp_path, rules, evaluation=path, reference=path))
    assert found["MON-01"] == ("ERROR", "PSI n: every value is null")
    assert found["BIAS-01"][0] == "ERROR"
    assert "every value of n is null, so that there are no groups" in found["BIAS-01"][1]


UUIDS = [uuid.UUID(int=1), uuid.UUID(int=2**127 + 5), None, uuid.UUID(int=2**128 - 1)]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "memory"])
def test_uuids_and_json_are_their_text(tmp_path: Path, ending: str) -> None:
    """DuckDB and pandas write them as types of their own, which are no groups and no keys."""
    stored = pa.array([value and value.bytes for value in UUIDS], pa.binary(16))
    typed = pa.ExtensionArray.from_storage(pa.uuid(), stored)
    table = pa.table(
        {
            "id": pa.chunked_array([typed, typed.slice(1, 2)]),
            "none": pa.chunked_array([typed.slice(2, 1)] * 6),
            "j": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['"a"'] * 6)),
        }
    )
    if ending == "memory":
        found, notes = legible(table)
    else:
        write = parquet.write_table if ending == "parquet" else feather.write_feather
        write(table, tmp_path / f"e.{ending}")
        found, notes = legible(read_file(tmp_path / f"e.{ending}").table)
    texts = [value and str(value) for value in UUIDS]
    assert found.column("id").to_pylist() == [*texts, *texts[1:3]]
    assert found.column("none").to_pylist() == [None] * 6
    assert found.column("j").to_pylist() == ['"a"'] * 6
    assert set(map(str, found.schema.types)) == {"large_string"}
    assert notes == ()


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_the_index_of_pandas_is_no_feature(tmp_path: Path, ending: str) -> None:
    frames = [pd.DataFrame({"x": numbers(seed)}) for seed in (0, 1)]
    frames[1].index += 5_000
    roles = {}
    for role, frame in zip(("reference", "current"), frames, strict=True):
        path = roles[role] = tmp_path / f"{role}.{ending}"
        table = pa.Table.from_pandas(frame.sample(frac=1, random_state=0), preserve_index=True)
        assert "__index_level_0__" in table.column_names
        write = parquet.write_table if ending == "parquet" else feather.write_feather
        write(table, path)
    verdict = gate(tmp_path, DRIFT, **roles)
    found = lines(verdict)
    assert found["MON-01"][0] == found["MON-02"][0] == "PASS"
    assert "index" not in "".join(reason for _, reason in found.values())
    assert all("the index of pandas" in data.notes[0] for data in verdict.datasets)


def test_a_column_that_only_looks_like_an_index_stays(tmp_path: Path) -> None:
    for metadata in (
        {},
        {b"pandas": b"["},
        {b"pandas": b"[1]"},
        {b"pandas": b'{"index_columns": 3}'},
    ):
        rows = pa.table({"x": numbers(), "__index_level_0__": numbers()})
        path = tmp_path / "e.parquet"
        parquet.write_table(rows.replace_schema_metadata(metadata), path)
        verdict = gate(tmp_path, DRIFT, reference=path, current=path)
        assert not verdict.datasets[0].notes


def test_frames_in_memory_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "w").write_text("x")
    policy = tmp_path / "p.yaml"
    policy.write_text(HEAD + DRIFT)
    frame = pa.table({"x": numbers(), "channel": pa.array([b"a", b"b"] * (ROWS // 2))})
    verdict = aims_gate.run(
        str(policy), f"file:{tmp_path / 'm'}", data={"reference": frame, "current": frame}
    )
    assert verdict.datasets[0].notes == ("channel is text: its bytes are UTF-8",)
    assert lines(verdict)["MON-01"][0] == "PASS"


def test_times_of_old_spark_are_read_in_every_year(tmp_path: Path) -> None:
    """INT96 counts nanoseconds of a day: the year 9999, which ends no contract, was 1816."""
    written = ("9999-12-31T00:00:00", "2024-01-01T01:02:03", "0001-01-01T00:00:00")
    times = [datetime.fromisoformat(text) for text in written]
    table = pa.table({"at": pa.array(times, pa.timestamp("us"))})
    for path in (tmp_path / "e.parquet", tmp_path / "lake" / "part-0.parquet"):
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=False)
    assert read_file(tmp_path / "e.parquet").table.column("at").to_pylist() == times
    assert read_folder(tmp_path / "lake", where="x").table.column("at").to_pylist() == times


INDEXES: dict[str, Any] = {
    "with a name": pd.Index(list("abcd"), name="key"),
    "with the name of a column": pd.Index(list("abcd"), name="x"),
    "without a name": pd.Index(list("abcd")),
    "a range with a name": pd.RangeIndex(5, 9, name="key"),
    "bands": pd.Index(pd.cut([1, 2, 3, 4], 2), name="band").astype(str),
    "two levels": pd.MultiIndex.from_arrays([list("aabb"), [1, 2, 1, 2]], names=["key", None]),
}


@pytest.mark.parametrize("case", INDEXES)
def test_an_index_of_pandas_is_the_same_in_a_file_and_in_memory(case: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3, 4]}, index=INDEXES[case])
    frame.to_parquet(tmp_path / "f.parquet")
    stored, _notes = legible(read_file(tmp_path / "f.parquet").table)
    held = to_table(frame, where="x")
    assert held.to_pydict() == {
        name: stored.column(name).to_pylist() for name in stored.column_names
    }
    assert held.column_names[1:] == [n for n in ("key", "band") if n in held.column_names]
    assert (len(held.column_names) == 2) is (case in {"with a name", "bands", "two levels"})


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow"])
def test_whole_numbers_of_128_bits_are_said_to_be_that(name: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": pl.Series([1, 2**100], dtype=pl.Int128)})
    getattr(frame, "write_parquet" if name == "f.parquet" else "write_ipc")(tmp_path / name)
    for read in (lambda: read_file(tmp_path / name), lambda: to_table(frame, where="x")):
        with pytest.raises(DataError, match="Int128 of Polars: cast them to Int64"):
            read()
