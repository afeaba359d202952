"""Normal form of places in the artifact store, so that two spellings of one place are compared.

A place is written `scheme/host/folder/…/`, each name with its slash. Names are case-folded and in
one Unicode form, as some file systems do not tell them apart: two places may be taken for one, and
never one for two.
"""

from __future__ import annotations

import os
import posixpath
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

_PROXY = "/mlflow-artifacts/artifacts/"
_ROUNDS = 8
_LOCAL = frozenset({"", "file"})


def overlap(one: str, other: str) -> bool:
    """Whether one of two places is the other, or lies below it."""
    return one.startswith(other) or other.startswith(one)


@lru_cache(maxsize=1 << 16)
def place(uri: str, destination: str) -> str:
    """Write the place that an artifact URI names.

    Args:
        uri: Of any store; `mlflow-artifacts:` and its routes of whatever host are this server's.
        destination: Where this server keeps what it proxies.
    """
    parts = urlsplit(uri)
    if parts.scheme == "mlflow-artifacts":
        return _proxied(destination, parts.path)
    if parts.scheme in {"http", "https"} and _PROXY in parts.path:
        return _proxied(destination, parts.path.partition(_PROXY)[2])
    if parts.scheme in _LOCAL:
        path = os.path.realpath(unquote(parts.path) if parts.scheme else uri)
        return below("file//", path)
    return below(f"{parts.scheme}/{parts.netloc.rpartition('@')[2].casefold()}/", parts.path)


def _proxied(destination: str, path: str) -> str:
    """Write the place of a path on the proxy as whoever decodes it to its end reads it."""
    return below(place(destination, ""), spellings(path)[-1])


def below(root: str, path: str) -> str:
    """Write the place of a path below another place, which it may not climb out of."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
    names = posixpath.normpath(f"/{folded}").split("/")
    return root + "".join(f"{name}/" for name in names if name)


def spellings(path: str) -> list[str]:
    """A path as it stands, and as whoever decodes it once or more often reads it."""
    found = [path]
    while len(found) < _ROUNDS and (plain := unquote(found[-1])) != found[-1]:
        found.append(plain)
    return found
