"""Draft of a model card from another's, as the hub has it: claims of strangers, and no evidence.

What a tool drafted counts for nothing before a person acts on it. Keys that `aims docs build` owns,
numbers among them, stand between its marks, so that what a gate measured takes their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aims_gate.documents.strict_yaml import parse
from aims_gate.errors import UsageError
from aims_gate.governance.fields import RecordKeys
from aims_gate.governance.generated import with_generated
from aims_gate.governance.markdown import split
from aims_gate.governance.system_grammar import GENERATED, CardText
from aims_gate.harmless import plain
from aims_gate.operations.aims.filled import filled
from aims_gate.policy.resolved_yaml import inline
from aims_gate.regular import read_regular

_MOST = 1 << 20
_OURS = frozenset({*RecordKeys.model_fields, "model_digest", "model_version"})
"""What a record says of itself and of the bytes that were judged, and no stranger for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCard:
    """A draft, and what of the card did not go into it."""

    text: str
    left_out: tuple[str, ...]


def draft(readme: Path, *, system: str, owner: str, today: date) -> ForeignCard:
    """Draft the card of *system* from the front matter of a README.

    Raises:
        UsageError: It cannot be read, or has no front matter; PolicyError for one that is no YAML
            that a record could hold.
    """
    try:
        text = read_regular(readme, _MOST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read as text: {error}", where=str(readme)) from error
    front, _body = split(text)
    tree = None if front is None else parse(front.encode(), readme.name).tree
    if not isinstance(tree, dict):
        hint = "download the model's README.md from the hub as it is"
        raise UsageError(
            "has no front matter between two lines of ---", where=str(readme), hint=hint
        )
    found = {key: value for key, value in tree.items() if _fits(key, value)}
    mine = {key: value for key, value in found.items() if key not in GENERATED}
    keys = {**mine, **({"owner": owner} if owner else {})}
    card = filled("card", marks={"system": system, "today": f"{today:%Y-%m-%d}"}, keys=keys)
    lines = [f"{key}: {inline(value)}" for key, value in found.items() if key in GENERATED]
    return ForeignCard(
        text=with_generated(card, front=lines, body=()), left_out=tuple(_others(tree, found))
    )


def _fits(key: object, value: Any) -> bool:
    """Whether a card of ours has such a key, with such a value."""
    if not isinstance(key, str) or key in _OURS:
        return False
    like = {"kind": "card", "id": "a/card", "owner": "a@b.example", "effective": "2026-01-01"}
    try:
        CardText.model_validate({**like, key: value})
    except ValidationError:
        return False
    return True


def _others(tree: Mapping[Any, Any], found: Mapping[str, Any]) -> Iterator[str]:
    yield from (plain(str(key)) for key in tree if key not in found)
    yield "its text: people write how it decides, its limits and how to use it"
