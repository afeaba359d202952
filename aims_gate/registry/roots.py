"""Artifact roots: an allow list of locations for models, runs, data, champions and evidence.

Whoever registers a version or makes an experiment writes where its files lie, and a gate that
follows that reads any bucket, and sends evidence to any, with its own credentials. So artifacts lie
on the tracking server itself, below the folder that holds a local store, or where the policy or
whoever runs the gate says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from aims_gate.attest.file_names import safe_name
from aims_gate.documents.store_uris import StoreUri, parse_allowed_root, parse_root
from aims_gate.errors import SourceError, UsageError
from aims_gate.policy.operator import VARIABLE, allowed_by_operator
from aims_gate.registry.uris import bare, local_store

FOLDERS = "AIMS_GATE_ARTIFACT_FOLDERS"
"""Names folders that this machine shares with an MLflow server which does not hand them out. Only
whoever runs the gate can say so: otherwise a server could have it read any file."""
_NO_STORES = ("mlflow-artifacts:", "table:")
"""Entries of an allow list that name no store of artifacts: the server itself, and tables."""
_DEFAULTS = ("mlruns", "mlartifacts")
"""MLflow's own names for folders of artifacts."""
_OF_ONE_RUN = re.compile(r"(/[0-9]+)?/([0-9a-f]{32}|models/m-[0-9a-f]+)/artifacts(/.*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Places and folders that may hold artifacts beside the tracking server itself."""

    places: tuple[StoreUri, ...] = ()
    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str], allow: Iterable[str] = ()) -> Roots:
        """Gather what *allow* (of a policy or a trust file), the operator and the stores give.

        Raises:
            UsageError: A shared folder is relative or the root of everything, or the operator's
                file is unusable.
        """
        entries = (*allow, *allowed_by_operator(environ))
        places = [parse_allowed_root(one) for one in entries if not one.startswith(_NO_STORES)]
        named = (_path(place) for place in places if place.scheme == "file")
        return cls(
            places=tuple(place for place in places if place.scheme != "file"),
            folders=(*named, *_shared(environ), *_beside(environ)),
        )

    def permit(self, uri: str) -> bool:
        """Tell whether artifacts may be read from *uri*, and written there."""
        local = folder(uri)
        if local is not None:
            plain = bool(uri) and ".." not in local.parts
            return plain and any(
                local.resolve().is_relative_to(one.resolve()) for one in self.folders
            )
        try:
            place = parse_root(uri)
        except ValueError:
            return False
        return any(place.inside(one) for one in self.places)


NOWHERE = Roots()


def on_server(uri: str, server: str) -> str | None:
    """Path on the artifact proxy of *server*; None if another host or store keeps it."""
    parts, mine = urlsplit(uri), urlsplit(server)
    if mine.scheme not in {"http", "https"}:
        return None
    prefix = f"{mine.path}/api/2.0/mlflow-artifacts/artifacts/"
    root = ""
    if parts.scheme == "mlflow-artifacts" and parts.netloc in {"", mine.netloc}:
        root = parts.path
    elif (parts.scheme, parts.netloc) == (mine.scheme, mine.netloc):
        root = parts.path.removeprefix(prefix) if parts.path.startswith(prefix) else ""
    try:
        safe = not parts.query and not parts.fragment
        return str(safe_name(root.strip("/"))) if safe else None
    except SourceError:
        return None


def refused(uri: str, server: str) -> SourceError:
    """Say that artifacts lie where nobody permits it, and which line would permit it."""
    what = f"artifacts may not be read from {bare(uri)!a}, nor written there"
    local = folder(uri)
    if local is not None:
        root = _OF_ONE_RUN.sub("", str(local))
        hint = f"name the folder that this machine shares with it: {FOLDERS}={root}"
        return SourceError(what, where=server, hint=f"{hint}, or let the server hand them out")
    try:
        root = _OF_ONE_RUN.sub("/", str(parse_root(uri)))
    except ValueError as error:
        return SourceError(what, where=server, hint=f"{bare(uri)!a} {error}")
    hint = (
        f'if that is right, add sources: {{allow: ["{root}"]}} to the policy, to the trust file '
        f"(verify), or to the operator's file that {VARIABLE} names"
    )
    return SourceError(what, where=server, hint=hint)


def folder(uri: str) -> Path | None:
    """Local folder of an artifact URI; None for all other stores."""
    parts = urlsplit(uri)
    if parts.scheme == "":
        return Path(uri)
    local = parts.scheme == "file" and not parts.netloc
    return Path(unquote(parts.path)) if local else None


def _path(place: StoreUri) -> Path:
    return Path("/", *map(unquote, place.path))


def _shared(environ: Mapping[str, str]) -> Iterator[Path]:
    """Local folders that the operator shares with an MLflow server for artifacts."""
    for name in environ.get(FOLDERS, "").split(os.pathsep):
        path = Path(name.strip())
        if not name.strip():
            continue
        if not path.is_absolute() or len(path.resolve().parts) < 2:
            hint = f"name absolute folders, with {os.pathsep!r} between them"
            raise UsageError(f"{FOLDERS}: {str(path)!r} is no shared folder", hint=hint)
        yield path


def _beside(environ: Mapping[str, str]) -> Iterator[Path]:
    """Artifact folders of a local store: beside it, or in the working directory."""
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        store = local_store(environ.get(variable, "").strip())
        if store is None:
            continue
        above = store.resolve().parent if store.name else store.resolve()
        everything = Path.home().resolve().is_relative_to(above)  # a home, or what lies above it
        yield from (above / name for name in _DEFAULTS) if everything else (above,)
        yield from (store, Path("mlruns"))
