"""Untrusted text made harmless, for every format that something reads: the one place for it.

Names of models, slices, columns and rules are chosen by strangers. In a build log, `::error::` at
the start of a line, or `##[` and `##vso[` anywhere, would be executed as commands (log injection);
control characters move cursors, and bidirectional ones make one name look like another; a comment
on a pull request would show their links, images and mentions as if they were ours.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from aims_gate.redact import redact

Quote = Callable[[str], str]
"""Escapes untrusted text in a sentence of ours."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)", re.DOTALL)
_COMMAND = re.compile(r"(?<=:)(?=:)|(?<=#)(?=#)")
_DOCTORED = "\x00"
_SHORT = 600
"""Characters of a text inside a sentence or a table."""
_WORD = r"\(?[^\W\d_]+(?:['-][^\W\d_]+)*\)?"
_WORDS = re.compile(rf"{_WORD}(?:[,;]? {_WORD})*\.?")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BLANK = frozenset({"Zs", "Zl", "Zp"})
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def plain(text: str, *, most: int = 2_000) -> str:
    """Sanitise untrusted *text*: one harmless line of at most *most* characters.

    White space collapses to single blanks. Terminal sequences, control and invisible characters
    leave a `?` behind, so that a doctored name cannot pass for the name it imitates. What a log
    would obey is pulled apart (`: :error: :`, `# #[`), and secrets are redacted.
    """
    # most names are plain already, and a large page has very many
    shown = text
    if not (text.isascii() and text.isprintable()):
        shown = "".join(map(_seen, _ANSI.sub(_DOCTORED, text)))
    shown = redact(" ".join(re.sub(f"{_DOCTORED}+", "?", shown).split()))
    shown = _COMMAND.sub(" ", shown)
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in _BLANK or character in "\t\n\r\v\f":
        return " "
    return _DOCTORED if kind in _UNSEEN else character


def code(text: str) -> str:
    """Markdown code span of any *text*; `cell` continues from there."""
    text = plain(text, most=_SHORT)
    if not text:
        return ""
    fence = "`" * (1 + _ticks(text))
    blank = " " if text[0] in "`\\" or text[-1] in "`\\" else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def cell(text: str) -> str:
    """Escape *text* for one table cell: a bar splits a table even inside code.

    Readers differ on a backslash that stands before an escaped bar, so a blank comes between.
    """
    return re.sub(r"\\(?=\|)", r"\\ ", text).replace("|", r"\|")


def prose(text: str) -> str:
    """Write plain words as they are, and everything else as a code span."""
    text = plain(text, most=_SHORT)
    return text if _WORDS.fullmatch(text) else code(text)


def block(lines: Iterable[str]) -> list[str]:
    """Markdown code block of *lines*, each one already `plain`."""
    shown = list(lines)
    fence = "`" * max(3, 1 + max(map(_ticks, shown), default=0))
    return [fence, *shown, fence]


def _ticks(text: str) -> int:
    """Length of the longest run of backticks."""
    return max(map(len, re.findall(r"`+", text)), default=0)


def json_text(document: Any) -> str:
    """JSON of *document* in ASCII, in which no log finds a command; ValueError for NaN.

    Secrets are redacted, and halves of surrogate pairs, which strict readers refuse, are marked.
    """
    text = json.dumps(_clean(document), indent=2, sort_keys=True, allow_nan=False)
    # `##[` anywhere in a line is a command to a build's log; escaped, it reads back the same
    return text.replace("##", "#\\u0023") + "\n"


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return _SURROGATE.sub("\ufffd", redact(value)) if isinstance(value, str) else value


_GITHUB = str.maketrans({"%": "%25"})
_GITHUB_PROPERTY = str.maketrans({"%": "%25", ":": "%3A", ",": "%2C"})
_AZURE = str.maketrans({"%": "%AZP25", ";": "%3B", "]": "%5D"})


def github_message(text: str) -> str:
    """Escape the message of a workflow command of GitHub, whose runner reads it back the same."""
    return plain(text).translate(_GITHUB)


def github_property(text: str) -> str:
    """Escape a property of a workflow command, in which a comma begins the next one."""
    return plain(text).translate(_GITHUB_PROPERTY)


def azure_value(text: str) -> str:
    """Escape a property or a message of a logging command of Azure Pipelines."""
    return plain(text).translate(_AZURE)


def sarif_text(text: str) -> str:
    """Escape a message of SARIF, in which brackets would make a link."""
    return re.sub(r"([\\\[\]])", r"\\\1", plain(text))
