"""Names of files that are safe and one name on every file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from aims_gate.errors import SourceError

MLFLOW_NOTE = "registered_model_meta"
"""MLflow's client writes this file, another for each name and version, over whatever bears its name
at the root of a `models:/` download: so nothing of a model may (`attest.download`)."""
MAX_NAME = 1024
"""Bytes of a path below the model's folder."""
_MAX_PART = 255

_DRIVE = re.compile(r"[A-Za-z]:")
_ENCODED = re.compile(r"%(?:25)*(?:2e|2f|5c|7f|[01][0-9a-f])", re.IGNORECASE)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


def safe_name(name: str) -> PurePosixPath:
    """Accept *name* as a relative path that stays below its folder on every system.

    Raises:
        SourceError: The name is empty, too long, absolute, has `.`, `..` or empty parts, a
            backslash, a control, bidirectional or line-separating character, a lone surrogate, a
            percent-encoded dot, separator or control character, a drive letter, or begins with a
            dash, which `sha256sum` would take for an option.
    """
    if reason := _unsafe(name):
        raise SourceError(
            f"unsafe file name {name!a}: {reason}", hint="rename the file and log the model again"
        )
    return PurePosixPath(name)


def _unsafe(name: str) -> str:
    parts = name.split("/")
    reasons = (
        (not name, "it is empty"),
        (
            any(_unprintable(character) for character in name),
            "a control or not encodable character",
        ),
        (name.startswith("/"), "it is absolute"),
        (any(part in {"", ".", ".."} for part in parts), "an empty part, `.` or `..`"),
        ("\\" in name, "a backslash"),
        (bool(_DRIVE.match(name)), "a drive letter"),
        (name.startswith("-"), "a dash at the beginning"),
        (bool(_ENCODED.search(name)), "a percent-encoded dot, separator or control character"),
        (_bytes(name) > MAX_NAME or any(_bytes(part) > _MAX_PART for part in parts), "too long"),
    )
    return next((reason for wrong, reason in reasons if wrong), "")


def _unprintable(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in _UNPRINTABLE


def _bytes(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


def folded(name: str) -> str:
    """Case-folded and NFD-normalised name: equal where a file system takes two names for one."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def check_names(paths: Iterable[str]) -> None:
    """Refuse unsafe names, and names that are one name where case or Unicode form do not count."""
    spelt: dict[str, str] = {}
    for path in paths:
        safe = safe_name(path)
        for name in (path, *map(str, safe.parents)):
            one = folded(name)
            if one == MLFLOW_NOTE:
                raise SourceError(
                    f"a model may hold nothing by the name {name!a}: MLflow's client writes it",
                    hint="rename it and log the model again; delete it where a download left it",
                )
            if spelt.setdefault(one, name) != name:
                raise SourceError(
                    f"{spelt[one]!a} and {name!a} are one name on some file systems",
                    hint="rename one of them and log the model again",
                )
