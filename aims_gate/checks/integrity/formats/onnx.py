"""ONNX: its protocol buffers are walked, nothing is built from them.

A model is data where every operator is of a domain that runtimes bring along; another one comes
from a library that whoever serves the model must load.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from aims_gate.checks.integrity.formats.kinds import FoundFormat, data, unknown
from aims_gate.checks.integrity.formats.view import View

_MOST = 2_000_000
_DEEPEST = 32
_KNOWN = frozenset(
    {
        "",
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview.training",
        "com.microsoft",
    }
)
_BELOW = {
    "model": {7: "graph", 8: "opset", 25: "function"},
    "graph": {1: "node", 5: "tensor"},
    "function": {7: "node", 9: "opset"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {13: "entry"},
}
"""Which fields of a message hold which messages, in onnx.proto."""
_DOMAIN = {"opset": 1, "node": 7}
_FUNCTION_DOMAIN = 10
_LOCATION = b"\x0a\x08location\x12"


class _NotOnnxError(Exception):
    """Not these messages."""


@dataclass(slots=True)
class _OnnxModel:
    domains: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    """Domains of functions that the model itself defines."""
    places: set[str] = field(default_factory=set)
    """Files beside the model that hold its tensors."""
    seen: set[tuple[str, int]] = field(default_factory=set)
    steps: int = 0


def onnx(view: View) -> tuple[FoundFormat, frozenset[str]] | None:
    """Recognise an ONNX model; give it with the files that hold its tensors; None if it is none."""
    if view.read(0, 1) != b"\x08":  # the version of the format, which every writer puts first
        return None
    model = _OnnxModel()
    try:
        _walk(view, "model", model, 0)
    except _NotOnnxError:
        return None
    if not {("model", 1), ("model", 7), ("model", 8)} <= model.seen:
        return None
    foreign = sorted(model.domains - _KNOWN - model.own)
    if foreign:
        names = ", ".join(f"{name[:80]!a}" for name in foreign[:3])
        return unknown(f"ONNX with operators of {names}"), frozenset()
    return data("ONNX"), frozenset(model.places)


def _walk(view: View, message: str, model: _OnnxModel, depth: int) -> None:
    if depth > _DEEPEST:
        raise _NotOnnxError
    for number, part in _fields(view, model):
        model.seen.add((message, number))
        if part is None:
            continue
        if number == _DOMAIN.get(message):
            model.domains.add(_text(part))
        elif (message, number) == ("function", _FUNCTION_DOMAIN):
            model.own.add(_text(part))
        below = _BELOW.get(message, {}).get(number)
        if below == "entry":
            model.places |= _place(part)
        elif below is not None:
            _walk(part, below, model, depth + 1)


def _fields(view: View, model: _OnnxModel) -> Iterator[tuple[int, View | None]]:
    """Protocol buffer fields: number, and the bytes of a length-delimited field."""
    at = 0
    while at < len(view):
        model.steps += 1
        if model.steps > _MOST:
            raise _NotOnnxError
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        part = None
        if wire == 0:
            _value, at = _varint(view, at)
        elif wire in {1, 5}:
            at += 8 if wire == 1 else 4
        elif wire == 2:
            size, at = _varint(view, at)
            part = view.part(at, size)
            at += size
        else:
            raise _NotOnnxError
        if at > len(view) or not number:
            raise _NotOnnxError
        yield number, part


def _varint(view: View, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(view.read(at, 10)):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise _NotOnnxError


def _text(view: View) -> str:
    return view.read(0, 256).decode("utf-8", "replace")


def _place(entry: View) -> set[str]:
    """File that an entry of `external_data` names; empty if it names none."""
    found = entry.read(0, 4096)
    if not found.startswith(_LOCATION):
        return set()
    length, at = _varint(View.of(found), len(_LOCATION))
    return {found[at : at + length].decode("utf-8", "replace")}
