"""Every kind of statement: a row, a type for ever, and a golden vector of its bytes.

`tests/golden/statements/` holds one statement of each kind, signed with the key of `SEED`. A new
kind brings its two files; those that are there are never written anew.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import manifest
from aims_gate.attest.envelope import sign
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.attest.statement import BASE, decode, encode, envelope_file, statement_file
from aims_gate.attest.statement_files import read_statement
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import TrustError
from aims_gate.evidence.kinds import KINDS
from aims_gate.evidence.record import record
from tests.support.laws import law
from tests.support.proofs import POLICY, REPORT, VERIFIER, make_model, new_signer, verdict_of

GOLDEN = Path(__file__).parents[1] / "golden" / "statements"
SEED = bytes(range(32))
PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
SIGNER = LocalSigner.of(PRIVATE)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
TYPES = {
    "evaluation": "https://aims-gate.dev/attestation/evaluation/v1",
    "test-result": "https://in-toto.io/attestation/test-result/v0.1",
    "vsa": "https://slsa.dev/verification_summary/v1",
    "waiver": "https://aims-gate.dev/attestation/waiver/v1",
    "approval": "https://aims-gate.dev/attestation/approval/v1",
    "promotion": "https://aims-gate.dev/attestation/promotion/v1",
    "revocation": "https://aims-gate.dev/attestation/revocation/v1",
    "policy": "https://aims-gate.dev/attestation/policy/v1",
    "break-glass": "https://aims-gate.dev/attestation/break-glass/v1",
    "record-approval": "https://aims-gate.dev/attestation/record-approval/v1",
    "live": "https://aims-gate.dev/attestation/live/v1",
    "gap": "https://aims-gate.dev/attestation/gap/v1",
    "audit-pack": "https://aims-gate.dev/attestation/audit-pack/v1",
    "public": "https://aims-gate.dev/attestation/public/v1",
}
"""Names are for ever: a row may be added, and none may change."""

kinds = pytest.mark.parametrize("name", KINDS)


def _trust(role: KeyRole | None) -> Trust:
    """Trust the key in one role; in any, where none is asked for."""
    roles = frozenset({role or KeyRole.RECORDS})
    entry = TrustedKey(key=SIGNER.key, person="jo@acme.example", roles=roles)
    return Trust(keys=(entry,))


def test_types_and_names_stay() -> None:
    """Each kind has a type of its own; ours lie below one base."""
    types = {name: KINDS[name].predicate_type for name in KINDS}
    assert types == TYPES
    assert len(set(types.values())) == len(types)
    assert BASE == "https://aims-gate.dev/attestation/"
    assert all(KINDS[name].name == name for name in KINDS)


@kinds
def test_the_golden_vector_is_verified_and_read(name: str) -> None:
    """Into the model of its row, by a key of its role and by no other; or by any that is listed."""
    kind = KINDS[name]
    read = read_statement(GOLDEN, name, kind, trust=_trust(kind.signed_by), now=NOW)
    assert isinstance(read.said, kind.predicate)
    if kind.signed_by is None:
        ended = replace(_trust(None).keys[0], valid_until=NOW, revoked_at=NOW)
        read_statement(GOLDEN, name, kind, trust=Trust(keys=(ended,)), now=NOW)
        other = replace(ended, key=new_signer().key)
        with pytest.raises(TrustError, match="not trusted"):
            read_statement(GOLDEN, name, kind, trust=Trust(keys=(other,)), now=NOW)
        return
    for role in set(KeyRole) - {kind.signed_by}:
        with pytest.raises(TrustError, match="may not sign as"):
            read_statement(GOLDEN, name, kind, trust=_trust(role), now=NOW)


@kinds
def test_the_golden_vector_is_signed_the_same(name: str) -> None:
    """Reading and writing give the very bytes again: of the statement, and of its envelope."""
    payload = (GOLDEN / statement_file(name)).read_bytes()
    assert encode(decode(payload, kind=KINDS[name], where=name)) == payload
    assert sign(payload, SIGNER) == (GOLDEN / envelope_file(name)).read_bytes()


@kinds
def test_the_golden_vector_verifies_without_us(name: str) -> None:
    """With nothing but DSSE and RFC 8032, as they are specified."""
    envelope = json.loads((GOLDEN / envelope_file(name)).read_bytes())
    payload = base64.b64decode(envelope["payload"])
    assert payload == (GOLDEN / statement_file(name)).read_bytes()
    message = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload
    (signature,) = envelope["signatures"]
    PRIVATE.public_key().verify(base64.b64decode(signature["sig"]), message)
    assert signature["keyid"] == "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg"


@kinds
def test_no_kind_is_taken_for_another(name: str) -> None:
    """However alike they are."""
    for other in KINDS:
        kind = KINDS[other]
        if other != name:
            with pytest.raises(TrustError, match="the predicate type is not"):
                read_statement(GOLDEN, name, kind, trust=_trust(kind.signed_by), now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@kinds
@law(80)
@given(data=st.data())
def test_any_predicate_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """With any value, or none, in the place of one of its keys: never another exception."""
    kind = KINDS[name]
    predicate = json.loads((GOLDEN / statement_file(name)).read_bytes())["predicate"]
    key = data.draw(st.sampled_from(sorted(predicate)))
    predicate.pop(key)
    predicate |= data.draw(st.fixed_dictionaries({}, optional={key: JSON}))
    try:
        said = kind.read(predicate, where="x")
    except TrustError:
        return
    assert isinstance(said, kind.predicate)


def test_what_the_gate_states_of_a_verdict_is_the_golden_vector(tmp_path: Path) -> None:
    """The same verdict, byte for byte, as on the day on which the vectors were made."""
    model = manifest.scan(make_model(tmp_path / "model"))
    verdict = verdict_of(model, SIGNER)
    files = record(verdict, model, POLICY, REPORT, signer=SIGNER, verifier_id=VERIFIER)
    for name in ("evaluation", "test-result", "vsa"):
        for file in (statement_file(name), envelope_file(name)):
            assert files[file] == (GOLDEN / file).read_bytes()
