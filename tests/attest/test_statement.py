"""Statements: one subject, a known type, and bytes that read back equal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import statement
from aims_gate.attest.statement import Statement, StatementKind
from aims_gate.attest.trust import KeyRole
from aims_gate.documents.keys import Instant, Keys, Text
from aims_gate.errors import TrustError
from tests.support.laws import law


class ToySaid(Keys):
    """What a kind of statement in these tests says."""

    owner: Text
    until: Instant
    count: int = 1


TOY = StatementKind(
    name="toy",
    predicate_type="https://example.org/toy/v1",
    predicate=ToySaid,
    signed_by=KeyRole.APPROVER,
)
SAID = Statement(
    predicate_type=TOY.predicate_type, subject="0c" * 32, predicate={"a": [1, None, "x"]}
)
TREE = json.loads(statement.encode(SAID))


def _subject(**changes: object) -> list[dict[str, Any]]:
    return [{**TREE["subject"][0], **changes}]


def test_a_statement_reads_back_equal() -> None:
    """And its bytes are the in-toto Statement v1, with exactly one subject."""
    assert statement.decode(statement.encode(SAID), kind=TOY, where="x") == SAID
    assert TREE["_type"] == "https://in-toto.io/Statement/v1"
    assert TREE["subject"] == [{"name": "model.sha256", "digest": {"sha256": "0c" * 32}}]


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "https://example.org/other/v1"},
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
        statement.decode(data, kind=TOY, where="x")


@law(100)
@given(st.binary(max_size=60) | st.builds(lambda v: json.dumps(v).encode(), st.lists(st.none())))
def test_any_bytes_are_refused_with_a_trust_error(data: bytes) -> None:
    """Never another exception."""
    with pytest.raises(TrustError):
        statement.decode(data, kind=TOY, where="x")


def test_a_repeated_key_is_refused() -> None:
    """The last of two results would win in silence."""
    data = statement.encode(SAID).replace(b'"predicate":', b'"predicate":{},"predicate":')
    with pytest.raises(TrustError, match="duplicate key"):
        statement.decode(data, kind=TOY, where="x")


def test_a_kind_may_be_about_another_file() -> None:
    """A revocation of a key is about no model; the name must be one of the row's."""
    kind = replace(TOY, subjects=("policy.resolved.yaml", "model.sha256"))
    said = replace(SAID, subject_name="policy.resolved.yaml")
    assert statement.decode(statement.encode(said), kind=kind, where="x") == said
    with pytest.raises(TrustError, match=r"exactly one model\.sha256 with"):
        statement.decode(statement.encode(said), kind=TOY, where="x")


GOOD: dict[str, Any] = {"owner": "jo@acme.example", "until": "2027-01-01T00:00:00Z"}


def test_a_predicate_is_read_into_its_model() -> None:
    """Typed, frozen, in the words of the row."""
    said = TOY.read(GOOD, where="x")
    assert (said.owner, said.until, said.count) == (
        "jo@acme.example",
        datetime(2027, 1, 1, tzinfo=UTC),
        1,
    )


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"owner": None}, "x: owner must be text, not nothing"),
        ({"owner": " "}, "x: owner must not be empty; write it"),
        ({"until": "2027-01-01T00:00:00"}, "must name its time zone; add Z"),
        ({"count": "1"}, "x: a statement lacks count of the right type"),
        ({"count": 1.0}, "lacks count of the right type"),
        ({"more": 1}, "says 'more', which is not known of toy"),
    ],
)
def test_a_predicate_of_another_form_is_refused(change: dict[str, Any], match: str) -> None:
    """A type is never converted, a key never passed over."""
    with pytest.raises(TrustError, match=match):
        TOY.read({**GOOD, **change}, where="x")


def test_a_predicate_that_lacks_a_key_is_refused() -> None:
    """By name."""
    with pytest.raises(TrustError, match="x: a statement lacks until"):
        TOY.read({"owner": "jo"}, where="x")


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["owner", "until", "count", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@law(200)
@given(st.dictionaries(st.sampled_from(["owner", "until", "count", "x"]), TREES, max_size=4))
def test_any_predicate_is_read_strictly_or_refused(predicate: dict[str, Any]) -> None:
    """Never another exception, and never a value that was not there."""
    try:
        said = TOY.read(predicate, where="x")
    except TrustError:
        return
    assert predicate.keys() <= {"owner", "until", "count"}
    assert said.owner == predicate["owner"]
    assert said.count == predicate.get("count", 1)
