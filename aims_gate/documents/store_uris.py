"""URIs of object stores and files, and allow lists of them.

They name data outside a run and a policy's folder. Data are read from fewer stores than MLflow
keeps artifacts in; both are written in the same way.

A URI is never repaired: one that is not in its normal form already (a `..`, an empty part, a
percent-encoded separator, a query, a user name) is refused, so that what is compared with an
allow-list is letter by letter what is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
_CONTAINER = r"[A-Za-z0-9$][A-Za-z0-9_-]{0,62}@[a-z0-9][a-z0-9.-]{1,253}"
_NODE = r"([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?)?"
_ROOT_HOSTS = {
    **{name: _HOSTS[name] for name in ("s3", "gs", "file")},
    **dict.fromkeys(("abfs", "abfss", "wasb", "wasbs", "r2"), _CONTAINER),
    **dict.fromkeys(("hdfs", "viewfs", "dbfs"), _NODE),
}
"""Stores that MLflow keeps artifacts in; a host here is compared, never completed."""
_TABLES = {"table": r"[A-Za-z0-9][A-Za-z0-9._-]*"}
"""Connections that the operator wrote down; only an allow-list has such URIs, and no data."""
_SHAPES = {
    "table": "table://CONNECTION/SCHEMA/",
    "s3": "s3://BUCKET/KEY",
    "gs": "gs://BUCKET/KEY",
    "abfss": "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH",
    "mlflow-artifacts": "mlflow-artifacts:/PATH",
    "file": "file:///PATH",
}
_SHORT = frozenset({"mlflow-artifacts", "dbfs"})
"""Schemes that are written with one slash where no host is named."""
_DECODINGS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUri:
    """A file or folder by its normalised URI; two are the same if and only if their fields are."""

    scheme: str
    host: str
    """Bucket, container and account, or server; empty for files."""
    path: tuple[str, ...]
    """The parts of the path; none of them is empty, `.` or `..`. Empty for everything there."""

    def __str__(self) -> str:
        """Write the URI again."""
        path = "/".join(self.path)
        if self.scheme in _SHORT and not self.host:
            return f"{self.scheme}:/{path}"
        return f"{self.scheme}://{self.host}/{path}"

    def inside(self, other: StoreUri) -> bool:
        """Tell whether this is *other* or lies below it; `s3://b/eval` does not hold `/eval2`.

        Nothing lies below a schema of tables: what is written so may be in another catalog.
        """
        same = (self.scheme, self.host) == (other.scheme, other.host)
        above = self.path if self.scheme == "table" else self.path[: len(other.path)]
        return same and above == other.path


def parse_place(uri: str) -> StoreUri:
    """Read a URI of data; ValueError, in words that complete "`URI` …", for anything not normal.

    The path is taken as it is written: `%41` is three characters of a key, not an `A`.
    """
    return _parse(uri, _HOSTS)


def parse_root(uri: str) -> StoreUri:
    """Read a URI of a store, or of a folder, that MLflow keeps artifacts in; errors as for data."""
    return _parse(uri, _ROOT_HOSTS)


def parse_allowed_root(uri: str) -> StoreUri:
    """Read an entry of an allow-list of such stores; never the file system as a whole."""
    return _folder(parse_root(uri))


def _parse(uri: str, hosts: Mapping[str, str]) -> StoreUri:
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in hosts:
        raise ValueError(f"is at no place that is read; there are {', '.join(hosts)}")
    host, path = _split(scheme, rest)
    if not re.fullmatch(hosts[scheme], host) or ".." in host:
        raise ValueError(f"must look like {_shape(scheme)}, without user, port or query")
    parts = path.strip("/").split("/") if path.strip("/") else []
    if "//" in path or any(_unsafe(part) for part in parts):
        raise ValueError("is not in its normal form: it climbs, hides a separator or has a query")
    return StoreUri(scheme=scheme, host=host, path=tuple(parts))


def parse_allowed(uri: str) -> StoreUri:
    """Read an entry of an allow-list; a folder of the file system must be named, never all of it.

    `mlflow-artifacts:` alone is everything on the MLflow server that is asked, and
    `table://CONNECTION/SCHEMA/` the tables of a schema that a run may name.
    """
    if uri.startswith("table:"):
        return _parse(uri, _TABLES)
    return _folder(parse_place("mlflow-artifacts:/" if uri == "mlflow-artifacts:" else uri))


def _folder(place: StoreUri) -> StoreUri:
    if place.scheme == "file" and not place.path:
        raise ValueError("would allow every file of this machine")
    return place


def permitted(place: StoreUri, allow: Iterable[str]) -> bool:
    """Tell whether an allow list of valid entries has *place* or a folder above it."""
    return any(place.inside(parse_allowed(entry)) for entry in allow)


def _split(scheme: str, rest: str) -> tuple[str, str]:
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        return host, f"/{path}"
    if scheme in _SHORT and rest.startswith("/"):
        return "", rest
    raise ValueError(f"must look like {_shape(scheme)}")


def _shape(scheme: str) -> str:
    return _SHAPES.get(scheme, f"{scheme}://HOST/PATH")


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
