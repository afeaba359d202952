"""Event log of the management system: entries are opened with what was seen, and closed whole.

An entry is closed only if nothing in it waits any more: cause, action, and whether it worked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from pathlib import Path

from aims_gate import canonical
from aims_gate.checks.records.data_sources import slug
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import PolicyError, Problem, RecordError, UsageError, near
from aims_gate.governance.contract import LogEntry
from aims_gate.governance.entry_grammar import PRIVATE_TYPES, SEVERITIES
from aims_gate.governance.kinds import ENTRY, ENTRY_TYPES, LOG
from aims_gate.governance.participants import HELD, objections, owners
from aims_gate.governance.people import People
from aims_gate.governance.reader import read
from aims_gate.governance.record_text import RecordText, entry
from aims_gate.governance.templates import headings
from aims_gate.governance.wording import says
from aims_gate.operations.aims.filled import filled
from aims_gate.operations.strangers import refuse_stranger
from aims_gate.regular import create, read_regular, refuse_links, write_regular


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is known of an entry when it is opened; what is empty stays a TODO."""

    folder: Path
    """Records that the log belongs to: `aims` or `org`."""
    type: str
    title: str
    """What was seen, in a sentence."""
    owner: str = ""
    severity: str = ""
    due: date | None = None
    rule: str = ""
    """Id of a rule that is concerned, or that was made of it."""
    links: tuple[str, ...] = ()
    """Ids of risks and other records."""
    detected_by: str = ""
    today: date


def open_entry(how: Opening, *, again: bool = False) -> Path:
    """Write a new entry from the template of its type.

    Args:
        how: What is known of it.
        again: Whether it takes a number where an entry of that day has its name.

    Raises:
        UsageError: (2) There is no such type or severity, the title is empty, or an entry of that
            day has the same name.
        RecordError: (3) It cannot be written.
    """
    if how.type not in ENTRY_TYPES:
        what = f"there is no type of entry {how.type!a}"
        raise UsageError(what, hint=near(how.type, ENTRY_TYPES))
    if how.severity and how.severity not in SEVERITIES:
        what = f"there is no severity {how.severity!a}"
        raise UsageError(what, hint=f"one of {', '.join(SEVERITIES)}")
    first, *_ = headings(how.type)
    if not says(how.title):
        raise UsageError("the title says nothing", hint="say in a sentence what was seen")
    called = slug(how.title)
    if how.type in PRIVATE_TYPES:  # a file's name is shown where its text is left out
        called = f"{how.type}-{canonical.sha256(how.title.encode())[:8]}"
    name = f"{how.today:%Y-%m-%d}-{called}"
    if again:
        name = _free(how.folder / LOG, name)
    due = "" if how.due is None else f"{how.due:%Y-%m-%d}"
    given: dict[str, object] = {
        "owner": how.owner,
        "severity": how.severity,
        "due": due,
        "rule": how.rule,
    }
    given |= {"links": list(how.links), "detected_by": how.detected_by}
    text = filled(
        how.type,
        marks={"id": f"{system_id(how.folder)}/{name}", "today": f"{how.today:%Y-%m-%d}"},
        keys={key: value for key, value in given.items() if value},
        sections={first.heading: " ".join(how.title.split())},
    )
    return write_entry(how.folder, name, text)


def _free(folder: Path, name: str) -> str:
    """The name, or the first numbered one that no file has."""
    names = chain((name,), (f"{name}-{number}" for number in count(2)))
    return next(one for one in names if not os.path.lexists(folder / f"{one}.md"))


def write_entry(folder: Path, name: str, text: str) -> Path:
    """Write a new entry of a log; what is there is never overwritten.

    Raises:
        UsageError: (2) An entry of that name is there.
        RecordError: (3) It cannot be written.
    """
    path = folder / LOG / f"{name}.md"
    try:
        refuse_links(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        create(path, text.encode())
    except FileExistsError as error:
        hint = "give it a title of its own"
        raise UsageError(
            "an entry of this day has this name", where=str(path), hint=hint
        ) from error
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise RecordError(what, where=str(path)) from error
    return path


def close_entry(path: Path, *, today: date, org: Path | None = None) -> None:
    """Close an entry, if it is whole and its owner is known.

    Raises:
        PolicyError: (2) Something in it waits for a person, with each place.
        UsageError: (2) It is no entry that can be read, it is closed already, or the list of
            people of *org* does not have its owner.
        RecordError: (3) It cannot be written.
    """
    shown = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    try:
        refuse_links(path)
        text = read_regular(path, MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the entry cannot be read: {error}", where=str(path)) from error
    before = entry(RecordText(path=shown, data=text.encode()))
    if before.values.get("kind") != ENTRY:
        raise UsageError(f"this is no {ENTRY} of a log", where=str(path))
    if "closed" in before.values:
        raise UsageError(f"it is closed already, on {before.closed}", where=str(path))
    line = f'closed: "{today:%Y-%m-%d}"\n'
    whole = re.sub(r"^(opened: .*\n)", rf"\g<1>{line}", text, count=1, flags=re.MULTILINE)
    after = entry(RecordText(path=shown, data=whole.encode()))
    faults = after.problems if after.closed == today else before.problems
    if faults or after.closed != today:
        waits = [Problem(file=str(path), line=one.line, what=one.message) for one in faults]
        raise PolicyError(waits or [Problem(file=str(path), line=0, what="has no line opened:")])
    refuse_stranger(after.owner, org)
    _refuse_participants(after, path.parent.parent, org)
    try:
        write_regular(path, whole.encode())
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise RecordError(what, where=str(path)) from error


def _refuse_participants(entry: LogEntry, folder: Path, org: Path | None) -> None:
    """Refuse to close an audit or review by nobody here, or by whoever owns what was audited."""
    kept = [read(one, None).documents for one in system_folders(folder, org)]
    organisation = read(None, org)
    people = People.of(organisation)
    if entry.type not in HELD or people is None:
        return
    everything = (*organisation.documents, *chain.from_iterable(kept))
    for what in objections(entry, people, owners(everything)):
        raise UsageError(what, where=str(entry.path), hint="let others hold it, or name them right")


def system_folders(folder: Path, org: Path | None) -> Iterator[Path]:
    """A folder of records, and those of systems beside the organisation's."""
    beside = folder.parent if org is None else org.parent
    found = {folder, beside / "aims", *beside.glob("*/aims")}
    yield from (one for one in sorted(found) if (one / "system.yaml").is_file())


def system_id(folder: Path) -> str:
    """Id of the system that a folder of records is about; the folder's own name without one."""
    try:
        text = read_regular(folder / "system.yaml", MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return slug(folder.resolve().name)
    found = re.search(r'^id: "?([A-Za-z0-9._-]+)"?', text, re.MULTILINE)
    return found[1] if found else slug(folder.resolve().name)
