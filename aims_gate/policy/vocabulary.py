"""The types of a policy's values, beside those that every document has (`documents.keys`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from aims_gate.documents.keys import (
    NAME,
    NUMBER_SCHEMA,
    NUMERAL_SCHEMA,
    TEXT_SCHEMA,
    WORDS_SCHEMA,
    as_number,
    as_words,
    choice,
    describe,
    one_of,
    pattern,
    refuse,
    shaped,
    string,
    words,
)
from aims_gate.policy import scalars
from aims_gate.policy.domains import GRAMMAR, Domain
from aims_gate.policy.model import ENGINES, DecideOn, OnInsufficient, Role, Severity, TaskKind


def _numeric(**bounds: float) -> WithJsonSchema:
    """JSON Schema of a number; it cannot bound a number in quotes."""
    return WithJsonSchema({"anyOf": [{"type": "number", **bounds}, NUMERAL_SCHEMA]})


def _in(domain: Domain) -> PlainValidator:
    def check(value: object) -> float:
        number = as_number(value)
        if number not in domain:
            raise refuse(f"must lie in {domain}, not {number:g}", domain.why)
        return number

    return PlainValidator(check)


def _described(domain: Domain) -> WithJsonSchema:
    bounds = {"exclusiveMinimum" if domain.above else "minimum": domain.low}
    return _numeric(**bounds, **({"maximum": domain.high} if domain.high < math.inf else {}))


def _member(kind: type[StrEnum], *allowed: StrEnum) -> PlainValidator:
    """Read the word of a member of *kind*, one of *allowed* if there are any."""
    known = [word.value for word in allowed or kind]
    return PlainValidator(lambda value: kind(one_of(value, known)))


def listed(known: Sequence[str]) -> WithJsonSchema:
    """Describe a list of distinct words, each one of *known*."""
    return WithJsonSchema({**WORDS_SCHEMA, "items": {"enum": list(known)}})


def _whole(least: int) -> PlainValidator:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise refuse(f"must be a whole number, not {describe(value)}")
        if value < least:
            raise refuse(f"must be {least} or more, not {value}")
        return value

    return PlainValidator(check)


_ANSWERS = (Role.CHAMPION, Role.PERTURBED)
"""Roles that hold answers only, and are not judged by themselves."""
_ROLES = tuple(role for role in Role if role not in _ANSWERS)
SEVERITIES = tuple(word.value for word in Severity)
BURDENS = tuple(word.value for word in DecideOn)
NAMED = (
    "label",
    "prediction",
    "score",
    "positive",
    "task",
    "sensitive",
    "weight",
    "key",
    "query",
    "time",
)
"""What a run's author may say about the columns of its data, unless the policy declares its own."""

