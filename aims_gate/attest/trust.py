"""Who is trusted: whose keys may sign what, until when, for which servers, and what is deployed.

Without a trusted timestamp a signature's time is only claimed, so a key must be valid now, not
only then: whoever finds an old key could otherwise date a signature back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from aims_gate.attest.keys import PublicKey
from aims_gate.attest.resource import FOLDERS, Copy, Resource, short_url
from aims_gate.errors import TrustError
from aims_gate.facts import Ancestor


class KeyRole(StrEnum):
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
    roles: frozenset[KeyRole]
    verifier_ids: tuple[str, ...] = ()
    """Verifier ids that it may sign under; empty means any."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """Exclusive."""
    revoked_at: datetime | None = None
    known_as: tuple[str, ...] = ()
    """Names that the person has in MLflow and git."""
    approves: tuple[str, ...] = ()
    """Roles, such as `validator`, that the person may approve in; empty means any."""
    frozen_from: datetime | None = None
    """What it says to have signed from then on was revoked by a signed statement."""

    def refuse_frozen(self, issued: datetime) -> None:
        """Refuse what the key signed at a time from which on it was revoked: TrustError."""
        if self.frozen_from is not None and issued >= self.frozen_from:
            raise TrustError(f"key {self.key.fingerprint} of {self.person} was revoked")

    def is_called(self, name: str) -> bool:
        """Tell whether *name*, as MLflow or git has it, may be this person.

        Upper and lower case are one; a name without a domain is that of every domain. So two
        persons may be taken for one, and never one for two.
        """
        return may_be(name, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of the person."""
        return (self.person, *self.known_as)

    @property
    def identity(self) -> str:
        """One word for the person, whichever of the `united` keys it is asked of."""
        return min(map(plain_name, self.names))


def united(keys: Sequence[TrustedKey]) -> tuple[TrustedKey, ...]:
    """Let all keys of one person know each of the person's names (connected components)."""
    found = list(keys)
    for one in keys:
        alike = [n for n, other in enumerate(found) if any(map(other.is_called, one.names))]
        names = dict.fromkeys(name for n in alike for name in found[n].names)
        for n in alike:
            others = tuple(name for name in names if name != found[n].person)
            found[n] = replace(found[n], known_as=others)
    return tuple(found)


def may_be(name: str, names: Iterable[str]) -> bool:
    """Tell whether a name may be that of the person who has *names*; see `is_called`."""
    asked = plain_name(name)
    return any(
        asked == own or asked == own.partition("@")[0] or asked.partition("@")[0] == own
        for own in map(plain_name, names)
    )


def plain_name(name: str) -> str:
    """Write a person's name in one form: NFKC, case folded, `Name <address>` as the address.

    Spaces, quotes and what nobody sees are left out.
    """
    address = name.rpartition("<")[2].rstrip("> ") if name.rstrip().endswith(">") else name
    folded = unicodedata.normalize("NFKC", address).casefold()
    return "".join(one for one in folded if one.isalnum() or one in "@._+-").strip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIdentity:
    """An identity of Sigstore's certificates, its person, and what it may sign."""

    issuer: str
    """Who vouches for it: the address of the OpenID Connect provider."""
    subject: str
    """Its name in the certificate: for a job of GitHub the URL of its workflow at a ref."""
    person: str
    roles: frozenset[KeyRole]
    job_workflow_ref: str = ""
    """GitHub's claim of that name, `owner/repo/path@ref`; empty asks for none."""
    verifier_ids: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """Exclusive."""
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the deploying side expects of the evidence of some models, whoever asks."""

    server: str = ""
    """Name of the server that the models are on; empty for any, folders too."""
    models: tuple[str, ...] = ()
    """Patterns of registered names; empty for all."""
    stage: str = ""
    max_age: timedelta | None = None
    floor: Ancestor | None = None
    approvals: tuple[str, ...] = ()
    """Roles that must have approved."""
    signed_policy: bool = False
    """Whether the policy must be signed, too."""
    where: str = ""
    """File and line."""

    def covers(self, place: Resource) -> bool:
        """Whether it is about *place*; a name that no registry gave escapes no entry."""
        if self.server not in {"", place.server}:
            return False
        alike = any(fnmatchcase(place.name, pattern) for pattern in self.models)
        return alike or not self.models or not place.registered


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Everything that a verifier believes before it looks at any evidence."""

    keys: tuple[TrustedKey, ...]
    servers: Mapping[str, str] = field(default_factory=dict)
    """URL, in its shortest form, to the name of its server."""
    copies: tuple[Copy, ...] = ()
    sources_allow: tuple[str, ...] = ()
    """Where a model's files may lie, beside the registry that it is fetched from."""
    deploy: tuple[Deployment, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    trusted_root: Path | None = None
    """Keys and certificates of the Sigstore instance that certifies the identities."""
    file: str = "trust.yaml"

    def server(self, url: str) -> str:
        """Name of the server of a URL, or with that name; the short URL where none is listed."""
        short = short_url(url)
        return self.servers.get(short, short)

    @property
    def only_server(self) -> str:
        """Name of the one MLflow server that is listed, folders aside; empty if there are more."""
        names = {name for url, name in self.servers.items() if url not in {FOLDERS, name}}
        return names.pop() if len(names) == 1 else ""

    def demands(self, evidence: Resource, wanted: Resource | None) -> tuple[Deployment, ...]:
        """Deployment requirements for evidence of one place that is to count for *wanted*.

        If nobody says where the model is to be used, it is every place that it may count for.
        """
        pair = (evidence.server, evidence.name)
        copied = [
            replace(evidence, server=copy.target[0], name=copy.target[1])
            for copy in self.copies
            if evidence.registered and copy.source == pair
        ]
        places = [evidence, *copied] if wanted is None else [wanted]
        return tuple(one for one in self.deploy if any(map(one.covers, places)))

    def admit(
        self, key: PublicKey, *, role: KeyRole | None, at: datetime, where: str
    ) -> TrustedKey:
        """Authorise *key* to have signed as *role*, at the moment *at*, and give its entry.

        Without a role it need only be listed: whatever its dates, for what can only forbid.

        Raises:
            TrustError: It is not listed, revoked, not valid yet or no more, or has not the role.
        """
        trusted = next((one for one in self.keys if one.key == key), None)
        if trusted is None:
            raise TrustError(f"key {key.fingerprint} is not in {self.file}", where=where)
        if role is None:
            return trusted
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
