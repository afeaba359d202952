"""What goes over the pipes: one JSON object a line, arrays as base64 of little-endian numbers.

Nothing that could be code is read: no pickle, no names that are looked up.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from aims_gate.errors import CheckError

_TYPES = {"f": "<f8", "i": "<i8"}
_ARRAY = frozenset({"type", "base64"})


def question(number: int, ask: str, arguments: Mapping[str, object]) -> bytes:
    """Write a question as a line; arguments are text or one-dimensional arrays of numbers."""
    told = {name: _packed(value) for name, value in arguments.items()}
    return _line({"number": number, "ask": ask, "with": told})


def read_question(line: bytes) -> tuple[int, str, dict[str, Any]]:
    """Read a question: its number, what is asked, and the arguments."""
    told = json.loads(line)
    arguments = {name: _unpacked(value) for name, value in told["with"].items()}
    return int(told["number"]), str(told["ask"]), arguments


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


def _packed(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in _TYPES:
        kind = value.dtype.kind
        data = np.ascontiguousarray(value, dtype=_TYPES[kind]).tobytes()
        return {"type": kind, "base64": base64.b64encode(data).decode("ascii")}
    raise CheckError(f"a {type(value).__name__} cannot be asked about")


def _unpacked(value: object) -> str | npt.NDArray[Any]:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or value.keys() != _ARRAY:
        raise CheckError("an argument is neither text nor an array")
    try:
        data = base64.b64decode(value["base64"], validate=True)
        return np.frombuffer(data, dtype=_TYPES[value["type"]])
    except (binascii.Error, KeyError, TypeError, ValueError) as error:
        raise CheckError("an argument is no array") from error


def _line(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, allow_nan=False).encode("ascii") + b"\n"
