"""File formats of a model: data in a known format, or something that may execute code.

This is an allow list: a file passes if its structure is that of a known data format, and everything
else is refused by name. A name is a claim, so the bytes count too; where they disagree, the worse
of both counts. Nothing is loaded, unpickled, imported or built, and every read is bounded.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aims_gate import canonical
from aims_gate.checks.integrity.formats import archives, pickles
from aims_gate.checks.integrity.formats.binary import SAVED_MODEL, binary, is_weights
from aims_gate.checks.integrity.formats.classes import configured
from aims_gate.checks.integrity.formats.kinds import (
    PICKLE,
    TORCH,
    UNKNOWN,
    Accepted,
    Denied,
    FoundFormat,
    code,
    data,
    runs,
    together,
    unknown,
)
from aims_gate.checks.integrity.formats.mlmodel import KERAS_MODULES, mlmodel
from aims_gate.checks.integrity.formats.onnx import onnx
from aims_gate.checks.integrity.formats.skops import skops
from aims_gate.checks.integrity.formats.text import text, yaml_text
from aims_gate.checks.integrity.formats.view import View

__all__ = ["Accepted", "Denied", "FoundFormat", "flagged", "look"]

_NAMED = {
    ".cloudpickle": PICKLE | {"cloudpickle"},
    ".joblib": PICKLE | {"joblib"},
    ".pickle": PICKLE,
    ".pkl": PICKLE,
    ".ckpt": TORCH,
    ".pt": TORCH,
    ".pth": TORCH,
}
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".z", ".lzma"})
_CODE = re.compile(
    r"\.(bash|bat|class|dll|dylib|exe|jar|jl|js|lua|ps1|py[cdow]?|r|sh|so(\.\d+)*|whl)"
)
_MOST_JSON = 16 << 20
_DEEPEST = 3
"""Depth of nested archives: skops keeps sparse matrices as archives of their own."""


def flagged(
    folder: Path, paths: tuple[str, ...], deny: frozenset[str], accept: frozenset[str]
) -> Iterator[tuple[str, FoundFormat]]:
    """Files in a denied format, or in no known data format: (path, format)."""
    wrong = deny | ({"code", "unknown"} - accept)
    found = {path: look(folder, path) for path in paths}
    tensors = {
        str(PurePosixPath(path).parent / place)
        for path, (_found, places) in found.items()
        for place in places
    }
    for path, (what, _places) in found.items():
        if what.kinds & wrong and not (path in tensors and what.kinds == UNKNOWN):
            yield path, what


def look(folder: Path, path: str) -> tuple[FoundFormat, frozenset[str]]:
    """Detect the format of a file, and the files beside it that hold its tensors.

    Raises:
        OSError: It cannot be read.
        SourceError: It is an MLmodel file that cannot be read.
    """
    with (folder / path).open("rb") as file:
        if not (folder / path).stat().st_size:
            return _named(path) or data("empty"), frozenset()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            view = View(content, 0, len(content))
            model = onnx(view)
            if model is not None and not model[0].kinds and _named(path) is None:
                return model
            return _look(view, path, 0), frozenset()


def _look(view: View, path: str, depth: int) -> FoundFormat:
    claimed, inside = _named(path), _inside(view, path, depth)
    return inside if claimed is None else together((claimed, inside))


def _named(path: str) -> FoundFormat | None:
    """Format by the file name, where the name stands for more than data."""
    name = PurePosixPath(path.lower())
    if name.suffix in _COMPRESSED:
        name = name.with_suffix("")
    if _CODE.fullmatch(name.suffix):
        return code()
    if name.name == "data.pkl":  # what PyTorch calls it in its archives
        return runs(TORCH)
    return runs(_NAMED[name.suffix]) if name.suffix in _NAMED else None


def _inside(view: View, path: str, depth: int) -> FoundFormat:
    """Format by the content, whatever the name."""
    if kinds := pickles.pickled(view):
        return runs(kinds)
    found = _by_name(view, PurePosixPath(path).name)
    if found is None and view.read(0, 4) == archives.ZIP:
        return _archive(view, depth)
    found = found or binary(view)
    if found is None and (stream := archives.unpacked(view)) is not None:
        return _stream(stream, path, depth)
    found = found or text(view) or _none(view)
    if not found.kinds and archives.hides_archive(view):
        return unknown(f"{found.why} with an archive at its end")
    return found


def _by_name(view: View, name: str) -> FoundFormat | None:
    """Format of text, where the file name says which program reads it."""
    if name == "MLmodel":
        return mlmodel(view.read(0, len(view)))
    if (
        name == "keras_module.txt"
        and view.read(0, 64).strip().decode(errors="replace") not in KERAS_MODULES
    ):
        return code("keras_module.txt names a module that is not Keras")
    if name.endswith(".weights.h5") and is_weights(view):
        return data("HDF5")
    if name == "saved_model.pb":
        return unknown(SAVED_MODEL)
    return yaml_text(view) if name.lower().endswith((".yaml", ".yml")) else configured(view, name)


def _none(view: View) -> FoundFormat:
    if pickles.begins(view):
        return runs(pickles.named(view))
    return unknown("its bytes are of none that is known to be data")


def _stream(content: bytes, path: str, depth: int) -> FoundFormat:
    if kinds := pickles.pickled(View.of(content)):
        return runs(kinds)
    if depth >= _DEEPEST or len(content) > archives.MOST_UNPACKED:
        return unknown("a compressed file of more than 64 MiB, or within too many others")
    return _look(View.of(content), str(PurePosixPath(path).with_suffix("")), depth + 1)


def _archive(view: View, depth: int) -> FoundFormat:
    """Judge an archive by all of its members, and by what their names make of them."""
    if depth >= _DEEPEST:
        return unknown("an archive within too many others")
    try:
        found = [_member(name, member, depth + 1) for name, member in archives.members(view)]
    except archives.UnreadableError as error:
        return unknown(str(error))
    if not found:
        return unknown("an empty archive")
    wrong = together(found)
    return wrong if wrong.kinds else data("archive of data")


def _member(name: str, member: View, depth: int) -> FoundFormat:
    if name == "model.ini":
        return unknown("a MOJO of H2O, which is not looked into")
    if name != "schema.json":
        return _look(member, name, depth)
    if len(member) > _MOST_JSON:
        return unknown(f"{name} of more than 16 MiB")
    try:
        return skops(canonical.parse(member.read(0, _MOST_JSON)))
    except ValueError:
        return unknown(f"{name} is not JSON that can be read")
