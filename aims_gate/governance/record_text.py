"""One file's bytes to one record: its keys, its sections, and all that is wrong with them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from aims_gate.documents import messages
from aims_gate.documents.keys import describe
from aims_gate.documents.strict_yaml import Document, Path, parse, unseen
from aims_gate.errors import PolicyError, Problem, near
from aims_gate.governance import templates
from aims_gate.governance.contract import (
    LogEntry,
    ProblemKind,
    RecordDocument,
    RecordProblem,
    day,
    day_count,
    frozen,
)
from aims_gate.governance.generated import (
    blank_generated,
    generated_lines,
    without_generated,
)
from aims_gate.governance.kinds import ENTRIES, ENTRY_TYPES, Area, RecordKind
from aims_gate.governance.markdown import Section, by_heading, sections, split
from aims_gate.governance.wording import SAYS_NOTHING, says

_FAULTS = {
    "extra_forbidden": ProblemKind.UNKNOWN,
    "missing": ProblemKind.MISSING,
    SAYS_NOTHING: ProblemKind.MISSING,
}
_SAYS = {
    ProblemKind.TODO: "still waits for a person (TODO)",
    ProblemKind.TEMPLATE: "still is the template's sentence",
}
_COMPARED = 50
"""Headings that may be meant where one is missing."""
_OPEN = re.compile(r"\bTODO\b|\{\{[^{}]*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordText:
    """The bytes of a record's file."""

    path: str
    data: bytes | None
    """None where they could not be read."""
    reason: str = ""
    """Why they could not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    """What is in a record's file, whatever is wrong with it."""

    values: Mapping[str, Any] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    digest: str = ""
    human_digest: str = ""
    problems: tuple[RecordProblem, ...] = ()

    def text(self, key: str) -> str:
        value = self.values.get(key)
        return value if isinstance(value, str) else ""


def record(kind: RecordKind, text: RecordText) -> RecordDocument:
    """Read a document of a kind."""
    found = _parsed(kind, text, kind.name)
    return RecordDocument(
        kind=kind.name,
        id=found.text("id"),
        path=text.path,
        owner=found.text("owner"),
        effective=day(found.values.get("effective")),
        review_every=day_count(found.values.get("review_every")),
        values=frozen(found.values),
        sections=by_heading(found.sections),
        generated=generated_lines(text.data) if kind.generated is not None and text.data else (),
        digest=found.digest,
        human_digest=found.human_digest,
        drafted_by=found.text("drafted_by"),
        problems=found.problems,
    )


def entry(text: RecordText) -> LogEntry:
    """Read an entry of a log."""
    found = _parsed(ENTRIES[Area.SYSTEM], text, "")
    links = found.values.get("links")
    return LogEntry(
        type=found.text("type"),
        id=found.text("id"),
        path=text.path,
        owner=found.text("owner"),
        opened=day(found.values.get("opened")),
        due=day(found.values.get("due")),
        closed=day(found.values.get("closed")),
        severity=found.text("severity"),
        links=tuple(map(str, links)) if isinstance(links, list) else (),
        values=frozen(found.values),
        sections=by_heading(found.sections),
        digest=found.digest,
        problems=found.problems,
    )


def human_digest(kind: RecordKind | None, data: bytes) -> str:
    """SHA-256 of what people wrote in a file of a kind: without its generated blocks.

    A line ends as it does in git, whatever the work tree has: CI reads what Windows wrote.
    """
    data = data.replace(b"\r\n", b"\n")
    if kind is not None and kind.generated is not None:
        data = without_generated(data.decode(errors="surrogateescape")).encode(
            errors="surrogateescape"
        )
    return hashlib.sha256(data).hexdigest()


def _parsed(kind: RecordKind, text: RecordText, template: str) -> _Parsed:
    if text.data is None:
        fault = _problem(text.path, 0, "", ProblemKind.UNREADABLE, f"cannot be read: {text.reason}")
        return _Parsed(problems=(fault,))
    digest, human = hashlib.sha256(text.data).hexdigest(), human_digest(kind, text.data)
    try:
        document, body, problems = _read(kind, text.path, text.data)
    except PolicyError as error:
        faults = tuple(_unreadable(text.path, one) for one in error.problems)
        return _Parsed(digest=digest, human_digest=human, problems=faults)
    name = template or str(document.tree.get("type"))
    sentences: frozenset[str] = frozenset()
    if template or name in ENTRY_TYPES:
        sentences = templates.untouched(name)
        problems += tuple(_sections(text.path, body, name, document.tree)) if kind.markdown else ()
    return _Parsed(
        values=document.tree,
        sections=body,
        digest=digest,
        human_digest=human,
        problems=(*_keys(kind, document), *_unfilled(document, sentences), *problems),
    )


