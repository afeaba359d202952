"""A signed statement as files: `NAME.statement.json`, its exact bytes, and `NAME.dsse.json`.

`NAME.sigstore.json`, the envelope as a Sigstore bundle, is written too and need not be there.
Bytes are verified before anything is parsed. Nothing is ever overwritten: what was signed stays.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Generic

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_ENVELOPE, OpenedEnvelope, open_envelope
from aims_gate.attest.keyless import has_certificate, key_of_certificate
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.signers import Signer
from aims_gate.attest.sigstore_bundle import bundle_file, hold, seal
from aims_gate.attest.statement import (
    P,
    Statement,
    StatementKind,
    decode,
    encode,
    envelope_file,
    statement_file,
)
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import RecordError, TrustError
from aims_gate.regular import refuse_links


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement(Generic[P]):
    """A statement that was verified: who signed it, what about, and what it says."""

    signer: TrustedKey
    statement: Statement
    said: P
    digest: str
    """SHA-256 of the statement's bytes, by which others refer to it: signatures vary."""


def write_statement(
    folder: Path, name: str, kind: StatementKind[Any], statement: Statement, signer: Signer
) -> None:
    """Sign *statement* and write its files into the existing *folder*.

    The envelope comes after it, and a statement is nothing without it, so that whatever cuts the
    writing off leaves nothing signed; writing the same statement again completes it.

    Args:
        folder: Where the files go.
        name: What they are called before the first dot of their endings.
        kind: What the statement must read as.
        statement: What is said.
        signer: The key.

    Raises:
        RecordError: The statement is none of its kind, signing failed, the files cannot be
            written, or there are other files of that name already.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise RecordError(f"{name!a} is not a plain file name", where=str(folder))
    payload = encode(statement)
    try:
        kind.read(decode(payload, kind=kind, where=name).predicate, where=name)
    except TrustError as error:
        what = f"the statement cannot be signed: {error.what}"
        raise RecordError(what, where=name, hint="nothing was signed; please report it") from error
    envelope, bundle = seal(payload, signer)
    try:
        refuse_links(folder / envelope_file(name))
        _create(folder, statement_file(name), payload)
        _create(folder, envelope_file(name), envelope)
        _create(folder, bundle_file(name), bundle)
    except FileExistsError as error:
        what = "it exists, and a statement is never overwritten"
        hint = "choose another name, or move the file away"
        raise RecordError(what, where=str(error.filename), hint=hint) from None
    except OSError as error:
        what = f"the statement could not be written: {error.strerror or error}"
        raise RecordError(what, where=str(folder)) from error


def read_statement(
    folder: Path, name: str, kind: StatementKind[P], *, trust: Trust, now: datetime
) -> SignedStatement[P]:
    """Verify the statement *name* of *folder*, and read what it says.

    Args:
        folder: Where its files lie.
        name: What they are called before their endings.
        kind: The one kind that it may be of.
        trust: Whose signatures count.
        now: The present moment, with time zone; the key must be valid then, except for a kind
            that any key may sign.

    Raises:
        TrustError: A file is missing, forged, altered or of another kind, or signed by somebody
            who may not.
    """
    trust = believed_about(folder, name, trust)
    keys = [one.key for one in trust.keys]
    opened = open_statement(folder, name, keys, role=kind.signed_by)
    signer = trust.admit(opened.key, role=kind.signed_by, at=now, where=envelope_file(name))
    statement = decode(opened.payload, kind=kind, where=statement_file(name))
    return SignedStatement(
        signer=signer,
        statement=statement,
        said=kind.read(statement.predicate, where=statement_file(name)),
        digest=canonical.sha256(opened.payload),
    )


def believed_about(folder: Path, name: str, trust: Trust) -> Trust:
    """Trust as far as the statement *name* is concerned.

    Where its bundle has a certificate, only the key in it counts, with the rights of the identity
    that it is of; TrustError if it does not verify, or nobody knows the identity.
    """
    where = bundle_file(name)
    if not os.path.lexists(folder / where):
        return trust
    bundle = read_file(folder, where)
    if not has_certificate(bundle):
        return trust
    return replace(trust, keys=(key_of_certificate(bundle, trust, where=where),))


def open_statement(
    folder: Path, name: str, keys: Collection[PublicKey], *, role: KeyRole | None
) -> OpenedEnvelope:
    """Verify the signature of the statement *name*, and that its files hold the same bytes.

    Whether the key may sign it is not looked at, and nothing is parsed.

    Raises:
        TrustError: A file is missing, forged or altered.
    """
    where = envelope_file(name)
    envelope = read_file(folder, where)
    opened = open_envelope(envelope, keys, where=where, role=role)
    if os.path.lexists(folder / (bundle := bundle_file(name))):
        hold(read_file(folder, bundle), envelope, opened.key, where=bundle)
    if read_file(folder, statement_file(name)) != opened.payload:
        raise TrustError("is not what was signed", where=statement_file(name))
    return opened


def read_file(folder: Path, name: str) -> bytes:
    """Read a file of evidence, of limited size and through no link; TrustError if it is none."""
    if Path(name).name != name:
        raise TrustError(f"{name!a} is not a plain file name", where=str(folder))
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_ENVELOPE + 1)
    except FileNotFoundError:
        raise TrustError("a file of the evidence is missing", where=name) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TrustError(f"cannot be read: {reason}", where=name) from error
    if len(data) > MAX_ENVELOPE:
        raise TrustError(f"has more than {MAX_ENVELOPE:,} bytes", where=name)
    return data


def _create(folder: Path, name: str, data: bytes) -> None:
    """Create a file atomically; FileExistsError if its name is taken by other bytes."""
    part = folder / f".{name}.{secrets.token_hex(8)}.part"
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, folder / name)  # a rename would take the place of what is there
        except FileExistsError:
            if not _holds(folder, name, data):
                raise FileExistsError(0, "it exists", str(folder / name)) from None
    finally:
        part.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holds(folder: Path, name: str, data: bytes) -> bool:
    try:
        return read_file(folder, name) == data
    except TrustError:
        return False
