"""Statements: one subject, a known type, and bytes that read back equal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import statement
from aims_gate.attest.statement import Statement
from aims_gate.errors import TrustError
from aims_gate.evidence.kinds import BASE, EVALUATION, SUMMARY
from tests.support.laws import law

SAID = Statement(predicate_type=SUMMARY, subject="0c" * 32, predicate={"a": [1, None, "x"]})
TREE = json.loads(statement.encode(SAID))


def _subject(**changes: object) -> list[dict[str, Any]]:
    return [{**TREE["subject"][0], **changes}]


def test_a_statement_reads_back_equal() -> None:
    """And its bytes are the in-toto Statement v1, with exactly one subject."""
    assert statement.decode(statement.encode(SAID), expected=SUMMARY, where="x") == SAID
    assert TREE["_type"] == "https://in-toto.io/Statement/v1"
    assert TREE["subject"] == [{"name": "model.sha256", "digest": {"sha256": "0c" * 32}}]


def test_our_own_type_lies_below_one_base() -> None:
    """The constant from which every type of ours is made."""
    assert BASE == "https://aims-gate.dev/attestation/"
    assert EVALUATION == "https://aims-gate.dev/attestation/evaluation/v1"


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": EVALUATION},
        {"predicate": []},
        {"extra": 1},
        {"subject": []},
        {"subject": _subject() * 2},
        {"subject": _subject(name="other")},
        {"subject": _subject(uri="x")},
        {"subject": _subject(digest={"sha256": "0c" * 32, "sha512": "x"})},
        {"subject": _subject(digest={"sha256": "0C" * 32})},
        {"subject": _subject(digest={"sha256": 1})},
        {"subject": None},
    ],
)
def test_other_statements_are_refused(change: dict[str, object]) -> None:
    """Another version, type, subject, or a second subject that a foreign model could match."""
    data = json.dumps({**TREE, **change}).encode()
    with pytest.raises(TrustError):
        statement.decode(data, expected=SUMMARY, where="x")


@law(100)
@given(st.binary(max_size=60) | st.builds(lambda v: json.dumps(v).encode(), st.lists(st.none())))
def test_any_bytes_are_refused_with_a_trust_error(data: bytes) -> None:
    """Never another exception."""
    with pytest.raises(TrustError):
        statement.decode(data, expected=SUMMARY, where="x")


def test_a_repeated_key_is_refused() -> None:
    """The last of two results would win in silence."""
    data = statement.encode(SAID).replace(b'"predicate":', b'"predicate":{},"predicate":')
    with pytest.raises(TrustError, match="duplicate key"):
        statement.decode(data, expected=SUMMARY, where="x")
