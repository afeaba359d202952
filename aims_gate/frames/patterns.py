"""Regular expressions over a column of text: RE2, which takes linear time whatever the text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.frames import Coded, Counts
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


def containing(
    column: pa.ChunkedArray, pattern: str, weights: Counts | None = None
) -> dict[str, int]:
    """Count rows by value, of the values of a text column in which a pattern matches somewhere.

    In ascending order of values, whatever the order of the rows.
    """
    text = undictionary(plain(column))
    if text.null_count == len(text):
        return {}
    hits = pc.match_substring_regex(text, pattern).fill_null(fill_value=False)
    found = text.filter(hits).combine_chunks().dictionary_encode()
    copies = None if weights is None else weights[hits.to_numpy()]
    counts = np.bincount(found.indices.to_numpy(), copies, minlength=len(found.dictionary))
    return dict(sorted(zip(found.dictionary.to_pylist(), map(int, counts), strict=True)))


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"
