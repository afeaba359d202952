"""The grammar of waivers, approvals and break-glass orders: what is written, and then signed.

A draft is YAML that people read and review; the signed statement carries the same keys in the
spelling of in-toto predicates (`ruleSha256`), and is read by the same models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from aims_gate.documents import Kind
from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, choice, optional, refuse, words
from aims_gate.policy import vocabulary as v
from aims_gate.policy.model import Threshold

VALUED = ("FAIL", "INSUFFICIENT")
"""Outcomes that have a value, which a limit holds."""
COVERED = (*VALUED, "MISSING", "STALE")
"""Outcomes that a waiver may let through; an ERROR never."""
LEAST_WORDS = 20
"""Letters of a justification: less says nothing to whoever reads it in two years."""
_UPPER = re.compile("[A-Z]")
_UNDER = re.compile("_([a-z])")
MODEL_DAYS = 14
"""Longest life of a waiver for later versions too, whatever the policy allows."""
BREAK_GLASS_DAYS = 7
"""Longest life of a break-glass order: an emergency that lasts longer is a waiver's matter."""


def _justification(value: object) -> str:
    text = k.as_text(value)
    if len(" ".join(text.split())) < LEAST_WORDS or "TODO" in text:
        hint = f"{LEAST_WORDS} letters or more: why, until what is done, who watches meanwhile"
        raise refuse("says too little", hint)
    return text


Justification = Annotated[
    str,
    PlainValidator(_justification),
    WithJsonSchema({"type": "string", "minLength": LEAST_WORDS}),
]
Covers = Annotated[
    list[str],
    PlainValidator(lambda value: [k.one_of(word, COVERED) for word in k.as_words(value)]),
    v.listed(COVERED),
]


class ModelText(Keys):
    """Which model is meant: by the digest of its files, or by the pattern of a registered name."""

    name: k.Text
    version: k.Text = optional()
    sha256: k.Digest = optional()
    scope: Annotated[str, choice("model"), words("model")] = optional()

    @property
    def by_name(self) -> bool:
        """Whether later versions are meant, too."""
        return "scope" in self.model_fields_set

    @model_validator(mode="after")
    def _bound(self) -> Self:
        if ("sha256" in self.model_fields_set) is self.by_name:
            hint = "sha256: the digest of the model's manifest; or scope: model"
            raise refuse("must be bound to bytes or to a name", hint)
        return self


class LimitText(Keys):
    """How far a value may go: past it the rule refuses as if there were no waiver."""

    at_least: k.Number = optional()
    at_most: k.Number = optional()

    @model_validator(mode="after")
    def _some_side(self) -> Self:
        if not self.model_fields_set:
            raise refuse("has no limit", "state at_least or at_most")
        return self


class _SignOff(Keys):
    """What waivers and approvals share."""

    id: v.RuleId
    model: ModelText
    requested_by: k.Text
    justification: Justification
    expires: k.Instant


class _Document(Keys):
    """What a draft has beside: which grammar it is written in."""

    api_version: k.ApiVersion = Field(alias="apiVersion")


class _Predicate(Keys):
    """What a signature adds: who signs, and when; keys are spelled as in in-toto."""

    approved_by: k.Text
    issued: k.Instant

    @model_validator(mode="before")
    @classmethod
    def _respelled(cls, tree: Any) -> Any:
        plain = respelled(tree, _to_snake)
        if respelled(plain, _to_camel) != tree:
            raise refuse("has a key that is not spelled as in in-toto", "such as ruleSha256")
        return plain


