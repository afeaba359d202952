"""Field types of documents: each is a strict validator with its JSON Schema.

None of them is a union, so that an error always names the key a person wrote and never a branch.
A validator returns the value, or raises an error whose text completes the sentence "KEY …".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from aims_gate.errors import near

REFUSED = "document"
"""The type of the errors that `refuse` returns."""
DECIMAL = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
INSTANT = rf"{_DAY}([T ]{_TIME}(Z|[-+][0-9]{{2}}:[0-9]{{2}})?)?"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
VERSION = r"[0-9A-Za-z][0-9A-Za-z.+_-]*"
DIGEST = r"[0-9a-f]{64}"

TEXT_SCHEMA: dict[str, Any] = {"type": "string", "pattern": r"\S"}
NUMERAL_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^{DECIMAL}$"}
NUMBER_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "number"}, NUMERAL_SCHEMA]}
WORDS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": TEXT_SCHEMA,
    "minItems": 1,
    "uniqueItems": True,
}


class Keys(BaseModel):
    """A mapping of known keys only; none may be null."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_default=False, defer_build=True
    )


def optional(alias: str | None = None, *, absent: Any = None) -> Any:
    """Optional key: it may be left out, which means *absent*, but must not be null."""
    return Field(default=absent, alias=alias)


def refuse(what: str, hint: str = "") -> PydanticCustomError:
    """Validation error with the text "KEY *what*; *hint*"."""
    return PydanticCustomError(REFUSED, "{what}", {"what": what, "hint": hint})


def describe(value: object) -> str:
    """Name a value as its author knows it: `the number 1.5`, `a list`, `'abc'`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= 40 else f"{value[:40]}…")
        case list():
            return "a list"
        case _:
            return "a mapping"


def as_text(value: object) -> str:
    """Read text that is not blank."""
    if not isinstance(value, str):
        number = isinstance(value, (int, float))
        hint = "put it in quotes" if number else ""
        raise refuse(f"must be text, not {describe(value)}", hint)
    if not value.strip():
        raise refuse("must not be empty", "write it or leave the key out")
    return value


def shaped(value: object, pattern: str, what: str, hint: str) -> str:
    """Read text that matches *pattern* as a whole; *what* and *hint* word the refusal."""
    written = as_text(value)
    if not re.fullmatch(pattern, written):
        raise refuse(f"{what}, not {describe(value)}", hint)
    return written


def as_number(value: object) -> float:
    """Read a finite number; a decimal in quotes is one too."""
    number = value
    if isinstance(value, str) and re.fullmatch(DECIMAL, value):
        number = float(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        comma = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+,[0-9]+", value)
        hint = f"a decimal comma; write {str(value).replace(',', '.')}" if comma else ""
        raise refuse(f"must be a number, not {describe(value)}", hint)
    try:
        finite = float(number)
    except OverflowError:  # a whole number of more than 308 digits
        finite = math.inf
    if not math.isfinite(finite):
        raise refuse(f"must be a finite number, not {str(value)[:40]}")
    return finite


def as_instant(value: object) -> datetime:
    """Read a day (its 00:00 UTC) or a time with its zone, as UTC."""
    written = as_text(value)
    if not re.fullmatch(INSTANT, written):
        raise refuse(f"must be a day or a time, not {describe(value)}", "such as 2027-06-30")
    try:
        instant = datetime.fromisoformat(written)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refuse(f"must be a day that exists, not {describe(value)}") from None
    if len(written) > len("2027-06-30"):
        raise refuse("must name its time zone", f"add Z for UTC: {written}Z")
    return instant.replace(tzinfo=UTC)


def as_words(value: object) -> list[str]:
    """Read a list of distinct texts that is not empty."""
    if not isinstance(value, list):
        raise refuse(f"must be a list, not {describe(value)}", "such as [a, b]")
    words = [as_text(item) for item in value]
    if not words:
        raise refuse("is an empty list", "leave the key out")
    if len(set(words)) < len(words):
        raise refuse("names something twice")
    return words


def one_of(value: object, words: Sequence[str]) -> str:
    """Read one of *words*."""
    if isinstance(value, str) and value in words:
        return value
    if len(words) == 1:
        raise refuse(f"must be {words[0]!r}, not {describe(value)}")
    hint = near(str(value), words)
    close = hint if hint.startswith("did") else ""  # the words are all named already
    raise refuse(f"must be one of {', '.join(words)}, not {describe(value)}", close)


def _some(value: object) -> object:
    if value == []:
        raise refuse("is an empty list", "leave the key out")
    return value


def string(pattern: str) -> WithJsonSchema:
    """Describe text that matches *pattern* as a whole."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


def pattern(expression: str, what: str, hint: str) -> PlainValidator:
    """Read text that matches *expression* as a whole."""
    return PlainValidator(lambda value: shaped(value, expression, what, hint))


def choice(*known: str) -> PlainValidator:
    """Read one of *known* words."""
    return PlainValidator(lambda value: one_of(value, known))


def words(*known: str) -> WithJsonSchema:
    """Describe one of *known* words."""
    return WithJsonSchema({"enum": list(known)})


NOT_EMPTY = BeforeValidator(_some)
"""Refuses a list of nothing; beside it stands `Field(min_length=1)` for editors."""
Text = Annotated[str, PlainValidator(as_text), WithJsonSchema(TEXT_SCHEMA)]
Number = Annotated[float, PlainValidator(as_number), WithJsonSchema(NUMBER_SCHEMA)]
Instant = Annotated[datetime, PlainValidator(as_instant), string(INSTANT)]
Words = Annotated[list[str], PlainValidator(as_words), WithJsonSchema(WORDS_SCHEMA)]
Name = Annotated[
    str, pattern(NAME, "must be letters, digits, '.', '_' and '-'", "such as credit-risk"),
    string(NAME),
]  # fmt: skip
Version = Annotated[str, pattern(VERSION, "must be a version", 'such as "1.0.0"'), string(VERSION)]
Digest = Annotated[
    str,
    pattern(DIGEST, "must be 64 lower-case hexadecimal digits", "sha256sum prints them"),
    string(DIGEST),
]
ApiVersion = Annotated[str, choice("aims-gate/v1"), words("aims-gate/v1")]
