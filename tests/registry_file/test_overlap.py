"""Entries of a registry file that guard a common name differently are found, and no others."""

from __future__ import annotations

import itertools
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.registry_file import Guarded
from aims_gate.registry_file.overlap import contradictions, meet
from tests.support.laws import law

NAMES = [
    "".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)
]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("credit-*", "*", True),
        ("credit-*", "*-risk", True),
        ("credit-*", "fraud-*", False),
        ("credit-?", "CREDIT-x", True),
        ("credit-?", "credit-xy", False),
        ("[ab]*", "c*", False),
        ("[ab]*", "[bc]*", True),
        ("[!a]", "a", False),
        ("[]]", "]", True),
        ("a*b*c", "abc", True),
        ("a", "", False),
    ],
)
def test_two_patterns_meet_where_a_name_fits_both(first: str, second: str, expected: bool) -> None:
    assert meet(first, second) is meet(second, first) is expected


@law(300)
@given(st.text("ab*?", max_size=4), st.text("ab*?", max_size=4))
def test_they_meet_exactly_where_some_short_name_fits_both(first: str, second: str) -> None:
    """Names of four letters are enough for patterns of four."""
    both = any(fnmatchcase(name, first) and fnmatchcase(name, second) for name in NAMES)
    assert meet(first, second) is (both or _long(first, second))


def _long(first: str, second: str) -> bool:
    """Tell whether only a name of more than four letters fits both."""
    names = map("".join, itertools.product("ab", repeat=8))
    shorter = itertools.chain.from_iterable(
        map("".join, itertools.product("ab", repeat=n)) for n in (5, 6, 7)
    )
    return any(
        fnmatchcase(name, first) and fnmatchcase(name, second)
        for name in itertools.chain(shorter, names)
    )


def test_only_entries_that_say_something_else_contradict() -> None:
    """The order counts: the first of them decides."""
    wide = Guarded(pattern="*")
    same = Guarded(pattern="credit-*", aliases=("CHAMPION",))
    strict = Guarded(pattern="credit-*", mode="enforce")
    other = Guarded(pattern="fraud", mode="enforce")
    assert list(contradictions([wide, same])) == []
    assert list(contradictions([strict, other])) == []
    assert list(contradictions([wide, strict])) == [(wide, strict)]
    assert list(contradictions([strict, wide])) == [(strict, wide)]
