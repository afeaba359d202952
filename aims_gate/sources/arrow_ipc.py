"""Arrow IPC reader: files (Feather too) and streams, from bytes to a table."""

from __future__ import annotations

import struct

import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames.convert import not_read
from aims_gate.sources.budget import hold, too_large
from aims_gate.sources.ipc_sizes import unpacked_bytes

_FILE = b"ARROW1"
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""How a whole stream ends; Arrow itself takes one cut between two batches for whole."""


def read_arrow(content: bytes, *, where: str, max_bytes: int) -> pa.Table:
    """Read an IPC file or stream, every buffer of it checked.

    DataError if it is truncated, damaged, or has more than *max_bytes* unpacked.
    """
    damaged = DataError("the Arrow data are truncated or damaged", where=where, hint="write again")
    if not content.startswith(_FILE) and not content.endswith(_END):
        raise damaged
    try:
        size = unpacked_bytes(content)
    except (pa.ArrowException, OSError, ValueError, IndexError, struct.error) as error:
        raise damaged from error
    if size > max_bytes:
        raise too_large(max_bytes, where)
    try:
        buffer = pa.BufferReader(content)
        is_file = content.startswith(_FILE)
        table = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(buffer).read_all()
        table.validate(full=True)  # offsets first: sizes follow from them
    except pa.ArrowNotImplementedError as error:
        raise not_read(where) from error
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise damaged from error
    hold(table.columns, max_bytes, where)
    return table
