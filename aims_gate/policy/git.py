"""Policies in git repositories: `git+https://HOST/REPOSITORY@REF#PATH`, read with the git program.

Whoever writes a policy names the address, so nothing of it is trusted: only https is spoken, no
address holds a password, nobody is asked for one, no hook, filter or submodule is run, nothing is
checked out, and time and size are limited. Whether the bytes are the right ones
is the digest's to say.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError

SCHEME = "git+https:"
FORM = "git+https://HOST/REPOSITORY@REF#PATH"
MAX_SECONDS = 120.0
"""For one call of git."""
MAX_FILES = 1000
"""In a folder that is copied."""
MAX_REPOSITORY = 200 * 2**20
"""Bytes that a fetch may leave on the disk; policies are small, and so are their repositories."""

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_PART = r"[A-Za-z0-9_~][A-Za-z0-9._~+-]*"
_REF = r"[A-Za-z0-9_][A-Za-z0-9._/+-]*"
_URI = re.compile(rf"git\+(https://{_HOST}(?:/{_PART})+)@({_REF})#([^#?]+)")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
KEPT = frozenset(
    {
        *("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USERPROFILE", "SYSTEMROOT"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
)
"""What git gets of the environment, beside `GIT_CONFIG_*`: where it is, proxies and authorities.

Not `GIT_DIR` and its like, which a hook or a CI step may have set for another repository.
"""
SETTINGS = (
    "protocol.allow=never",
    "protocol.https.allow=always",
    "http.sslVerify=true",
    "core.askPass=",
    "credential.interactive=false",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "fetch.recurseSubmodules=false",
    "transfer.fsckObjects=true",
    "gc.auto=0",
    "maintenance.auto=false",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPlace:
    """A file of a repository at a branch, tag or commit."""

    url: str
    """`https://HOST/REPOSITORY`, without user, password and query."""
    ref: str
    path: str
    """Relative, without `.` and `..`."""

    def __str__(self) -> str:
        """The URI, `git+https://HOST/REPOSITORY@REF#PATH`."""
        return f"git+{self.url}@{self.ref}#{self.path}"


def parse(uri: str) -> GitPlace:
    """Read a `git+https:` URI.

    Raises:
        UsageError: it has another form, names a user or a password, or its path climbs.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        named = "@" in uri.partition("://")[2].partition("/")[0]
        hint = "credentials belong into git's own configuration" if named else f"write {FORM}"
        shown = "the address" if named else f"{uri!r}"
        raise UsageError(f"{shown} is no policy in a git repository", hint=hint)
    place = GitPlace(url=found[1], ref=found[2], path=found[3])
    parts = place.path.split("/")
    if ".." in place.ref or not place.path.isprintable() or {"", ".", ".."} & set(parts):
        raise UsageError(f"{uri!r} is no policy in a git repository", hint=f"write {FORM}")
    return place


