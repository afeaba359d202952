"""Approvals that are commits: a draft in git, approved by whose SSH key signed its last change.

Names of authors and committers are written by whoever commits, and never count. What counts is the
key that signed the commit, and that no later commit changed the draft.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aims_gate.attest.ssh_signature import open_signature
from aims_gate.attest.trust import Trust, TrustedKey
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import GateError, TrustError, UsageError
from aims_gate.policy.repository import GitRepository
from aims_gate.regular import read_regular
from aims_gate.signoffs import kinds
from aims_gate.signoffs.folder import ENDING, MAX_FILES, Signed, Unsound, admitted
from aims_gate.signoffs.grammar import APPROVAL, ApprovalSaid, predicate_of

DRAFT = ".yaml"
_PURPOSE = b"git"
_COMMITTER = re.compile(rb"[^\n]*> ([0-9]{1,11}) [+-][0-9]{4}")
_AUTHOR = re.compile(r"([^\n<>]*?) ?<([^\n<>]*)>.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The signed commit that last changed a file."""

    person: TrustedKey
    commit: str
    when: datetime
    """The committer's time; the signer's claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitHistory:
    """A commit, and what led to it."""

    repository: GitRepository
    commit: str

    @classmethod
    def around(cls, folder: Path, environ: Mapping[str, str]) -> CommitHistory | None:
        """What is checked out of the repository around a folder; None if there is none."""
        try:
            repository = GitRepository.around(folder, environ)
            return cls(repository=repository, commit=repository.head())
        except UsageError:
            return None

    def holds(self, folder: Path) -> frozenset[Path]:
        """Absolute paths of the files below a folder that the commit has; none if it has none."""
        try:
            inside = self.repository.inside(folder)
            below = () if inside == "." else ("--", inside or "")
            listed = self.repository.git(
                *("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit), *below
            )
        except UsageError:
            return frozenset()
        names = filter(None, listed.split(b"\0"))
        return frozenset(self.repository.root / os.fsdecode(name) for name in names)


def approvals(
    folder: Path, place: Path, history: CommitHistory, *, digest: str, trust: Trust, now: datetime
) -> Iterator[Signed[ApprovalSaid] | Unsound]:
    """Find the drafts about a model that nobody signed as files, and who committed them.

    Args:
        folder: Such as `approvals/` of the work tree.
        place: Where its files are read: itself, or its copy from the policy base.
        history: Of the repository that it lies in.
        digest: SHA-256 of the model's manifest; drafts about others are passed over.
        trust: Whose signatures count.
        now: The present moment: a key must be valid now.
    """
    names = sorted(path.name for path in place.glob(f"*{DRAFT}"))
    signed = [path.name for path in place.glob(f"*{ENDING}")]
    if len(names) > MAX_FILES:
        what = f"the folder has more than {MAX_FILES} drafts"
        yield Unsound(id=folder.name, what=what, where=folder.name)
        return
    for name in names:
        try:
            data = read_regular(place / name, MAX_BYTES)
            document, draft = APPROVAL.read(data, name)
            if draft.model.sha256 != digest or any(s.startswith(f"{draft.id}.") for s in signed):
                continue
            found = last_change(history, folder / name, data, trust=trust, now=now)
        except (GateError, OSError) as error:
            yield Unsound(id=name.partition(".")[0], what=f"nobody signed it: {error}", where=name)
            continue
        issued = f"{found.when:%Y-%m-%dT%H:%M:%SZ}"
        terms = predicate_of(document.tree, approved_by=found.person.person, issued=issued)
        yield Signed(
            said=kinds.APPROVAL.read(terms, where=name),
            keys=(found.person,),
            issued=found.when,
            files={f"{name}@{found.commit[:12]}": data},
        )


def last_change(
    history: CommitHistory, path: Path, data: bytes, *, trust: Trust, now: datetime
) -> Committed:
    """Find the last commit that changed a file, and whose key signed that commit.

    Args:
        history: Where to look.
        path: The file in the work tree.
        data: What the commit must hold there.
        trust: Whose signatures count, as approvers.
        now: The present moment: the key must be valid now.

    Raises:
        UsageError: the file is not committed so, or the history is not here.
        TrustError: the commit is not signed, or by somebody who may not approve.
    """
    repository = history.repository
    inside = repository.inside(path)
    entry = None if inside is None else repository.entry(history.commit, inside)
    if inside is None or entry is None:
        raise UsageError("it is not committed")
    if _lines(repository.read(entry, MAX_BYTES)) != _lines(data):
        raise UsageError("it was changed, and the change is not committed")
    commit = repository.last_change(history.commit, inside)
    raw = repository.raw(commit)
    if repository.entry(commit, inside) != entry:
        raise UsageError(f"its history is not what commit {commit[:12]} says")
    for parent in _values(raw, b"parent"):
        # a shallow clone calls its oldest commit the one that made every file
        before = repository.entry(_present(repository, parent.decode()), inside)
        if before == entry:
            raise UsageError(f"commit {commit[:12]} did not change it")
    payload, armored = _unsigned(
        raw, b"gpgsig" if len(commit) == len("0" * 40) else b"gpgsig-sha256"
    )
    where = f"commit {commit[:12]}"
    keys = [one.key for one in trust.keys]
    try:
        key = open_signature(armored, payload, keys, namespace=_PURPOSE)
    except TrustError as error:
        raise TrustError(f"{where}, the last that changed it: {error.what}") from error
    when = _when(raw)
    person = admitted(key, when, trust=trust, now=now)
    return Committed(person=person, commit=commit, when=when)


def _lines(data: bytes) -> bytes:
    """Bytes by which a work tree may differ from its commit: git writes line ends as told."""
    return data.replace(b"\r\n", b"\n")


def author(repository: GitRepository, commit: str) -> tuple[str, ...]:
    """Name and address of a commit's author, as far as the repository has it: a claim."""
    try:
        (line,) = _values(repository.raw(commit), b"author")
    except (UsageError, ValueError):
        return ()
    found = _AUTHOR.fullmatch(line.decode(errors="replace"))
    return tuple(filter(None, found.groups())) if found is not None else ()


