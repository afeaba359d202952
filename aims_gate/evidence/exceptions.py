"""What may be served without evidence: what was live at adoption, and break-glass orders.

Both are signed by an approver, are about one version's very bytes on one server, and end. What
was revoked counts for neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aims_gate.attest.trust import Trust
from aims_gate.errors import TrustError
from aims_gate.evidence import live, revocations
from aims_gate.evidence.live import AdoptedVersion, Served
from aims_gate.evidence.predicates import FORM
from aims_gate.evidence.revocations import Revocations
from aims_gate.signoffs import BREAK_GLASS, kinds
from aims_gate.signoffs.break_glass import ToBeServed, problems
from aims_gate.signoffs.folder import Unsound, load
from aims_gate.signoffs.grammar import BreakGlassSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class Excepted:
    """Whether a version may be served without evidence, and what was found."""

    grounds: str = ""
    """Why it may; empty if it may not."""
    faults: tuple[str, ...] = ()
    """What lies there and does not count, each with its file."""

    def __bool__(self) -> bool:
        return bool(self.grounds)


def excepted(
    served: Served, *, trust: Trust, folder: Path, now: datetime, authors: Collection[str] = ()
) -> Excepted:
    """Look for an adoption list or a break-glass order that lets a version be served.

    Args:
        served: The version, the digest of its files as they are, and what is to point at it:
            without an alias or a stage there is no exception.
        trust: Whose signatures count.
        folder: Where the trust file lies, and beside it `adopted/`, `breakglass/`, `revocations/`.
        now: The present moment.
        authors: Whoever made the model, as far as its run says; they may not break the glass.

    Raises:
        TrustError: A revocation cannot be verified; until then nothing is known to be unrevoked.
    """
    revoked = Revocations.read((folder / revocations.FOLDER,), trust=trust, now=now)
    look = _Look(served=served, trust=revoked.applied(trust), revoked=revoked, now=now)
    found = [*look.adopted(folder / live.FOLDER), *look.ordered(folder / BREAK_GLASS, authors)]
    grounds = [one.grounds for one in found if one]
    return Excepted(
        grounds=grounds[0] if grounds else "",
        faults=tuple(fault for one in found for fault in one.faults),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One version looked for among what was signed."""

    served: Served
    trust: Trust
    revoked: Revocations
    now: datetime

    def adopted(self, folder: Path) -> Iterator[Excepted]:
        server = self.trust.server(self.served.server)
        for one in live.lists(folder, trust=self.trust, now=self.now):
            if isinstance(one, TrustError):
                yield Excepted(faults=(str(one),))
            elif self.trust.server(one.said.server) == server and any(
                map(self._is_listed, one.said.models)
            ):
                told = f"live when {one.signer.person} adopted it, until {one.said.until:{FORM}}"
                yield self._unrevoked(told, one.signer.key.fingerprint, one.said.adopted_on)

    def ordered(self, folder: Path, authors: Collection[str]) -> Iterator[Excepted]:
        about = ToBeServed(
            digest=self.served.sha256,
            server=self.trust.server(self.served.server),
            authors=authors,
        )
        for one in load(folder, kinds.BREAK_GLASS, trust=self.trust, now=self.now):
            if isinstance(one, Unsound):
                yield Excepted(faults=(f"{one.where}: {one.what}",))
            elif not self._is_meant(one.said):
                continue
            elif faults := list(problems(one, about, trust=self.trust, now=self.now)):
                yield Excepted(faults=tuple(f"{one.where}: {fault}" for fault in faults))
            else:
                people = ", ".join(sorted({key.person for key in one.keys}))
                told = f"{one.said.id}, break-glass of {people} until {one.said.expires:{FORM}}"
                yield self._unrevoked(told, one.keys[0].key.fingerprint, one.issued)

    def _is_listed(self, one: AdoptedVersion) -> bool:
        listed = (one.name, one.version, one.digest.sha256)
        return listed == (self.served.name, self.served.version, self.served.sha256) and (
            self._points(one.aliases, one.stages)
        )

    def _is_meant(self, said: BreakGlassSaid) -> bool:
        named = (said.model.name, said.model.version)
        return named == (self.served.name, self.served.version) and (
            self._points([said.alias], [said.stage])
        )

    def _points(self, aliases: Collection[str], stages: Collection[str]) -> bool:
        """Whether everything that is to point at the version was signed; nothing needs a name."""
        wanted = [*self.served.aliases, *self.served.stages]
        return (
            all(wanted)
            and bool(wanted)
            and (
                set(self.served.aliases) <= set(aliases) and set(self.served.stages) <= set(stages)
            )
        )

    def _unrevoked(self, grounds: str, key: str, at: datetime) -> Excepted:
        try:
            self.revoked.refuse(verdict="", model=self.served.sha256, key=key, at=at)
        except TrustError as error:
            return Excepted(faults=(str(error),))
        return Excepted(grounds=grounds)
