"""Key for records: whether the trust file lets it sign them, asked before anything is written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.attest.signers import Sealer, Signer
from aims_gate.attest.trust import KeyRole
from aims_gate.errors import UsageError
from aims_gate.evidence.revocations import FOLDER, unrevoked


def refuse_other_keys(signer: Signer, trust: Path | None, *, now: datetime) -> None:
    """Refuse a key without the role `records`; what a keyless one may do, its certificate tells.

    Raises:
        UsageError: There is no trust file, or it is not usable.
        TrustError: The key is not in it, revoked, not valid now, or has another role.
    """
    if trust is None:
        hint = "name the trust file that lists the key with --trust FILE"
        raise UsageError("no trust file says that this key may sign records", hint=hint)
    known = unrevoked(trust_file.load(trust), trust.parent / FOLDER, now=now)
    if not isinstance(signer, Sealer):
        key = known.admit(signer.key, role=KeyRole.RECORDS, at=now, where="--key")
        key.refuse_frozen(now)
