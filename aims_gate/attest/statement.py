"""in-toto statements: what a kind is, the exact bytes that are signed, how they are read again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from aims_gate import canonical
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.trust import KeyRole
from aims_gate.documents.keys import REFUSED
from aims_gate.errors import TrustError

STATEMENT = "https://in-toto.io/Statement/v1"
BASE = "https://aims-gate.dev/attestation/"
"""Everything that we state ourselves has a predicate type below this; such names are for ever."""

_KEYS = {"_type", "subject", "predicateType", "predicate"}
_SHA256 = re.compile(r"[0-9a-f]{64}")

P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementKind(Generic[P]):
    """A kind of statement: what it is called, what it says, and as what its key must be trusted."""

    name: str
    """Its name in messages, and that of its files where a folder holds one of the kind."""
    predicate_type: str
    predicate: type[P]
    """Reads what it says; of keys that it does not know it must say whether they are refused."""
    signed_by: KeyRole | None
    """None is any key that trust lists, whatever its dates: for what can only ever forbid."""
    subjects: tuple[str, ...] = (MODEL_FILE,)
    """What its one subject may be called: the file whose SHA-256 it is."""

    def read(self, predicate: Mapping[str, Any], *, where: str) -> P:
        """Read what a statement says, whose signature holds.

        Raises:
            TrustError: A key is missing, unknown or of another type; the first is named.
        """
        try:
            return self.predicate.model_validate(predicate)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(map(str, first["loc"]))
        hint = ""
        match first["type"]:
            case "missing":
                what = f"a statement lacks {path}"
            case "extra_forbidden":
                what = f"a statement says {path!a}, which is not known of {self.name}"
            case kind if kind == REFUSED:
                what, hint = f"{path} {first['msg']}", first["ctx"]["hint"]
            case _:
                what = f"a statement lacks {path} of the right type"
        raise TrustError(what, where=where, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that is said about one file, by its digest."""

    predicate_type: str
    subject: str
    """SHA-256 of the file: of the model's manifest, mostly."""
    predicate: Mapping[str, Any]
    subject_name: str = MODEL_FILE


def statement_file(stem: str) -> str:
    """File name of a statement's exact bytes."""
    return f"{stem}.statement.json"


def envelope_file(stem: str) -> str:
    """File name of a statement's signed envelope."""
    return f"{stem}.dsse.json"


def encode(statement: Statement) -> bytes:
    """Canonical JSON of a statement: the bytes that are signed.

    Exactly one subject, with a name and a SHA-256 and nothing else: verifiers accept a statement
    when any subject matches, and some know no other digest.
    """
    subject = {"name": statement.subject_name, "digest": {"sha256": statement.subject}}
    return canonical.encode(
        {
            "_type": STATEMENT,
            "subject": [subject],
            "predicateType": statement.predicate_type,
            "predicate": statement.predicate,
        }
    )


def decode(payload: bytes, *, kind: StatementKind[Any], where: str) -> Statement:
    """Read a payload whose signature holds; its predicate is read by `StatementKind.read`.

    Args:
        payload: The statement's bytes.
        kind: The one kind that it may be of.
        where: The file's name, for error messages.

    Raises:
        TrustError: It is not a statement of that kind about exactly one file.
    """
    try:
        tree = canonical.parse(payload)
    except ValueError as error:
        raise TrustError(f"the statement is not JSON: {error}", where=where) from error
    if not isinstance(tree, dict) or tree.get("_type") != STATEMENT:
        raise TrustError("the payload is not an in-toto statement v1", where=where)
    if tree.get("predicateType") != kind.predicate_type:
        raise TrustError(f"the predicate type is not {kind.predicate_type}", where=where)
    predicate = tree.get("predicate")
    if not isinstance(predicate, dict) or tree.keys() - _KEYS:
        raise TrustError("the statement is malformed", where=where)
    match tree.get("subject"):
        case [{"name": str(name), "digest": {"sha256": str(digest), **others}, **rest}] if (
            name in kind.subjects and not others and not rest and _SHA256.fullmatch(digest)
        ):
            return Statement(
                predicate_type=kind.predicate_type,
                subject=digest,
                subject_name=name,
                predicate=predicate,
            )
    named = " or ".join(kind.subjects)
    raise TrustError(f"the statement is not about exactly one {named} with a SHA-256", where=where)
