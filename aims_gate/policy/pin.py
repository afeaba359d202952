"""Pin parents: write the digests of a policy's parents into its file, and nothing else.

Comments, order, quotes and line ends stay as they are: only digests are replaced or added, and the
new text is read again before it takes the old one's place.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aims_gate import canonical
from aims_gate.documents.core_schema import resolve
from aims_gate.documents.strict_yaml import MAX_BYTES, parse
from aims_gate.errors import GateError, PolicyError, Problem, UsageError
from aims_gate.policy.parents import Home, Library, pinned
from aims_gate.regular import read_regular


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A parent, and the digest that is pinned now."""

    uri: str
    line: int
    before: str
    """Empty if there was none."""
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParentEntry:
    """An `extends` entry with a `uri`, and where its digest belongs in the text."""

    index: int
    uri: str
    line: int
    before: str
    start: int
    end: int
    lead: str
    """What stands before the digest."""


def pin(path: Path, *, environ: Mapping[str, str]) -> tuple[Pinned, ...]:
    """Read every parent that *path* names by `uri`, and write its digest beside it.

    Args:
        path: A policy file; it is replaced as a whole, or not at all.
        environ: Where git finds its proxies, certificate authorities and configuration.

    Returns:
        The parents in their order, those whose digest was right already included.

    Raises:
        UsageError: the file cannot be read or written.
        PolicyError: it is no YAML, or a parent cannot be read; with every problem, nothing written.
    """
    real = path.resolve()
    try:
        data = read_regular(real, MAX_BYTES)
    except OSError as error:
        raise UsageError(f"the policy {path.name} cannot be read: {error.strerror}") from None
    tree = parse(data, path.name).tree
    text = data.decode()
    entries = list(_entries(tree, text))
    digests = _digests(entries, path, environ)
    changed = _rewritten(text, entries, digests).encode()
    _prove(changed, tree, entries, digests, path.name)
    if changed != data:
        replace_file(real, changed)
    return tuple(
        Pinned(uri=entry.uri, line=entry.line, before=entry.before, after=digest)
        for entry, digest in zip(entries, digests, strict=True)
    )


def _entries(tree: Any, text: str) -> Iterator[_ParentEntry]:
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    stated = tree.get("extends") if isinstance(tree, dict) else None
    if not isinstance(stated, list):
        return
    nodes = next(value for key, value in root.value if key.value == "extends").value
    for index, (entry, node) in enumerate(zip(stated, nodes, strict=True)):
        if isinstance(entry, dict) and isinstance(entry.get("uri"), str):
            yield _entry(index, entry, node, text)


def _entry(index: int, entry: Mapping[str, Any], node: Any, text: str) -> _ParentEntry:
    keys = {key.value: (key, value) for key, value in node.value}
    key, value = keys["uri"]
    if "sha256" in keys:
        old = keys["sha256"][1]
        start, end = old.start_mark.index, old.end_mark.index
        lead = "" if start == 0 or text[start - 1].isspace() else " "
    elif node.flow_style:
        start = end = value.end_mark.index
        lead = ", sha256: "
    else:
        after = text.find("\n", value.end_mark.index)
        start = end = len(text) if after < 0 else after - (text[after - 1] == "\r")
        newline = "\r\n" if "\r\n" in text else "\n"
        lead = f"{newline}{' ' * key.start_mark.column}sha256: "
    return _ParentEntry(
        index=index,
        uri=entry["uri"],
        line=key.start_mark.line + 1,
        before=str(entry.get("sha256") or ""),
        start=start,
        end=end,
        lead=lead,
    )


def _digests(entries: list[_ParentEntry], path: Path, environ: Mapping[str, str]) -> list[str]:
    library = Library(environ=environ)
    found: list[str] = []
    problems: list[Problem] = []
    try:
        for entry in entries:
            try:
                parent = library.find(entry.uri, Home(folder=path.resolve().parent))
                data = library.read(parent)
                digest = canonical.sha256(data)
                pinned(parent, data, digest)
                parse(data, parent.uri)
            except PolicyError as error:
                problems += error.problems
            except GateError as error:
                what, hint = error.what, error.hint
                problems.append(Problem(file=path.name, line=entry.line, what=what, hint=hint))
            else:
                found.append(digest)
    finally:
        library.close()
    if problems:
        raise PolicyError(problems)
    return found


def _rewritten(text: str, entries: list[_ParentEntry], digests: list[str]) -> str:
    # from the last to the first, so that what stands before keeps its place
    for entry, digest in reversed(list(zip(entries, digests, strict=True))):
        if entry.before == digest:
            continue
        # of 10^12 digests one is a number to YAML
        written = digest if isinstance(resolve(digest), str) else f'"{digest}"'
        text = f"{text[: entry.start]}{entry.lead}{written}{text[entry.end :]}"
    return text


def _prove(
    changed: bytes, tree: Any, entries: list[_ParentEntry], digests: list[str], name: str
) -> None:
    """Read the new text: it must say what the old one said, and the digests."""
    for entry, digest in zip(entries, digests, strict=True):
        tree["extends"][entry.index]["sha256"] = digest
    try:
        same = len(changed) <= MAX_BYTES and parse(changed, name).tree == tree
    except PolicyError:
        same = False
    if not same:
        shown = ", ".join(f"{e.uri} sha256: {d}" for e, d in zip(entries, digests, strict=True))
        hint = f"write them by hand: {shown}"
        raise UsageError("the digests cannot be written into this layout", where=name, hint=hint)


def replace_file(path: Path, data: bytes) -> None:
    """Replace a policy as a whole, or not at all; UsageError if it cannot be written."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            Path(name).chmod(path.stat().st_mode & 0o7777)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise UsageError(f"the policy {path.name} cannot be written: {error.strerror}") from None
