"""Exports into other people's tools: a survey becomes files that the tool reads.

An export tells what was found, and concludes nothing: results are for people to set over there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.survey import Survey, SurveyedSystem
from aims_gate.plugin_table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Files by path, and records that could not go into them."""

    files: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    """Each with the reason; nothing is left out in silence."""


EXPORTS: Table[Callable[[Sequence[GapRow], Survey], Exported]] = Table(
    "export",
    {
        "ciso-assistant": "aims_gate.operations.aims.exports.ciso_assistant:export",
        "files": "aims_gate.operations.aims.exports.control_files:export",
        "oscal": "aims_gate.operations.aims.exports.oscal:export",
        "eu-ai-act": "aims_gate.operations.aims.exports.eu_ai_act:export",
        "hugging-face": "aims_gate.operations.aims.exports.hugging_face:export",
    },
)


def system_folder(place: int, system: SurveyedSystem) -> str:
    """Folder of one system's files: no other system has it, however alike their ids are."""
    return f"{place}-{re.sub('[^a-z0-9]+', '-', system.id.lower()).strip('-')[:60]}"
