"""Files of a workflow step: its outputs and its summary, in the formats that the runner reads."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from aims_gate.errors import RecordError

SUMMARY = 900 << 10
"""Bytes of a summary; one of more than 1 MiB is not shown at all."""


def write_outputs(
    path: Path, outputs: Mapping[str, str], token: Callable[[], str] = secrets.token_hex
) -> None:
    """Append outputs, each between two lines of a random delimiter that nobody can guess.

    RecordError if a value contains its delimiter, or the file cannot be written: then the steps
    that follow would take nothing for an answer.
    """
    text = ""
    for name, value in outputs.items():
        delimiter = f"aims-gate-{token()}"
        if delimiter in value:
            raise RecordError("an output contains its delimiter", where=name)
        text += f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
    _append(path, text, "outputs")


def room(path: Path) -> int:
    """Bytes of the summary that are left beside what the step wrote before."""
    try:
        return SUMMARY - path.stat().st_size
    except OSError:
        return SUMMARY


def write_summary(path: Path, text: str) -> None:
    """Append to the step's summary; RecordError if it cannot be written."""
    _append(path, text, "summary")


def folder_in(root: str) -> str:
    """The working directory below *root*, with a slash at its end; empty where it is not below.

    Annotations name files from the repository's root.
    """
    here = Path.cwd().resolve()
    if not root or not here.is_relative_to(Path(root).resolve()):
        return ""
    below = here.relative_to(Path(root).resolve()).as_posix()
    return "" if below == "." else f"{below}/"


def _append(path: Path, text: str, what: str) -> None:
    try:
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        told = f"the {what} of the step could not be written: {error.strerror}"
        raise RecordError(told, where=str(path)) from error
