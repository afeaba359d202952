"""An evidence directory whose signatures hold and whose files belong together.

Bytes are verified before anything is parsed, and a file counts only through the digest that a
signed statement gives for it. Other files that lie in the directory are never read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_ENVELOPE, OpenedEnvelope, open_envelope
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import (
    Statement,
    decode,
    envelope_file,
    statement_file,
)
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import TrustError
from aims_gate.evidence.kinds import KINDS
from aims_gate.evidence.layout import POLICY_FILE, REPORT_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What an evidence directory holds, after its signatures were verified."""

    signer: TrustedKey
    payloads: Mapping[str, bytes]
    statements: Mapping[str, Statement]
    manifest: bytes
    policy: bytes
    report: bytes

    def predicate(self, stem: str) -> Mapping[str, Any]:
        """Give what the statement *stem* (`evaluation`, `test-result`, `vsa`) says."""
        return self.statements[stem].predicate


def open_evidence(folder: Path, trust: Trust, now: datetime) -> Proof:
    """Read and verify an evidence directory.

    Args:
        folder: The directory that `run` wrote.
        trust: Whose signatures count.
        now: The present moment, with time zone; the key must be valid then.

    Raises:
        TrustError: A file is missing, unsigned, forged, altered, or signed by somebody who may
            not; or the files do not belong together.
    """
    try:
        names = {path.name for path in folder.iterdir()}
    except (OSError, ValueError) as error:
        raise TrustError("there is no readable evidence directory", where=str(folder)) from error
    if not any(envelope_file(stem) in names for stem in KINDS):
        raise TrustError(
            "the evidence is not signed",
            where=str(folder),
            hint="run the gate with --key; unsigned evidence never verifies",
        )
    keys = [one.key for one in trust.keys]
    opened: dict[str, OpenedEnvelope] = {}
    for stem in KINDS:
        name = envelope_file(stem)
        opened[stem] = open_envelope(_read(folder, name), keys, where=name)
        if _read(folder, statement_file(stem)) != opened[stem].payload:
            raise TrustError("is not what was signed", where=statement_file(stem))
    if len({one.key.fingerprint for one in opened.values()}) != 1:
        raise TrustError("the three statements are signed by different keys", where=str(folder))
    signer = trust.admit(opened["vsa"].key, role=KeyRole.GATE, at=now, where=envelope_file("vsa"))
    proof = Proof(
        signer=signer,
        payloads={stem: one.payload for stem, one in opened.items()},
        statements={
            stem: decode(one.payload, expected=KINDS[stem], where=statement_file(stem))
            for stem, one in opened.items()
        },
        manifest=_read(folder, MODEL_FILE),
        policy=_read(folder, POLICY_FILE),
        report=_read(folder, REPORT_FILE),
    )
    _belongs_together(proof)
    return proof


def _belongs_together(proof: Proof) -> None:
    """Hold every file against the digest that a signed statement gives for it."""
    subject = proof.statements["vsa"].subject
    if any(statement.subject != subject for statement in proof.statements.values()):
        raise TrustError("the three statements are about different models")
    if canonical.sha256(proof.manifest) != subject:
        raise TrustError("is not the manifest that was signed", where=MODEL_FILE)
    inputs = [
        {"uri": statement_file(stem), "digest": {"sha256": canonical.sha256(proof.payloads[stem])}}
        for stem in KINDS
        if stem != "vsa"
    ]
    if proof.predicate("vsa").get("inputAttestations") != inputs:
        raise TrustError(
            "the summary is over other statements than these", where=statement_file("vsa")
        )
    if proof.predicate("evaluation").get("report") != {"sha256": canonical.sha256(proof.report)}:
        raise TrustError("is not the report that was signed", where=REPORT_FILE)
    digests = (
        at(proof.predicate("vsa"), "policy", "digest"),
        at(proof.predicate("evaluation"), "policy", "digest"),
        at(proof.predicate("test-result"), "configuration", 0, "digest"),
    )
    if any(digest != {"sha256": canonical.sha256(proof.policy)} for digest in digests):
        raise TrustError("is not the policy that was signed", where=POLICY_FILE)


def _read(folder: Path, name: str) -> bytes:
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_ENVELOPE + 1)
    except FileNotFoundError:
        raise TrustError("a file of the evidence is missing", where=name) from None
    except OSError as error:
        raise TrustError(f"cannot be read: {error.strerror}", where=name) from error
    if len(data) > MAX_ENVELOPE:
        raise TrustError(f"has more than {MAX_ENVELOPE:,} bytes", where=name)
    return data


def at(tree: object, *path: str | int) -> object:
    """Give what is at *path*, None where the path leads nowhere."""
    for step in path:
        match tree, step:
            case dict(), str():
                tree = tree.get(step)
            case [first, *_], 0:
                tree = first
            case _:
                return None
    return tree


def text_of(tree: object, *path: str | int) -> str:
    """Give the text at *path*; TrustError if there is none."""
    found = at(tree, *path)
    if not isinstance(found, str) or not found:
        raise TrustError(f"a statement lacks {'.'.join(map(str, path))}")
    return found
