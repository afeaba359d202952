"""DSSE envelopes: what others accept, we write; what we open, nobody has touched."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from aims_gate import canonical
from aims_gate.attest import envelope, keys
from aims_gate.attest.envelope import PAYLOAD_TYPE, open_envelope, pae, sign
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.errors import GateError, RecordError, TrustError
from tests.support.laws import law
from tests.support.proofs import new_signer

VECTORS = Path(__file__).parents[1] / "vectors"
PAYLOAD = b'{"verdict":"WARNED","n":1}'
SIGNER = new_signer()
SIGNED = sign(PAYLOAD, SIGNER)


def _changed(**changes: object) -> bytes:
    return json.dumps({**json.loads(SIGNED), **changes}).encode()


def _signature(**changes: object) -> list[dict[str, Any]]:
    return [{**json.loads(SIGNED)["signatures"][0], **changes}]


def _refuses(data: bytes, match: str) -> None:
    with pytest.raises(TrustError, match=match):
        open_envelope(data, [SIGNER.key])


def test_pae_and_signature_of_the_published_vector() -> None:
    """The encoding is DSSE's own example, and its published signature verifies over it."""
    vector = json.loads((VECTORS / "dsse_p256_published.json").read_text(encoding="utf-8"))
    encoded = pae(vector["payloadType"], vector["payload"].encode())
    assert encoded == vector["pae"].encode()
    numbers = ec.EllipticCurvePublicNumbers(int(vector["x"]), int(vector["y"]), ec.SECP256R1())
    pem = numbers.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = base64.b64decode(vector["signature_r_s"])
    der = utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    public = keys.load_public(pem, where="vector")
    assert public.verifies(der, encoded)
    assert not public.verifies(der, encoded + b" ")


def test_pae_counts_bytes_not_characters() -> None:
    """Lengths are of UTF-8, as DSSE demands."""
    assert pae("ä", "€".encode()) == b"DSSEv1 2 \xc3\xa4 3 \xe2\x82\xac"


def test_envelope_of_a_fixed_key_has_fixed_bytes() -> None:
    """Ed25519 is deterministic: key id, encoding and base64 stay what they were."""
    vector = json.loads((VECTORS / "dsse_ed25519.json").read_text(encoding="utf-8"))
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["seed"]))
    signer = LocalSigner.of(private)
    assert signer.key.fingerprint == vector["fingerprint"]
    assert signer.key.pem == vector["public_key"]
    payload = vector["payload"].encode()
    assert canonical.sha256(pae(PAYLOAD_TYPE, payload)) == vector["pae_sha256"]
    assert sign(payload, signer).decode() == vector["envelope"]


@pytest.mark.parametrize(
    "signer", [new_signer(), LocalSigner.of(ed25519.Ed25519PrivateKey.generate())], ids=["p", "e"]
)
def test_securesystemslib_verifies_ours(signer: LocalSigner) -> None:
    """A foreign verifier accepts the envelope, and refuses it after an edit."""
    tree = json.loads(sign(PAYLOAD, signer))
    public = SSlibKey.from_crypto(signer.private.public_key(), keyid=tree["signatures"][0]["keyid"])
    foreign = Envelope.from_dict(json.loads(json.dumps(tree)))
    assert foreign.payload == PAYLOAD
    assert list(foreign.verify([public], 1)) == [signer.key.fingerprint]
    foreign.payload = PAYLOAD.replace(b"WARNED", b"PASSED")
    with pytest.raises(VerificationError):
        foreign.verify([public], 1)


def test_opening_gives_payload_and_key() -> None:
    """With several keys trusted, the one that signed is named."""
    opened = open_envelope(SIGNED, [new_signer().key, SIGNER.key])
    assert (opened.payload, opened.key) == (PAYLOAD, SIGNER.key)


@pytest.mark.parametrize("keyid", ["", "5f3a", "SHA256:somebody"])
def test_key_id_is_a_hint_only(keyid: str) -> None:
    """DSSE lets it be absent or of another convention; the signature alone decides."""
    foreign = _changed(signatures=_signature(keyid=keyid))
    assert open_envelope(foreign, [SIGNER.key]).payload == PAYLOAD
    absent = [{"sig": _signature()[0]["sig"]}]
    assert open_envelope(_changed(signatures=absent), [SIGNER.key]).payload == PAYLOAD


def test_every_flipped_byte_of_the_payload_is_refused() -> None:
    """One bit anywhere in what was said voids the signature."""
    for position in range(len(PAYLOAD)):
        edited = bytearray(PAYLOAD)
        edited[position] ^= 1
        _refuses(_changed(payload=base64.b64encode(edited).decode()), "does not fit")


def test_every_changed_character_of_payload_and_type_is_refused() -> None:
    """Also in the base64 itself, where some spellings would decode to the same bytes."""
    tree = json.loads(SIGNED)
    for name in ("payload", "payloadType"):
        for position in range(len(tree[name])):
            letter = "A" if tree[name][position] != "A" else "B"
            text = tree[name][:position] + letter + tree[name][position + 1 :]
            _refuses(_changed(**{name: text}), "does not fit|base64|payload type")


def test_a_payload_edited_to_passed_is_refused() -> None:
    """The forgery that matters."""
    edited = PAYLOAD.replace(b"WARNED", b"PASSED")
    _refuses(_changed(payload=base64.b64encode(edited).decode()), "does not fit the payload")


