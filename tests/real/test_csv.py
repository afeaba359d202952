"""CSV as tools write it: no row vanishes, no group merges, and no word is null in silence."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind
from aims_gate.sources.csv_bits import WORD
from aims_gate.sources.csv_form import Form, form_of
from aims_gate.sources.csv_text import ReadText, read_csv
from aims_gate.sources.reading import Reading
from tests.real.deciding import gate, lines
from tests.support.laws import law

GROUPS = """\
data:
  evaluation: {label: y, prediction: yhat, positive: 1, sensitive: [code]}
rules:
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.8}}
"""


def people(first: str, second: str) -> pd.DataFrame:
    """90 of 300 of one group are chosen, 222 of 360 of the other: a ratio of 0.486."""
    rows = [(1, 1, first)] * 90 + [(0, 0, first)] * 210
    rows += [(1, 1, second)] * 222 + [(0, 0, second)] * 138
    return pd.DataFrame(rows, columns=["y", "yhat", "code"])


def read(content: str, **reading: Any) -> ReadText:
    return read_csv(content.encode(), where="x", reading=Reading(**reading))


@pytest.mark.parametrize(
    "groups",
    [
        ("01", "1"),
        ("1.10", "1.1"),
        ("NA", "EU"),
        ("1e1", "10"),
        ("null", "x"),
        ("True", "TRUE"),
        ("89440000000000000001", "89440000000000000002"),
        ("-0", "0"),
        ("1.0", "1"),
        ("0x10", "16"),
        ("+1", "1"),
    ],
    ids="-".join,
)
@pytest.mark.parametrize("style", [csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL])
def test_groups_are_the_same_from_csv_as_from_parquet(
    tmp_path: Path, groups: tuple[str, str], style: Any
) -> None:
    frame = people(*groups)
    frame.to_csv(tmp_path / "e.csv", index=False, quoting=style)
    frame.to_parquet(tmp_path / "e.parquet", index=False)
    from_csv, from_parquet = (
        gate(tmp_path, GROUPS, evaluation=tmp_path / name) for name in ("e.csv", "e.parquet")
    )
    assert lines(from_csv) == lines(from_parquet)
    assert lines(from_csv)["BIAS-01"][0] == "FAIL"
    assert f"code={groups[0]} vs code={groups[1]} 0.486" in lines(from_csv)["BIAS-01"][1]


def test_patterns_lists_and_keys_see_the_text(tmp_path: Path) -> None:
    policy = """\
data:
  evaluation: {label: y, key: id}
rules:
  - {id: DATA-03, check: data.ranges, with: {allowed: {zip: {matches: "[0-9]{5}"}}}}
  - {id: DATA-04, check: data.ranges, with: {allowed: {zip: {one_of: ["11234", "98765"]}}}}
  - {id: DATA-05, check: data.duplicates, with: {by: key}}
