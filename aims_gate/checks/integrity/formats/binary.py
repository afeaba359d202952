"""Binary data formats, recognised by magic bytes and verified by their structure."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from math import prod

import numpy as np

from aims_gate import canonical
from aims_gate.checks.integrity.formats.kinds import PICKLE, FoundFormat, data, runs, unknown
from aims_gate.checks.integrity.formats.ubjson import is_ubjson
from aims_gate.checks.integrity.formats.view import View

_MOST_HEADER = 16 << 20
_MOST_NPY = 1 << 16
_NPY_VERSIONS = {b"\x01\x00", b"\x02\x00", b"\x03\x00"}
SAVED_MODEL = (
    "TensorFlow's SavedModel, a graph that may read and write files; save Keras models as .keras"
)
_UNSEEN = {
    (0, b"GGUF"): "GGUF, which is not looked into; keep the weights as safetensors",
    (4, b"TFL3"): "TensorFlow Lite, which is not looked into; gate the Keras or ONNX model of it",
    (1, b"\xa5nodes"): "spaCy's weights, which are not looked into",
}
"""Formats that a user may expect here, by a place and the bytes there."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_KERAS = re.compile(rb"model_config|keras_version")


def binary(view: View) -> FoundFormat | None:
    """Recognise data in a binary format; None if it is in none that is known."""
    for magic, look in _LOOKS:
        if view.read(0, len(magic)) == magic:
            return look(view)
    if is_ubjson(view):
        return data("UBJSON")
    if _is_safetensors(view):
        return data("safetensors")
    told = (what for (at, magic), what in _UNSEEN.items() if view.read(at, len(magic)) == magic)
    return next(map(unknown, told), None)


def _npy(view: View) -> FoundFormat:
    wide = view.read(6, 1) != b"\x01"
    begin = 12 if wide else 10
    size = int.from_bytes(view.read(8, begin - 8), "little")
    if view.read(6, 2) not in _NPY_VERSIONS or size > _MOST_NPY:
        return unknown("a NumPy array of no known version")
    try:
        header = ast.literal_eval(view.read(begin, size).decode().strip())
        dtype = np.lib.format.descr_to_dtype(header["descr"])
        rows = prod(map(int, header["shape"]))
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError):
        return unknown("a NumPy array whose header cannot be read")
    if dtype.hasobject:
        return runs(PICKLE)
    if begin + size + rows * dtype.itemsize != len(view):
        return unknown("a NumPy array with bytes too many or too few")
    return data("NumPy array")


def _parquet(view: View) -> FoundFormat:
    tail = view.read(len(view) - 8, 8)
    footer = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or footer + 12 > len(view):
        return unknown("Parquet without its end")
    return data("Parquet")


def _arrow(view: View) -> FoundFormat:
    if view.read(len(view) - 6, 6) != b"ARROW1":
        return unknown("Arrow without its end")
    return data("Arrow")


def is_weights(view: View) -> bool:
    """Tell whether a file that has the name of Keras' weights is HDF5 without a model in it."""
    return view.read(0, len(_HDF5)) == _HDF5 and not view.has(_KERAS)


def _hdf5(view: View) -> FoundFormat:
    if view.has(_KERAS):
        return unknown("Keras in HDF5, whose classes are not listed; save it as .keras")
    return unknown("HDF5, which may hold pickles and models; save arrays as .npy or safetensors")


def _catboost(view: View) -> FoundFormat:
    size = int.from_bytes(view.read(4, 4), "little")
    return data("CatBoost") if 0 < size <= len(view) - 8 else unknown("CatBoost without its end")


def _checksums(view: View) -> FoundFormat:
    """Recognise what Hadoop writes beside each file."""
    return data("checksums") if len(view) < 1 << 20 and not len(view) % 4 else unknown("crc")


_LOOKS: tuple[tuple[bytes, Callable[[View], FoundFormat]], ...] = (
    (b"\x93NUMPY", _npy),
    (b"PAR1", _parquet),
    (b"ARROW1", _arrow),
    (_HDF5, _hdf5),
    (b"CBM1", _catboost),
    (b"crc\x00", _checksums),
)


def _is_safetensors(view: View) -> bool:
    """Tell whether a header names each byte of the rest once."""
    size = int.from_bytes(view.read(0, 8), "little")
    if not 2 <= size <= min(len(view) - 8, _MOST_HEADER):
        return False
    try:
        header = canonical.parse(view.read(8, size))
        entries = [value for key, value in header.items() if key != "__metadata__"]
        spans = sorted(tuple(map(int, entry["data_offsets"])) for entry in entries)
        typed = all(isinstance(entry["dtype"], str) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    ends = [0, *(end for _start, end in spans)]
    joined = all(start == before <= end for (start, end), before in zip(spans, ends, strict=False))
    return typed and joined and ends[-1] == len(view) - 8 - size
