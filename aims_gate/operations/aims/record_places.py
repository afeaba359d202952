"""Places of records as a person opens them: several systems keep theirs in folders of one name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def base_of(folders: Iterable[Path]) -> Path:
    """The folder that places are told from: here, or what all share where none lies below here."""
    here, parents = Path.cwd(), [one.absolute().parent for one in folders]
    near = not parents or any(one.is_relative_to(here) for one in parents)
    return here if near else Path(os.path.commonpath(parents))


def told_from(base: Path, folder: Path | None, path: str) -> str:
    """Path of a record from *base*.

    Args:
        base: The folder that places are told from.
        folder: Of the records; None where there is none.
        path: As a record has it, from its folder's own name on; all else stays as it is.
    """
    if folder is None or path.partition("/")[0] != folder.name:
        return path
    return Path(os.path.relpath(folder.absolute().parent / path, base)).as_posix()