def _read(
    kind: RecordKind, path: str, data: bytes
) -> tuple[Document, tuple[Section, ...], tuple[RecordProblem, ...]]:
    """Keys, sections, and generated keys that must not be; PolicyError if there are no keys."""
    if not kind.markdown:
        return _mapping(kind, parse(data, path)), (), ()
    try:
        whole = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError([Problem(file=path, line=line, what="it is not UTF-8")]) from None
    if hidden := list(unseen(whole, path)):
        raise PolicyError(hidden)
    written = whole if kind.generated is None else blank_generated(whole)
    front, human = split(whole)[0], split(written)
    if front is None or human[0] is None:
        what = f"begin with ---, the keys such as kind: {kind.name}, and ---"
        raise PolicyError([Problem(file=path, line=1, what=what)])
    document = _mapping(kind, parse(front.encode(), path))
    by_people = _mapping(kind, parse(human[0].encode(), path)).tree
    faults = (
        _at(
            document, (key,), ProblemKind.UNKNOWN, f"{key} stands in a generated block; move it out"
        )
        for key in sorted(_hidden(kind, document.tree, by_people))
    )
    return document, tuple(sections(human[1])), tuple(faults)


def _hidden(
    kind: RecordKind, whole: Mapping[str, Any], by_people: Mapping[str, Any]
) -> Iterator[str]:
    """Keys that people answer for and whose value, or a part of it, a generated block makes."""
    for key in (whole.keys() | by_people.keys()) - (kind.generated or frozenset()):
        if repr(whole.get(key)) != repr(by_people.get(key)):  # a number is no truth value
            yield key


def _mapping(kind: RecordKind, document: Document) -> Document:
    if not isinstance(document.tree, dict):
        what = f"this is {describe(document.tree)} and no mapping of keys, as a {kind.name} is"
        raise PolicyError([Problem(file=document.file, line=1, what=what)])
    return document


def _keys(kind: RecordKind, document: Document) -> Iterator[RecordProblem]:
    """What the keys are not, as their kind has them; those that wait for a person come later."""
    stated = document.tree.get("kind")
    if "kind" in document.tree and stated != kind.name:
        what = f"kind must be {kind.name!r} in this file, not {describe(stated)}"
        yield _at(document, ("kind",), ProblemKind.UNREADABLE, what)
    try:
        kind.keys.model_validate(document.tree)
    except ValidationError as error:
        yield from _refused(document, error, kind.keys)


def _refused(
    document: Document, error: ValidationError, model: type[BaseModel]
) -> Iterator[RecordProblem]:
    waits = {path for path, text in templates.strings(document.tree) if _OPEN.search(text)}
    for detail in error.errors(include_url=False):
        path = messages.path_of(detail)
        if path and any(one[: len(path)] == path for one in waits):
            continue
        told = messages.problem(document, detail, model, {})
        what = f"{told.what}; {told.hint}" if told.hint else told.what
        found = _FAULTS.get(detail["type"], ProblemKind.UNREADABLE)
        yield _problem(document.file, told.line, _key(path), found, what)


def _unfilled(document: Document, sentences: frozenset[str]) -> Iterator[RecordProblem]:
    """Keys that wait for a person."""
    for path, text in templates.strings(document.tree):
        fault = _waits(text, sentences)
        if fault is not None:
            yield _at(
                document, path, fault, f"{messages.place(document.tree, path)} {_SAYS[fault]}"
            )


def _waits(text: str, sentences: frozenset[str]) -> ProblemKind | None:
    if _OPEN.search(text):
        return ProblemKind.TODO
    return ProblemKind.TEMPLATE if sentences & set(templates.told(text)) else None


def _sections(
    path: str, found: Iterable[Section], template: str, values: Mapping[str, Any]
) -> Iterator[RecordProblem]:
    """Sections that are missing, empty, twice there, or wait for a person."""
    sentences = templates.untouched(template)
    asked = [one.heading for one in templates.headings(template)]
    if template in ENTRY_TYPES and "closed" not in values:
        asked = asked[:1]  # the others are written when it is closed
    written: dict[str, Section] = {}
    for one in found:
        if one.heading in written:
            what = f"the heading {one.heading!r} is there twice"
            yield _problem(path, one.line, one.heading, ProblemKind.UNREADABLE, what)
        first = written.setdefault(one.heading, one)
        fault = _waits(one.text, sentences)
        open_yet = template in ENTRY_TYPES and one.heading not in asked
        if fault is not None and first is one and not open_yet:
            what = f"{one.heading or 'the text'!r} {_SAYS[fault]}"
            yield _problem(path, one.line, one.heading, fault, what)
    for heading in asked:
        if heading not in written:
            what = f"the section '## {heading}' is missing"
            close = near(heading, [one for one in written if one not in asked][:_COMPARED])
            hint = f"; {close}" if close.startswith("did") else ""
            yield _problem(path, 0, heading, ProblemKind.MISSING, f"{what}{hint}")
        elif not says(written[heading].text):
            what = f"the section '## {heading}' says nothing; none needs its reason"
            yield _problem(path, written[heading].line, heading, ProblemKind.MISSING, what)


def _key(path: Path) -> str:
    parts = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return "".join(parts).removeprefix(".")


def _at(document: Document, path: Path, kind: ProblemKind, message: str) -> RecordProblem:
    return _problem(document.file, document.line(path), _key(path), kind, message)


def _unreadable(path: str, fault: Problem) -> RecordProblem:
    what = f"{fault.what}; {fault.hint}" if fault.hint else fault.what
    return _problem(path, fault.line, "", ProblemKind.UNREADABLE, what)


def _problem(path: str, line: int, key: str, kind: ProblemKind, message: str) -> RecordProblem:
    return RecordProblem(path=path, line=line, key=key, kind=kind, message=message)
