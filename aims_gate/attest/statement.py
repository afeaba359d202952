"""in-toto statements: the exact bytes that are signed, and how they are read again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aims_gate import canonical
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.errors import TrustError

STATEMENT = "https://in-toto.io/Statement/v1"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that is said about one model."""

    predicate_type: str
    subject: str
    """SHA-256 of the model's manifest."""
    predicate: Mapping[str, Any]


def statement_file(stem: str) -> str:
    """Name the file with a statement's exact bytes."""
    return f"{stem}.statement.json"


def envelope_file(stem: str) -> str:
    """Name the file with a statement's signed envelope."""
    return f"{stem}.dsse.json"


def encode(statement: Statement) -> bytes:
    """Give the bytes that are signed: canonical JSON.

    Exactly one subject, with a name and a SHA-256 and nothing else: verifiers accept a statement
    when any subject matches, and some know no other digest.
    """
    return canonical.encode(
        {
            "_type": STATEMENT,
            "subject": [{"name": MODEL_FILE, "digest": {"sha256": statement.subject}}],
            "predicateType": statement.predicate_type,
            "predicate": statement.predicate,
        }
    )


def decode(payload: bytes, *, expected: str, where: str) -> Statement:
    """Read a payload whose signature holds.

    Args:
        payload: The statement's bytes.
        expected: The predicate type that it must have.
        where: The file's name, for error messages.

    Raises:
        TrustError: It is not a statement of that type about exactly one model manifest.
    """
    try:
        tree = canonical.parse(payload)
    except ValueError as error:
        raise TrustError(f"the statement is not JSON: {error}", where=where) from error
    if not isinstance(tree, dict) or tree.get("_type") != STATEMENT:
        raise TrustError("the payload is not an in-toto statement v1", where=where)
    if tree.get("predicateType") != expected:
        raise TrustError(f"the predicate type is not {expected}", where=where)
    predicate = tree.get("predicate")
    if not isinstance(predicate, dict) or tree.keys() - {
        "_type",
        "subject",
        "predicateType",
        "predicate",
    }:
        raise TrustError("the statement is malformed", where=where)
    return Statement(
        predicate_type=expected, subject=_subject(tree.get("subject"), where), predicate=predicate
    )


def _subject(subjects: object, where: str) -> str:
    match subjects:
        case [{"name": name, "digest": {"sha256": str(digest), **others}, **rest}] if (
            name == MODEL_FILE and not others and not rest and _SHA256.fullmatch(digest)
        ):
            return digest
    raise TrustError(
        f"the statement is not about exactly one {MODEL_FILE} with a SHA-256", where=where
    )
