"""Markdown with YAML front matter: its keys with their lines, and its sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_LINES = re.compile(r"\r?\n")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The text below a heading of the second level."""

    heading: str
    """Empty for what comes before the first one."""
    line: int
    text: str
    """Without comments."""


def split(text: str) -> tuple[str | None, str]:
    """Front matter and body, each with the lines that it has in the file; None without any."""
    lines = _LINES.split(text)
    if lines[0].rstrip() != "---":
        return None, text
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            front = "\n".join(["", *lines[1:number]])
            return front, "\n".join([*[""] * (number + 1), *lines[number + 1 :]])
    return None, text


def sections(body: str) -> Iterator[Section]:
    """The sections of a body, in its order; a heading in a fenced block is none."""
    heading, start, fence = "", 1, ""
    kept: list[str] = []
    for number, line in enumerate(_LINES.split(_without_comments(body)), start=1):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
            fence = ""
        found = "" if fence else _heading(line)
        if not found:
            kept.append(line)
            continue
        yield from _section(heading, start, kept)
        heading, start, kept = found, number, []
    yield from _section(heading, start, kept)


def _heading(line: str) -> str:
    """The heading that a line is; empty for any other line."""
    if not line.startswith("## "):
        return ""
    text = line[3:].strip()
    bare = text.rstrip("#")
    return bare.strip() if bare.endswith(" ") else text


def _section(heading: str, line: int, kept: list[str]) -> Iterator[Section]:
    text = "\n".join(kept).strip()
    if heading or text:
        yield Section(heading=heading, line=line, text=text)


def _without_comments(body: str) -> str:
    """Take comments out, and leave their lines."""
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), body)


def by_heading(found: Sequence[Section]) -> Mapping[str, str]:
    """Text by heading; of two with one heading, the first."""
    return {one.heading: one.text for one in reversed(found)}
