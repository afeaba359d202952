"""The types of a policy's values: a strict reader, and the JSON Schema that editors are given.

None of them is a union, so that an error always names the key a person wrote and never a branch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from aims_gate.errors import near
from aims_gate.policy import scalars
from aims_gate.policy.domains import GRAMMAR, Domain
from aims_gate.policy.model import DecideOn, OnInsufficient, Role, Severity, TaskKind
from aims_gate.policy.scalars import describe, refuse

_TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
_NUMERAL: dict[str, Any] = {"type": "string", "pattern": f"^{scalars.DECIMAL}$"}
_NUMBER: dict[str, Any] = {"anyOf": [{"type": "number"}, _NUMERAL]}
_WORDS: dict[str, Any] = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}


def _string(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


def _numeric(**bounds: float) -> WithJsonSchema:
    """Describe a number; JSON Schema cannot bound one that stands in quotes."""
    return WithJsonSchema({"anyOf": [{"type": "number", **bounds}, _NUMERAL]})


def _pattern(pattern: str, what: str, hint: str) -> PlainValidator:
    return PlainValidator(lambda value: scalars.shaped(value, pattern, what, hint))


def _in(domain: Domain) -> PlainValidator:
    def check(value: object) -> float:
        number = scalars.as_number(value)
        if number not in domain:
            raise refuse(f"must lie in {domain}, not {number:g}", domain.why)
        return number

    return PlainValidator(check)


def _described(domain: Domain) -> WithJsonSchema:
    bounds = {"exclusiveMinimum" if domain.above else "minimum": domain.low}
    return _numeric(**bounds, **({"maximum": domain.high} if domain.high < math.inf else {}))


def _whole(least: int) -> PlainValidator:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise refuse(f"must be a whole number, not {describe(value)}")
        if value < least:
            raise refuse(f"must be {least} or more, not {value}")
        return value

    return PlainValidator(check)


def _choice(*words: str, later: Mapping[str, str] | None = None) -> PlainValidator:
    """Read one of *words*; those of *later* are refused with a hint of their own."""

    def check(value: object) -> str:
        if later and isinstance(value, str) and value in later:
            raise refuse(f"is {value!r}, which this version does not read yet", later[value])
        return _one_of(value, words)

    return PlainValidator(check)


def _one_of(value: object, words: Sequence[str]) -> str:
    """Read one of *words*."""
    if isinstance(value, str) and value in words:
        return value
    if len(words) == 1:
        raise refuse(f"must be {words[0]!r}, not {describe(value)}")
    hint = near(str(value), words)
    close = hint if hint.startswith("did") else ""  # the words are all named already
    raise refuse(f"must be one of {', '.join(words)}, not {describe(value)}", close)


def _words(*words: str) -> WithJsonSchema:
    return WithJsonSchema({"enum": list(words)})


_TASKS = tuple(kind.value for kind in TaskKind)
_ANSWERS = (Role.CHAMPION, Role.PERTURBED)
"""Roles that hold answers only, and are not judged by themselves."""
_ROLES = tuple(role.value for role in Role if role not in _ANSWERS)
_SEVERITIES = tuple(word.value for word in Severity)
_BURDENS = tuple(word.value for word in DecideOn)
_REACTIONS = tuple(word.value for word in OnInsufficient)
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
ENGINES = ("native", "reference", "both")
"""From the one that refuses least to the one that refuses most."""

Text = Annotated[str, PlainValidator(scalars.as_text), WithJsonSchema(_TEXT)]
Number = Annotated[float, PlainValidator(scalars.as_number), _numeric()]
NumberOrNull = Annotated[
    float | None,
    PlainValidator(scalars.as_number_or_null),
    WithJsonSchema({"anyOf": [{"type": ["number", "null"]}, _NUMERAL]}),
]
Days = Annotated[float, _in(GRAMMAR["max_age_days"]), _described(GRAMMAR["max_age_days"])]
Window = Annotated[float, _in(GRAMMAR["window.days"]), _described(GRAMMAR["window.days"])]
Grace = Annotated[float, _in(GRAMMAR["grace_days"]), _described(GRAMMAR["grace_days"])]
Alpha = Annotated[float, _in(GRAMMAR["alpha"]), _described(GRAMMAR["alpha"])]
Share = Annotated[float, _in(GRAMMAR["max_null_labels"]), _described(GRAMMAR["max_null_labels"])]
Rows = Annotated[int, _whole(0), WithJsonSchema({"type": "integer", "minimum": 0})]
MinRows = Annotated[int, _whole(1), WithJsonSchema({"type": "integer", "minimum": 1})]
Instant = Annotated[datetime, PlainValidator(scalars.as_instant), _string(scalars.INSTANT)]
RuleId = Annotated[
    str,
    _pattern(scalars.RULE_ID, "must be capitals, a dash and digits", "such as PERF-01"),
    _string(scalars.RULE_ID),
]
Name = Annotated[
    str,
    _pattern(scalars.NAME, "must be letters, digits, '.', '_' and '-'", "such as credit-risk"),
    _string(scalars.NAME),
]
Version = Annotated[
    str,
    _pattern(scalars.VERSION, "must be a version", 'such as "1.0.0"'),
    _string(scalars.VERSION),
]
Digest = Annotated[
    str,
    _pattern(scalars.DIGEST, "must be 64 lower-case hexadecimal digits", "sha256sum prints them"),
    _string(scalars.DIGEST),
]
Pin = Annotated[str, PlainValidator(scalars.as_pin), _string(scalars.PIN)]
ParentUri = Annotated[
    str,
    _pattern(scalars.PARENT, "must be file:PATH or git+https:", "such as file:../org/base.yaml"),
    _string(scalars.PARENT),
]
_SCHEMES = "|".join((*scalars.SOURCES, *scalars.STORES))
Source = Annotated[str, PlainValidator(scalars.as_source), _string(rf"({_SCHEMES}):.*\S.*")]
Allowed = Annotated[
    list[str],
    PlainValidator(scalars.as_allowed),
    WithJsonSchema({"type": "array", "items": _TEXT, "uniqueItems": True}),
]
Label = Annotated[
    str | int | float | bool,
    PlainValidator(scalars.as_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
_PER_CLASS = {"type": "object", "additionalProperties": _TEXT, "minProperties": 2}
Score = Annotated[
    str | dict[str, str],
    PlainValidator(scalars.as_score),
    WithJsonSchema({"anyOf": [_TEXT, _PER_CLASS]}),
]
_EDGES = {"anyOf": [{"type": "null"}, {"type": "array", "items": _NUMBER, "minItems": 1}]}
_BINNED = {"type": "object", "additionalProperties": _EDGES, "minProperties": 1}
Columns = Annotated[
    dict[str, tuple[float, ...] | None],
    PlainValidator(scalars.as_columns),
    WithJsonSchema({"anyOf": [_WORDS, _BINNED]}),
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
Words = Annotated[list[str], PlainValidator(scalars.as_words), WithJsonSchema(_WORDS)]
Declared = Annotated[
    list[str],
    PlainValidator(lambda value: [_one_of(word, NAMED) for word in scalars.as_words(value)]),
    WithJsonSchema({**_WORDS, "items": {"enum": list(NAMED)}}),
]
Stages = Annotated[
    list[str],
    PlainValidator(scalars.as_stages),
    WithJsonSchema({**_WORDS, "items": {"type": "string", "pattern": f"^{scalars.NAME}$"}}),
]
Range = Annotated[
    tuple[float, float],
    PlainValidator(scalars.as_range),
    WithJsonSchema({"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}),
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
ApiVersion = Annotated[str, _choice("aims-gate/v1"), _words("aims-gate/v1")]
Kind = Annotated[str, _choice("Policy"), _words("Policy")]
Engine = Annotated[str, _choice(*ENGINES), _words(*ENGINES)]
Predictions = Annotated[str, _choice("model"), _words("model")]
Environment = Annotated[str, _choice("gate", "model"), _words("gate", "model")]
Families = Annotated[
    list[list[str]],
    PlainValidator(scalars.as_families),
    WithJsonSchema({"type": "array", "items": _WORDS, "minItems": 1}),
]
AlphaScope = Annotated[str, _choice("rule", "policy"), _words("rule", "policy")]
SeverityWord = Annotated[str, _choice(*_SEVERITIES), _words(*_SEVERITIES)]
DecideOnWord = Annotated[str, _choice(*_BURDENS), _words(*_BURDENS)]
InsufficientWord = Annotated[str, _choice(*_REACTIONS), _words(*_REACTIONS)]
TaskWord = Annotated[str, _choice(*_TASKS), _words(*_TASKS)]
RoleWord = Annotated[
    str,
    _choice(*_ROLES),
    _words(*_ROLES),
]
