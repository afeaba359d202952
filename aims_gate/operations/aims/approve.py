"""Approval of a document: a person signs its very bytes, assessed for what is material today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

from aims_gate.attest import trust_file
from aims_gate.attest.envelope import sign
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import encode
from aims_gate.attest.trust import TrustedKey
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import RecordError, UsageError
from aims_gate.evidence.revocations import FOLDER, unrevoked
from aims_gate.governance.acts import approval_id, authors, signatures
from aims_gate.governance.approval import own_work, standing, who_may
from aims_gate.governance.contract import RecordAct, RecordDocument, Records, Strength
from aims_gate.governance.kinds import KINDS, Area, RecordKind
from aims_gate.governance.material import DEPENDS, assessed
from aims_gate.governance.people import People, Person
from aims_gate.governance.reader import read
from aims_gate.governance.record_text import RecordText, record
from aims_gate.operations.judged import judged
from aims_gate.operations.signoff import admitted_approver, create_file, name_in_file
from aims_gate.regular import itself, read_regular, write_regular
from aims_gate.signoffs import APPROVALS, kinds
from aims_gate.signoffs import folder as signoffs
from aims_gate.signoffs.committed import CommitHistory
from aims_gate.signoffs.folder import ENDING, Unsound


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedDocument:
    """What was signed, by whom, and what was written."""

    document: RecordDocument
    person: str = ""
    """Empty where nobody signed."""
    signed: Path | None = None
    before: bool = False
    """Whether these very bytes were signed by that person before."""
    against: str = ""
    """Why the signature counts for nothing yet; empty where it counts."""
    assessed: bool = False
    """Whether the file says now what it was assessed for."""


def approve(
    path: Path,
    *,
    signer: Signer | None,
    trust: Path,
    evidence: Path | None,
    now: datetime,
    org: Path | None = None,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> ApprovedDocument:
    """Sign a document as the person whose key *signer* is; the statement goes to `approvals/`.

    Args:
        path: Such as `aims/risks.yaml`.
        signer: The approver's key; None only writes what the document is assessed for.
        trust: Whose keys may approve.
        evidence: The evidence directory whose model the document was assessed for; what is material
            of it is written into the document before it is signed.
        now: The time that the signature claims.
        org: Records of the organisation, whose list of people tells all names of a person.
        environ: Where git finds its settings.

    Raises:
        UsageError: It is no document, has a fault, or is the approver's own: owned, drafted, or
            written by the person whom git names as the author.
        RecordError: A file cannot be written, or is there already.
    """
    kind, root = _kind_of(path)
    document = _sound(kind, path)
    person = None if signer is None else admitted_approver(trust, signer, now)
    wrote: tuple[str, ...] = ()
    organisation = read(None, root if kind.area is Area.ORG else org)
    if person is not None:
        everybody = People.of(organisation)
        history = CommitHistory.around(path.absolute().parent, environ)
        wrote = wrote if history is None else authors(document, path.absolute(), history)
        _refuse_own(document, person, wrote, everybody, now.date())
    written = evidence is not None and _assess(path, kind, evidence)
    if signer is None or person is None:
        return ApprovedDocument(document=document, assessed=written)
    document = _sound(kind, path)
    name = approval_id(document.human_digest)
    predicate = {
        "kind": "RecordApproval",
        "id": name,
        "record": document.id,
        "sha256": document.human_digest,
        "approvedBy": person.person,
        "issued": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    target = root / APPROVALS / f"{name}.{name_in_file(person.person)}{ENDING}"
    try:
        target.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise RecordError(f"cannot make the folder: {error.strerror}", where=str(target)) from error
    before = _signed(target, person, trust, now)
    if not before:
        create_file(target, sign(encode(kinds.statement_of(kinds.RECORD, predicate)), signer))
    act = RecordAct(
        record=document.id,
        digest=document.human_digest,
        names=person.names,
        strength=Strength.SIGNED,
        when=now,
        where="it counts for nothing yet",
        authors=wrote,
    )
    people = People.of(organisation)
    mine = None if people is None else people.find(person.names)
    others = _signed_too(document, organisation, trust, now)
    stands = standing(document, replace(organisation, approvals=(act, *others)), today=now.date())
    return ApprovedDocument(
        document=document,
        person=person.person,
        signed=target,
        before=before,
        against="" if mine and mine.id in stands.by else next(iter(stands.faults), ""),
        assessed=written,
    )


def _signed_too(
    document: RecordDocument, organisation: Records, trust: Path, now: datetime
) -> list[RecordAct]:
    """Signatures of the same bytes, where the document is the organisation's."""
    known = unrevoked(trust_file.load(trust), trust.parent / FOLDER, now=now)
    found = signatures(organisation, trust=known, at=itself, now=now)
    return [one for one in found if one.digest == document.human_digest]


def _signed(target: Path, key: TrustedKey, trust: Path, now: datetime) -> bool:
    """Whether a file of that name is there, and holds that person's signature."""
    known = unrevoked(trust_file.load(trust), trust.parent / FOLDER, now=now)
    found = signoffs.load(target.parent, kinds.RECORD, trust=known, now=now)
    sound = [one for one in found if not isinstance(one, Unsound) and one.where == target.name]
    return any(signer.person == key.person for one in sound for signer in one.keys)


def _kind_of(path: Path) -> tuple[RecordKind, Path]:
    """Kind of a document by its place, and the folder of records that it lies in."""
    for kind in KINDS.values():
        file = kind.place.rpartition("/")[2]
        inside = path.parent.name == kind.folder if kind.folder else True
        if inside and (path.name == file or (file == "*.md" and path.suffix == ".md")):
            return kind, path.parent.parent if kind.folder else path.parent
    hint = f"such as aims/risks.yaml; there are {', '.join(one.place for one in KINDS.values())}"
    raise UsageError("this is no document of the management system", where=str(path), hint=hint)


def _sound(kind: RecordKind, path: Path) -> RecordDocument:
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    document = record(kind, RecordText(path=str(path), data=data))
    if document.problems:
        listed = "\n".join(map(str, document.problems))
        what = f"nobody approves what is not whole:\n{listed}"
        raise UsageError(what, hint="complete it, and approve it then")
    return document


def _refuse_own(
    document: RecordDocument,
    key: TrustedKey,
    wrote: Iterable[str],
    people: People | None,
    today: date,
) -> None:
    """Refuse early what would count for nothing, by the rule that reads approvals."""
    person = people.find(key.names) if people is not None else None
    person = person or Person(id=key.person, names=key.names, roles=())
    if own_work(document, wrote, person, people):
        able = () if people is None else who_may(document, wrote, people, today=today)
        what = f"{key.person} owns, drafted or wrote it, and may not approve it"
        hint = f"who may: {', '.join(able)}" if able else "let somebody else sign, whom people.yaml"
        hint += "" if able else " lists with a role and a competence that holds"
        raise UsageError(what, where=document.path, hint=hint)


def _assess(path: Path, kind: RecordKind, evidence: Path) -> bool:
    """Write what a document is assessed for into it, from evidence; whether that changed it."""
    now = judged(evidence).material
    lacking = [part for part in DEPENDS.get(kind.name, ()) if part not in now]
    if lacking:
        what = f"the evidence says nothing of {', '.join(lacking)}"
        hint = "run the gate once with the records beside the policy, system.yaml complete"
        raise UsageError(what, where=str(evidence), hint=hint)
    text = path.read_bytes().decode()
    again = assessed(text, kind.name, now)
    if again == text:
        return False
    try:
        write_regular(path, again.encode())
    except OSError as error:
        raise RecordError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return True
