"""Normal form of places in the artifact store, so that two spellings of one place are compared.

A place is the sequence of names from the root on: scheme, host, folders. Names are case-folded and
in one Unicode form, as some file systems do not tell them apart: two places may be taken for one,
and never one for two.
"""

from __future__ import annotations

import os
import posixpath
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote, urlsplit

Place = tuple[str, ...]

_PROXY = "/mlflow-artifacts/artifacts/"
_ROUNDS = 8
_LOCAL = frozenset({"", "file"})


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one of two places is the other, or lies below it."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


@lru_cache(maxsize=1 << 16)
def place(uri: str, destination: str) -> Place:
    """Write the place that an artifact URI names.

    Args:
        uri: Of any store; `mlflow-artifacts:` and its routes of whatever host are this server's.
        destination: Where this server keeps what it proxies.
    """
    parts = urlsplit(uri)
    if parts.scheme == "mlflow-artifacts":
        return below(place(destination, ""), parts.path)
    if parts.scheme in {"http", "https"} and _PROXY in parts.path:
        return below(place(destination, ""), parts.path.partition(_PROXY)[2])
    if parts.scheme in _LOCAL:
        path = os.path.realpath(unquote(parts.path) if parts.scheme else uri)
        return ("file", "", *_names(path))
    return (parts.scheme, parts.netloc.rpartition("@")[2].casefold(), *_names(parts.path))


def below(root: Place, path: str) -> Place:
    """Write the place of a path below another place, which it may not climb out of."""
    return (*root, *_names(posixpath.normpath(f"/{path}")))


def spellings(path: str) -> list[str]:
    """A path as it stands, and as whoever decodes it once or more often reads it."""
    found = [path]
    while len(found) < _ROUNDS and (plain := unquote(found[-1])) != found[-1]:
        found.append(plain)
    return found


def _names(path: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
    return [name for name in folded.split("/") if name not in {"", "."}]
