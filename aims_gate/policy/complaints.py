"""What the grammar refuses, in words for the person who wrote the policy."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from aims_gate.errors import Problem, near
from aims_gate.policy.grammar import LATER, PolicyText
from aims_gate.policy.scalars import describe
from aims_gate.policy.text import Document, Path

_MUST_BE = {
    "dict_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "list_type": "must be a list",
}
_NO_VALUE = "write it or leave the key out"


def complaints(document: Document, error: ValidationError) -> Iterator[Problem]:
    """Turn the errors of `PolicyText` into problems, each at its line."""
    for detail in error.errors(include_url=False):
        path: Path = tuple(part for part in detail["loc"] if part != "[key]")
        what, hint = _words(document.tree, path, detail)
        yield Problem(file=document.file, line=document.line(path), what=what, hint=hint)


def subject(tree: Any, path: Path) -> str:
    """Name the place of *path* as a person would: `PERF-01: require.at_least`, `metadata.id`."""
    prefix, rest = "", path
    if len(path) > 1 and path[0] == "rules" and isinstance(path[1], int):
        name = rule_id(tree, path[1])
        prefix, rest = (f"{name}: ", path[2:]) if name else ("", path)
        if name and not rest:
            return name
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    return f"{prefix}{dotted.lstrip('.')}" or "the policy"


def rule_id(tree: Any, index: int) -> str | None:
    """Give the id of the rule at *index* of a tree of any shape, None if there is no text there."""
    try:
        name = tree["rules"][index]["id"]
    except (KeyError, IndexError, TypeError):
        return None
    return name if isinstance(name, str) and name else None


def _words(tree: Any, path: Path, detail: Any) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"{subject(tree, path[:-1])} lacks {path[-1]!r}", "add it"
    if kind == "extra_forbidden":
        return _unknown(tree, path)
    if detail["input"] is None:
        return f"{subject(tree, path)} has no value", _NO_VALUE
    if kind == "policy":
        return f"{subject(tree, path)} {detail['msg']}", context.get("hint", "")
    if kind in _MUST_BE:
        return f"{subject(tree, path)} {_MUST_BE[kind]}, not {describe(detail['input'])}", ""
    return f"{subject(tree, path)}: {detail['msg'].lower()}", ""


def _unknown(tree: Any, path: Path) -> tuple[str, str]:
    *parents, key = path
    model = _model_at(tuple(parents))
    where = f" in {subject(tree, tuple(parents))}" if parents else ""
    if (model, key) in LATER:
        return f"this version does not read the key {key!r}{where}", LATER[model, str(key)]
    known = [info.alias or name for name, info in model.model_fields.items()]
    return f"unknown key {key!r}{where}", near(str(key), known)


def _model_at(path: Path) -> type[BaseModel]:
    """Find the model that describes the mapping at *path*."""
    model: type[BaseModel] = PolicyText
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
