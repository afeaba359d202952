"""What people did about documents: signatures beside them, signed commits, reviews at the forge.

Each becomes an act, whether it holds or not; `approval` says what counts. The author whom git names
is anybody's to write: a claim, which can only forbid that author's approval.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from aims_gate.attest.trust import Trust
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import GateError, TrustError, UsageError
from aims_gate.governance.contract import RecordAct, RecordDocument, Records, Strength
from aims_gate.governance.kinds import KINDS, Area
from aims_gate.governance.material import unassessed
from aims_gate.governance.people import github
from aims_gate.governance.record_text import human_digest
from aims_gate.regular import itself, read_regular
from aims_gate.signoffs import APPROVALS, kinds
from aims_gate.signoffs import folder as signoffs
from aims_gate.signoffs.committed import (
    CommitHistory,
    Committed,
    author_of_change,
    last_change,
    moved_from,
)
from aims_gate.signoffs.folder import Unsound

_PREFIX = "REC-"
_MOST = 400
"""Commits of generated lines that are gone back through: more than one each day of a year."""
_MOVES = 20
"""Names of a file that are gone back through."""
_WEB = re.compile(r"(?:[0-9]+\+)?([A-Za-z0-9-]+)@users\.noreply\.github\.com", re.IGNORECASE)
"""Address that GitHub writes for a login."""


def approval_id(human_digest: str) -> str:
    """Id of the signed approval of some bytes, which its file is named by."""
    return f"{_PREFIX}{human_digest[:16]}"


def acted(
    records: Records,
    *,
    trust: Trust | None,
    history: CommitHistory | None,
    now: datetime,
    at: Callable[[Path], Path] = itself,
    also: Iterable[tuple[RecordDocument, Path]] = (),
) -> Records:
    """The records, with what people did about them.

    Args:
        records: As they were read.
        trust: Whose signatures count; without it none does.
        history: Of the repository that they lie in; None where they are in none.
        now: The present moment: a key must be valid now.
        at: Where a file or folder is read: itself, or its copy from the policy base.
        also: Other documents that signed commits may have changed, each with its file.
    """
    found = [*records.approvals, *signatures(records, trust=trust, at=at, now=now)]
    there = (*files(records), *also)
    if history is not None and trust is not None:
        found += commits(there, history, trust=trust, at=at, now=now)
    if history is not None:
        found = list(_with_authors(found, there, history))
    return replace(records, approvals=tuple(found))


def _with_authors(
    found: Iterable[RecordAct], there: Iterable[tuple[RecordDocument, Path]], history: CommitHistory
) -> Iterator[RecordAct]:
    """Acts, each with whom git names as the author of the bytes that it is of."""
    places = {one.human_digest: (one, path) for one, path in there if one.human_digest}
    known: dict[str, tuple[str, ...]] = {}
    for act in found:
        place = places.get(act.digest)
        if place is not None and act.digest not in known:
            known[act.digest] = authors(*place, history)
        yield replace(act, authors=(*act.authors, *known.get(act.digest, ())))


def authors(document: RecordDocument, path: Path, history: CommitHistory) -> tuple[str, ...]:
    """Names of who wrote what people wrote in a document; empty where the history does not tell.

    What it is assessed for, which `aims approve` writes, is not written by whoever commits it; nor
    is a file by whoever moves it.
    """
    brought, written = "", ""
    with suppress(GateError):
        for commit, data in _whole_history(history, path):
            kind = KINDS.get(document.kind)
            then = human_digest(kind, unassessed(data))
            written = written or (then if human_digest(kind, data) == document.human_digest else "")
            if then != written:
                break
            brought = commit
    names = author_of_change(history.repository, brought) if brought else ()
    return (*names, *(github(found[1]) for found in map(_WEB.fullmatch, names) if found))


def files(records: Records) -> list[tuple[RecordDocument, Path]]:
    """Documents that are there, each with its file, whatever the folders are called."""
    roots = {Area.SYSTEM: records.system, Area.ORG: records.org}
    there = ((one, roots[KINDS[one.kind].area]) for one in records.documents if one.digest)
    return [(one, root / one.path.partition("/")[2]) for one, root in there if root is not None]


def uncommitted(found: Iterable[Records], environ: Mapping[str, str]) -> Iterator[str]:
    """Digests of documents that the commit which is checked out around them does not have."""
    known: dict[Path, frozenset[Path]] = {}
    for records in found:
        for root in filter(None, (records.system, records.org)):
            if root not in known:
                history = CommitHistory.around(root, environ)
                known[root] = frozenset() if history is None else history.holds(root)
        committed = frozenset[Path]().union(*known.values())
        for document, path in files(records):
            if Path(os.path.normpath(path.absolute())) not in committed:
                yield document.digest


def signatures(
    records: Records, *, trust: Trust | None, at: Callable[[Path], Path], now: datetime
) -> Iterator[RecordAct]:
    """Signed approvals, from `approvals/` of both folders of records."""
    known = {approval_id(one.human_digest): one for one in records.documents if one.human_digest}
    for root in filter(None, (records.system, records.org)):
        try:
            place = at(root / APPROVALS)
        except GateError as error:
            yield _unsound("", f"{root.name}/{APPROVALS}", now, error.what)
            continue
        for one in signoffs.load(place, kinds.RECORD, trust=trust, now=now):
            if isinstance(one, Unsound):
                document = known.get(one.id)
                yield _unsound(document.id if document else "", one.where, now, one.what)
                continue
            for key in one.keys:
                yield RecordAct(
                    record=one.said.record,
                    digest=one.said.sha256,
                    names=key.names,
                    strength=Strength.SIGNED,
                    when=one.issued,
                    where=one.where,
                )


def commits(
    documents: Iterable[tuple[RecordDocument, Path]],
    history: CommitHistory,
    *,
    trust: Trust,
    at: Callable[[Path], Path],
    now: datetime,
) -> Iterator[RecordAct]:
    """Who signed the last commit that changed each document, by its SSH key.

    Args:
        documents: With the file of each in the work tree.
        history: Of the repository that they lie in.
        trust: Whose signatures count.
        at: Where a file is read: itself, or its copy from the policy base.
        now: The present moment: a key must be valid now.
    """
    for document, path in documents:
        try:
            if history.repository.inside(path) is None:
                continue  # the organisation's may lie in another repository
            data = read_regular(at(path), MAX_BYTES)
            _refuse_changed(document, data)
            found = _signed_change(document, path, data, history, trust=trust, now=now)
        except (GateError, OSError) as error:
            where = f"{document.path} in git"
            what = error.what if isinstance(error, GateError) else error.strerror or "not readable"
            yield _unsound(document.id, where, now, what)
            continue
        yield RecordAct(
            record=document.id,
            digest=document.human_digest,
            names=found.person.names,
            strength=Strength.SIGNED,
            when=found.when,
            where=f"commit {found.commit[:12]}",
        )


def _signed_change(
    document: RecordDocument,
    path: Path,
    data: bytes,
    history: CommitHistory,
    *,
    trust: Trust,
    now: datetime,
) -> Committed:
    """The newest signed commit that changed a document and since which people wrote nothing.

    The machine's commits of generated lines, which nobody signs, take no approval back.
    """
    try:
        return last_change(history, path, data, trust=trust, now=now)
    except TrustError:
        kind = KINDS.get(document.kind)
        generated = kind is not None and kind.generated is not None
        inside = history.repository.inside(path) or ""
        for commit, before in _versions(history, inside) if generated else ():
            if human_digest(kind, before) != document.human_digest:
                break
            then = replace(history, commit=commit)
            with suppress(TrustError):
                return last_change(then, path, before, trust=trust, now=now)
        raise


def _whole_history(history: CommitHistory, path: Path) -> Iterator[tuple[str, bytes]]:
    """Versions of a file, back through the names that it had before it was moved as it was."""
    inside = history.repository.inside(path) or ""
    for _ in range(_MOVES):
        commit = ""
        for commit, data in _versions(history, inside):
            yield commit, data
        inside = moved_from(history.repository, commit, inside) if commit else ""
        if not inside:
            return
        history = replace(history, commit=f"{commit}^")


def _versions(history: CommitHistory, inside: str) -> Iterator[tuple[str, bytes]]:
    """Commits that changed a file, the newest first, each with what it made of it."""
    repository = history.repository
    listed = repository.git("rev-list", f"--max-count={_MOST}", history.commit, "--", inside)
    for commit in listed.decode().split():
        entry = repository.entry(commit, inside)
        if entry is None:
            return
        yield commit, repository.read(entry, MAX_BYTES)


def _refuse_changed(document: RecordDocument, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != document.digest:
        raise UsageError("it changed while it was read")


def _unsound(record: str, where: str, now: datetime, problem: str) -> RecordAct:
    return RecordAct(
        record=record,
        digest="",
        names=(),
        strength=Strength.NONE,
        when=now,
        where=where,
        problem=problem,
    )
