"""Models in a local folder: `file:DIR`, `file:///DIR` or a plain path."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from aims_gate.attest import file_names, manifest
from aims_gate.errors import SourceError, UsageError
from aims_gate.facts import ModelIdentity
from aims_gate.policy.model import Policy, Role
from aims_gate.sources.bound import Owner, hold
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder
from aims_gate.sources.mlmodel import read_mlmodel
from aims_gate.sources.paths import local_path, public_uri, recorded_uri
from aims_gate.sources.subject import Fetched, Located, Subject, Workspace

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileSource:
    """Opens a folder; its data are its own files, or what the caller and the policy name."""

    def fetch(self, uri: str, *, workspace: Workspace) -> Fetched:
        """Copy the folder's files into the private one and hash them there.

        Raises:
            UsageError: *uri* is no local folder's name.
            SourceError: The folder is not there, is empty, holds links, devices or unsafe names,
                passes a limit, or cannot be read.
        """
        folder = _folder(uri)
        private = workspace.folder / "model"
        _copy(folder, private, workspace)
        hashed = manifest.scan(
            private, max_files=workspace.max_files, max_bytes=workspace.max_bytes
        )
        identity = ModelIdentity(
            uri=recorded_uri(uri),
            name=folder.name,
            resource_uri=f"pkg:generic/{quote(folder.name, safe='')}",
            digest=hashed.digest,
            files=hashed.files,
            bytes=hashed.bytes,
            resolved_uri=recorded_uri(uri),
            reader="files",
        )
        return Fetched(model=identity, manifest=hashed, folder=private)

    def open(
        self, uri: str, *, policy: Policy, given: Mapping[Role, object], workspace: Workspace
    ) -> Subject:
        """Fetch the folder and open its data by role; errors as for `fetch`."""
        fetched = self.fetch(uri, workspace=workspace)
        described = read_mlmodel(fetched.folder)
        locate = _Inside(folder=fetched.folder)
        finder = Finder(policy=policy, locate=locate, workspace=workspace, beside=locate.beside)
        owner = Owner(model=described.model_uuid if described else "")
        data, unread = hold(*open_data(given, finder), owner)
        return Subject(
            model=fetched.model,
            manifest=fetched.manifest,
            folder=fetched.folder,
            data=data,
            unread=unread,
            signature=described.signature if described else None,
            flavors=tuple(sorted(described.flavors)) if described else (),
        )


SOURCE = FileSource()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inside:
    """Finds artifacts in the private copy, which holds no links."""

    folder: Path

    def __call__(self, path: str, **_role: Role) -> Located | None:
        found = self.folder / path
        return Located(path=found, uri=f"artifact:{quote(path)}") if found.exists() else None

    def beside(self, path: str) -> Iterable[str]:
        """List the files in the folder of an artifact."""
        folder = (self.folder / path).parent
        return (str(one.relative_to(self.folder)) for one in folder.glob("*"))


def _folder(uri: str) -> Path:
    path = local_path(uri)
    if path is None or not uri.removeprefix("file:"):
        raise UsageError(
            "no local folder", where=public_uri(uri), hint="write file:DIR or file:///DIR"
        )
    try:
        folder = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError("there is no such folder", where=public_uri(uri)) from error
    if not folder.is_dir():
        raise SourceError(
            "it is not a folder", where=public_uri(uri), hint="give the model's folder"
        )
    if not folder.name:
        raise SourceError("it has no name", where=public_uri(uri), hint="give the model's folder")
    return folder


def _copy(folder: Path, private: Path, workspace: Workspace) -> None:
    """Copy every regular file; refuse everything that is none before it is opened."""
    private.mkdir(mode=0o700)
    left = workspace.max_bytes
    try:
        for count, name in enumerate(_names(folder, ""), start=1):
            if count > workspace.max_files:
                raise SourceError(f"the model has more than {workspace.max_files:,} files")
            target = private / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            left -= _copy_file(folder / name, target, name, left)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"cannot copy the model: {reason}", where=str(folder)) from error


def _names(folder: Path, prefix: str) -> Iterator[str]:
    """Relative names of regular files, sorted."""
    with os.scandir(folder / prefix) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = str(file_names.safe_name(prefix + entry.name))
        if entry.is_dir(follow_symlinks=False):
            yield from _names(folder, f"{name}/")
        elif entry.is_file(follow_symlinks=False):
            yield name
        else:
            raise SourceError(
                f"{name!a} is neither a file nor a folder",
                hint="a model may hold no symbolic links, pipes or devices",
            )


def _copy_file(source: Path, target: Path, name: str, left: int) -> int:
    """Copy one file of at most *left* bytes; returns its size."""
    with os.fdopen(os.open(source, _FLAGS), "rb") as reading:
        status = os.fstat(reading.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("the file changed while it was copied", where=name)
        if status.st_size > left:
            raise SourceError("the model has more bytes than allowed", where=name)
        with target.open("xb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            return writing.tell()
