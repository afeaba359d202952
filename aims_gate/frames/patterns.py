"""Regular expressions over a column of text: RE2, which takes linear time whatever the text."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.frames import Coded
from aims_gate.frames.column_values import plain, undictionary


def pattern_problem(pattern: str) -> str:
    """Say why *pattern* is none that RE2 understands; empty if it is one."""
    try:
        for asked in (pattern, _whole(pattern)):  # `a)|(b` is one only with what is put around it
            pc.match_substring_regex(pa.array([""]), asked)
    except pa.ArrowInvalid as error:
        return str(error).removeprefix("Invalid regular expression: ").strip()
    return ""


def matched(column: pa.ChunkedArray, pattern: str) -> Coded:
    """Code a text column by whether *pattern* matches each value from end to end."""
    hits = pc.match_substring_regex(undictionary(plain(column)), _whole(pattern))
    codes = hits.cast(pa.int8()).fill_null(-1).to_numpy()
    return Coded(codes=codes, values=(False, True))


def containing(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    """Texts in which a pattern matches somewhere, and null in place of all others."""
    text = undictionary(plain(column))
    hits = pc.match_substring_regex(text, pattern)
    return pc.if_else(hits, text, pa.scalar(None, text.type))


def among(texts: Collection[str], pattern: str) -> list[str]:
    """Those of some texts in which a pattern matches somewhere."""
    found = containing(pa.chunked_array([pa.array(texts, pa.string())]), pattern)
    return cast("list[str]", found.drop_null().to_pylist())


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"