"""
    start = 89440000000000000000
    rows = [f"{i % 2},{(11234, 98765)[i % 2]},{start + i}" for i in range(2000)]
    (tmp_path / "e.csv").write_text("\n".join(["y,zip,id", *rows, ""]))
    found = lines(gate(tmp_path, policy, evaluation=tmp_path / "e.csv"))
    assert {rule: outcome for rule, (outcome, _) in found.items()} == dict.fromkeys(found, "PASS")


def test_what_a_policy_says_of_types_and_nulls_is_what_is_read() -> None:
    content = "zip,n,ok,t\n01,1,true,2020-01-01\n2,-999,NA,NA\n"
    stated = {
        "zip": ColumnKind.NUMBER,
        "n": ColumnKind.TEXT,
        "ok": ColumnKind.BOOLEAN,
        "t": ColumnKind.TIME,
    }
    table = read(content, types=stated, nulls=("NA", "-999")).table
    assert [str(kind) for kind in table.schema.types] == ["int64", "string", "bool", "date32[day]"]
    assert table["n"].to_pylist() == ["1", None]
    with pytest.raises(DataError, match="column 't' holds something else than numbers"):
        read(content, types={"t": ColumnKind.NUMBER})


def test_a_policy_states_types_for_every_format(tmp_path: Path) -> None:
    policy = GROUPS.replace("[code]}", "[code], types: {code: text}}")
    people("1", "2").astype({"code": int}).to_parquet(tmp_path / "e.parquet")
    outcome, reason = lines(gate(tmp_path, policy, evaluation=tmp_path / "e.parquet"))["BIAS-01"]
    assert outcome == "ERROR"
    assert "column 'code' is int64, and the policy says that it is text" in reason


def test_words_are_null_where_they_can_be_nothing_else_and_are_counted() -> None:
    assert read("region,n\nNA,NA\nEU,1\n").notes == (
        "region: 1 of 2 cells hold the word NA, which is text here (nulls: makes it null)",
        "n: 1 of 2 cells read as null from the word NA",
    )
    quoted = read('region\n"NA"\nNA\n"EU"\n')  # as R writes it
    assert quoted.table["region"].to_pylist() == ["NA", None, "EU"]
    assert quoted.notes == ("region: 1 of 3 cells read as null from the word NA",)
    pandas = read('region,n\n"EU",1\n"",2\n')
    assert pandas.table["region"].to_pylist() == ["EU", None]
    assert pandas.notes == ("region: 1 of 2 cells read as null: nothing in quotes",)
    arrow = read('region,n\n"EU",1\n"",2\n,3\n')
    assert arrow.table["region"].to_pylist() == ["EU", "", None]
    stated = read("region\nNA\nEU\n-\n", nulls=("-",))
    assert stated.table["region"].to_pylist() == ["NA", "EU", None]


def test_where_every_field_is_quoted_an_empty_one_is_null_and_numbers_are_numbers() -> None:
    table = read('"a","b"\n"1","x"\n"","NA"\n').table
    assert table.to_pydict() == {"a": [1, None], "b": ["x", "NA"]}


def test_a_column_that_has_to_stay_text_says_why() -> None:
    content = 'a,b,c,d\n"1",07,9007199254740993,x\n2,1,1,y\n'
    assert read(content).notes == (
        "a is text: its values are in quotes",
        "b is text: it has leading zeros",
        "c is text: it has whole numbers of 2^53 or more",
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024-01-01 00:00", "2024-01-01 00:00:00"),
        ("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"),
        ("10:00", "10:00:00"),
        ("NA", ""),
    ],
)
def test_codes_that_look_like_times_or_null_words_are_told_apart(first: str, second: str) -> None:
    content = f"code,b\n{first},1\n{second},2\n"
    codes = {"codes": frozenset({"code"})}
    assert read(content, **codes).table["code"].to_pylist() == [first, second or None]
    days = "code,b\n2024-01-01,1\nNA,2\n,3\n"
    assert read(days, **codes).table["code"].type == pa.date32()


def test_words_that_keep_a_column_from_being_numbers_are_named() -> None:
    content = "x,n,t\n1,#DIV/0!,a\nNone,2,-\n\\N,3,b\n"
    found = read(content)
    assert found.notes == (
        "x is text: it has None, \\N among numbers (nulls: makes a word null)",
        "n is text: it has #DIV/0! among numbers (nulls: makes a word null)",
    )
    assert read(content, nulls=("None", "\\N")).table["x"].to_pylist() == [1, None, None]


def test_hexadecimal_ids_are_no_numbers() -> None:
    found = read("h,n\n0x1F,1\n31,2\n0XA,3\n")
    assert found.table["h"].to_pylist() == ["0x1F", "31", "0XA"]
    assert found.notes == ("h is text: it has leading zeros",)


def test_a_second_byte_order_mark_hides_no_code() -> None:
    """Arrow leaves it out of the header, so that column would be looked up by another name."""
    with pytest.raises(DataError, match="the header can be read in two ways"):
        read("\ufeff\ufeffa,b\n01,1\n1,2\n")


MALFORMED = {
    "a quote never closed": ('1,x\n2,"y\n3,z\n', "line 3: a quote is opened and never closed"),
    "an inch mark": ('1,x\n2,5" disk\n', "line 3: a quote stands inside a field"),
    "two inch marks": (
        '1,"5 disk\n2,x\n3,"3 disk\n',
        "line 4: text follows the quote that closes a field, which was opened on line 2",
    ),
    "text after a quote": ('1,"x"y\n', "line 2: text follows the quote"),
    "a space before a quote": ('1, "x"\n', "line 2: a quote stands inside a field"),
    "a backslash": ('1,"x\\"y"\n', "line 2: text .* a backslash escapes nothing"),
    "a lone carriage return": ("1,x\r2,y\n", "line 2 holds a carriage return"),
    "one beside quotes": ('1,"x"\n2,y\rz\n', "line 3 holds a carriage return"),
    "carriage returns alone": ("1,x\r2,y\r", "line 2 holds a carriage return"),
    "NUL": ("1,x\0\n", "byte 7 is zero"),
    "ragged": ("1\n", "2 fields are expected, but line 2 has 1"),
    "commas at the end": ("1,x,\n2,y,\n", "these rows end in a comma"),
    "a second header": ("1,x\na,b\n2,y\n", "row 2 after the header repeats it"),
    "decimal commas": ('"1,5",x\n"-2,25",y\n', "column 'a' holds numbers with commas in them"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_not_csv_is_refused_with_its_line(case: str) -> None:
    content, told = MALFORMED[case]
    with pytest.raises(DataError, match=told):
        read(f"a,b\n{content}")


HEADERS = {
    "pipes": ("a|b\n1|2\n", "separated by pipes, not by commas"),
    "semicolons and decimal commas": ("a;b\n1,5;2,5\n", "separated by semicolons, not by commas"),
    "tabs": ("a\tb\n1\t2\n", "separated by tabs"),
    "Excel's line": ("sep=;\na;b\n1;2\n", "line 1 is a `sep=` line, which only Excel reads"),
    "Excel's line with a comma": ("sep=,\na,b\n1,2\n", "line 1 is a `sep=` line"),
    "a comma at the end": ("a,b,\n1,2,\n", "column 3 has no name; the line ends in a comma"),
    "an index": (",a\n0,1\n", "column 1 has no name; an index that pandas wrote"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_is_none_says_what_it_is(case: str) -> None:
    content, told = HEADERS[case]
    with pytest.raises(DataError, match=told):
        read(content)


def test_quotes_that_fit_are_read_whatever_stands_between_them() -> None:
    content = 'a,b\r\n\r\n1,"x\ry, ""z""\n\n"\r\n\r\n"2",\r\n'
    found = read(content)
    assert found.table.to_pydict() == {"a": ["1", "2"], "b": ['x\ry, "z"\n\n', None]}
    assert "2 line breaks stand between quotes and end no row" in found.notes
    assert read("a\n\n07\n\n").table["a"].to_pylist() == [None, "07", None]


@pytest.mark.parametrize("mark", ['"', "\r", "07,"])
def test_marks_are_found_across_the_edges_of_blocks(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = 'a,b\n1,"x ""y"", z\n"\n"02",""""\n3,"4"\n'
    whole = read(content)
    broken = content.replace("1,", f"1{mark},") if mark != "07," else content
    monkeypatch.setattr("aims_gate.sources.csv_form._STEP", WORD)
    for longer in range(2 * WORD):  # every byte is once the first of a block, and once the last
        name = "a" * (longer + 1)
        found = read(name + content[1:])
        assert found.table.equals(whole.table.rename_columns([name, "b"]))
        assert found.notes == tuple(re.sub("^a ", f"{name} ", note) for note in whole.notes)
        if broken != content:
            with pytest.raises(DataError, match="line 2"):
                read(name + broken[1:])


@law(200)
@given(body=st.text(alphabet='a0n,"\n\r', max_size=400))
def test_blocks_of_any_size_say_the_same(body: str) -> None:
    content = f"a,b\n{body}"
    with pytest.MonkeyPatch.context() as patch:
        told: list[Form | None] = []
        for step in (WORD, 3 * WORD, 1 << 18):
            patch.setattr("aims_gate.sources.csv_form._STEP", step)
            try:
                told.append(form_of(f"{content}\n".encode(), ("NA", "nan"), where="x"))
            except DataError:  # of several faults, which one is told first differs
                told.append(None)
    assert told[0] == told[1] == told[2]


@law(400)
@given(body=st.text(alphabet='a0,"\n\r', max_size=24))
def test_what_is_read_is_what_a_strict_reader_reads(body: str) -> None:
    content = f"a,b\n{body}"
    try:
        table = read(content, types={"a": ColumnKind.TEXT, "b": ColumnKind.TEXT}).table
    except DataError:
        return
    rows = [row for row in csv.reader(io.StringIO(content, newline=""), strict=True) if row]
    found = [[cell or "" for cell in row.values()] for row in table.to_pylist()]
    assert found == rows[1:]
