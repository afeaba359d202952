"""Fingerprints only find rows that may be equal: what collides is still told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError
from aims_gate.frames.identity import compared, fingerprints, identities
from aims_gate.frames.opening import open_frame
from tests.support.laws import law


@law(60)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 2)), max_size=15),
)
def test_rows_are_told_apart_where_every_fingerprint_collides(
    rows: list[tuple[str, int | None]],
) -> None:
    """Rows are numbered by their values, whatever the fingerprints: the worst are all the same."""
    columns = {
        "a": pa.array([row[0] for row in rows], pa.string()),
        "b": pa.array([row[1] for row in rows], pa.int64()),
    }
    parts = compared(["a", "b"], (pa.table(columns), "data"))
    same = np.zeros(len(rows), dtype=np.uint64)
    halves = np.array([row[0] == "a" for row in rows], dtype=np.uint64)
    for prints in (None, same, halves):
        ids = identities(parts, prints).tolist()
        assert [[a == b for b in ids] for a in ids] == [[a == b for b in rows] for a in rows]
        assert set(ids) == set(range(len(set(ids))))


def test_fingerprints_of_200_000_rows_that_differ_by_little_all_differ() -> None:
    """A weak mix would only cost time, but on real columns it should never have to."""
    values = np.arange(200_000) * 2.0**-20
    table = pa.table({"x": values, "y": values[::-1].copy(), "z": np.zeros(200_000)})
    prints = fingerprints(compared(["x", "y", "z"], (table, "data")))
    assert len(np.unique(prints)) == len(prints)


def test_repeats_are_those_of_pandas_on_mixed_columns() -> None:
    random = np.random.default_rng(5)
    rows = 5_000
    columns: dict[str, Any] = {
        "i": random.integers(0, 9, rows),
        "f": np.where(random.random(rows) < 0.2, np.nan, random.integers(0, 5, rows) / 2),
        "s": pd.Series(random.choice(["a", "b", "c"], rows)).where(random.random(rows) < 0.8, None),
        "t": pd.to_datetime("2026-01-01") + pd.to_timedelta(random.integers(0, 4, rows), unit="D"),
        "b": random.random(rows) < 0.5,
    }
    frame = pd.DataFrame(columns)
    found = open_frame(frame)
    for names in (list(columns), ["i", "s"], ["f"], ["t", "b"]):
        assert found.repeats(names) == int(frame.duplicated(subset=names).sum())
    other = frame.sample(700, random_state=1)
    merged = frame.merge(other.drop_duplicates(), how="left", indicator=True)
    shared = found.repeats(list(columns), open_frame(other))
    assert shared == int((merged["_merge"] == "both").sum())


def test_rows_of_a_frame_that_lives_elsewhere_are_not_said_to_be_different() -> None:
    frame = open_frame({"a": [1]})
    with pytest.raises(DataError, match="in memory"):
        frame.repeats(["a"], object())  # type: ignore[arg-type]  # what another frame would be
