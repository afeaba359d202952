"""Columns measured at the same time are told in their own order, errors included."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from aims_gate.checks.columnwise import AT_ONCE, columnwise
from aims_gate.errors import DataError


def test_results_are_in_the_order_of_the_columns_and_few_are_measured_at_once() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def measure(column: str) -> Iterator[str]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02 if column == "a" else 0.002)
        with lock:
            running -= 1
        yield from (column, column.upper())

    assert list(columnwise(measure, "abcdef")) == list("aAbBcCdDeEfF")
    assert most == AT_ONCE


def test_an_error_comes_in_its_columns_place_and_ends_it() -> None:
    begun: list[str] = []

    def measure(column: str) -> Iterator[str]:
        begun.append(column)
        if column == "c":
            raise DataError("no values")
        yield column

    names = [f"x{i}" for i in range(2)] + ["c"] + [f"z{i}" for i in range(100)]
    found: list[str] = []
    with pytest.raises(DataError, match="no values"):
        found.extend(columnwise(measure, names))
    assert len(begun) < 50
    seen = columnwise(measure, ["a", "b", "c"])
    assert [next(seen), next(seen)] == ["a", "b"]
    with pytest.raises(DataError):
        next(seen)


def test_no_columns_are_nothing() -> None:
    assert list(columnwise(lambda column: column, ())) == []
