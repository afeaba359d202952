"""Policy base: the commit from which a policy is taken, not from the work tree it judges.

A change under review may edit the policy, its parents, waivers, approvals, the trust file and the
defaults beside the code. With a base none of these edits count: each file is read as it stands in
one commit of a protected branch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError
from aims_gate.policy.repository import Entry, GitRepository

MAX_FILES = 2000
"""In one folder, such as `waivers/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBase:
    """A commit, and the private folder into which its files are written as they are asked for."""

    repository: GitRepository
    commit: str
    copy: Path

    def at(self, path: Path) -> Path:
        """Where to read a file, or a folder's files: a copy of what the commit has there.

        What the commit does not have is not there. What lies outside of the repository is itself.

        Raises:
            UsageError: it is a symbolic link, a submodule or too large, or the path enters the
                repository by another name.
        """
        inside = self.repository.inside(path)
        if inside is None:
            return path
        place = self.copy / inside
        entry = self.repository.entry(self.commit, inside)
        if entry is None:
            return place
        if entry.mode != "040000":
            self._write(entry)
            return place
        files = self.repository.entries(self.commit, inside)
        if len(files) > MAX_FILES:
            raise UsageError(f"{inside} has more than {MAX_FILES:,} files at the base")
        place.mkdir(parents=True, exist_ok=True)
        for file in files:
            if file.mode != "040000":
                self._write(file)
        return place

    def policy(self, path: Path) -> tuple[Path, str]:
        """Where to read the policy that stands at *path*, and its path in the repository.

        Raises:
            UsageError: it lies elsewhere, or the base has none there.
        """
        inside = self.repository.inside(path)
        if inside is None:
            what = f"the policy {path.name} does not lie in the repository of the working directory"
            raise UsageError(what, hint="call aims-gate from the repository of the policy")
        place = self.at(path)
        if not place.is_file():
            what = f"the base {self.commit} has no policy {inside}"
            hint = "merge a first policy before a change is judged by it"
            raise UsageError(what, hint=hint)
        return place, inside

    def _write(self, entry: Entry) -> None:
        data = self.repository.read(entry, MAX_BYTES)
        place = self.copy / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


@contextmanager
def open_base(ref: str | None, environ: Mapping[str, str]) -> Iterator[PolicyBase | None]:
    """Open the base *ref* in the repository of the working directory; None if there is no *ref*.

    Raises:
        UsageError: there is no repository, or *ref* names no commit of it, or several.
    """
    if ref is None:
        yield None
        return
    repository = GitRepository.around(Path.cwd(), environ)
    repository.refuse_submodule()
    commit = repository.commit(ref)
    with tempfile.TemporaryDirectory(prefix="aims-gate-base-") as copy:
        yield PolicyBase(repository=repository, commit=commit, copy=Path(copy))
