"""Reader of governance records: folders to documents and entries, with every fault as a fact.

Nothing here raises over what the folders hold, and nothing is left out: whatever cannot be read is
a record with a problem.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import GateError, near
from aims_gate.governance.contract import (
    LogEntry,
    ProblemKind,
    RecordDocument,
    RecordProblem,
    Records,
)
from aims_gate.governance.kinds import (
    ENTRIES,
    ENTRY,
    FOLDERS,
    KINDS,
    LOG,
    WRITTEN,
    Area,
    RecordKind,
)
from aims_gate.governance.participants import HELD, objections, owners
from aims_gate.governance.people import People
from aims_gate.governance.record_text import RecordText, entry, record
from aims_gate.regular import itself, read_regular
from aims_gate.signoffs import APPROVALS

MAX_FILES = 2000
"""In one folder."""
_WRITTEN = (".yaml", ".yml", ".md", ".markdown")
_ROOTS = frozenset({"system.yaml", "organisation.yaml"})
"""Files by which a folder of records is told from one that hides some."""
_BELOW = frozenset({*(kind.folder for kind in KINDS.values()), LOG, APPROVALS} - {""})
"""Folders below that of the records."""
_ALIKE = 0.8
"""Ratio from which a folder's name is a misspelt one: `logs` is, and `notebooks` is none."""
_BESIDE = frozenset({"README.md"})
"""Files that belong to no kind and may lie beside records, unless they begin as one."""
_FRONT = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n")
_STATED = re.compile(
    rb"^['\"]?kind['\"]?[ \t]*:[ \t]*['\"]?(?:"
    + "|".join(WRITTEN).encode()
    + rb")['\"]?[ \t]*(?:#.*)?\r?$",
    re.MULTILINE,
)
_HEAD = 4096
"""Bytes of a file in which it says of which kind it is."""


def read(system: Path | None, org: Path | None, at: Callable[[Path], Path] = itself) -> Records:
    """Read the records of a system and of its organisation.

    Args:
        system: Folder of the system's records, such as `aims/`; None where there is none.
        org: Folder of the organisation's.
        at: Where a file or folder is read: itself, or its copy from the policy base.
    """
    documents: list[RecordDocument] = []
    entries: list[LogEntry] = []
    problems: list[RecordProblem] = []
    folders = (*_folders(Area.SYSTEM, system, at), *_folders(Area.ORG, org, at))
    for listed, kinds in folders:
        problems += (*listed.problems, *listed.strangers(kinds))
        for kind in kinds:
            if kind.name == ENTRY:
                entries += map(entry, listed.texts(kind))
            else:
                documents += listed.documents(kind)
    twice = _twice(documents, entries)
    found = Records(
        system=system,
        org=org,
        documents=tuple(replace(one, problems=one.problems + twice(one)) for one in documents),
        entries=tuple(replace(one, problems=one.problems + twice(one)) for one in entries),
        problems=tuple(problems),
    )
    return replace(found, entries=tuple(_held_by(found)))


def _held_by(records: Records) -> Iterator[LogEntry]:
    """Entries; an audit or review by nobody here, or of own work, has that fault.

    While the list of people is no sound one, nobody can tell.
    """
    people = People.of(records)
    for one in records.entries:
        asked = people is not None and one.type in HELD and not one.problems
        against = objections(one, people, owners(records.documents)) if asked else ()
        faults = (_problem(one.path, ProblemKind.UNREADABLE, what, "people") for what in against)
        yield replace(one, problems=(*one.problems, *faults))


def _folders(
    area: Area, root: Path | None, at: Callable[[Path], Path]
) -> Iterator[tuple[_Folder, list[RecordKind]]]:
    kinds = [*(one for one in KINDS.values() if one.area is area), ENTRIES[area]]
    for below in dict.fromkeys(one.folder for one in kinds):
        listed = _Folder(root, FOLDERS[area], below, at)
        yield listed, [one for one in kinds if one.folder == below]


