"""Hugging Face: the card of each system as the README of its model repository.

The card of the records is such a card already. What goes over is what the hub reads and what people
wrote; owner, dates and marks of the records stay here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.governance.contract import RecordDocument
from aims_gate.governance.fields import RecordKeys
from aims_gate.governance.markdown import split
from aims_gate.governance.system_grammar import CardText
from aims_gate.operations.aims.docs import CARD
from aims_gate.operations.aims.exports import Exported, system_folder
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.survey import Survey
from aims_gate.policy.resolved_yaml import inline
from aims_gate.regular import read_regular

_MOST = 1 << 20
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)\n?", re.DOTALL)
KEYS = tuple(
    field.alias or name
    for name, field in CardText.model_fields.items()
    if name not in RecordKeys.model_fields
)
"""Keys of a card that the hub reads, and those by which its numbers are found again."""


def export(rows: Sequence[GapRow], found: Survey) -> Exported:
    """A README for each card that is whole; of any other, why it is not there."""
    del rows  # by system, and not by requirement
    files: dict[str, str] = {}
    left_out: list[str] = []
    for place, system in enumerate(found.systems, 1):
        for card in system.records.of("card"):
            text = _text(system.folder / CARD, card)
            if card.problems or text is None:
                why = card.problems[0] if card.problems else f"{card.path}: changed meanwhile"
                left_out.append(f"{system.id}: {why}")
            else:
                files[f"{system_folder(place, system)}/README.md"] = _readme(card.values, text)
    return Exported(files=files, left_out=tuple(left_out))


def _text(path: Path, card: RecordDocument) -> str | None:
    """The bytes that the record was read from, and no others."""
    try:
        data = read_regular(path, _MOST)
    except OSError:
        return None
    return data.decode() if canonical.sha256(data) == card.digest else None


def _readme(values: Mapping[str, Any], text: str) -> str:
    front = [f"{key}: {inline(_thawed(values[key]))}" for key in KEYS if key in values]
    body = _COMMENT.sub("", split(text)[1]).strip()
    return "\n".join(["---", *front, "---", "", body, ""])


def _thawed(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _thawed(value) for key, value in tree.items()}
    return [_thawed(one) for one in tree] if isinstance(tree, list | tuple) else tree
