"""Adoption: a signed, dated list of what an MLflow server serves before anything is proven of it.

A guard that begins today would refuse to set again what is live without evidence. The list lets
those very bytes stay, each with its owner, until a date. An exception is a person's to make, so
an approver's key signs it: whoever only runs the gate could live without floors for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.statement import BASE, Statement, StatementKind, envelope_file
from aims_gate.attest.statement_files import SignedStatement, read_statement
from aims_gate.attest.trust import KeyRole, Trust
from aims_gate.errors import TrustError
from aims_gate.evidence.predicates import FORM, DigestSaid, Said, Time, Word

FOLDER = "adopted"
"""Where the lists lie: beside the trust file."""
SUBJECT = "live.json"
"""What the list itself is called, in canonical JSON."""
LONGEST = timedelta(days=180)
"""Most days that a list may hold: after that, what is live has been judged, or never will be."""
MAX_FILES = 100
_SKEW = timedelta(minutes=5)
"""How far the clock of whoever signed may be ahead of ours."""


class AdoptedVersion(Said):
    """A version that was served, by what pointed at it, and who answers for it."""

    name: Word
    version: Word
    digest: DigestSaid
    """Of the manifest of its files."""
    aliases: list[Word]
    stages: list[Word]
    """MLflow's."""
    owner: Word


class LiveList(Said):
    """Everything guarded that a server served on a day, and until when it may stay."""

    server: Word
    adopted_on: Time
    until: Time
    models: list[AdoptedVersion]


LIVE = StatementKind(
    name="live",
    predicate_type=f"{BASE}live/v1",
    predicate=LiveList,
    signed_by=KeyRole.APPROVER,
    subjects=(SUBJECT,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A registered version, the digest of its files, and what points at it, or is to."""

    server: str
    """The server's name in the trust file, else its short URL."""
    name: str
    version: str
    sha256: str
    """Of the manifest of its files as they are."""
    aliases: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    """MLflow's."""


def statement_of(
    server: str, found: Sequence[Served], *, owner: str, on: datetime, until: datetime
) -> Statement:
    """Make the statement of what is served on a server."""
    models = [
        {
            "name": one.name,
            "version": one.version,
            "digest": {"sha256": one.sha256},
            "aliases": list(one.aliases),
            "stages": list(one.stages),
            "owner": owner,
        }
        for one in found
    ]
    return Statement(
        predicate_type=LIVE.predicate_type,
        subject_name=SUBJECT,
        subject=canonical.sha256(canonical.encode(models)),
        predicate={
            "server": server,
            "adoptedOn": on.strftime(FORM),
            "until": until.strftime(FORM),
            "models": models,
        },
    )


def lists(
    folder: Path, *, trust: Trust, now: datetime
) -> Iterator[SignedStatement[LiveList] | TrustError]:
    """Read every list of a folder: one that holds today, or why it does not; it never counts then.

    Args:
        folder: Such as `adopted/` beside the trust file; it may not be there.
        trust: Whose signatures count, with what was revoked applied.
        now: The present moment: keys and lists must be valid now.
    """
    ending = envelope_file("")
    names = sorted(path.name.removesuffix(ending) for path in folder.glob(f"*{ending}"))
    if len(names) > MAX_FILES:
        yield TrustError(f"there are more than {MAX_FILES} lists", where=str(folder))
        return
    for name in names:
        try:
            yield _valid(read_statement(folder, name, LIVE, trust=trust, now=now), name, now)
        except TrustError as error:
            yield TrustError(error.what, where=envelope_file(name), hint=error.hint)


def _valid(found: SignedStatement[LiveList], name: str, now: datetime) -> SignedStatement[LiveList]:
    said = found.said
    found.signer.refuse_frozen(said.adopted_on)
    if canonical.sha256(canonical.encode(found.statement.predicate["models"])) != (
        found.statement.subject
    ):
        raise TrustError("the statement's subject is not the list in it", where=name)
    if said.adopted_on > now + _SKEW:
        raise TrustError(f"the list was signed in the future, at {said.adopted_on:{FORM}}")
    if said.until > said.adopted_on + LONGEST:
        raise TrustError(f"the list holds for more than {LONGEST.days} days")
    if now >= said.until:
        hint = "run the gate on what is live; a new list needs a new signature"
        raise TrustError(f"the list ended at {said.until:{FORM}}", hint=hint)
    return found
