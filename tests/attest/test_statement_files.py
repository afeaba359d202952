"""One signed statement in two files: written whole or not at all, verified before it is read."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from aims_gate.attest.envelope import sign
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.attest.statement import (
    Statement,
    StatementKind,
    encode,
    envelope_file,
    statement_file,
)
from aims_gate.attest.statement_files import SignedStatement, read_statement, write_statement
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.documents.keys import Instant, Keys, Text
from aims_gate.errors import RecordError, TrustError
from tests.support.laws import law

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SIGNER = LocalSigner.of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = LocalSigner.of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))


class NoteSaid(Keys):
    """What a kind of statement in these tests says."""

    owner: Text
    until: Instant


NOTE = StatementKind(
    name="note",
    predicate_type="https://example.org/note/v1",
    predicate=NoteSaid,
    signed_by=KeyRole.APPROVER,
)
ENTRY = TrustedKey(key=SIGNER.key, person="jo@acme.example", roles=frozenset({KeyRole.APPROVER}))
TRUST = Trust(keys=(ENTRY,))
SAID = Statement(
    predicate_type=NOTE.predicate_type,
    subject="0c" * 32,
    predicate={"owner": "jo", "until": "2027-01-01"},
)
FILES = {"N-1.statement.json", "N-1.dsse.json", "N-1.sigstore.json"}


def _write(folder: Path, name: str = "N-1", statement: Statement = SAID) -> None:
    write_statement(folder, name, NOTE, statement, SIGNER)


def _read(folder: Path, trust: Trust = TRUST, **changes: Any) -> SignedStatement[NoteSaid]:
    return read_statement(folder, "N-1", replace(NOTE, **changes), trust=trust, now=NOW)


def _refuses(folder: Path, match: str, trust: Trust = TRUST, **changes: Any) -> None:
    with pytest.raises(TrustError, match=match) as caught:
        _read(folder, trust, **changes)
    assert caught.value.exit_code == 4


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Who signed it, about which file, and what it says; no other file is left behind."""
    _write(tmp_path)
    read = _read(tmp_path)
    assert _names(tmp_path) == FILES
    assert (read.signer, read.statement) == (ENTRY, SAID)
    assert (read.said.owner, read.said.until.year) == ("jo", 2027)
    assert read.digest == canonical.sha256((tmp_path / "N-1.statement.json").read_bytes())


def test_a_statement_is_never_overwritten(tmp_path: Path) -> None:
    """What was signed stays, whoever signs something else under its name."""
    _write(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    other = replace(SAID, subject="0d" * 32)
    with pytest.raises(RecordError, match=r"N-1\.statement\.json: it exists") as caught:
        _write(tmp_path, statement=other)
    assert caught.value.exit_code == 3
    with pytest.raises(RecordError, match=r"N-1\.dsse\.json: it exists"):
        write_statement(tmp_path, "N-1", NOTE, SAID, STRANGER)
    assert {name: (tmp_path / name).read_bytes() for name in _names(tmp_path)} == before


@pytest.mark.parametrize("ending", ["statement.json", "dsse.json"])
def test_a_link_in_the_place_is_not_followed(tmp_path: Path, ending: str) -> None:
    """Neither written through nor taken for the file."""
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_bytes(encode(SAID))
    (folder / f"N-1.{ending}").symlink_to(elsewhere)
    with pytest.raises(RecordError):
        _write(folder)
    assert elsewhere.read_bytes() == encode(SAID)
    assert not (folder / "N-1.dsse.json").is_file() or ending == "dsse.json"


def test_a_writing_that_was_cut_off_signed_nothing_and_can_be_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full between the two files; the same statement completes them."""
    link = os.link

    def full(source: Path, target: Path) -> None:
        if str(target).endswith("dsse.json"):
            raise OSError(28, "No space left on device")
        link(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", full)
        with pytest.raises(RecordError, match="could not be written: No space left"):
            _write(tmp_path)
    assert _names(tmp_path) == {"N-1.statement.json"}
    _refuses(tmp_path, r"N-1\.dsse\.json: a file of the evidence is missing")
    _write(tmp_path)
    assert _read(tmp_path).statement == SAID


@pytest.mark.parametrize("name", ["../N-1", "a/b", "", ".", "..", ".hidden"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    """Neither where a statement is written nor where it is read."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(RecordError, match="not a plain file name"):
        _write(folder, name)
    _write(tmp_path)
    with pytest.raises(TrustError):
        read_statement(folder, "../N-1", NOTE, trust=TRUST, now=NOW)
    assert _names(tmp_path) == {"folder", *FILES}


@pytest.mark.parametrize(
    "change",
    [
        {"predicate": {"owner": "jo"}},
        {"predicate": {"owner": "jo", "until": "soon"}},
        {"predicate": {**SAID.predicate, "more": 1}},
        {"predicate_type": "https://example.org/other/v1"},
        {"subject": "0C" * 32},
        {"subject_name": "other"},
    ],
)
def test_what_could_not_be_read_is_not_signed(tmp_path: Path, change: dict[str, Any]) -> None:
    """The writer holds itself to the reader."""
    with pytest.raises(RecordError, match="the statement cannot be signed"):
        _write(tmp_path, statement=replace(SAID, **change))
    assert _names(tmp_path) == set()


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"roles": frozenset({KeyRole.GATE})}, "may not sign as approver, only as gate"),
        ({"revoked_at": NOW}, "was revoked"),
        ({"valid_until": NOW}, "expired at"),
        ({"key": STRANGER.key}, "is not trusted.*with role approver"),
    ],
)
def test_the_key_must_be_trusted_for_the_kind(
    tmp_path: Path, entry: dict[str, Any], match: str
) -> None:
    """A gate's key signs no approval."""
    _write(tmp_path)
    _refuses(tmp_path, match, replace(TRUST, keys=(replace(ENTRY, **entry),)))