@dataclass(slots=True, kw_only=True)
class Clones:
    """Repositories in a private temporary folder, each fetched once; `close` removes them."""

    environ: Mapping[str, str]
    max_seconds: float = MAX_SECONDS
    max_bytes: int = MAX_REPOSITORY
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _fetched: dict[tuple[str, str], Path | UsageError] = field(default_factory=dict)

    def read(self, place: GitPlace) -> bytes:
        """Read the file at *place*, at most one byte more than a policy may have.

        Raises:
            UsageError: git is not installed, the repository cannot be fetched within the limits,
                or it has no such ref or file.
        """
        clone = self._clone(place)
        if isinstance(clone, UsageError):
            raise clone
        name = f"FETCH_HEAD:{place.path}"
        try:
            size = int(self._git(clone, "cat-file", "-s", name))
            if size > MAX_BYTES:
                return b" " * (MAX_BYTES + 1)  # `text` refuses it by its size
            return self._git(clone, "cat-file", "blob", name)
        except _FailedError:
            what = f"the repository has no file {place.path!r} at {place.ref}"
            raise UsageError(what) from None

    def copy(self, place: GitPlace, into: Path) -> Path:
        """Copy the files of a folder at *place*, with all below it, to *into*.

        Links and submodules are left out, so that whoever reads the folder misses them.

        Raises:
            UsageError: as `read`; or the folder has more than a thousand files.
        """
        clone = self._clone(place)
        if isinstance(clone, UsageError):
            raise clone
        name = f"FETCH_HEAD:{place.path.rstrip('/')}"
        try:
            listed = self._git(clone, "ls-tree", "-r", "-z", name).split(b"\0")[:-1]
        except _FailedError:
            what = f"the repository has no folder {place.path!r} at {place.ref}"
            raise UsageError(what) from None
        if len(listed) > MAX_FILES:
            raise UsageError(f"{place.path} has more than {MAX_FILES:,} files")
        for record in listed:
            head, _, path = record.partition(b"\t")
            mode, _kind, oid = head.decode().split()
            inside = os.fsdecode(path)
            if mode in {"100644", "100755"} and ".." not in inside.split("/"):
                target = into / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._git(clone, "cat-file", "blob", oid))
        return into

    def close(self) -> None:
        """Remove what was fetched."""
        if self._folder is not None:
            self._folder.cleanup()

    def _clone(self, place: GitPlace) -> Path | UsageError:
        key = (place.url, place.ref)
        if key not in self._fetched:
            try:
                self._fetched[key] = self._fetch(place)
            except _FailedError as error:
                what = f"git cannot fetch {place.ref} of {place.url}: {error}"
                hint = "is the address right, and may this machine read it without being asked?"
                self._fetched[key] = UsageError(what, hint=hint)
        return self._fetched[key]

    def _fetch(self, place: GitPlace) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="aims-gate-policies-")
        clone = Path(tempfile.mkdtemp(dir=self._folder.name))
        self._git(clone, "init", "--quiet", "--bare", "--template=", ".")
        fetch = ("fetch", "--quiet", "--no-tags", "--depth=1", place.url)
        try:
            self._git(clone, *fetch, place.ref)
        except _FailedError:
            if not _SHORT.fullmatch(place.ref):
                raise
            # servers give no commit by its short name, so that is looked up in the history
            everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            self._git(clone, "fetch", "--quiet", place.url, *everything)
            found = self._git(clone, "rev-parse", "--verify", "--quiet", f"{place.ref}^{{commit}}")
            (clone / "FETCH_HEAD").write_bytes(found)
        return clone

    def _git(self, clone: Path, *arguments: str) -> bytes:
        """Run git in *clone*, in a process group of its own, within time and size."""
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        try:
            process = subprocess.Popen(
                ["git", *settings, *arguments],
                cwd=clone,
                env=self._environment(clone),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            hint = "install git: a policy is read with it from git+https:"
            raise UsageError("git is not installed", hint=hint) from None
        with process:
            out, error = self._watch(process, clone)
        if _size(clone) > self.max_bytes:
            raise _FailedError(f"it takes more than {self.max_bytes:,} bytes")
        if process.returncode:
            raise _FailedError(told(error))
        return out

    def _watch(self, process: subprocess.Popen[bytes], clone: Path) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + self.max_seconds
        limit = ""
        while not limit:
            try:
                return process.communicate(timeout=0.1)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    limit = f"{self.max_seconds:g} seconds"
                elif _size(clone) > self.max_bytes:
                    limit = f"{self.max_bytes:,} bytes"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise _FailedError(f"it takes more than {limit}")

    def _environment(self, clone: Path) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self.environ.items()
            if name in KEPT or name.startswith("GIT_CONFIG_")
        }
        ours = {"GIT_TERMINAL_PROMPT": "0", "GIT_DIR": str(clone), "LC_ALL": "C"}
        return {**kept, **ours}


class _FailedError(Exception):
    """Git said no, and why."""


def _size(folder: Path) -> int:
    total = 0
    for base, _folders, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):  # git renames its temporary files
                total += (Path(base) / name).lstat().st_size
    return total


def told(error: bytes) -> str:
    """Git's own error message, as one printable line."""
    lines = error.decode(errors="replace").strip().splitlines() or ["no reason is given"]
    line = next((text for text in lines if text.startswith(("fatal:", "error:"))), lines[-1])
    shown = line.removeprefix("fatal: ").removeprefix("error: ")
    return "".join(letter if letter.isprintable() else " " for letter in shown)[:300]