def test_a_stranger_and_nobody_are_not_trusted() -> None:
    """A valid signature of an unknown key counts for nothing; nor does an empty list of keys."""
    for trusted in ([new_signer().key], list[PublicKey]()):
        with pytest.raises(TrustError, match="not trusted"):
            open_envelope(SIGNED, trusted)


def test_a_signature_over_the_raw_payload_is_refused() -> None:
    """Only the encoding with its type is signed, so no other protocol's signature counts."""
    raw = base64.b64encode(SIGNER.sign(PAYLOAD)).decode()
    _refuses(_changed(signatures=_signature(sig=raw)), "does not fit")


def test_exactly_one_signature() -> None:
    """A second one, good or bad, and none at all are refused."""
    cases: tuple[object, ...] = (
        [],
        _signature() * 2,
        [*_signature(), {"sig": "AAAA", "keyid": "x"}],
        {},
        None,
    )
    for signatures in cases:
        _refuses(_changed(signatures=signatures), "exactly one signature")


@pytest.mark.parametrize("kind", ["application/json", "", None, 1, PAYLOAD_TYPE + " "])
def test_other_payload_types_are_refused(kind: object) -> None:
    """Even with a genuine signature over that type."""
    signature = base64.b64encode(SIGNER.sign(pae(str(kind), PAYLOAD))).decode()
    _refuses(_changed(payloadType=kind, signatures=_signature(sig=signature)), "payload type")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"NaN",
        b"[" * 100_000,
        SIGNED.replace(b'"payload":', b'"payload":"AAAA","payload":'),
        _changed(extra=1),
        _changed(signatures=[1]),
        _changed(signatures=_signature(cert="x")),
        _changed(signatures=_signature(keyid=None)),
        _changed(signatures=_signature(sig=1)),
        _changed(signatures=_signature(sig="\u20ac")),
        _changed(payload=None),
        _changed(payload="AAA"),
        _changed(payload=json.loads(SIGNED)["payload"] + "\n"),
        _changed(payload=base64.urlsafe_b64encode(b"\xff\xfe").decode()),
        _changed(signatures=_signature(sig=base64.b64encode(b"A" * 513).decode())),
    ],
)
def test_malformed_envelopes_are_refused(data: bytes) -> None:
    """Not JSON, keys missing, repeated or unknown, other types, base64 of another spelling."""
    with pytest.raises(TrustError):
        open_envelope(data, [SIGNER.key])


def test_non_canonical_base64_is_refused() -> None:
    """`QQ==` and `QR==` decode to the same byte: only one of them is read."""
    assert base64.b64decode("QR==") == b"A"
    _refuses(_changed(payload="QR=="), "not canonical")


def test_size_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long to open, and too long to sign."""
    monkeypatch.setattr(envelope, "MAX_PAYLOAD", len(PAYLOAD) - 1)
    _refuses(SIGNED, "more than")
    with pytest.raises(RecordError, match="more than"):
        sign(PAYLOAD, SIGNER)
    monkeypatch.setattr(envelope, "MAX_ENVELOPE", len(SIGNED) - 1)
    _refuses(SIGNED, "the envelope has more than")


def test_at_the_size_caps_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement, a signature and an envelope of exactly the most bytes."""
    signature = base64.b64decode(_signature()[0]["sig"])
    monkeypatch.setattr(envelope, "MAX_PAYLOAD", len(PAYLOAD))
    assert sign(PAYLOAD, SIGNER)
    monkeypatch.setattr(envelope, "MAX_ENVELOPE", len(SIGNED))
    monkeypatch.setattr(envelope, "_MAX_SIGNATURE", len(signature))
    assert open_envelope(SIGNED, [SIGNER.key]).payload == PAYLOAD
    monkeypatch.setattr(envelope, "_MAX_SIGNATURE", len(signature) - 1)
    _refuses(SIGNED, "more than")


def test_the_caps_leave_room_for_any_statement() -> None:
    """A statement of the most bytes fits into an envelope, which fits what is read of a file."""
    assert envelope.MAX_PAYLOAD == 2**25
    most = len(base64.b64encode(b"x" * 3)) * (envelope.MAX_PAYLOAD // 3 + 1)
    assert most + len(SIGNED) < envelope.MAX_ENVELOPE < 2 * envelope.MAX_PAYLOAD


def test_a_signer_that_signs_wrongly_is_noticed() -> None:
    """A broken HSM or a key that is not its public half never gets evidence out of the door."""
    other = new_signer()

    class Broken:
        key = SIGNER.key

        def sign(self, payload: bytes) -> bytes:
            return other.sign(payload)

    with pytest.raises(RecordError, match="no valid signature"):
        sign(PAYLOAD, Broken())


@law(300)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["payload", "payloadType", "signatures", "sig", "keyid", "x"]),
                    inner | st.just(PAYLOAD_TYPE) | st.just("QUFB"),
                    max_size=4,
                )
            ),
            max_leaves=12,
        ).map(lambda tree: json.dumps(tree).encode()),
    )
)
def test_nothing_but_a_gate_error_comes_of_any_bytes(data: bytes) -> None:
    """And nothing but what was signed is ever opened."""
    with pytest.raises(GateError):
        open_envelope(data, [SIGNER.key])
