"""Hardened YAML parser: untrusted bytes to a plain tree with line numbers, or a `PolicyError`.

A usual YAML loader keeps the last of two equal keys, reads `1e-3` as text, `010` as 8 and `no` as
false, and lets 300 bytes of aliases grow to gigabytes. Whoever reviews a policy must see what the
gate sees, so here:

* scalars follow the YAML 1.2 core schema: `no`, `on`, `12:30:45` and dates are text, `1e-3` is a
  number, `010` is ten, `0o10` is eight;
* a key is always text, as it is written (`1:` is the key `"1"`);
* duplicate keys, anchors, aliases, merge keys, tags, directives and a second document are refused;
* so are characters that a reviewer cannot see and line breaks that editors do not agree on;
* a text has at most 1 MB, 32 levels and 10,000 nodes.

Events are read one by one and counted as they come, so a hostile text costs no more than its size.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from aims_gate.documents.core_schema import resolve
from aims_gate.errors import PolicyError, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_NODES = 10_000
MAX_DIRECTIVES = 64
"""`%TAG` lines, all of which are refused; libyaml compares each of them with each other."""

Path = tuple[str | int, ...]
"""Keys and list positions from the root of a tree."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# A lone CR, NEL, LS and PS end a line (and a comment) for some readers only; bidirectional controls
# show a text in another order than it is read in.
_UNSEEN = re.compile("\r(?!\n)|[\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MOST_UNSEEN = 100
"""Hidden characters reported of one text: a million of them would say no more."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that was read: a tree of dict, list, str, int, float, bool and None, and its lines."""

    file: str
    tree: Any
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)

    def line(self, path: Path = ()) -> int:
        """Line number, from 1, of the key or item at *path*; the nearest parent's if unknown."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: bytes, file: str) -> Document:
    """Read *text* as hardened YAML; *file* is its name in messages.

    The root may be of any kind. Numbers may be infinite or NaN, as YAML has them: what must be
    finite is the caller's to say.

    Raises:
        PolicyError: with every problem of the text, each with its line.
    """
    builder = _TreeBuilder(file=file)
    try:
        for event in _events(_decode(text, file)):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.refuse(_line_of(error, text), _reason_of(error))
    except (ValueError, OverflowError):
        # the pure-Python scanner lets an impossible \U escape through to chr()
        builder.refuse(0, "not YAML: an escape names no character")
    except _StopError:
        pass
    return builder.finish()


def _decode(text: bytes, file: str) -> str:
    if len(text) > MAX_BYTES:
        what = f"the text has {len(text):,} bytes, at most {MAX_BYTES:,} are read"
        raise PolicyError([Problem(file=file, line=0, what=what)])
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        what = f"byte {error.start} is not UTF-8"
        raise PolicyError(
            [Problem(file=file, line=line, what=what, hint="save the file as UTF-8")]
        ) from None
    if decoded.count("%TAG") > MAX_DIRECTIVES:
        what = f"more than {MAX_DIRECTIVES} %TAG directives"
        raise PolicyError([Problem(file=file, line=0, what=what, hint="remove them")])
    if hidden := list(unseen(decoded, file)):
        raise PolicyError(hidden)
    return decoded


def unseen(text: str, file: str) -> Iterator[Problem]:
    """Problems of hidden characters in *text*, one each, up to a hundred of them."""
    line, counted = 1, 0
    for match in itertools.islice(_UNSEEN.finditer(text), _MOST_UNSEEN):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        what = f"hidden character U+{ord(match[0]):04X}"
        hint = "remove it: people and programs read the line differently"
        yield Problem(file=file, line=line, what=what, hint=hint)


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_LOADER)


class _StopError(Exception):
    """Reading on makes no sense; the problem is already noted."""


@dataclass(slots=True, kw_only=True)
class _Open:
    """A collection that is being read."""

    path: Path
    value: dict[str, Any] | list[Any]
    key: str | None = None
    """In a mapping, the key whose value comes next."""
    orphans: int = 0
    """Numbers the keys that were refused, so that their values do not hide those of others."""


@dataclass(slots=True, kw_only=True)
class _TreeBuilder:
    """Builds the tree from events without recursion."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    root: Any = None
    documents: int = 0
    nodes: int = 0

    def refuse(self, line: int, what: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(file=self.file, line=line, what=what, hint=hint))

    def take(self, event: Any) -> None:
        """Take one event of the parser."""
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                self._start_document(event, line)
            case yaml.AliasEvent():
                self.refuse(line, f"alias *{event.anchor}", "write the value out")
                self._count(line)
                self._place(None, line, key="*")
            case yaml.ScalarEvent():
                self._count(line)
                self._note_properties(event, line)
                self._scalar(event, line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._count(line)
                self._note_properties(event, line)
                self._open({} if isinstance(event, yaml.MappingStartEvent) else [], line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.stack.pop()
            case _:
                pass  # the stream's and the document's end say nothing

    def finish(self) -> Document:
        """The document; PolicyError with every problem if there are any."""
        if not self.problems and self.root is None:
            self.refuse(0, "the text is empty")
        if self.problems:
            raise PolicyError(self.problems)
        return Document(file=self.file, tree=self.root, lines=self.lines)

    def _start_document(self, event: Any, line: int) -> None:
        self.documents += 1
        if self.documents > 1:
            self.refuse(line, "a second document in one file", "one file, one document")
            raise _StopError
        if event.version or event.tags:
            self.refuse(line, "a directive", "remove the line that begins with %")

    def _count(self, line: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.refuse(line, f"more than {MAX_NODES:,} keys and values")
            raise _StopError

    def _note_properties(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self.refuse(line, f"anchor &{event.anchor}", "write the value out where it is needed")
        if event.tag is not None:
            self.refuse(line, f"tag {event.tag}", "remove it: types follow from the values")

    def _open(self, value: dict[str, Any] | list[Any], line: int) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self.refuse(line, f"nested more than {MAX_DEPTH} levels deep")
            raise _StopError
        parent = self.stack[-1] if self.stack else None
        if parent is not None and isinstance(parent.value, dict) and parent.key is None:
            self.refuse(line, "a key that is a list or a mapping", "a key is text")
            raise _StopError
        self.stack.append(_Open(path=self._place(value, line), value=value))

    def _scalar(self, event: Any, line: int) -> None:
        control = _CONTROL.search(event.value)
        if control:
            self.refuse(line, f"control character U+{ord(control[0]):04X} in a value")
        parent = self.stack[-1] if self.stack else None
        plain = bool(event.implicit[0])
        if parent is not None and isinstance(parent.value, dict) and parent.key is None:
            if plain and event.value in {"<<", ""}:
                merge = event.value == "<<"
                what = "a merge key" if merge else "a value without a key"
                self.refuse(line, what, "write the keys out" if merge else "")
            self._place(None, line, key=event.value)
        else:
            self._place(self._resolve(event.value, line) if plain else event.value, line)

    def _resolve(self, text: str, line: int) -> Any:
        value = resolve(text)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            self.refuse(line, "a whole number beyond 64 bits", "put it in quotes if it is a name")
        return value

    def _place(self, value: Any, line: int, *, key: str | None = None) -> Path:
        """Insert a value into its collection, or remember a key; returns its path."""
        if not self.stack:
            self.root = value
            self.lines[()] = line
            return ()
        parent = self.stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
            path: Path = (*parent.path, len(parent.value) - 1)
            self.lines[path] = line
        elif parent.key is None:
            path = (*parent.path, "" if key is None else key)
            self._remember(parent, path, line)
        else:
            path = (*parent.path, parent.key)
            parent.value[parent.key] = value
            parent.key = None
        return path

    def _remember(self, parent: _Open, path: Path, line: int) -> None:
        key = str(path[-1])
        if key in parent.value:
            first = self.lines[path]
            self.refuse(line, f"duplicate key {key!r}", f"it is first on line {first}")
            parent.orphans += 1
            key = f"{key}\x00{parent.orphans}"  # no key that was read can hold a NUL
        parent.key = key
        self.lines.setdefault((*path[:-1], key), line)


def _line_of(error: yaml.YAMLError, text: bytes) -> int:
    if isinstance(error, yaml.reader.ReaderError):
        before: Iterable[str] = text.decode("utf-8-sig")[: error.position]
        return sum(character == "\n" for character in before) + 1
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return int(mark.line) + 1 if mark is not None else 0


def _reason_of(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"character U+{int(error.character):04X} is not allowed"
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    return f"not YAML: {', '.join(part for part in parts if part) or 'unreadable'}"
