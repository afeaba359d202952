"""What a diagnosis is of, and what one finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    """How a thing is; only `fail` makes the doctor exit 3."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was diagnosed."""

    name: str
    state: State
    what: str
    todo: str = ""
    """What to do next; empty where all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What to diagnose; the environment's values are read and never shown."""

    environ: Mapping[str, str]
    now: datetime
    policy: str
    policy_named: bool = False
    """Whether the caller named this policy; otherwise it may be absent."""
    model: str | None = None
    key: str | None = None
    trust: Path = field(default_factory=lambda: Path("trust.yaml"))
    registry: Path | None = None
    """The registry file; None is where `registry_file.find` looks."""
    defaults: str = ""
    """The file that the defaults came from; empty if there is none."""


Look = Callable[[Setup], Iterator[Finding]]
