"""The registry file's keys and the form of their values; what they mean is read beside it."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from aims_gate.attest import ages
from aims_gate.documents import Kind
from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, choice, optional, refuse, words
from aims_gate.policy.model import STAGES

ALIASES = ("champion",)
"""Guarded where an entry names no alias."""
MLFLOW_STAGES = ("Staging", "Production")
"""MLflow's stages in which something is served."""
OBSERVE, ENFORCE = MODES = ("observe", "enforce")
REPORT, REVERT = ON_FAIL = ("report", "revert")
_ALIAS = r"[\w-]+"
_WILD = frozenset("*?[]")
_INBOXES = ("sqlite", "postgresql")
SWEEP = timedelta(minutes=15)
REVERTS = 3


def fold(name: str | None) -> str:
    """Compatibility caseless form (Unicode NFKC and case folding) of an alias or a model's name.

    `Champion` and its full-width form are other aliases than `champion` for sqlite, and the same
    for some databases: whoever guards one of them guards all. None, which MLflow's stores take to
    refuse it themselves, is empty.
    """
    folded = unicodedata.normalize("NFKC", name or "").casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def _pattern(value: object) -> str:
    written = k.as_text(value)
    if any(set(unicodedata.normalize("NFKC", one)) & _WILD for one in set(written) - _WILD):
        raise refuse("has a wildcard that only looks like one", "write *, ?, [ and ] as in ASCII")
    if set("/:") & set(written):
        raise refuse("has '/' or ':', which no model's name has", "write the registered name")
    return written


def _aliases(value: object) -> list[str]:
    hint = "letters, digits, '_' and '-'; an alias is no pattern"
    aliases = [k.shaped(one, _ALIAS, "must be aliases", hint) for one in k.as_words(value)]
    if len(set(map(fold, aliases))) < len(aliases):
        raise refuse("names an alias twice; upper and lower case are one")
    return aliases


def _url(value: object) -> str:
    written = k.as_text(value)
    try:
        parts = urlsplit(written)
        host = parts.hostname
    except ValueError:
        raise refuse(f"must be an address, not {k.describe(value)}") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise refuse(f"must be an address, not {k.describe(value)}", "such as https://host/path")
    if "@" in parts.netloc:
        raise refuse("holds a user name or password", "name the variable of a secret instead")
    return written


def _inbox(value: object) -> str:
    written = k.as_text(value)
    scheme, _, rest = written.partition("://")
    if scheme.partition("+")[0] not in _INBOXES or not rest:
        hint = "such as sqlite:///inbox.db or postgresql://host/name"
        raise refuse(f"must be a database, not {k.describe(scheme)}", hint)
    if ":" in rest.partition("/")[0].rpartition("@")[0] or "password" in rest.partition("?")[2]:
        raise refuse("holds a password", "set PGPASSWORD or write ~/.pgpass")
    return written


def _age(value: object) -> timedelta:
    try:
        return ages.age(str(value))
    except ValueError as error:
        raise refuse(f"must be an age, not {k.describe(value)}", str(error)) from None


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1000:
        raise refuse(f"must be a whole number from 0 to 1000, not {k.describe(value)}")
    return value


_Aliases = Annotated[
    list[str],
    PlainValidator(_aliases),
    WithJsonSchema({**k.WORDS_SCHEMA, "items": {"type": "string", "pattern": r"^[^\s*?\[\]]+$"}}),
]
_Stages = Annotated[
    list[str],
    PlainValidator(lambda value: [k.one_of(one, MLFLOW_STAGES) for one in k.as_words(value)]),
    WithJsonSchema({**k.WORDS_SCHEMA, "items": {"enum": list(MLFLOW_STAGES)}}),
]
_Pattern = Annotated[str, PlainValidator(_pattern), WithJsonSchema(k.TEXT_SCHEMA)]
_Url = Annotated[str, PlainValidator(_url), k.string("https?://.+")]
_Inbox = Annotated[str, PlainValidator(_inbox), k.string(r"(sqlite|postgresql)(\+[a-z]+)?://.+")]
_Age = Annotated[timedelta, PlainValidator(_age), k.string("[1-9][0-9]{0,5}[smhd]")]
_Count = Annotated[
    int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 1000})
]
_Variable = Annotated[
    str,
    k.pattern("[A-Z][A-Z0-9_]*", "must name a variable of the environment", "such as GATE_SECRET"),
    k.string("[A-Z][A-Z0-9_]*"),
]


class TriggerText(Keys):
    """What asks the receiver for an evaluation."""

    alias: k.Text = optional(absent="")
    tag: k.Text = optional(absent="")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set:
            raise refuse("names neither an alias nor a tag", "such as {alias: candidate}")
        return self


class GuardedText(Keys):
    """What is guarded of the models that a pattern fits."""

    pattern: _Pattern
    aliases: _Aliases = optional(absent=list(ALIASES))
    mode: Annotated[str, choice(*MODES), words(*MODES)] = optional(absent=OBSERVE)
    stage: k.Name = optional(absent=STAGES[-1])
    stages: _Stages = optional()
    policy: k.Text = optional(absent="")
    trigger: TriggerText = optional()
    on_fail: Annotated[str, choice(*ON_FAIL), words(*ON_FAIL)] = optional(absent=REPORT)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        asks = self.trigger.alias if "trigger" in self.model_fields_set else ""
        if fold(asks) in set(map(fold, self.aliases)):
            hint = "a request is set before there is evidence; take another alias"
            raise refuse(f"guards {asks!r}, which also asks for an evaluation", hint)
        return self


class NotifyText(Keys):
    """An address that is told what was done, and the variable of the secret that signs it."""

    url: _Url
    secret: _Variable


class RegistryText(Keys):
    """The whole file."""

    api_version: k.ApiVersion = Field(alias="apiVersion")
    kind: Annotated[str, choice("Registry"), words("Registry")]
    trust: k.Text
    server: k.Text = optional(absent="")
    identity: k.Words = optional(absent=[])
    models: Annotated[list[GuardedText], k.NOT_EMPTY, Field(min_length=1)]
    notify: Annotated[list[NotifyText], k.NOT_EMPTY, Field(min_length=1)] = optional(absent=[])
    inbox: _Inbox = optional(absent="")
    sweep: _Age = optional(absent=SWEEP)
    reverts: _Count = optional(absent=REVERTS)


REGISTRY = Kind(name="Registry", model=RegistryText)
