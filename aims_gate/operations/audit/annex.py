"""Annex of an audit pack: public keys and identities, and a script that checks everything by them.

The manifest lists every file but those of its own signature, which a key for records makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_ENVELOPE
from aims_gate.attest.signers import Signer
from aims_gate.attest.sigstore_bundle import bundle_file, seal
from aims_gate.attest.statement import (
    Statement,
    decode,
    encode,
    envelope_file,
    statement_file,
)
from aims_gate.attest.trust import Trust
from aims_gate.evidence.pack_predicate import AUDIT_PACK, PACK_SUBJECT
from aims_gate.evidence.written import time_said
from aims_gate.operations.audit.files import table
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.stages import AuditStage
from aims_gate.regular import read_regular

_CHECK = Path(__file__).with_name("check.sh")
_STEM = "manifest"


def annex(trust: Trust | None) -> dict[str, bytes]:
    """Public keys with whose they are, identities with the root that certifies them, the script.

    The name of a key's file says what it may sign.
    """
    files = {"annex/check.sh": _CHECK.read_bytes()}
    rows: list[tuple[str, ...]] = [("file", "person", "may sign as", "fingerprint", "until")]
    for number, one in enumerate(trust.keys if trust else (), start=1):
        roles = sorted(one.roles)
        path = f"annex/keys/{'-'.join((f'{number:02}', *roles))}.pem"
        files[path] = one.key.pem.encode()
        until = "" if one.valid_until is None else f"{one.valid_until:%Y-%m-%d}"
        rows.append((path, one.person, " ".join(roles), one.key.fingerprint, until))
    files["annex/keys.csv"] = table(rows)
    if trust is not None and trust.identities and trust.trusted_root is not None:
        files["annex/trusted_root.json"] = read_regular(trust.trusted_root, MAX_ENVELOPE)
        files["annex/identities.json"] = canonical.encode(
            [
                {
                    "person": one.person,
                    "roles": sorted(one.roles),
                    "issuer": one.issuer,
                    "subject": one.subject,
                    "job_workflow_ref": one.job_workflow_ref,
                }
                for one in trust.identities
            ]
        )
    return files


def signed_manifest(
    manifest: bytes, signer: Signer, stage: AuditStage, when: Period, now: datetime
) -> Mapping[str, bytes]:
    """Files of the manifest's signature; RecordError if the key cannot sign."""
    statement = Statement(
        predicate_type=AUDIT_PACK.predicate_type,
        subject=canonical.sha256(manifest),
        subject_name=PACK_SUBJECT,
        predicate={
            "stage": stage.name,
            "begins": f"{when.begins}",
            "ends": f"{when.ends}",
            "files": manifest.count(b"\n"),
            "signedOn": time_said(now),
        },
    )
    payload = encode(statement)
    AUDIT_PACK.read(decode(payload, kind=AUDIT_PACK, where=_STEM).predicate, where=_STEM)
    envelope, bundle = seal(payload, signer)
    return {
        statement_file(_STEM): payload,
        envelope_file(_STEM): envelope,
        bundle_file(_STEM): bundle,
    }
