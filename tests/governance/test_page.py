"""docs/records.md names each key of each kind of record, and marks those that may be left out."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from aims_gate.governance.entry_grammar import ASKED
from aims_gate.governance.kinds import KINDS, WRITTEN

PAGE = (Path(__file__).parents[2] / "docs" / "records.md").read_text(encoding="utf-8")
EVERY = PAGE.partition("## Of each system")[0]
ROWS = {row.split("`")[1]: row for row in PAGE.splitlines() if row.startswith("| `")}
LOG = PAGE.partition("## The log")[2]


def keys(model: type[BaseModel]) -> Iterator[tuple[str, bool]]:
    """Each key of a model and of those in it, and whether it must be there."""
    for name, info in model.model_fields.items():
        yield info.alias or name, info.is_required()
        for inner in models(info.annotation):
            yield from keys(inner)


def models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from models(inner)


@pytest.mark.parametrize("kind", sorted(WRITTEN))
def test_every_key_is_on_the_page(kind: str) -> None:
    text = EVERY + ROWS[kind] if kind in KINDS else LOG
    for name, required in keys(WRITTEN[kind].keys):
        marks = set(re.findall(rf"`{re.escape(name)}`(\\\*)?", text))
        assert marks, f"{kind}: {name} is not on the page"
        assert required or kind not in KINDS or marks == {"\\*"} or name in EVERY, name


def test_every_type_of_entry_is_on_the_page_with_what_it_asks_for() -> None:
    for name, asked in ASKED.items():
        (row,) = (one for one in LOG.splitlines() if one.startswith("| `") and f"`{name}`" in one)
        assert all(f"`{key}`" in row for key in asked), name
