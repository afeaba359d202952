"""Every error that a user can meet, with its exit code.

    GateError                     3   root: never raised itself
    ├── UsageError                2   an argument, an option or a file that was asked for is wrong
    │   ├── PolicyError           2   the policy is refused before anything is measured
    │   ├── NoEvidenceError       2   there is no evidence where it was looked for
    │   └── MissingExtraError     2   an optional library is not installed
    ├── UndecidedError            3   the gate could not decide or record
    │   ├── SourceError           3   MLflow or a file could not be read
    │   ├── DataError             3   the data were read and are not usable
    │   │   └── MissingColumnError    a column that a check needs is not there
    │   ├── CheckError            3   a check could not measure
    │   └── RecordError           3   evidence could not be written, signed or published
    └── TrustError                4   evidence or trust does not hold
        └── StaleError            4   evidence is over, or not yet: all else holds

Each error says what is wrong, where, and what to do next. Anything else that escapes is a
crash, and a crash exits 3.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong in a text file; prints as `file:line: what; hint`."""

    file: str
    line: int
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """The problem as `file:line: what; hint`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class GateError(Exception):
    """The root: *what* is wrong, *where*, and a *hint* at what to do next."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The error as `where: what; hint`."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text


class UsageError(GateError):
    """An argument, an option or a named file is wrong."""

    exit_code = 2


class PolicyError(UsageError):
    """The policy is refused; carries every problem at once, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class NoEvidenceError(UsageError):
    """There is no evidence where it was looked for."""


class MissingExtraError(UsageError):
    """An optional library is not installed."""

    @classmethod
    def for_library(cls, library: str, extra: str, purpose: str) -> MissingExtraError:
        """Say that *purpose* needs *library*, and which *extra* brings it."""
        return cls(
            f"{purpose} needs {library}, which is not installed",
            hint=f"pip install 'aims-gate[{extra}]'",
        )


class UndecidedError(GateError):
    """The gate could not decide or could not record."""


class SourceError(UndecidedError):
    """MLflow or a file could not be read."""


class DataError(UndecidedError):
    """The data were read and are not usable."""


class MissingColumnError(DataError):
    """A column that a check needs is not in the data."""

    @classmethod
    def from_columns(cls, wanted: str, present: Iterable[str], *, where: str) -> MissingColumnError:
        """Name the column, where it was looked for, and the nearest names that are there."""
        return cls(f"no column {wanted!r}", where=where, hint=near(wanted, present))


class CheckError(UndecidedError):
    """A check could not measure."""


class RecordError(UndecidedError):
    """Evidence could not be written, signed or published."""


class TrustError(GateError):
    """Evidence or trust does not hold."""

    exit_code = 4


class StaleError(TrustError):
    """Evidence is authentic and about this, and time alone speaks against it."""


def message(error: Exception) -> str:
    """Message of an error of ours; of a crash its type alone, since it may hold a row of data."""
    return str(error) if isinstance(error, GateError) else f"crashed: {type(error).__name__}"


def stack(error: BaseException) -> str:
    """Stack trace of an exception without its message, which may hold a row of data."""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__


def looks(text: str) -> str:
    """Visible form of *text*: Unicode NFC, white space collapsed and stripped.

    Format characters (category Cf), such as the zero-width space, are left out.
    """
    seen = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFC", "".join(seen)).split())


def near(wanted: str, known: Iterable[str], *, most: int = 12) -> str:
    """Write a hint from *known* names: the ones close to *wanted*, else the first *most*."""
    names = sorted(known)
    twins = [name for name in names if name != wanted and looks(name) == looks(wanted)]
    if twins:
        return f"{twins[0]!r} only looks the same: other spaces, or letters composed otherwise"
    close = [*dict.fromkeys([*_misspelt(wanted, names), *_shortened(wanted, names)])][:3]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    if not names:
        return "there are none"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"there are {', '.join(names[:most])}{more}"


def _misspelt(wanted: str, names: list[str]) -> list[str]:
    """Names of similar spelling and length: `approved` is not a misspelt `pred`."""
    off = max(1, len(wanted) // 3)
    alike = {name: None for name in names if abs(len(name) - len(wanted)) <= off}
    import difflib  # only where something is wrong: a start does without it

    return difflib.get_close_matches(wanted, alike, n=3)


def _shortened(wanted: str, names: list[str]) -> list[str]:
    """Names in which *wanted* begins a word, short ones first: `auc` in `roc_auc`."""
    begun = re.compile(rf"(?<![^\W_]){re.escape(wanted)}", re.IGNORECASE)
    return sorted((name for name in names if len(wanted) > 1 and begun.search(name)), key=len)
