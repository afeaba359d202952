"""A DuckDB file whose statistics say what its rows do not: an engine may answer from them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from aims_gate.verdict import Outcome
from tests.attacks.warehouse import Warehouse, outcomes

POLICY = """
data: {{evaluation: {{table: {table}, connection: warehouse{more}}}}}
rules: [{{id: DATA-01, check: data.missing, with: {{columns: [y]}}, require: {{at_most: 0.01}}}}]
"""
_HEADERS, _BLOCK = 3 * 4096, 1 << 18
_NULLS = bytes.fromhex("6400016500016600")
_NO_NULLS = bytes.fromhex("6400006500016600")


def _checksum(block: bytes) -> bytes:
    with np.errstate(over="ignore"):
        mixed = np.frombuffer(block, dtype="<u8") * np.uint64(0xBF58476D1CE4E5B9)
    return struct.pack("<Q", int(np.bitwise_xor.reduce(mixed)) ^ 5381)


def _say_that_nothing_is_null(file: Path) -> int:
    """Turn `has_null` off in the statistics of each column, under a checksum that holds."""
    content, changed = file.read_bytes(), 0
    blocks = [content[:_HEADERS]]
    for start in range(_HEADERS, len(content), _BLOCK):
        block = content[start + 8 : start + _BLOCK]
        changed += block.count(_NULLS)
        block = block.replace(_NULLS, _NO_NULLS)
        blocks.append(_checksum(block) + block)
    file.write_bytes(b"".join(blocks))
    return changed


@pytest.mark.parametrize("table", ["scored", "seen"])
def test_nulls_are_counted_in_rows_whatever_statistics_say(
    warehouse: Warehouse, table: str
) -> None:
    """The digest was that of the rows, and held, while all were counted as there."""
    warehouse.write(
        "create table scored as from range(3000) t(i) select if(i % 3 = 0, null, i) as y",
        "create view seen as from scored",
    )
    honest = warehouse.gate(POLICY.format(table=table, more=""))
    assert outcomes(honest) == {"DATA-01": Outcome.FAIL}
    assert _say_that_nothing_is_null(warehouse.file) > 0, "DuckDB writes them otherwise now"
    pin = f", sha256: {honest.datasets[0].digest}"
    forged = warehouse.gate(POLICY.format(table=table, more=pin))
    assert outcomes(forged) == {"DATA-01": Outcome.FAIL}
    assert forged.results[0].statistics == honest.results[0].statistics
