"""Object stores through `pyarrow.fs`: copied into the private folder, then read like any file.

Endpoints, regions and credentials come from the environment as their own tools read them, never
from a URI: a place has no query, so nothing that names data can send the gate to another host.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from aims_gate.attest.file_names import safe_name
from aims_gate.documents.store_uris import StoreUri
from aims_gate.errors import SourceError, UsageError
from aims_gate.redact import redact
from aims_gate.sources.subject import Located, Workspace
from aims_gate.time_limit import HINT, patiently, seconds_of, size_of

_SECONDS = 30.0
_ATTEMPTS = 3
_CHUNK = 1 << 20


def fetch(place: StoreUri, workspace: Workspace) -> Located:
    """Copy a file, or all files below a folder, into the private folder.

    Raises:
        SourceError: It is not there or cannot be read, a name is unsafe, or a limit is passed.
        UsageError: The environment names an endpoint that is none.
    """
    workspace.progress(f"copying {place}")
    if not place.path:
        raise SourceError("it is a whole bucket", where=_shown(place), hint="name what lies in it")
    private = Path(tempfile.mkdtemp(dir=workspace.folder, prefix="remote-"))
    name = str(safe_name(place.path[-1]))
    try:
        files = patiently(
            partial(_fetch, place, name, private, workspace),
            seconds=seconds_of(workspace.environ),
            grown=partial(size_of, private),
        )
    except TimeoutError as error:
        raise SourceError(str(error), where=_shown(place), hint=HINT) from error
    except (OSError, pa.ArrowException, ValueError) as error:
        reason = redact(" ".join(str(error)[:300].split()))
        hint = "are the credentials, the region and the endpoint in the environment right?"
        raise SourceError(f"cannot read it: {reason}", where=_shown(place), hint=hint) from error
    times = [info.mtime for info in files.values() if info.mtime is not None]
    return Located(path=private / name, uri=_shown(place), created=max(times, default=None))


def _fetch(place: StoreUri, name: str, private: Path, workspace: Workspace) -> dict[str, Any]:
    system, path = _open(place, workspace.environ)
    found = system.get_file_info(path)
    if found.type is fs.FileType.File:
        files = {name: found}
    else:
        files = _listed(system, path, name, workspace.max_files)
    if not files:
        raise SourceError("there is no such object, and nothing below it", where=_shown(place))
    _copy(system, files, private, workspace.max_bytes)
    return files


def _listed(system: Any, path: str, name: str, most: int) -> dict[str, Any]:
    """List the files below a folder, by their names below *name*."""
    selector = fs.FileSelector(path, recursive=True, allow_not_found=True)
    listing = [info for info in system.get_file_info(selector) if info.type is fs.FileType.File]
    if len(listing) > most:
        raise SourceError(f"there are more than {most:,} files", where=path)
    files = {}
    for info in listing:
        if not info.path.startswith(f"{path}/"):
            raise SourceError(f"{info.path!a} is not inside {path!a}", where="object listing")
        files[f"{name}/{safe_name(info.path.removeprefix(f'{path}/'))}"] = info
    return files


def _copy(system: Any, files: Mapping[str, Any], private: Path, left: int) -> None:
    for name, info in files.items():
        target = private / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with system.open_input_stream(info.path) as source, target.open("xb") as copy:
            size = 0
            while size <= left and (chunk := source.read(_CHUNK)):
                size += copy.write(chunk)
        left -= size
        if left < 0:
            raise SourceError("there are more bytes than allowed", where=info.path)
        if info.size is not None and size != info.size:
            raise SourceError("the object changed while it was copied", where=info.path)


def _open(place: StoreUri, environ: Mapping[str, str]) -> tuple[Any, str]:
    """File system of a store URI, and the path on it."""
    if place.scheme == "s3":
        return _s3(place.host, environ), "/".join((place.host, *place.path))
    if place.scheme == "gs":
        return _gcs(environ), "/".join((place.host, *place.path))
    container, _, host = place.host.partition("@")
    return _azure(host.partition(".")[0], environ), "/".join((container, *place.path))


def _s3(bucket: str, environ: Mapping[str, str]) -> Any:
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    options: dict[str, Any] = {
        "connect_timeout": _SECONDS,
        "request_timeout": _SECONDS,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    }
    if endpoint:
        scheme, authority = _server(endpoint, "AWS_ENDPOINT_URL")
        options |= {"scheme": scheme, "endpoint_override": authority}
    elif not region:
        region = fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(**options, **({"region": region} if region else {}))


def _gcs(environ: Mapping[str, str]) -> Any:
    options: dict[str, Any] = {"retry_time_limit": timedelta(seconds=_SECONDS)}
    if emulator := environ.get("STORAGE_EMULATOR_HOST", "").strip():
        # as Google's own clients read it: an address, with or without its scheme, and no user
        url = emulator if "://" in emulator else f"http://{emulator}"
        scheme, authority = _server(url, "STORAGE_EMULATOR_HOST")
        options |= {"anonymous": True, "scheme": scheme, "endpoint_override": authority}
    return fs.GcsFileSystem(**options)


def _azure(account: str, environ: Mapping[str, str]) -> Any:
    """Open an account: with the connection string if it is of this account, else as Azure does."""
    written = environ.get("AZURE_STORAGE_CONNECTION_STRING", "").strip()
    parts = dict(part.split("=", 1) for part in written.split(";") if "=" in part)
    endpoint = parts.get("BlobEndpoint", "").rstrip("/")
    named = parts.get("AccountName") or (urlsplit(endpoint).hostname or "").partition(".")[0]
    if named != account:
        return fs.AzureFileSystem(account_name=account)
    options: dict[str, Any] = {
        "account_key": parts.get("AccountKey"),
        "sas_token": parts.get("SharedAccessSignature"),
    }
    if endpoint.endswith(f"/{account}"):  # an emulator, which has no host of its own for each
        address = endpoint.removesuffix(f"/{account}")
        scheme, authority = _server(address, "BlobEndpoint of AZURE_STORAGE_CONNECTION_STRING")
        for service in ("blob", "dfs"):
            options |= {f"{service}_storage_scheme": scheme}
            options |= {f"{service}_storage_authority": authority}
    return fs.AzureFileSystem(account_name=account, **options)


def _server(url: str, what: str) -> tuple[str, str]:
    """Scheme of a server's URL, and its host, port and path."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise UsageError(f"{what} is not the URL of a server")
    return parts.scheme, (parts.netloc + parts.path).rstrip("/")


def _shown(place: StoreUri) -> str:
    """Write a place so that the name of a container cannot be read as a user name."""
    if place.scheme != "abfss":
        return str(place)
    container, _, host = place.host.partition("@")
    return "/".join((f"https://{host}", container, *place.path))
