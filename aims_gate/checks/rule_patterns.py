"""Patterns of rule ids, such as `MON-*`, for rules that another policy runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase


def fits(rule: str, patterns: Iterable[str]) -> bool:
    """Whether a rule's id fits one of these glob patterns."""
    return any(fnmatchcase(rule, pattern) for pattern in patterns)


def pattern_problems(name: str, patterns: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Refuse a pattern in the parameter *name* that fits every rule."""
    if any(not pattern.strip("*?") for pattern in patterns):
        yield name, "leaves every rule to another policy", "such as MON-*"
