"""Files with bytes changed near their ends, where headers and footers are: refused or read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv, feather, parquet

from aims_gate.errors import GateError
from aims_gate.sources.legible import legible
from aims_gate.sources.readers import read_file
from tests.support.laws import law

ROWS = 60
PLAIN = {
    "id": pa.array(range(ROWS)),
    "s": pa.array([None if i % 7 == 0 else f"v{i % 5}" for i in range(ROWS)]),
    "f": pa.array([i / 7 for i in range(ROWS)]),
}
TYPED = {
    "u": pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([i.to_bytes(16, "big") for i in range(ROWS)], pa.binary(16))
    ),
    "b": pa.array([b"x%d" % i for i in range(ROWS)]),
}


def written(write: Callable[[pa.Table, Any], object], **columns: pa.Array) -> bytes:
    stream = io.BytesIO()
    write(pa.table({**PLAIN, **columns}), stream)
    return stream.getvalue()


FILES = {
    "a.parquet": written(parquet.write_table, **TYPED),
    "a.arrow": written(lambda t, s: feather.write_feather(t, s, "uncompressed"), **TYPED),
    "a.csv": written(csv.write_csv),
    "a.csv.gz": gzip.compress(written(csv.write_csv), mtime=0),
    "a.jsonl": b'{"id": 1, "s": "x", "f": 0.5}\n{"id": 2, "s": null, "f": 1.5}\n' * 20,
}
CHANGES = st.lists(st.tuples(st.integers(-900, 400), st.integers(0, 255)), min_size=1, max_size=4)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused_or_read_and_never_crashes(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = Path(tmp_path_factory.mktemp("damaged")) / name

    @law(150)
    @given(changes=CHANGES, end=st.integers(0, 12))
    def holds(changes: list[tuple[int, int]], end: int) -> None:
        content = bytearray(FILES[name])
        for place, byte in changes:
            content[place % len(content)] = byte
        path.write_bytes(content[: len(content) - end // 12 * 5])
        with suppress(GateError):
            table, _notes = legible(read_file(path).table)
            for column in table.column_names:
                assert len(table.column(column)) == table.num_rows

    holds()
