"""The folder that an export is written to: made anew, so that no file of before stays in it."""

from __future__ import annotations

from pathlib import Path

from aims_gate.errors import RecordError, UsageError
from aims_gate.operations.aims.exports import Exported
from aims_gate.regular import create


def write(exported: Exported, folder: Path) -> None:
    """Write all files.

    Raises:
        UsageError: (2) There is something in the folder.
        RecordError: (3) It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            hint = "name another with --out, or empty it"
            raise UsageError("there is something in this folder", where=str(folder), hint=hint)
        for path, text in exported.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            create(folder / path, text.encode())
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise RecordError(what, where=str(folder)) from error
