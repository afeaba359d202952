"""Which approvals of a model count: of its very bytes, of persons who may, each for one role."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aims_gate.attest.trust import TrustedKey
from aims_gate.facts import Approval
from aims_gate.signoffs.folder import Signed, Unsound
from aims_gate.signoffs.grammar import ApprovalSaid
from aims_gate.signoffs.people import conflicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What an approval must be of, and who may not give it."""

    name: str
    """The model's name."""
    digest: str
    """SHA-256 of its manifest."""
    evidence: str = ""
    """SHA-256 of the summary that is to be deployed; empty where there is none yet."""
    gate: TrustedKey | None
    """The key that signs the evidence; None where none does."""
    authors: Collection[str] = ()
    """Whoever made the model, as far as its run and commit say."""
    now: datetime


def given(found: Iterable[Signed[ApprovalSaid] | Unsound], about: Approved) -> tuple[Approval, ...]:
    """List the approvals of a model, those that do not count with the reason.

    One for other bytes is ignored: a folder serves all models and versions.
    """
    listed = []
    spelled: dict[str, str] = {}
    for one in found:
        if isinstance(one, Unsound):
            listed.append(Approval(role="", person="", where=one.where, problem=one.what))
        elif one.said.model.sha256 == about.digest:
            listed += [
                Approval(
                    role=one.said.role,
                    person=spelled.setdefault(key.identity, key.person),
                    where=one.where,
                    problem=next(_problems(one, key, about), ""),
                )
                for key in one.keys
            ]
    return tuple(listed)


def _problems(one: Signed[ApprovalSaid], key: TrustedKey, about: Approved) -> Iterator[str]:
    said = one.said
    if said.model.name != about.name:
        yield f"it is for the model {said.model.name!a}"
    if about.now >= said.expires:
        yield f"it ended at {said.expires:%Y-%m-%dT%H:%M:%SZ}"
    if about.evidence and said.evidence not in {None, about.evidence}:
        yield "it is of other evidence"
    if key.approves and said.role not in key.approves:
        yield f"{key.person} may approve as {', '.join(key.approves)}"
    yield from conflicts(key, said.requested_by, gate=about.gate, authors=about.authors)


def assigned(roles: Sequence[str], approvals: Iterable[Approval]) -> Mapping[str, Approval]:
    """Maximum matching of roles to approvals, each by a different person.

    Separation of duties: whoever may approve in two roles fills one of them (a matching of roles
    and persons, by augmenting paths).
    """
    able: dict[str, dict[str, Approval]] = {role: {} for role in roles}
    for one in approvals:
        if one.role in able and not one.problem:
            able[one.role].setdefault(one.person, one)
    holder: dict[str, str] = {}

    def place(role: str, tried: set[str]) -> bool:
        for person in able[role]:
            if person in tried:
                continue
            tried.add(person)
            if person not in holder or place(holder[person], tried):
                holder[person] = role
                return True
        return False

    for role in able:
        place(role, set())
    return {role: able[role][person] for person, role in holder.items()}


def lacking(role: str, approvals: Iterable[Approval]) -> str:
    """Say why a role has no approval, with what was found and does not count."""
    known = [one for one in approvals if one.role in {role, ""}]
    faults = [f"{one.where}: {one.problem}" for one in known if one.problem]
    if any(one.role == role and not one.problem for one in known):
        faults.append("each person fills one role")
    found = f" ({'; '.join(faults)})" if faults else ""
    return f"nobody approved these bytes as {role}{found}"