class _Folder:
    """One folder of records: its files, and what is wrong with it."""

    def __init__(
        self, root: Path | None, default: str, below: str, at: Callable[[Path], Path]
    ) -> None:
        name = default if root is None else root.name or default
        self.below = below
        self.shown = f"{name}/{below}".rstrip("/")
        self.files: dict[str, Path] = {}
        self.problems: tuple[RecordProblem, ...] = ()
        if root is None:
            return
        try:
            self.files = {one.name: one for one in _listed(root / below, at)}
        except (OSError, GateError) as error:
            what = f"the folder cannot be read: {_reason(error)}"
            self.problems = (_problem(self.shown, ProblemKind.UNREADABLE, what),)

    def texts(self, kind: RecordKind) -> Iterator[RecordText]:
        """The files of a kind."""
        return (self._text(name) for name in self._names(kind))

    def documents(self, kind: RecordKind) -> Iterator[RecordDocument]:
        """The documents of a kind; one that is missing where it is expected and is not there."""
        if kind.expected and not self._names(kind):
            path = f"{self.shown}/{_file(kind)}"
            what = "it is not there; aims-gate aims init drafts what is missing"
            missing = _problem(path, ProblemKind.MISSING, what)
            yield RecordDocument(kind=kind.name, id="", path=path, problems=(missing,))
        for text in self.texts(kind):
            yield record(kind, text)

    def strangers(self, kinds: Iterable[RecordKind]) -> Iterator[RecordProblem]:
        """Written files that no kind of record is called, and folders that hide some."""
        known = {name for kind in kinds for name in self._names(kind)}
        for name, path in self.files.items():
            if path.is_dir() and not path.is_symlink() and name not in known:
                meant = difflib.get_close_matches(name.lower(), _BELOW, n=1, cutoff=_ALIKE)
                unread = bool(meant) or _holds_records(path)
                if self.below or (unread and name not in _BELOW):
                    hint = f"; did you mean {meant[0]!r}?" if meant else ""
                    what = f"records in this folder are not read{hint}"
                    yield _problem(f"{self.shown}/{_said(name)}", ProblemKind.UNKNOWN, what)
            elif name not in known and _is_record(path, beside=name in _BESIDE):
                what = f"no record is called so; {near(_said(name), map(_file, kinds))}"
                yield _problem(f"{self.shown}/{_said(name)}", ProblemKind.UNKNOWN, what)

    def _names(self, kind: RecordKind) -> list[str]:
        wanted = _file(kind)
        several = wanted.removeprefix("*")
        named = (one for one in self.files if one not in _BESIDE and one.isprintable())
        found = [one for one in named if not one.startswith(".")]
        if several != wanted:
            return [one for one in found if one.endswith(several)]
        return [one for one in found if one == wanted]

    def _text(self, name: str) -> RecordText:
        path = f"{self.shown}/{name}"
        file = self.files[name]
        try:
            data = b"" if file.is_symlink() else read_regular(file, MAX_BYTES)
        except OSError as error:
            return RecordText(path=path, data=None, reason=_reason(error))
        if file.is_symlink() or len(data) > MAX_BYTES:
            reason = f"it has more than {MAX_BYTES:,} bytes" if data else "it is a symbolic link"
            return RecordText(path=path, data=None, reason=reason)
        return RecordText(path=path, data=data)


def _is_record(path: Path, *, beside: bool) -> bool:
    """Tell whether a file that no kind is called looks like a record, by its name or its text."""
    hidden = path.name.startswith(".")
    if path.name.casefold().endswith(_WRITTEN) and not (beside or hidden):
        return True
    head = _head(path)
    return bool(_FRONT.match(head) if beside or not hidden else _STATED.search(head))


def _holds_records(folder: Path) -> bool:
    """Tell whether there are records below a folder that no system or organisation keeps there."""
    for place, below, files in os.walk(folder):
        if _ROOTS & {*files}:
            below.clear()
            continue
        below[:] = [one for one in below if not one.startswith(".")]
        if any(_STATED.search(_head(Path(place, name))) for name in files):
            return True
    return False


def _head(path: Path) -> bytes:
    try:
        if path.is_symlink() or not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _said(name: str) -> str:
    """The name of a file; with escapes where a character is none, or is one that nobody sees."""
    return name if name.isprintable() else ascii(name)[1:-1]


def _file(kind: RecordKind) -> str:
    return kind.place.rpartition("/")[2]


def _listed(folder: Path, at: Callable[[Path], Path]) -> list[Path]:
    place = at(folder)
    if place.is_symlink():
        raise OSError(0, "it is a symbolic link")
    if not place.exists():
        return []
    with os.scandir(place) as found:
        files = sorted(Path(one.path) for one in found if not _hidden_folder(one))
    if len(files) > MAX_FILES:
        raise OSError(0, f"it has more than {MAX_FILES:,} files")
    return files


def _hidden_folder(one: os.DirEntry[str]) -> bool:
    return one.name.startswith(".") and one.is_dir()


def _twice(
    documents: list[RecordDocument], entries: list[LogEntry]
) -> Callable[[RecordDocument | LogEntry], tuple[RecordProblem, ...]]:
    """Find the ids that more than one record has: no link to such an id says which is meant."""
    paths: dict[str, list[str]] = {}
    for name, path in [(one.id, one.path) for one in documents] + [
        (one.id, one.path) for one in entries
    ]:
        paths.setdefault(name, []).append(path)

    def problems(one: RecordDocument | LogEntry) -> tuple[RecordProblem, ...]:
        others = [path for path in paths[one.id] if path != one.path]
        if not one.id or not others:
            return ()
        what = f"the id {one.id!r} is that of {others[0]} too; give it one of its own"
        return (_problem(one.path, ProblemKind.UNREADABLE, what, "id"),)

    return problems


def _problem(path: str, kind: ProblemKind, message: str, key: str = "") -> RecordProblem:
    return RecordProblem(path=path, line=0, key=key, kind=kind, message=message)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "what", None) or error)
