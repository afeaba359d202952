"""Who is trusted: whose keys may sign what, until when, for which servers.

Without a trusted timestamp a signature's time is only claimed, so a key must be valid now, not
only then: whoever finds an old key could otherwise date a signature back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aims_gate.attest.keys import PublicKey
from aims_gate.attest.resource import Copy
from aims_gate.errors import TrustError


class Role(StrEnum):
    """What a key may sign."""

    GATE = "gate"
    APPROVER = "approver"
    POLICY = "policy"
    RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key, its person, and what it may sign."""

    key: PublicKey
    person: str
    roles: frozenset[Role]
    verifier_ids: tuple[str, ...] = ()
    """Verifier ids that it may sign under; empty means any."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """Exclusive."""
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Everything that a verifier believes before it looks at any evidence."""

    keys: tuple[TrustedKey, ...]
    servers: Mapping[str, str] = field(default_factory=dict)
    """URL, in its shortest form, to the name of its server."""
    copies: tuple[Copy, ...] = ()
    sources_allow: tuple[str, ...] = ()
    """Where a model's files may lie, beside the registry that it is fetched from."""
    file: str = "trust.yaml"

    def admit(self, key: PublicKey, *, role: Role, at: datetime, where: str) -> TrustedKey:
        """Give the entry of *key* if it may sign as *role* at the moment *at*.

        Raises:
            TrustError: It is not listed, revoked, not valid yet or no more, or has not the role.
        """
        trusted = next((one for one in self.keys if one.key == key), None)
        if trusted is None:
            raise TrustError(f"key {key.fingerprint} is not in {self.file}", where=where)
        name = f"key {key.fingerprint} of {trusted.person}"
        if trusted.revoked_at is not None and at >= trusted.revoked_at:
            raise TrustError(
                f"{name} was revoked at {trusted.revoked_at:%Y-%m-%dT%H:%MZ}", where=where
            )
        if trusted.valid_until is not None and at >= trusted.valid_until:
            hint = "run the gate again with a key that is valid"
            when = f"{trusted.valid_until:%Y-%m-%dT%H:%MZ}"
            raise TrustError(f"{name} expired at {when}", where=where, hint=hint)
        if trusted.valid_from is not None and at < trusted.valid_from:
            when = f"{trusted.valid_from:%Y-%m-%dT%H:%MZ}"
            raise TrustError(f"{name} is not valid before {when}", where=where)
        if role not in trusted.roles:
            roles = ", ".join(sorted(trusted.roles))
            raise TrustError(f"{name} may not sign as {role}, only as {roles}", where=where)
        return trusted
