"""Download artifacts into a private folder: names are validated before anything is written."""

from __future__ import annotations

from pathlib import Path

from aims_gate.attest.download import note
from aims_gate.attest.file_names import MLFLOW_NOTE, safe_name
from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.errors import SourceError
from aims_gate.registry.contract import LOCAL, Artifacts, NotFoundError
from aims_gate.registry.entities import Artifact

_HIDDEN = "MLflow's client cannot list a file that has its folder's name; rename it"
_NO_DIGEST = "0" * 64


def fetch_tree(
    registry: Artifacts,
    uri: str,
    folder: Path,
    *,
    max_files: int,
    max_bytes: int,
    noted: bool = False,
    skip: str = "",
) -> None:
    """Copy everything below an artifact URI into *folder*.

    Args:
        registry: Where it lies.
        uri: The artifact URI.
        folder: An empty folder of ours.
        max_files: Most files and folders.
        max_bytes: Most bytes of all files.
        noted: It was named as `models:/…` of a local store, where MLflow's client takes the
            place where it lies for a download and leaves its note there: that is left out.
        skip: A folder at its root that is left out.

    Raises:
        SourceError: There is nothing, a name is unsafe or clashes with another one, a limit is
            passed, or something cannot be read.
    """
    files = list_tree(registry, uri, max_files=max_files, skip=skip)
    if not files:
        raise NotFoundError("there are no files at the model's artifact URI", where=registry.server)
    _check_names(tuple(file for file in files if not (noted and file.path == MLFLOW_NOTE)))
    left = max_bytes
    if sum(file.bytes or 0 for file in files) > left:
        raise SourceError(f"the model has more than {max_bytes:,} bytes", where=registry.server)
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        left -= registry.download(uri, file.path, target, limit=left)
    for name in note(folder) if noted else ():
        (folder / name).unlink()


def list_tree(
    registry: Artifacts, uri: str, *, max_files: int, skip: str = ""
) -> tuple[Artifact, ...]:
    """List the files below an artifact URI, all folders but *skip*; SourceError past a limit."""
    files: list[Artifact] = []
    folders = [""]
    seen = 0
    while folders:
        folder = folders.pop()
        listed = registry.list_artifacts(uri, folder)
        if folder and not listed and _hides(registry):
            raise SourceError(f"the folder {folder!a} lists nothing", where=uri, hint=_HIDDEN)
        for artifact in listed:
            seen += 1
            if seen > max_files:
                raise SourceError(f"more than {max_files:,} files and folders", where=uri)
            _check_place(artifact, folder)
            if artifact.is_dir:
                folders += [artifact.path] if artifact.path != skip else []
            else:
                files.append(artifact)
    return tuple(sorted(files, key=lambda file: file.path.encode()))


def _hides(registry: Artifacts) -> bool:
    """Tell whether MLflow's client asks a server: it then drops the only file x of a folder x."""
    return registry.name == "client" and registry.server != LOCAL


def _check_place(artifact: Artifact, folder: str) -> None:
    safe_name(artifact.path)
    if artifact.path.rpartition("/")[0] != folder:
        raise SourceError(f"{artifact.path!a} is not inside {folder!a}", where="artifact listing")


def _check_names(files: tuple[Artifact, ...]) -> None:
    """Validate all names together by the rules of the manifest."""
    Manifest(entries=tuple(ManifestEntry(path=file.path, sha256=_NO_DIGEST) for file in files))
