"""Defaults of the command line from `[tool.aims-gate]` of a pyproject.toml.

Whoever may change that file in a pull request may change these. So it can name things and never
silently weaken the gate: unknown keys are refused; what is used is written to standard error; the
command line takes precedence; it cannot ask for unsigned evidence, hold key material, lead out of
its own folder, or replace data that the policy names.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aims_gate.errors import PolicyError, Problem, UsageError
from aims_gate.operations.defaults_keys import TABLE, SettingPlace, line_of, lines_of, value_of
from aims_gate.policy.model import Role
from aims_gate.regular import itself, read_regular

NAME = "pyproject.toml"
MAX_BYTES = 1_000_000
_LINE = re.compile(r"at line ([0-9]+)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Defaults of a repository; paths are relative to the working directory."""

    file: str = ""
    """The pyproject.toml as it is shown to people; empty if nothing was found."""
    policy: str | None = None
    model: str | None = None
    stage: str | None = None
    key: str | None = None
    trust: str | None = None
    verifier_id: str | None = None
    out: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, str] = field(default_factory=dict)
    no_publish: bool = False
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each dotted key, for messages."""

    def problem(self, key: str, what: str, hint: str = "") -> Problem:
        """A problem at the line of *key*, or of the nearest key above it."""
        return Problem(file=self.file, line=line_of(self.lines, key), what=what, hint=hint)


@dataclass(slots=True, kw_only=True)
class Chosen:
    """Fills options that were not given, and records which came from the file."""

    defaults: Defaults
    used: dict[str, object] = field(default_factory=dict)

    def value(self, name: str, given: T | None) -> T | None:
        """Value of an option: as *given*, else from the file, else None."""
        found = getattr(self.defaults, name)
        if given is not None or not found:
            return given
        self.used[name.replace("_", "-")] = found
        return found  # type: ignore[no-any-return]  # the field's type is the option's

    def pairs(self, name: str, given: Mapping[str, str]) -> dict[str, str]:
        """Merged mapping of an option: the file's pairs, overridden key by key by *given*."""
        found: Mapping[str, str] = getattr(self.defaults, name)
        taken = {key: value for key, value in found.items() if key not in given}
        self.used |= {f"{name}.{key}": value for key, value in taken.items()}
        return {**taken, **given}

    def told(self) -> str:
        """Say in one line which file was used and for what; empty if it was not."""
        if not self.used:
            return ""
        parts = ", ".join(f"{name} = {_shown(value)}" for name, value in self.used.items())
        return f"defaults of {self.defaults.file} [{TABLE}]: {parts}"


def load(start: Path, at: Callable[[Path], Path] = itself) -> Defaults:
    """Read the defaults for the working directory *start*; *at* says where a file is read.

    The nearest pyproject.toml with a table `[tool.aims-gate]` counts, from *start* up to the root
    of its git repository. Outside a repository only *start* itself is looked at: what lies above
    may belong to anybody.

    Raises:
        PolicyError: (2) such a file cannot be read, or says something that is not known; with
            every problem, each with its line.
    """
    for folder in _folders(start):
        path = at(folder / NAME)
        if not path.is_file():
            continue
        shown = os.path.relpath(folder / NAME, start)
        text, tree = _read(path, shown)
        tool = tree.get("tool", {})
        if isinstance(tool, dict) and "aims-gate" in tool:
            return _defaults(
                tool["aims-gate"], text, SettingPlace(folder=folder, start=start), shown
            )
    return Defaults()


def refuse_displaced(
    defaults: Defaults, used: Mapping[str, object], named: Mapping[Role, str]
) -> None:
    """Refuse data of the file for a role whose data the policy itself names.

    Args:
        defaults: What the file says.
        used: Keys of it that the command line left in force.
        named: Per role the `source` that the policy states.

    Raises:
        PolicyError: (2) a role is in both. Only the command line may take the policy's place.
    """
    found = [
        defaults.problem(
            f"data.{role}",
            f"data.{role}: the policy says where these data come from ({source})",
            "take the line out; on the command line --data may replace them",
        )
        for role, source in named.items()
        if f"data.{role}" in used
    ]
    if found:
        raise PolicyError(found)


def _folders(start: Path) -> Iterator[Path]:
    """Folders from *start* up to the repository's root; outside a repository *start* alone."""
    upward = [start, *start.parents]
    root = next((number for number, folder in enumerate(upward) if _is_root(folder)), 0)
    yield from upward[: root + 1]


def _is_root(folder: Path) -> bool:
    return (folder / ".git").exists()  # a folder, or a file in work trees and submodules


def _read(path: Path, shown: str) -> tuple[str, dict[str, Any]]:
    def refuse(line: int, what: str, hint: str = "") -> PolicyError:
        return PolicyError([Problem(file=shown, line=line, what=what, hint=hint)])

    try:
        content = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise refuse(0, f"cannot be read: {error.strerror}", "--no-defaults leaves it") from error
    if len(content) > MAX_BYTES:
        raise refuse(0, f"has more than {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise refuse(content.count(b"\n", 0, error.start) + 1, "is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        line = _LINE.search(str(error))
        raise refuse(
            int(line[1]) if line else 0, "is not TOML", "--no-defaults leaves it"
        ) from error


def _defaults(table: object, text: str, place: SettingPlace, shown: str) -> Defaults:
    lines = dict(lines_of(text))
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    entries = table if isinstance(table, dict) else {"": table}
    for key, value in entries.items():
        try:
            values[key.replace("-", "_")] = value_of(key, value, place)
        except UsageError as error:
            what = f"{f'{TABLE}.{key}'.rstrip('.')}: {error.what}"
            line = line_of(lines, key if not error.where else f"{key}.{error.where}")
            problems.append(Problem(file=shown, line=line, what=what, hint=error.hint))
    if problems:
        raise PolicyError(problems)
    return Defaults(file=shown, lines=lines, **values)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
