"""Patterns are RE2: what it does not understand is refused before any data are read."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aims_gate.frames.patterns import matched, pattern_problem


@pytest.mark.parametrize("pattern", ["[0-9", "(?=a)", r"(a)\1", "a{1,9999}"])
def test_what_re2_does_not_understand_has_a_reason(pattern: str) -> None:
    assert pattern_problem(pattern)


@pytest.mark.parametrize("pattern", ["[0-9]{5}", "a|b", "", r"\d+"])
def test_what_it_understands_has_none(pattern: str) -> None:
    assert pattern_problem(pattern) == ""


def test_a_choice_is_held_against_the_whole_text() -> None:
    column = pa.chunked_array([["ab", "a", "b"], [None]]).dictionary_encode()
    assert matched(column, "a|b").codes.tolist() == [0, 1, 1, -1]
