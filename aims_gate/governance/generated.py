"""Generated blocks of records: lines between two markers, written anew from what ran.

People write around them, and approve the rest: a new measurement then asks nobody again. In front
matter the markers are comments of YAML, in Markdown comments of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aims_gate.governance.markdown import split

BEGIN, END = "aims-gate:generated", "aims-gate:end"
_BLOCK = re.compile(
    rf"^\n?(?:#|<!--) ?{BEGIN}\b[^\n]*\n"
    rf"(?:(?![^\n]*\b{BEGIN}\b)[^\n]*\n)*?"
    rf"(?:#|<!--) ?{END}\b[^\n]*(?:\n|\Z)",
    re.MULTILINE,
)
_MARK = re.compile(rf"<!-- ?(?:{BEGIN}|{END})\b[^>]*-->")
_NOTE = f"{BEGIN} by aims-gate aims docs build, which writes these lines anew"


def without_generated(text: str) -> str:
    """The text that people wrote: without generated blocks, their markers, an empty line before.

    A block that is not closed, or opened twice, is no block: its lines are people's.
    """
    return _BLOCK.sub("", text)


def blank_generated(text: str) -> str:
    """The same text with its generated blocks as empty lines, so that all lines keep numbers."""
    return _BLOCK.sub(lambda found: "\n" * found[0].count("\n"), text)


def generated_lines(data: bytes) -> tuple[str, ...]:
    """Lines of the text in generated blocks, without blank ones and the marks alone."""
    whole = data.decode(errors="replace")
    both = (split(one)[1].splitlines() for one in (whole, blank_generated(whole)))
    changed = (one.strip() for one, blank in zip(*both, strict=False) if one != blank)
    return tuple(one for one in changed if one and not _MARK.fullmatch(one))


def with_generated(text: str, *, front: Sequence[str], body: Sequence[str]) -> str:
    """Put generated lines into a record, in place of those of before.

    Args:
        text: Markdown with front matter.
        front: Lines of YAML; they come last in the front matter where there are none yet.
        body: Lines of Markdown; they come last in the file where there are none yet.
    """
    opened, fence, rest = text.removeprefix("---\n").partition("\n---\n")
    head = _put(f"{opened}\n", [f"# {_NOTE}", *front, f"# {END}"] if front else [])
    tail = _put(rest, [f"<!-- {_NOTE} -->", *body, f"<!-- {END} -->"] if body else [])
    return f"---\n{head.removesuffix(chr(10))}{fence}{tail}"


def _put(text: str, lines: Sequence[str]) -> str:
    block = "".join(f"{line}\n" for line in ("", *lines)) if lines else ""
    if _BLOCK.search(text) is None:
        return f"{text}{block}" if text.endswith("\n") or not block else f"{text}\n{block}"
    first = True

    def replace(_found: re.Match[str]) -> str:
        nonlocal first
        put, first = (block if first else ""), False
        return put

    return _BLOCK.sub(replace, text)