NumberOrNull = Annotated[
    float | None,
    PlainValidator(scalars.as_number_or_null),
    WithJsonSchema({"anyOf": [{"type": ["number", "null"]}, NUMERAL_SCHEMA]}),
]
Days = Annotated[float, _in(GRAMMAR["max_age_days"]), _described(GRAMMAR["max_age_days"])]
Window = Annotated[float, _in(GRAMMAR["window.days"]), _described(GRAMMAR["window.days"])]
Grace = Annotated[float, _in(GRAMMAR["grace_days"]), _described(GRAMMAR["grace_days"])]
Alpha = Annotated[float, _in(GRAMMAR["alpha"]), _described(GRAMMAR["alpha"])]
Share = Annotated[float, _in(GRAMMAR["max_null_labels"]), _described(GRAMMAR["max_null_labels"])]
Rows = Annotated[int, _whole(0), WithJsonSchema({"type": "integer", "minimum": 0})]
Snapshot = Annotated[int, _whole(0), WithJsonSchema({"type": "integer", "minimum": 0})]
MinRows = Annotated[int, _whole(1), WithJsonSchema({"type": "integer", "minimum": 1})]
WaiverDays = Annotated[
    float, _in(GRAMMAR["waivers.max_days"]), _described(GRAMMAR["waivers.max_days"])
]
RuleIds = Annotated[
    list[str],
    PlainValidator(
        lambda value: [
            shaped(word, scalars.RULE_ID, "must be ids of rules", "such as INTEG-01")
            for word in as_words(value)
        ]
    ),
    WithJsonSchema({**WORDS_SCHEMA, "items": {"type": "string", "pattern": scalars.RULE_ID}}),
]
WaiverScope = Annotated[str, choice("version", "model"), words("version", "model")]
RuleId = Annotated[
    str,
    pattern(scalars.RULE_ID, "must be capitals, a dash and digits", "such as PERF-01"),
    string(scalars.RULE_ID),
]
Pin = Annotated[str, PlainValidator(scalars.as_pin), string(scalars.PIN)]
ParentUri = Annotated[
    str,
    pattern(scalars.PARENT, "must be file:PATH or git+https:", "such as file:../org/base.yaml"),
    string(scalars.PARENT),
]
_SCHEMES = "|".join((*scalars.SOURCES, *scalars.STORES))
Source = Annotated[str, PlainValidator(scalars.as_source), string(rf"({_SCHEMES}):.*\S.*")]
TableName = Annotated[
    str,
    pattern(
        scalars.TABLE,
        "must be a table by its name",
        "such as catalog.schema.name, of letters, digits, _, $ and -; of another name a view; "
        "a connection is named beside it",
    ),
    string(scalars.TABLE),
]
Folder = Annotated[str, PlainValidator(scalars.as_folder), string(scalars.FOLDER)]
FolderOrGit = Annotated[
    str,
    PlainValidator(scalars.as_folder_or_git),
    string(f"({scalars.FOLDER}|{scalars.PINNED})"),
]
Allowed = Annotated[
    list[str],
    PlainValidator(scalars.as_allowed),
    WithJsonSchema({"type": "array", "items": TEXT_SCHEMA, "uniqueItems": True}),
]
Label = Annotated[
    str | int | float | bool,
    PlainValidator(scalars.as_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
_PER_CLASS = {"type": "object", "additionalProperties": TEXT_SCHEMA, "minProperties": 2}
Score = Annotated[
    str | dict[str, str],
    PlainValidator(scalars.as_score),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, _PER_CLASS]}),
]
_EDGES = {"anyOf": [{"type": "null"}, {"type": "array", "items": NUMBER_SCHEMA, "minItems": 1}]}
_BINNED = {"type": "object", "additionalProperties": _EDGES, "minProperties": 1}
Columns = Annotated[
    dict[str, tuple[float, ...] | None],
    PlainValidator(scalars.as_columns),
    WithJsonSchema({"anyOf": [WORDS_SCHEMA, _BINNED]}),
]
Types = Annotated[
    dict[str, str],
    PlainValidator(scalars.as_types),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"enum": list(scalars.TYPES)},
            "minProperties": 1,
        }
    ),
]
Declared = Annotated[
    list[str],
    PlainValidator(lambda value: [one_of(word, NAMED) for word in as_words(value)]),
    listed(NAMED),
]
Stages = Annotated[
    list[str],
    PlainValidator(scalars.as_stages),
    WithJsonSchema({**WORDS_SCHEMA, "items": {"type": "string", "pattern": f"^{NAME}$"}}),
]
Range = Annotated[
    tuple[float, float],
    PlainValidator(scalars.as_range),
    WithJsonSchema({"type": "array", "items": NUMBER_SCHEMA, "minItems": 2, "maxItems": 2}),
]
Tree = Annotated[Any, PlainValidator(scalars.as_finite), WithJsonSchema({})]
Expected = Annotated[
    dict[str, str],
    PlainValidator(scalars.as_expected),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "properties": {"verdict": {"enum": list(scalars.DECISIONS)}},
            "additionalProperties": {"enum": list(scalars.OUTCOMES)},
        }
    ),
]
Kind = Annotated[str, choice("Policy"), words("Policy")]
Engine = Annotated[str, choice(*ENGINES), words(*ENGINES)]
Predictions = Annotated[str, choice("model"), words("model")]
Environment = Annotated[str, choice("gate", "model"), words("gate", "model")]
Families = Annotated[
    list[list[str]],
    PlainValidator(scalars.as_families),
    WithJsonSchema({"type": "array", "items": WORDS_SCHEMA, "minItems": 1}),
]
AlphaScope = Annotated[str, choice("rule", "policy"), words("rule", "policy")]
SeverityWord = Annotated[Severity, _member(Severity), words(*SEVERITIES)]
DecideOnWord = Annotated[DecideOn, _member(DecideOn), words(*BURDENS)]
InsufficientWord = Annotated[OnInsufficient, _member(OnInsufficient), words(*OnInsufficient)]
TaskWord = Annotated[TaskKind, _member(TaskKind), words(*TaskKind)]
RoleWord = Annotated[Role, _member(Role, *_ROLES), words(*_ROLES)]
