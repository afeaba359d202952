"""Separation of duties: who may not approve, because they asked, made the model, or hold the gate.

Persons are compared, not keys: one person may have several, each with the names of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aims_gate.attest.trust import TrustedKey
from aims_gate.policy.model import WaiverTerms


def problems(
    keys: Collection[TrustedKey],
    requested_by: str,
    terms: WaiverTerms,
    *,
    gate: TrustedKey | None,
    authors: Collection[str] = (),
) -> Iterator[str]:
    """Say why the persons who approved a waiver are not those, or not enough of those, who may.

    Args:
        keys: The keys that signed it.
        requested_by: The person who requested it.
        terms: What the policy asks of waivers.
        gate: The key that signs the evidence; None where none does.
        authors: Whoever made the model, as far as its run and commit say.
    """
    counted = {
        key.identity: key
        for key in keys
        if not terms.approvers or {key.person, key.key.fingerprint} & set(terms.approvers)
    }
    if len(counted) < terms.approvals:
        signed = ", ".join(sorted({key.person for key in keys}))
        who = f" of {', '.join(terms.approvers)}" if terms.approvers else ""
        yield f"{signed} approved it, and approvals{who} by {terms.approvals} are needed"
    for _person, key in sorted(counted.items()):
        yield from conflicts(key, requested_by, gate=gate, authors=authors)


def conflicts(
    key: TrustedKey, requested_by: str, *, gate: TrustedKey | None, authors: Collection[str]
) -> Iterator[str]:
    """Say why the person of *key* may approve nothing here, whatever the trust file says."""
    if key.is_called(requested_by):
        yield f"{key.person} asked for it and approved it"
    if gate is not None and (key.key == gate.key or any(map(key.is_called, gate.names))):
        yield f"{key.person} approved it and holds the gate's key"
    if any(map(key.is_called, authors)):
        yield f"{key.person} approved it and made the model"
