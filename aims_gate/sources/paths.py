"""File URIs to paths, and URIs that may be shown."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit


def local_path(text: str) -> Path | None:
    """Local path of `PATH`, `file:PATH` (as they are) or `file:///PATH` (percent-decoded).

    None for a file on another host.
    """
    rest = text.removeprefix("file:")
    if not text.startswith("file://"):
        return Path(rest)
    host, slash, path = rest[2:].partition("/")
    return Path(unquote(slash + path)) if host in {"", "localhost"} else None


def recorded_uri(uri: str) -> str:
    """Write a URI as evidence has it: of a local file the name alone, for its path names people.

    A path that is relative to where the gate ran is kept as it was written.
    """
    path = local_path(uri) if uri.startswith("file:") else None
    return f"file:{path.name}" if path is not None and path.is_absolute() else public_uri(uri)


def public_uri(uri: str) -> str:
    """Take user name, password, query and fragment out of a URI: they may hold secrets."""
    if "://" not in uri:
        return re.split(r"[?#]", uri, maxsplit=1)[0]
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri.partition(":")[0] + ":"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
