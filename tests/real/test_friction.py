"""What people meet every day: each gets the sentence that says what it is and what to do."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import aims_gate
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import ColumnKind
from aims_gate.frames.convert import to_table
from aims_gate.sources.folders import read_folder
from aims_gate.sources.json_lines import read_json_lines
from aims_gate.sources.reading import Reading

JSON = {
    "NaN in a column of text": (b'{"a": "x"}\n{"a": NaN}\n', "row 2 holds NaN or Infinity"),
    "two types": (b'{"a": 1}\n{"a": "x"}\n', "values of 'a' are of two types, number and string"),
    "ids of 20 digits": (
        b'{"\xc3\xa9": 89440000000000000001}\n{"\xc3\xa9": 89440000000000000002}\n',
        "'\xe9' holds whole numbers that no number here can hold exactly",
    ),
    "a key twice": (b'{"a": 1, "b": 1}\n{"a": 1, "a": 0}\n', "row 2 has the key 'a' twice"),
    "a comma too many": (b'{"a": 1}\n{"a": 1,}\n', "row 2 is no JSON"),
    "UTF-16": ('{"a": 1}\n'.encode("utf-16"), "begins a UTF-16 byte order mark"),
    "Latin-1": ('{"a": "\xe9"}\n'.encode("latin-1"), "byte 7 is not UTF-8"),
}


@pytest.mark.parametrize("case", JSON)
def test_json_lines_that_cannot_be_read_say_why(case: str) -> None:
    content, told = JSON[case]
    with pytest.raises(DataError, match=told):
        read_json_lines(content, where="x")


def test_large_numbers_of_json_lines_stay_where_they_are_exact() -> None:
    content = b'{"i": 9007199254740993, "f": 1e20, "n": NaN}\n{"i": 1, "f": 2.5, "n": 1.0}\n'
    table = read_json_lines(content, where="x")
    assert table["i"].to_pylist() == [9007199254740993, 1]
    assert table["f"].to_pylist() == [1e20, 2.5]


def test_text_of_json_lines_that_a_policy_groups_by_or_matches_is_never_a_time() -> None:
    one, two = "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"
    content = f'{{"n": 1, "c": "{one}"}}\n{{"n": 2, "c": "{two}"}}\n'.encode()
    assert len(read_json_lines(content, where="x")["c"].unique()) == 1
    for reading in (
        Reading(codes=frozenset({"c", "n"})),
        Reading(texts=frozenset({"c"})),
        Reading(types={"c": ColumnKind.TEXT}),
    ):
        table = read_json_lines(content, where="x", reading=reading)
        assert table.to_pydict() == {"n": [1, 2], "c": [one, two]}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("part-0000.csv", "a folder of parts of text is not read; write the rows to Parquet"),
        ("part-0000.csv.gz", "a folder of parts of text is not read"),
        ("part-0000.json", "a folder of parts of text is not read"),
        (
            "k=a/b/x.parquet",
            "'b' is not called KEY=VALUE; a value of the partition 'k' may have a slash",
        ),
    ],
)
def test_a_folder_says_what_it_is(tmp_path: Path, name: str, told: str) -> None:
    path = tmp_path / "lake" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match=told):
        read_folder(tmp_path / "lake", where="lake")


@pytest.mark.parametrize("name", ["k=a%2Fb", "k=a%5cb", "k=%2E"])
def test_a_slash_in_a_partition_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "lake" / name).mkdir(parents=True)
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "lake" / name / "x.parquet")
    with pytest.raises(DataError, match="a value of the partition 'k' has a slash"):
        read_folder(tmp_path / "lake", where="lake")


def test_parts_that_encode_text_in_several_ways_are_one_table(tmp_path: Path) -> None:
    texts = pa.array(["a", None, "b"])
    kinds = (texts, texts.cast(pa.large_string()), texts.dictionary_encode(), pa.nulls(3))
    for number, values in enumerate(kinds):
        parquet.write_table(pa.table({"g": values}), tmp_path / f"{number}.parquet")
    table = read_folder(tmp_path, where="lake").table
    assert table["g"].to_pylist() == [*["a", None, "b"] * 3, None, None, None]
    parquet.write_table(pa.table({"g": [1]}), tmp_path / "9.parquet")
    with pytest.raises(DataError, match="column 'g' is large_string in one file and int64"):
        read_folder(tmp_path, where="lake")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="the folder is empty"):
        read_folder(tmp_path / "empty", where="lake")


def people(groups: list[str]) -> pd.DataFrame:
    y = np.arange(400) % 2
    return pd.DataFrame({"y": y, "yhat": y, "g": np.resize(groups, 400)})


@pytest.mark.parametrize("twin", ["F ", "\u00a0F", "Jos\u00e9", "F\u200b", "\ufeffF"])
def test_groups_that_only_look_alike_are_refused(twin: str) -> None:
    other = unicodedata.normalize("NFD", twin).strip("\u00a0 \u200b\ufeff")
    with pytest.raises(AssertionError, match="only differ in spaces, or in how letters are"):
        aims_gate.assert_passes(
            "fairness.impact_ratio",
            people([twin, other, "M"]),
            label="y",
            prediction="yhat",
            by=["g"],
            at_least=0.5,
        )


def test_a_column_that_only_looks_like_the_one_that_is_named_says_so() -> None:
    error = MissingColumnError.from_columns("caf\u00e9", ["cafe\u0301", "x"], where="data")
    assert "only looks the same: other spaces, or letters composed otherwise" in str(error)


FRAMES: dict[str, Any] = {
    "bands of cut": lambda n: pd.cut(pd.Series(n), [-1, 200, 400]),
    "bands of qcut with nulls": lambda n: pd.qcut(pd.Series(np.where(n < 9, np.nan, n)), 2),
    "intervals": lambda n: pd.arrays.IntervalArray(list(pd.cut(pd.Series(n), 2))),
    "periods": lambda n: pd.period_range("2024-01", periods=2, freq="M").repeat(len(n) // 2),
    "sparse": lambda n: pd.arrays.SparseArray(n % 2),
}


@pytest.mark.parametrize("case", FRAMES)
def test_columns_of_pandas_are_read_as_pandas_shows_them(case: str) -> None:
    values: Any = pd.Series(FRAMES[case](np.arange(400)))
    read = to_table(people(["F", "M"]).assign(g=values), where="x")["g"].to_pylist()
    shown = [None if pd.isna(value) else str(value) for value in values]
    assert [None if value is None else str(value) for value in read] == shown
    assert len(set(read)) <= 3


UNFIT: dict[str, tuple[Any, str]] = {
    "a name twice": (
        pd.concat([people(["F"]), people(["F"])[["y"]]], axis=1),
        "two columns are called 'y'",
    ),
    "values of two types": (
        people(["F"]).assign(g=[1 if i % 2 else "secret" for i in range(400)]),
        "column 'g' holds values of mixed or unknown types; give it one type: .astype",
    ),
    "numbers of any size": (
        people(["F"]).assign(g=[10**30 if i else "x" for i in range(400)]),
        "column 'g' holds values of mixed",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_frame_that_cannot_be_read_names_the_column_and_what_to_do(case: str) -> None:
    frame, told = UNFIT[case]
    with pytest.raises(DataError, match=told) as caught:
        to_table(frame, where="x")
    assert "secret" not in str(caught.value)
