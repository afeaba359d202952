"""Which break-glass orders hold for a move: for one server, version, alias and the very bytes."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from aims_gate.attest.trust import KeyRole, Trust
from aims_gate.signoffs.folder import Signed
from aims_gate.signoffs.grammar import BREAK_GLASS_DAYS, BreakGlassSaid
from aims_gate.signoffs.people import conflicts


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBeServed:
    """What an order must be of, and who may not give it."""

    digest: str
    """SHA-256 of the manifest of the version's files."""
    server: str
    """Its name in the trust file, else its short URL."""
    authors: Collection[str] = ()
    """Whoever made the model, as far as its run says."""


def problems(
    one: Signed[BreakGlassSaid], about: ToBeServed, *, trust: Trust, now: datetime
) -> Iterator[str]:
    """Say why an order does not hold for a version: other bytes, too old, or not who may."""
    said = one.said
    if said.model.sha256 != about.digest:
        yield "it is for other bytes"
    if trust.server(said.server) != about.server:
        yield f"it is for the server {said.server!a}"
    if now >= said.expires:
        yield f"it ended at {said.expires:%Y-%m-%dT%H:%M:%SZ}"
    if said.expires > one.issued + timedelta(days=BREAK_GLASS_DAYS):
        yield f"it holds for more than {BREAK_GLASS_DAYS} days"
    gates = [key for key in trust.keys if KeyRole.GATE in key.roles]
    for key in one.keys:
        told = [conflicts(key, said.requested_by, gate=None, authors=about.authors)]
        told += [conflicts(key, "", gate=gate, authors=()) for gate in gates]
        yield from dict.fromkeys(itertools.chain.from_iterable(told))
