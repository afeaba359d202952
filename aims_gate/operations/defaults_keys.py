"""The keys of `[tool.aims-gate]`: a strict parser for each, and its line number."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aims_gate.errors import UsageError, near
from aims_gate.policy.model import Role
from aims_gate.reports import REPORTS

TABLE = "tool.aims-gate"
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+?)\s*=")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:")
_KEY_MATERIAL = ("-----", "LS0tLS", "\n")
"""How a private key begins, as PEM and as PEM in base64; and no path has two lines."""
_NEVER = {
    "unsigned": "evidence without a signature is asked for on the command line only",
    "quiet": "say --quiet on the command line",
    "policy-base": "say --policy-base on the command line: a change could take it out of here",
    "policy-digest": "say --policy-digest on the command line: a change could alter it here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingPlace:
    """Folder of the file, and the working directory."""

    folder: Path
    start: Path

    def inside(self, text: str) -> str:
        """Path relative to the working directory; UsageError if it leaves the file's folder."""
        path = self.folder / text
        root = self.folder.resolve()
        try:
            leads_out = Path(text).is_absolute() or not path.resolve().is_relative_to(root)
        except (OSError, RuntimeError):  # links in a circle
            leads_out = True
        if leads_out:
            raise UsageError("leads out of the file's folder", hint="name a path below it")
        return os.path.relpath(path, self.start)

    def anywhere(self, text: str) -> str:
        """Path relative to the working directory, wherever it leads."""
        return text if Path(text).is_absolute() else os.path.relpath(self.folder / text, self.start)


def value_of(key: str, value: object, place: SettingPlace) -> object:
    """Read one key of the table; UsageError, which never repeats a `key`, if it is refused."""
    if key in _NEVER:
        raise UsageError("cannot be set here", hint=_NEVER[key])
    if key not in _READERS:
        raise UsageError("unknown key" if key else "is not a table", hint=near(key, _READERS))
    return _READERS[key](value, place)


def _text(value: object, _place: SettingPlace) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise UsageError("must be text on one line")
    return value


def _policy(value: object, place: SettingPlace) -> str:
    text = _text(value, place)
    return text if text.startswith("pack:") else place.inside(text)


def _model(value: object, place: SettingPlace) -> str:
    text = _text(value, place)
    if text.startswith("file:") and not text.startswith("file:/"):
        return f"file:{place.inside(text.removeprefix('file:'))}"
    return text


def _key(value: object, place: SettingPlace) -> str:
    """Read where the private key lies; no message repeats the value, which may be the key."""
    material = isinstance(value, str) and any(mark in value for mark in _KEY_MATERIAL)
    if material:
        raise UsageError("holds a private key", hint="revoke that key: it is in the repository")
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise UsageError("must be the path of a key file")
    if _SCHEME.match(value):
        raise UsageError("must be a path", hint="other keys come from the environment or --key")
    return place.anywhere(value)


def _inside(value: object, place: SettingPlace) -> str:
    return place.inside(_text(value, place))


def _trust(value: object, place: SettingPlace) -> str:
    return place.anywhere(_text(value, place))


def _flag(value: object, _place: SettingPlace) -> bool:
    if not isinstance(value, bool):
        raise UsageError("must be true or false")
    return value


def _data(value: object, place: SettingPlace) -> dict[str, str]:
    def read(text: object, place: SettingPlace) -> str:
        uri = _text(text, place)
        if uri.startswith("artifact:"):
            return uri
        if _SCHEME.match(uri):
            raise UsageError("must be artifact:PATH or a path", hint="--data takes more")
        return place.inside(uri)

    return _table(value, place, tuple(map(str, Role)), read)


def _report(value: object, place: SettingPlace) -> dict[str, str]:
    def read(text: object, place: SettingPlace) -> str:
        if text == "-":
            raise UsageError("must be a path", hint="what goes to stdout is for --report to say")
        return _inside(text, place)

    return _table(value, place, tuple(REPORTS), read)


def _table(
    value: object,
    place: SettingPlace,
    known: tuple[str, ...],
    read: Callable[[object, SettingPlace], str],
) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UsageError("must be a table", hint=f'such as {{{known[0]} = "PATH"}}')
    found = {}
    for name, item in value.items():
        if name not in known:
            raise UsageError(f"unknown key {name!r}", where=name, hint=near(name, known))
        try:
            found[name] = read(item, place)
        except UsageError as error:
            raise UsageError(f"{name} {error.what}", where=name, hint=error.hint) from error
    return found


_READERS: Mapping[str, Callable[[object, SettingPlace], object]] = {
    "policy": _policy,
    "model": _model,
    "stage": _text,
    "key": _key,
    "trust": _trust,
    "verifier-id": _text,
    "out": _inside,
    "data": _data,
    "report": _report,
    "no-publish": _flag,
}


def lines_of(text: str) -> Iterator[tuple[str, int]]:
    """Find the lines of the table's keys: for messages only, TOML itself does not tell them."""
    section: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = _parts(header[1])
            path = section
        elif key := _KEY.match(line):
            path = [*section, *_parts(key[1])]
        else:
            continue
        if path[:2] == TABLE.split("."):
            yield ".".join(path[2:]), number


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def line_of(lines: Mapping[str, int], key: str) -> int:
    """Line number of a dotted key, or of the nearest one above it; 0 if none is known."""
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return lines.get(key, 0)