def test_another_kind_is_refused(tmp_path: Path) -> None:
    """Signed by the same person, about the same file."""
    _write(tmp_path)
    _refuses(tmp_path, "the predicate type is not", predicate_type="https://example.org/other/v1")


@pytest.mark.parametrize("ending", ["statement.json", "dsse.json"])
def test_a_file_that_is_missing_or_none_is_refused(tmp_path: Path, ending: str) -> None:
    """Gone, a folder, a pipe that nobody writes to, a link."""
    _write(tmp_path)
    path = tmp_path / f"N-1.{ending}"
    whole = path.read_bytes()
    path.unlink()
    _refuses(tmp_path, f"{ending}: a file of the evidence is missing")
    path.mkdir()
    _refuses(tmp_path, f"{ending}: cannot be read")
    path.rmdir()
    os.mkfifo(path)
    _refuses(tmp_path, ending)
    path.unlink()
    (tmp_path / "whole").write_bytes(whole)
    path.symlink_to(tmp_path / "whole")
    _refuses(tmp_path, f"{ending}: cannot be read")


@dataclass(frozen=True)
class _Files:
    """The two files of a statement, with other bytes in them."""

    statement: bytes
    envelope: bytes

    def read(self) -> SignedStatement[NoteSaid]:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / statement_file("N-1")).write_bytes(self.statement)
            (Path(folder) / envelope_file("N-1")).write_bytes(self.envelope)
            return _read(Path(folder))


GENUINE = _Files(statement=encode(SAID), envelope=sign(encode(SAID), SIGNER))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["owner", "until", "name", "digest", "sha256"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@law(60)
@given(st.binary(max_size=200))
def test_any_bytes_in_either_file_are_refused(data: bytes) -> None:
    """With a TrustError, never another."""
    for files in (replace(GENUINE, statement=data), replace(GENUINE, envelope=data)):
        with pytest.raises(TrustError):
            files.read()


@law(150)
@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255), st.booleans())
def test_any_changed_byte_is_refused(place: int, change: int, envelope: bool) -> None:
    """In the statement, or anywhere in the envelope but in its key id, which is only a hint."""
    data = bytearray(GENUINE.envelope if envelope else GENUINE.statement)
    data[place % len(data)] ^= change
    name = "envelope" if envelope else "statement"
    try:
        read = replace(GENUINE, **{name: bytes(data)}).read()
    except TrustError:
        return
    assert read.statement == SAID
    tree = canonical.parse(bytes(data))
    assert tree["signatures"][0].pop("keyid") != SIGNER.key.fingerprint
    genuine = canonical.parse(GENUINE.envelope)
    del genuine["signatures"][0]["keyid"]
    assert tree == genuine


@law(150)
@given(st.binary(max_size=80) | JSON.map(canonical.encode))
def test_any_payload_of_a_trusted_key_is_refused(payload: bytes) -> None:
    """What is signed still has to be a statement."""
    with pytest.raises(TrustError):
        _Files(statement=payload, envelope=sign(payload, SIGNER)).read()


@law(150)
@given(st.fixed_dictionaries({}, optional={"subject": JSON, "predicate": JSON, "x": JSON}))
def test_any_statement_of_a_trusted_key_is_read_strictly_or_refused(change: dict[str, Any]) -> None:
    """Never another exception; what is accepted says exactly what the kind knows."""
    payload = canonical.encode({**canonical.parse(GENUINE.statement), **change})
    try:
        read = _Files(statement=payload, envelope=sign(payload, SIGNER)).read()
    except TrustError:
        return
    assert "x" not in change
    assert read.statement.predicate.keys() == {"owner", "until"}
