"""Field types that several kinds of records share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, describe, optional, refuse
from aims_gate.governance.contract import MAX_DAYS, day_count
from aims_gate.governance.wording import Telling, telling
from aims_gate.policy.scalars import as_finite

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _day(value: object) -> date:
    written = k.shaped(value, _DAY, "must be a day", "such as 2027-06-30")
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise refuse(f"must be a day that exists, not {describe(value)}") from None


def _days(value: object) -> int:
    said = day_count(value)
    if said is None:
        what = f"must be a number of days, 1 to {MAX_DAYS}, not {describe(value)}"
        raise refuse(what, "such as 92")
    return said


def _score(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        raise refuse(f"must be a whole number from 1 to 5, not {describe(value)}")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise refuse(f"must be true or false, not {describe(value)}")
    return value


def _words_or_none(value: object) -> object:
    """A list, or `{none: the reason}`: nothing is left out unsaid."""
    if not isinstance(value, Mapping):
        return k.as_words(value)
    if set(value) != {"none"}:
        raise refuse("must be a list, or {none: the reason}", "such as {none: no law applies}")
    return {"none": telling(value["none"])}


Day = Annotated[date, PlainValidator(_day), k.string(_DAY)]
Days = Annotated[
    int,
    PlainValidator(_days),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_DAYS}),
]
Score = Annotated[
    int, PlainValidator(_score), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 5})
]
Truth = Annotated[bool, PlainValidator(_truth), WithJsonSchema({"type": "boolean"})]
_NONE_SCHEMA = {
    "type": "object",
    "properties": {"none": k.TEXT_SCHEMA},
    "required": ["none"],
    "additionalProperties": False,
}
WordsOrNone = Annotated[
    object,
    PlainValidator(_words_or_none),
    WithJsonSchema({"anyOf": [k.WORDS_SCHEMA, _NONE_SCHEMA]}),
]
"""Texts, or `{none: the reason}`."""
Tree = Annotated[Any, PlainValidator(as_finite), WithJsonSchema({})]
"""Anything: what other programs write and read."""
_ID = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
RecordId = Annotated[
    str,
    k.pattern(_ID, "must be letters, digits, '.', '_', '-' and '/'", "such as credit/risks"),
    k.string(_ID),
]


class RecordKeys(Keys):
    """What a person types on every document."""

    kind: k.Text
    id: RecordId
    owner: k.Text
    effective: Day
    review_every: Days = optional()
    drafted_by: k.Text = optional()
    material: dict[str, k.Digest] = optional()
    """What the document was assessed for, by part; `aims approve` writes it."""


class ObjectiveText(Keys):
    """An objective, and what measures it; or why nothing does."""

    text: Telling
    rule: k.Text = optional()
    measured_in: Telling = optional()
    kind: k.Text = optional()
    days: Days = optional()
    owner: k.Text = optional()
    due: Day = optional()
    unmeasured: Telling = optional()
