"""Validation errors as messages for the person who wrote the document."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from aims_gate.documents.keys import REFUSED, describe
from aims_gate.documents.strict_yaml import Document, Path
from aims_gate.errors import Problem, near

_MUST_BE = {
    "dict_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "list_type": "must be a list",
}
_NO_VALUE = "write it or leave the key out"

Later = Mapping[tuple[type[BaseModel], str], str]
"""Keys that a later version will read, with what to do until then."""


def problems(
    document: Document, error: ValidationError, model: type[BaseModel], later: Later
) -> Iterator[Problem]:
    """Turn the errors of *model* into problems, each at its line."""
    for detail in error.errors(include_url=False):
        yield problem(document, detail, model, later)


def problem(document: Document, detail: Any, model: type[BaseModel], later: Later) -> Problem:
    """Turn one of the errors of *model* into a problem at its line."""
    path = path_of(detail)
    if detail["type"] == "extra_forbidden":
        what, hint = _unknown(document.tree, path, model, later)
    else:
        what, hint = _words(document.tree, path, detail)
    return Problem(file=document.file, line=document.line(path), what=what, hint=hint)


def path_of(detail: Any) -> Path:
    """Path in the tree of what an error is about."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def id_at(tree: Any, section: str | int, index: str | int) -> str | None:
    """Id of an item of a list in an unchecked tree; None if there is no text."""
    try:
        name = tree[section][index]["id"]
    except (KeyError, IndexError, TypeError):
        return None
    return name if isinstance(name, str) and name else None


def place(tree: Any, path: Path) -> str:
    """Name the place of *path* as a person would: `PERF-01: require.at_least`, `metadata.id`."""
    prefix, rest = "", path
    named = len(path) > 1 and isinstance(path[1], int)
    name = id_at(tree, path[0], path[1]) if named else None
    if name and " " not in name:  # a sentence there is no id yet
        if len(path) == 2:
            return name
        prefix, rest = f"{name}: ", path[2:]
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    return f"{prefix}{dotted.lstrip('.')}" or "the file"


def _words(tree: Any, path: Path, detail: Any) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"{place(tree, path[:-1])} lacks {path[-1]!r}", "add it"
    if detail["input"] is None:
        return f"{place(tree, path)} has no value", _NO_VALUE
    if kind == REFUSED:
        return f"{place(tree, path)} {detail['msg']}", context.get("hint", "")
    if kind in _MUST_BE:
        return f"{place(tree, path)} {_MUST_BE[kind]}, not {describe(detail['input'])}", ""
    return f"{place(tree, path)}: {detail['msg'].lower()}", ""


def _unknown(tree: Any, path: Path, root: type[BaseModel], later: Later) -> tuple[str, str]:
    *parents, key = path
    model = _model_at(root, tuple(parents))
    where = f" in {place(tree, tuple(parents))}" if parents else ""
    if (model, key) in later:
        return f"this version does not read the key {key!r}{where}", later[model, str(key)]
    known = [info.alias or name for name, info in model.model_fields.items()]
    if str(key).isdecimal():  # {at_least: 0,80} has a key 80
        return f"unknown key {key!r}{where}", "a decimal comma ends a number here; write 0.80"
    if " " in str(key):  # {why: late, and wrong} has a key 'and wrong'
        hint = "a text with a comma, a colon or a # stands in quotation marks"
        return f"unknown key {key!r}{where}", hint
    return f"unknown key {key!r}{where}", near(str(key), known)


def _model_at(root: type[BaseModel], path: Path) -> type[BaseModel]:
    """Find the model that describes the mapping at *path*."""
    model = root
    for part in path:
        if isinstance(part, int):
            continue
        fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
        model = next(_models_in(fields.get(part)), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_in(inner)
