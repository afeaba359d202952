"""Wire protocol: one JSON object a line; a question's arrays follow as raw bytes.

Nothing that could be code is read: no pickle, no names that are looked up.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from aims_gate.errors import CheckError

_TYPES = {"f": "<f8", "i": "<i8"}
_WIDTH = 8
"""Bytes of a number of either type."""
_ARRAY = frozenset({"type", "length"})
READY = b"ready\n"
"""The child's first line: the libraries are loaded, as far as they can be."""


Piece = bytes | memoryview


def question(number: int, ask: str, arguments: Mapping[str, object]) -> Iterator[Piece]:
    """Serialise a question, piece by piece; arguments are text or one-dimensional numeric arrays.

    First a line that tells each array's type and length, then the arrays in that order, as
    little-endian numbers of 8 bytes. CheckError for any other argument, before the first piece.
    """
    told = {name: _described(value) for name, value in arguments.items()}
    yield _line({"number": number, "ask": ask, "with": told})
    for value in arguments.values():
        if isinstance(value, np.ndarray) and len(value):
            yield np.ascontiguousarray(value, dtype=_TYPES[value.dtype.kind]).data.cast("B")


def read_question(source: BinaryIO) -> tuple[int, str, dict[str, Any]] | None:
    """Read a question: its number, what is asked, and the arguments; None where *source* ends.

    CheckError for what is no question.
    """
    line = source.readline()
    if not line:
        return None
    try:
        told = json.loads(line)
        number, ask, described = int(told["number"]), str(told["ask"]), dict(told["with"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckError("what came over the pipe is no question") from error
    return number, ask, {name: _read(value, source) for name, value in described.items()}


def answer(number: int, library: str, values: list[float]) -> bytes:
    """Write an answer as a line; NaN and infinities become null, which is no number either."""
    finite = [value if math.isfinite(value) else None for value in values]
    return _line({"number": number, "library": library, "values": finite})


def failure(number: int, kind: str, message: str) -> bytes:
    """Write that a question could not be answered."""
    return _line({"number": number, "failure": kind, "message": message})


def read_answer(line: bytes, number: int, *, many: int) -> tuple[str, list[float]]:
    """Read the answer to question *number* as the library's label and *many* values, NaN for null.

    Raises:
        CheckError: The line is anything else.
    """
    try:
        told = json.loads(line)
    except ValueError as error:
        raise CheckError("the reference process did not answer in JSON") from error
    if not isinstance(told, dict) or told.get("number") != number:
        raise CheckError("the reference process answered another question")
    if "failure" in told:
        raise CheckError(f"the reference library failed with {str(told['failure'])[:80]}")
    library, values = told.get("library"), told.get("values")
    if not isinstance(library, str) or not isinstance(values, list) or len(values) != many:
        raise CheckError("the reference process answered something else than was asked")
    return library, [_number(value) for value in values]


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckError("the reference process answered something that is no number")
    return float(value)


def _described(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in _TYPES:
        return {"type": value.dtype.kind, "length": len(value)}
    raise CheckError(f"a {type(value).__name__} cannot be asked about")


def _read(value: object, source: BinaryIO) -> str | npt.NDArray[Any]:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or value.keys() != _ARRAY or value["type"] not in tuple(_TYPES):
        raise CheckError("an argument is neither text nor an array")
    length = value["length"]
    if isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise CheckError("an argument is no array")
    data = source.read(_WIDTH * length)
    if len(data) != _WIDTH * length:
        raise CheckError("an argument is cut short")
    return np.frombuffer(data, dtype=_TYPES[value["type"]])


def _line(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, allow_nan=False).encode("ascii") + b"\n"
