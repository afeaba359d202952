"""Places outside a run and a policy's folder: URIs of object stores and files, and allow-lists.

A URI is never repaired: one that is not in its normal form already (a `..`, an empty part, a
percent-encoded separator, a query, a user name) is refused, so that what is compared with an
allow-list is letter by letter what is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

SCHEMES = ("s3", "gs", "abfss", "mlflow-artifacts", "file")
"""Schemes of places; data are never read from http(s), ftp or a database that a run names."""

_BUCKET = r"[a-z0-9][a-z0-9._-]{1,221}"
_HOSTS = {
    "s3": _BUCKET,
    "gs": _BUCKET,
    "abfss": r"[a-z0-9$][a-z0-9-]{1,62}@[a-z0-9]{3,24}\.dfs\.core\.windows\.net",
    "mlflow-artifacts": r"([A-Za-z0-9.-]+(:[0-9]{1,5})?)?",
    "file": "",
}
_SHAPES = {
    "s3": "s3://BUCKET/KEY",
    "gs": "gs://BUCKET/KEY",
    "abfss": "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH",
    "mlflow-artifacts": "mlflow-artifacts:/PATH",
    "file": "file:///PATH",
}
_DECODINGS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file or folder by its URI; two places are one exactly if their fields are."""

    scheme: str
    host: str
    """Bucket, container and account, or server; empty for files."""
    path: tuple[str, ...]
    """The parts of the path; none of them is empty, `.` or `..`. Empty for everything there."""

    def __str__(self) -> str:
        """Write the URI again."""
        path = "/".join(self.path)
        if self.scheme == "mlflow-artifacts" and not self.host:
            return f"{self.scheme}:/{path}"
        return f"{self.scheme}://{self.host}/{path}"

    def inside(self, other: Place) -> bool:
        """Tell whether this is *other* or lies below it; `s3://b/eval` does not hold `/eval2`."""
        same = (self.scheme, self.host) == (other.scheme, other.host)
        return same and self.path[: len(other.path)] == other.path


def parse_place(uri: str) -> Place:
    """Read a URI; ValueError, in words that complete "`URI` …", for anything not normal.

    The path is taken as it is written: `%41` is three characters of a key, not an `A`.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in SCHEMES:
        raise ValueError(f"is at no place that is read; there are {', '.join(SCHEMES)}")
    host, path = _split(scheme, rest)
    if not re.fullmatch(_HOSTS[scheme], host) or ".." in host:
        raise ValueError(f"must look like {_SHAPES[scheme]}, without user, port or query")
    parts = path.strip("/").split("/") if path.strip("/") else []
    if "//" in path or any(_unsafe(part) for part in parts):
        raise ValueError("is not in its normal form: it climbs, hides a separator or has a query")
    return Place(scheme=scheme, host=host, path=tuple(parts))


def parse_allowed(uri: str) -> Place:
    """Read an entry of an allow-list; a folder of the file system must be named, never all of it.

    `mlflow-artifacts:` alone is everything on the MLflow server that is asked.
    """
    place = parse_place("mlflow-artifacts:/" if uri == "mlflow-artifacts:" else uri)
    if place.scheme == "file" and not place.path:
        raise ValueError("would allow every file of this machine")
    return place


def permitted(place: Place, allow: Iterable[str]) -> bool:
    """Tell whether an allow-list of sound entries has *place* or a folder above it."""
    return any(place.inside(parse_allowed(entry)) for entry in allow)


def _split(scheme: str, rest: str) -> tuple[str, str]:
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        return host, f"/{path}"
    if scheme == "mlflow-artifacts" and rest.startswith("/"):
        return "", rest
    raise ValueError(f"must look like {_SHAPES[scheme]}")


def _unsafe(part: str) -> bool:
    """Tell whether a part, decoded as often as it can be, is more than a plain name."""
    for _ in range(_DECODINGS):
        try:
            decoded = unquote(part, errors="strict")
        except UnicodeDecodeError:
            return True
        wild = any(c in '/\\?#*"<>|' or not c.isprintable() for c in part)
        if wild or part in {"", ".", ".."}:
            return True
        if decoded == part:
            return False
        part = decoded
    return True
