"""File URIs to paths, and URIs that may be shown."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit


def local_path(text: str) -> Path | None:
    """Give the path of `PATH`, `file:PATH` (as they are) or `file:///PATH` (percent-decoded).

    None for a file on another host.
    """
    rest = text.removeprefix("file:")
    if not text.startswith("file://"):
        return Path(rest)
    host, slash, path = rest[2:].partition("/")
    return Path(unquote(slash + path)) if host in {"", "localhost"} else None


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
