"""File format verdicts, in the words of a policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Denied = Literal["pickle", "cloudpickle", "joblib", "torch"]
"""Formats that run code when they are loaded, which a policy denies one by one."""
Accepted = Literal["code", "unknown"]
"""What is refused beside them, unless a policy accepts it."""

UNKNOWN = frozenset({"unknown"})
PICKLE = frozenset({"pickle"})
TORCH = frozenset({"torch", "pickle"})


@dataclass(frozen=True, slots=True)
class FoundFormat:
    """What a file is: *kinds* is empty exactly where it is known to be data."""

    kinds: frozenset[str] = frozenset()
    why: str = ""
    """What gives it away, or why it is of no known format; for data the format's name."""

    def __str__(self) -> str:
        """The format in words, such as `pickle`, or `code: a script`."""
        known = " and ".join(sorted(self.kinds - UNKNOWN))
        if not self.kinds:
            return self.why
        return ": ".join(filter(None, (known or "of no known format", self.why)))


def data(name: str) -> FoundFormat:
    """A data file: no loader of its format executes anything from it."""
    return FoundFormat(why=name)


def runs(kinds: frozenset[str]) -> FoundFormat:
    """A file that executes code when it is loaded."""
    return FoundFormat(kinds)


def code(why: str = "") -> FoundFormat:
    """A file that is code, or names code that is loaded with it."""
    return FoundFormat(frozenset({"code"}), why)


def unknown(why: str) -> FoundFormat:
    """A file in no known format."""
    return FoundFormat(UNKNOWN, why)


def together(found: Iterable[FoundFormat]) -> FoundFormat:
    """Union of the formats found in one file; certain ones replace unknown ones."""
    wrong = [one for one in found if one.kinds]
    certain = [one for one in wrong if one.kinds != UNKNOWN] or wrong
    kinds: frozenset[str] = frozenset().union(*(one.kinds for one in certain))
    return FoundFormat(kinds, "; ".join(dict.fromkeys(one.why for one in certain[:3] if one.why)))
