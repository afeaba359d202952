"""Columns measured at the same time are told in their own order, errors included."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from aims_gate.checks.columnwise import AT_ONCE, columnwise
from aims_gate.errors import DataError


def test_results_are_in_the_order_of_the_columns_and_few_are_measured_at_once() -> None:
    lock, running, most = threading.Lock(), 0, 0
    together, overtaken = threading.Barrier(AT_ONCE), threading.Event()

    def measure(column: str) -> Iterator[str]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if column in "abcdef"[:AT_ONCE]:
            together.wait(60)
        assert column != "a" or overtaken.wait(60), "it ends after another one"
        time.sleep(0.002)
        with lock:
            running -= 1
        overtaken.set()
        yield from (column, column.upper())

    assert list(columnwise(measure, "abcdef")) == list("aAbBcCdDeEfF")
    assert most == AT_ONCE


def test_an_error_comes_in_its_columns_place_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that are being measured when it is told come to their end, and no other begins."""
    begun: list[str] = []
    told = threading.Event()

    class Pool(ThreadPoolExecutor):
        """Lets nobody go on before what waits has been cancelled."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            told.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr("aims_gate.checks.columnwise.ThreadPoolExecutor", Pool)

    def measure(column: str) -> Iterator[str]:
        begun.append(column)
        if column == "c":
            raise DataError("no values")
        assert not column.startswith("z") or told.wait(60)
        yield column

    names = [f"x{i}" for i in range(2)] + ["c"] + [f"z{i}" for i in range(100)]
    found: list[str] = []
    with pytest.raises(DataError, match="no values"):
        found.extend(columnwise(measure, names))
    assert found == ["x0", "x1"]
    assert len(begun) <= 3 + AT_ONCE
    seen = columnwise(measure, ["a", "b", "c"])
    assert [next(seen), next(seen)] == ["a", "b"]
    with pytest.raises(DataError):
        next(seen)


def test_no_columns_are_nothing() -> None:
    assert list(columnwise(lambda column: column, ())) == []
