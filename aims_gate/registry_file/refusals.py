"""The guard's journal: a line of JSON for each refusal, and for each that is only observed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LET_THROUGH = "not proven, and let through"
"""How the reason begins where a signed exception took the place of evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A write that the guard refused, or would have."""

    at: str
    enforced: bool
    what: str
    why: str


def to_alias(alias: str, name: str, version: object) -> str:
    """How the journal calls the move of an alias to a version."""
    return f"alias {alias!a} on version {version} of {name!a}"


def to_stage(stage: str, name: str, version: object) -> str:
    """How the journal calls the move of a version to one of MLflow's stages."""
    return f"stage {stage} for version {version} of {name!a}"


def beside(registry_file: Path) -> Path:
    """The journal of the server that follows a registry file."""
    return registry_file.with_name(f"{registry_file.name}.refusals.jsonl")


def lines(registry_file: Path) -> Iterator[Refusal]:
    """Every line that can be read; nothing where there is no journal."""
    try:
        text = beside(registry_file).read_text("utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            said = json.loads(line)
            yield Refusal(
                at=str(said["at"]),
                enforced=said["enforced"] is True,
                what=str(said["what"]),
                why=str(said["why"]),
            )
        except (ValueError, KeyError, TypeError):
            continue
