"""A version that is to go live, and what is demanded of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aims_gate.attest.trust import Trust
from aims_gate.guard.rows import VersionRow
from aims_gate.registry.served import ServedRegistry
from aims_gate.registry_file import Guarded
from aims_gate.sources.mlflow import evidence as published


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """Where the files of a version are, which never changes."""

    uri: str
    """Artifact URI."""
    at: str
    """The same as a place that is compared and locked."""
    authors: tuple[str, ...]
    """Who made it, as its run says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionState:
    """A version that is to go live, with where its files are and all that a decision rests on."""

    name: str
    version: int
    workspace: str | None
    row: VersionRow
    place: ModelFiles
    files: Any
    """State of the files."""

    @property
    def revoked(self) -> bool:
        """Whether a tag says so; who deletes what it points at takes nothing back."""
        return any(key.startswith(f"{published.REVOKED}.") for key, _value in self.row.tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is to be proven of a version, and by whose word."""

    guarded: Guarded
    trust: Trust
    registry: ServedRegistry
    folder: Path
    """Where the trust file lies, and what counts beside it."""
    servers: tuple[str, ...]
    """Names of this server."""
    aliases: tuple[str, ...]
    """What is to point at the version."""
    stages: tuple[str, ...]
