"""Parse one policy file into a layer: what it states, key by key, each with its line.

A layer is not yet a policy: a child states only what it adds or tightens. `resolve` lays layers
over each other and builds the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from aims_gate.documents.messages import id_at
from aims_gate.documents.strict_yaml import Document, Path, parse
from aims_gate.errors import PolicyError, Problem
from aims_gate.policy.grammar import POLICY, PolicyText
from aims_gate.policy.model import Place, Role

_NESTED = frozenset(
    {
        *("metadata", "applies_to", "sources", "data", "require", "with", "baseline"),
        *("waivers", "records"),
        *(f"data.{role}" for role in Role),
    }
)
"""Mappings whose keys are stated and inherited one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What was written about one thing, by dotted key such as `require.at_least`."""

    values: Mapping[str, Any]
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    origin: str = ""
    """The file or pack that stated it."""

    def at(self, key: str) -> Place:
        """Location of *key*, else of the nearest key above it, else of the whole."""
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A policy that a file extends."""

    uri: str
    """`pack:NAME@VERSION`, `file:PATH` or `git+https:…`, as written."""
    place: Place
    sha256: str | None = None
    """The digest of its bytes; None for packs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one file states. Rules, tests and roles of data with problems are left out of it."""

    file: str
    head: Stated
    """Everything but `extends`, `rules` and `tests`."""
    rules: Mapping[str, Stated] = field(default_factory=dict)
    tests: tuple[Stated, ...] = ()
    parents: tuple[Parent, ...] = ()
    names: frozenset[str] = frozenset()
    """Ids of all its rules, those with problems included."""


def read(data: bytes, file: str) -> tuple[Layer | None, tuple[Problem, ...]]:
    """Read one policy file, called *file* in messages.

    The layer is None if not even its head could be read. Whoever gets problems must refuse; the
    layer is there beside them so that later stages can find more in the same run.
    """
    try:
        document = parse(data, file)
    except PolicyError as error:
        return None, error.problems
    if not isinstance(document.tree, dict):
        what = "a policy is a mapping of keys"
        hint = "begin with apiVersion: aims-gate/v1"
        return None, (Problem(file=file, line=1, what=what, hint=hint),)
    found = list(_duplicates(document))
    tree, lost = document.tree, set[tuple[Any, ...]]()
    try:
        PolicyText.model_validate(tree)
    except ValidationError as error:
        found += POLICY.problems(document, error)
        lost = {detail["loc"][:2] for detail in _details(error)}
    unknown = {loc[0] for loc in lost if len(loc) == 1 and loc[0] not in PolicyText.model_fields}
    kept = _without({key: tree[key] for key in tree if key not in unknown}, lost)
    try:
        model = PolicyText.model_validate(kept)
    except ValidationError:
        return None, tuple(sorted(found))
    return _layer(document, model, lost), tuple(sorted(found))


def _details(error: ValidationError) -> Iterator[Any]:
    return iter(error.errors(include_url=False, include_input=False, include_context=False))


def _without(tree: Mapping[str, Any], lost: set[tuple[Any, ...]]) -> dict[str, Any]:
    """Leave out the rules, tests and roles of data that have problems."""
    kept = dict(tree)
    if isinstance(kept.get("data"), dict):
        kept["data"] = {k: x for k, x in kept["data"].items() if ("data", k) not in lost}
    for name in ("rules", "tests"):
        if isinstance(kept.get(name), list):
            kept[name] = [x for i, x in enumerate(kept[name]) if (name, i) not in lost]
    return kept


def _duplicates(document: Document) -> Iterator[Problem]:
    """Find rule ids, test names and parents that are there twice."""
    named = (("rules", "id"), ("tests", "name"), ("extends", "pack"), ("extends", "uri"))
    for section, key in named:
        items = document.tree.get(section)
        seen: dict[str, int] = {}
        for index, item in enumerate(items if isinstance(items, list) else ()):
            name = item.get(key) if isinstance(item, dict) else None
            if not isinstance(name, str):
                continue
            line = document.line((section, index, key))
            if name in seen:
                what = f"{section}: the {key} {name!r} is there twice"
                hint = f"it is first on line {seen[name]}"
                yield Problem(file=document.file, line=line, what=what, hint=hint)
            seen.setdefault(name, line)


def _layer(document: Document, model: PolicyText, lost: set[tuple[str, int]]) -> Layer:
    stated = model.model_dump(by_alias=True, exclude_unset=True)
    rules, tests = stated.pop("rules", []), stated.pop("tests", [])
    parents = stated.pop("extends", [])
    tree, file, places = document.tree, document.file, _places(document)
    named: dict[str, Stated] = {}
    for position, rule in zip(_positions(tree, "rules", lost), rules, strict=True):
        # of two rules with one id, which is a problem already, the first is kept
        named.setdefault(rule.pop("id"), _stated(places, ("rules", position), rule, file))
    return Layer(
        file=file,
        head=_stated(places, (), stated, file),
        rules=named,
        tests=tuple(
            _stated(places, ("tests", position), test, file)
            for position, test in zip(_positions(tree, "tests", lost), tests, strict=True)
        ),
        parents=tuple(
            _parent(parent, _place(document, ("extends", index, next(iter(parent)))))
            for index, parent in enumerate(parents)
        ),
        names=frozenset(
            name for i in range(len(tree.get("rules", ()))) if (name := id_at(tree, "rules", i))
        ),
    )


def _positions(tree: Mapping[str, Any], section: str, lost: set[tuple[str, int]]) -> list[int]:
    return [i for i in range(len(tree.get(section, ()))) if (section, i) not in lost]


def _stated(places: Mapping[Path, Mapping[str, Place]], root: Path, tree: Any, file: str) -> Stated:
    found = places.get(root, {})
    at = found.get("", Place(file=file, line=1))
    return Stated(values=dict(_flat(tree)), place=at, places=found, origin=file)


def _places(document: Document) -> dict[Path, dict[str, Place]]:
    """Line numbers of the head, of each rule and of each test, by dotted key."""
    found: dict[Path, dict[str, Place]] = {}
    for path, line in document.lines.items():
        size = 2 if path[:1] in {("rules",), ("tests",)} and len(path) > 1 else 0
        key = ".".join(map(str, path[size:]))
        found.setdefault(path[:size], {})[key] = Place(file=document.file, line=line)
    return found


def _parent(stated: Mapping[str, str], place: Place) -> Parent:
    uri = f"pack:{stated['pack']}" if "pack" in stated else stated["uri"]
    return Parent(uri=uri, sha256=stated.get("sha256"), place=place)


def _place(document: Document, path: Path) -> Place:
    return Place(file=document.file, line=document.line(path))


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = above + key
        # an empty `require:` is kept, so that `consistency` can refuse it
        if name in _NESTED and isinstance(value, dict) and (value or name != "require"):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
