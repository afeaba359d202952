"""Templates of records, and the sentences by which an untouched one is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from aims_gate.documents.strict_yaml import parse
from aims_gate.errors import UsageError, near
from aims_gate.governance.entry_grammar import ENTRY_TYPES
from aims_gate.governance.kinds import KINDS
from aims_gate.governance.markdown import Section, sections, split

_FOLDER = Path(__file__).parent
_LEAST_WORDS = 3
"""Fewer are no sentence: `internal audit` may stand in a template and stay."""
_ENDS = re.compile(r"(?<=[.!?])\s+|\n[ \t]*[-*]\s+|\n{2,}")
_PROMPT = re.compile(r"\A\W*TODO\b\W*")


def names() -> tuple[str, ...]:
    """Kinds of documents, then types of entries."""
    return (*KINDS, *ENTRY_TYPES)


@cache
def template(name: str) -> str:
    """Template of a kind of document or a type of entry, with TODO and `{{…}}` to fill in.

    Raises:
        UsageError: There is no such kind or type.
    """
    if name in KINDS:
        suffix = ".md" if KINDS[name].markdown else ".yaml"
        return (_FOLDER / f"{name}{suffix}").read_text(encoding="utf-8")
    if name in ENTRY_TYPES:
        return (_FOLDER / "log" / f"{name}.md").read_text(encoding="utf-8")
    raise UsageError(f"no template {name!r}", hint=near(name, names()))


@cache
def headings(name: str) -> tuple[Section, ...]:
    """Sections that such a record has, in the template's order."""
    return tuple(one for one in sections(split(template(name))[1]) if one.heading)


@cache
def untouched(name: str) -> frozenset[str]:
    """Sentences of a template, as `told` writes them."""
    front, body = split(template(name))
    document = parse((body if front is None else front).encode(), name)
    texts = [text for _, text in strings(document.tree)]
    texts += [one.text for one in headings(name)]
    return frozenset(sentence for text in texts for sentence in told(text))


def told(text: str) -> Iterator[str]:
    """The sentences of a text in one spelling, without TODO before them."""
    for part in _ENDS.split(text):
        words = _PROMPT.sub("", part).casefold().split()
        if len(words) >= _LEAST_WORDS:
            yield " ".join(words).rstrip(".!?;:,")


def strings(
    tree: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of a tree with its path."""
    if isinstance(tree, str):
        yield path, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from strings(value, (*path, key))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from strings(value, (*path, number))


def written(text: object) -> str:
    """What a person wrote; empty where it still waits for one."""
    return "" if not isinstance(text, str) or "TODO" in text else text.strip()
