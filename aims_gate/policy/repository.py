"""The git repository around a folder: commits and files of it, without its work tree.

Objects are read by plumbing commands only, so that no checkout, hook, filter, attribute, signing
program or fetch of the repository's configuration is run. A change under review decides what lies
in the work tree; it does not decide which repository this is, nor what a commit says.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aims_gate.errors import UsageError
from aims_gate.policy.git import KEPT, SETTINGS, told

MAX_SECONDS = 60.0
"""For one call of git."""
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
_SPACES = ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/remotes/origin/")
"""Where a branch or tag may stand under its short name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of a commit."""

    mode: str
    oid: str
    size: int
    path: str
    """From the repository's root."""

    @property
    def regular(self) -> bool:
        """Whether it is a file: no symbolic link, no submodule, no folder."""
        return self.mode in {"100644", "100755"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRepository:
    """A repository on this machine."""

    root: Path
    """Of its work tree."""
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def around(cls, folder: Path, environ: Mapping[str, str]) -> GitRepository:
        """Find the repository that a folder lies in.

        Raises:
            UsageError: there is none.
        """
        here = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve would follow links
        for one in (here, *here.parents):
            if os.path.lexists(one / ".git"):
                return cls(root=one, environ=environ)
        raise UsageError(f"{here.name} lies in no git repository", hint="check it out with git")

    def commit(self, ref: str) -> str:
        """Full id of the commit that a branch, a tag or a full id names.

        Raises:
            UsageError: it names none, or more than one.
        """
        if _OID.fullmatch(ref):
            return self._commit(ref, ref)
        if not _NAME.fullmatch(ref) or ".." in ref or ref.endswith((".lock", "/")):
            what = f"{ref!a} is no branch, tag or full commit id"
            raise UsageError(what, hint="such as origin/main")
        names = [ref] if ref.startswith("refs/") else [f"{space}{ref}" for space in _SPACES]
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)", *names)
        pairs = (line.split(" ") for line in listed.decode(errors="replace").splitlines())
        found = {self._commit(oid, ref): name for name, oid in pairs if name in names}
        if len(found) > 1:
            what = f"{ref} is {' and '.join(sorted(found.values()))}, which differ"
            raise UsageError(what, hint="write the one that is meant in full")
        if not found:
            raise UsageError(f"the repository has no {ref}", hint=_fetch(ref))
        return next(iter(found))

    def head(self) -> str:
        """Full id of the commit that is checked out; UsageError if there is none."""
        return self._commit("HEAD", "HEAD")

    def raw(self, commit: str) -> bytes:
        """The commit as it is stored and signed; UsageError if it is not here."""
        if not _OID.fullmatch(commit):
            raise UsageError(f"{commit!a} is no full commit id")
        return self.git("cat-file", "commit", commit)

    def last_change(self, commit: str, path: str) -> str:
        """Id of the last commit, up to *commit*, that changed a file; UsageError if none did."""
        found = self.git("rev-list", "-1", commit, "--", path).decode().strip()
        if not found:
            raise UsageError(f"no commit made {path}")
        return found

    def inside(self, path: Path) -> str | None:
        """Path from the root, as it is written; None outside of it.

        UsageError if it leads into the repository by another name.
        """
        # no link is followed: the change under review may have laid it
        whole = Path(os.path.abspath(path))  # noqa: PTH100
        if whole.is_relative_to(self.root):
            return whole.relative_to(self.root).as_posix()
        if whole.resolve().is_relative_to(self.root.resolve()):
            what = f"{whole.name} lies in the repository, and is named by another way"
            raise UsageError(what, hint=f"name it by its path in {self.root.name}")
        return None

    def entry(self, commit: str, path: str) -> Entry | None:
        """Find a file, link, submodule or folder of a commit; None if there is none."""
        return next((one for one in self._listed(commit, path) if one.path == path), None)

    def entries(self, commit: str, folder: str) -> tuple[Entry, ...]:
        """List what lies directly in a folder of a commit."""
        return tuple(self._listed(commit, f"{folder}/"))

    def read(self, entry: Entry, most: int) -> bytes:
        """Read a file of a commit.

        Raises:
            UsageError: it is a symbolic link, a submodule or a folder, too large, or not here.
        """
        if not entry.regular:
            kind = {"120000": "a symbolic link", "160000": "a submodule"}.get(
                entry.mode, "a folder"
            )
            raise UsageError(f"{entry.path} is {kind}", hint="only plain files are read from git")
        if entry.size > most:
            raise UsageError(f"{entry.path} has more than {most:,} bytes")
        return self.git("cat-file", "blob", entry.oid)

    def git(self, *arguments: str) -> bytes:
        """Run a plumbing command; UsageError if it fails."""
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        try:
            done = subprocess.run(
                ["git", *settings, *arguments],
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=MAX_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise UsageError("git is not installed", hint="install git") from None
        except subprocess.TimeoutExpired:
            raise UsageError(f"git {arguments[0]} takes more than {MAX_SECONDS:g} s") from None
        if done.returncode:
            what = f"git {arguments[0]} failed: {told(done.stderr)}"
            hint = "is the clone whole? git fetch --refetch --no-filter brings what is not there"
            raise UsageError(what, hint=hint)
        return done.stdout

    def _commit(self, oid: str, ref: str) -> str:
        try:
            asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{oid}^{{commit}}")
            return self.git(*asked).decode().strip()
        except UsageError:
            raise UsageError(f"the repository has no commit {ref}", hint=_fetch(ref)) from None

    def _listed(self, commit: str, path: str) -> Iterator[Entry]:
        text = self.git("ls-tree", "-z", "-l", "--full-tree", commit, "--", path)
        for record in text.split(b"\0")[:-1]:
            head, _, name = record.partition(b"\t")
            mode, _kind, oid, size = head.decode().split()
            yield Entry(
                mode=mode,
                oid=oid,
                size=int(size) if size.isdecimal() else 0,  # a folder has none
                path=os.fsdecode(name),
            )

    def refuse_submodule(self) -> None:
        """Refuse a work tree that another one lists as its submodule: a change decides what it is.

        Git itself says nothing where the other one belongs to another user, as in containers.
        """
        for above in self.root.parents:
            if os.path.lexists(above / ".git"):
                outer = GitRepository(root=above, environ=self.environ)
                inside = self.root.relative_to(above).as_posix()
                if b"160000 " in outer.git("ls-files", "--stage", "-z", "--", inside)[:7]:
                    what = f"{inside} is a submodule, and a change decides what it holds"
                    raise UsageError(what, hint=f"call aims-gate from {above.name}")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in self.environ.items() if name in KEPT}
        ours = {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ALLOW_PROTOCOL": "none",  # nothing that is not here is fetched, by any program
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": os.devnull,
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_DIR": str(self.root / ".git"),
            "LC_ALL": "C",
        }
        return {**kept, **ours}


def _fetch(ref: str) -> str:
    if _OID.fullmatch(ref):
        return f"git fetch --depth=1 origin {ref}"
    short = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/").removeprefix("origin/")
    return f"git fetch --depth=1 origin +refs/heads/{short}:refs/remotes/origin/{short}"
