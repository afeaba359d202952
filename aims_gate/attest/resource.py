"""Which model on which server: package URLs such as `pkg:mlflow/cr@7?repository_url=…`.

Two URLs of one server are one server only where the trust file says so; the bytes are proved by
the manifest, and this proves which registry the evidence was made for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from aims_gate.errors import TrustError

_PURL = re.compile(r"pkg:(mlflow|generic)/([^/@?#]+)(?:@([^/@?#]+))?(?:\?([^#]*))?")
VERSION = re.compile(r"[1-9][0-9]{0,18}")
"""A number that a registry gave a model's version."""
FOLDERS = "file:"
"""Stands in for the server in the URI of a model that is a folder."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A model's place: a registry's model version, or a folder."""

    kind: str
    """`mlflow` or `generic`."""
    name: str
    version: str = ""
    server: str = ""
    """The server's name in the trust file, else its short URL; that of folders is `file:`."""

    @property
    def registered(self) -> bool:
        """Whether a registry gave the name: a run or a logged model is called what its author says.

        The version of these is an id, which has letters or more digits.
        """
        return self.kind == "mlflow" and bool(VERSION.fullmatch(self.version))

    def __str__(self) -> str:
        """Name and version for people, with the server unless it is a folder."""
        version = f"@{self.version}" if self.version else ""
        return f"{self.name}{version}" + (f" on {self.server}" if self.server != FOLDERS else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A promotion that the trust file allows: evidence of *source* counts for *target* too."""

    source: tuple[str, str]
    """Server and model name."""
    target: tuple[str, str]


def parse(text: str, *, servers: Mapping[str, str], where: str) -> Resource:
    """Read a package URL.

    Args:
        text: `pkg:mlflow/NAME@VERSION?repository_url=SERVER` or `pkg:generic/NAME`.
        servers: URL in its shortest form to the name of its server.
        where: For error messages.

    Raises:
        TrustError: It is no such package URL, or an MLflow one without a server.
    """
    found = _PURL.fullmatch(text)
    query = parse_qsl(found[4] or "", keep_blank_values=True) if found else []
    urls = [value for key, value in query if key == "repository_url"]
    if found is None or len(urls) != (found[1] == "mlflow"):
        raise TrustError(f"{text[:200]!a} is not the package URL of a model", where=where)
    url = short_url(urls[0]) if urls else FOLDERS
    return Resource(
        kind=found[1],
        name=unquote(found[2]),
        version=unquote(found[3] or ""),
        server=servers.get(url, url),
    )


def short_url(url: str) -> str:
    """Write a server's URL in one way: no userinfo, no default port, no `/` at the end."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    if not parts.scheme or not parts.hostname:
        return url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def stands_for(evidence: Resource, wanted: Resource, copies: tuple[Copy, ...]) -> bool:
    """Whether evidence about one place counts for another.

    It does for the same place, and for a copy that the trust file allows: versions are numbered
    anew by a copy, so a copy is allowed by server and name, of registered versions only.
    """
    if evidence == wanted:
        return True
    pair = Copy(source=(evidence.server, evidence.name), target=(wanted.server, wanted.name))
    return evidence.registered and wanted.kind == "mlflow" and pair in copies
