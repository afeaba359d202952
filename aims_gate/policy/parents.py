"""Loading the parents of a policy from shipped packs, files and git repositories.

A pack is pinned by its version, everything else by the SHA-256 of its bytes. So whoever can write
to that location cannot change a policy; they can only break it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aims_gate import canonical
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError
from aims_gate.policy import git
from aims_gate.policy.packs import read_pack
from aims_gate.regular import itself, read_regular

PACK = "pack:"
FILE = "file:"
MAX_DEPTH = 8
"""Parents of parents."""
MAX_PARENTS = 64
"""All that are read for one policy; two parents each, eight deep, would be 510."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Location of a policy, to which its `file:` parents are relative; else none is found."""

    folder: Path | None = None
    above: str = ""
    """The way to *folder* from the folder of the first policy, as it stands in evidence."""
    git: git.GitPlace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundParent:
    """A parent that was located, not yet read."""

    uri: str
    """`pack:NAME@VERSION`, `file:PATH` from the first policy's folder, or `git+https:`."""
    home: Home = field(default_factory=Home)
    path: Path | None = None

    @property
    def name(self) -> str:
        """Name in evidence: a pack's without its scheme."""
        return self.uri.removeprefix(PACK)


@dataclass(slots=True, kw_only=True)
class Library:
    """Finds and reads the parents of one policy; `close` it in the end."""

    packs: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    """Proxies, certificate authorities and configuration for git are read from here."""
    at: Callable[[Path], Path] = itself
    """Where a file is read: itself, or its copy from the policy base."""
    clones: git.Clones = field(init=False)

    def __post_init__(self) -> None:
        self.clones = git.Clones(environ=self.environ)

    def close(self) -> None:
        """Remove what was fetched."""
        self.clones.close()

    def find(self, uri: str, home: Home) -> FoundParent:
        """Locate the parent that a policy at *home* names.

        Raises:
            UsageError: *uri* is none of the three forms, or leads out of where it may lead.
        """
        if uri.startswith(PACK):
            return FoundParent(uri=uri)
        if uri.startswith(git.SCHEME):
            return _in_git(git.parse(uri))
        if not uri.startswith(FILE):
            hint = f"write pack: NAME@VERSION, or uri: with file:PATH or {git.FORM}"
            raise UsageError(f"{uri!r} is no parent of a policy", hint=hint)
        path = _relative(uri)
        if home.git is not None:
            joined = posixpath.normpath(posixpath.join(posixpath.dirname(home.git.path), path))
            if joined.startswith("../"):
                raise UsageError(f"{uri!r} leads out of its git repository")
            return _in_git(replace(home.git, path=joined))
        if home.folder is None:
            hint = "a policy that is no file has no folder: name a pack, or use git+https:"
            raise UsageError(f"{uri!r} cannot be followed", hint=hint)
        shown = posixpath.normpath(posixpath.join(home.above, path))
        file = home.folder / path
        below = Home(folder=file.parent, above=posixpath.dirname(shown))
        return FoundParent(uri=f"{FILE}{shown}", home=below, path=file)

    def read(self, found: FoundParent) -> bytes:
        """Read the bytes of a parent.

        Raises:
            UsageError: it is not there, or cannot be read.
            PolicyError: the pack cannot be read.
        """
        if found.uri.startswith(PACK):
            return read_pack(found.uri.removeprefix(PACK), self.packs)
        if found.path is not None:
            return _bytes(self.at(found.path), found.uri)
        return self.clones.read(git.parse(found.uri))


def pinned(found: FoundParent, data: bytes, sha256: str | None) -> None:
    """Verify the SHA-256 of a parent's bytes against its pin; a pack is pinned by its version.

    Raises:
        UsageError: they are not, or they are more than a policy may have.
    """
    if found.uri.startswith(PACK):
        return
    if len(data) > MAX_BYTES:
        raise UsageError(f"{found.uri} has more than {MAX_BYTES:,} bytes")
    digest = canonical.sha256(data)
    if sha256 is None:
        raise UsageError(f"{found.uri} is not pinned", hint="aims-gate policy pin adds its sha256")
    if digest != sha256:
        what = f"{found.uri} has the sha256 {digest}, not {sha256}"
        raise UsageError(what, hint="read what changed, then run aims-gate policy pin")


def _in_git(place: git.GitPlace) -> FoundParent:
    return FoundParent(uri=str(place), home=Home(git=place))


def _relative(uri: str) -> str:
    path = uri.removeprefix(FILE)
    if not path or not path.isprintable() or "\\" in path or posixpath.isabs(path):
        # an absolute path would carry one machine's folders into evidence
        hint = "write file: and a path from the policy's own folder, such as file:../org/base.yaml"
        raise UsageError(f"{uri!r} is not relative to the policy", hint=hint)
    return path


def _bytes(path: Path, uri: str) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        raise UsageError(f"{uri} cannot be read: {error.strerror}") from None