def author_of_change(repository: GitRepository, commit: str) -> tuple[str, ...]:
    """Author of a commit that changed a file; empty if what was before it is not here.

    A shallow clone calls its oldest commit the one that made every file.
    """
    try:
        for parent in _values(repository.raw(commit), b"parent"):
            _present(repository, parent.decode())
    except UsageError:
        return ()
    return author(repository, commit)


def moved_from(repository: GitRepository, commit: str, path: str) -> str:
    """Path that a file had before a commit moved it without a change; empty if it did not."""
    asked = ("diff-tree", "-r", "-z", "--find-renames=100%", "--diff-filter=R", commit)
    parts = repository.git(*asked, "--name-status", "--no-commit-id").decode(errors="replace")
    found = iter(parts.split("\0"))
    pairs = zip(found, found, found, strict=False)  # R100, before, after
    return next((before for _, before, after in pairs if after == path), "")


def _present(repository: GitRepository, commit: str) -> str:
    try:
        repository.raw(commit)
    except UsageError:
        hint = "git fetch --unshallow, or fetch-depth: 0 in the workflow"
        raise UsageError("the clone has not its history", hint=hint) from None
    return commit


def _values(raw: bytes, key: bytes) -> list[bytes]:
    """Values of a header of a commit; lines that continue another are none."""
    head = raw.partition(b"\n\n")[0].split(b"\n")
    return [line.partition(b" ")[2] for line in head if line.partition(b" ")[0] == key]


def _unsigned(raw: bytes, key: bytes) -> tuple[bytes, bytes]:
    """Split a commit into what was signed and its one signature; TrustError if there is none."""
    head, blank, message = raw.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    into = kept
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        if name.startswith(b"gpgsig"):
            if name != key or signature:
                raise TrustError("it has more than one signature, or one of another kind")
            into = signature
            into.append(value)
        elif name:
            into = kept
            into.append(line)
        else:  # it continues the line before
            into.append(line if into is kept else value)
    if not signature:
        raise TrustError("it is not signed", hint="git commit -S, with gpg.format ssh")
    return b"\n".join(kept) + blank + message, b"\n".join(signature)


def _when(raw: bytes) -> datetime:
    (line,) = _values(raw, b"committer") or (b"",)
    found = _COMMITTER.fullmatch(line)
    if found is None:
        raise TrustError("the commit's time cannot be read")
    return datetime.fromtimestamp(int(found[1]), UTC)