class _Waiver(_SignOff):
    """An exception to one rule, for one model, for a time, up to a value."""

    kind: Annotated[str, choice("Waiver"), words("Waiver")]
    rule: v.RuleId
    rule_sha256: k.Digest
    covers: Covers = optional(absent=list(VALUED))
    limit: LimitText = optional()
    uses: v.MinRows = optional()

    @property
    def threshold(self) -> Threshold | None:
        """How far a value may go; None where it covers what has no value."""
        if "limit" not in self.model_fields_set:
            return None
        return Threshold(at_least=self.limit.at_least, at_most=self.limit.at_most)

    @model_validator(mode="after")
    def _limited(self) -> Self:
        valued = set(self.covers) & set(VALUED)
        limited = "limit" in self.model_fields_set
        if "FAIL" in valued and not limited:
            hint = "limit: {at_most: …}; or covers: [INSUFFICIENT] where there is no value"
            raise refuse("lacks 'limit': how bad may the value be?", hint)
        if limited and not valued:
            raise refuse("has a limit, and covers no outcome with a value", "leave one out")
        if ("uses" in self.model_fields_set) is not self.model.by_name:
            raise refuse("counts 'uses' with scope: model, and only then", "state both or neither")
        return self


class _Approval(_SignOff):
    """A person's yes in a role, to the very bytes of one model."""

    kind: Annotated[str, choice("Approval"), words("Approval")]
    role: k.Name
    evidence: k.Digest = optional()
    """SHA-256 of the summary statement (`vsa.statement.json`) that the person read."""

    @model_validator(mode="after")
    def _of_bytes(self) -> Self:
        if self.model.by_name:
            raise refuse("must name the model's sha256", "an approval is of bytes that exist")
        return self


class _BreakGlass(_SignOff):
    """Break-glass: an order to let one alias or stage point at bytes that are not proven."""

    kind: Annotated[str, choice("BreakGlass"), words("BreakGlass")]
    server: k.Text
    """Its name in the trust file, or its URL."""
    alias: k.Text = optional(absent="")
    stage: k.Text = optional(absent="")
    """MLflow's."""

    @model_validator(mode="after")
    def _of_one_move(self) -> Self:
        stated = self.model_fields_set
        if self.model.by_name or "version" not in self.model.model_fields_set:
            raise refuse("must name the model's version and sha256", "it is of one version's bytes")
        if ("alias" in stated) is ("stage" in stated):
            raise refuse("is for one alias, or for one of MLflow's stages", "state one of them")
        return self


class WaiverText(_Waiver, _Document):
    """The draft of a waiver."""


class ApprovalText(_Approval, _Document):
    """The draft of an approval."""


class BreakGlassText(_BreakGlass, _Document):
    """The draft of a break-glass order."""


class WaiverSaid(_Waiver, _Predicate):
    """The predicate of a signed waiver."""


class ApprovalSaid(_Approval, _Predicate):
    """The predicate of a signed approval."""


class BreakGlassSaid(_BreakGlass, _Predicate):
    """The predicate of a signed break-glass order."""


class RecordSaid(_Predicate):
    """The predicate of a signed approval of a document: these very bytes, as people wrote them."""

    kind: Annotated[str, choice("RecordApproval"), words("RecordApproval")]
    id: k.Name
    record: k.Text
    """The document's id."""
    sha256: k.Digest


Said = WaiverSaid | ApprovalSaid | BreakGlassSaid | RecordSaid


def respelled(tree: Any, spell: Callable[[str], str]) -> Any:
    """Spell every key of a tree anew."""
    if isinstance(tree, Mapping):
        return {spell(str(key)): respelled(value, spell) for key, value in tree.items()}
    return [respelled(item, spell) for item in tree] if isinstance(tree, list) else tree


def predicate_of(tree: Mapping[str, Any], *, approved_by: str, issued: str) -> dict[str, Any]:
    """Write a draft as the predicate that is signed."""
    stated = {key: value for key, value in tree.items() if key != "apiVersion"}
    signed = {**stated, "approved_by": approved_by, "issued": issued}
    predicate: dict[str, Any] = respelled(signed, _to_camel)
    return predicate


def _to_camel(key: str) -> str:
    return _UNDER.sub(lambda found: found[1].upper(), key)


def _to_snake(key: str) -> str:
    return _UPPER.sub(lambda found: f"_{found[0].lower()}", key)


WAIVER = Kind(name="Waiver", model=WaiverText)
APPROVAL = Kind(name="Approval", model=ApprovalText)
BREAK_GLASS = Kind(name="BreakGlass", model=BreakGlassText)
