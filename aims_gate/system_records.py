"""Records of the system that is judged, with what people did about them and what is material today.

They lie beside the policy, and so come from the policy base like it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.errors import GateError, TrustError
from aims_gate.evidence.revocations import FOLDER as REVOCATIONS
from aims_gate.evidence.revocations import unrevoked
from aims_gate.governance import acts, material, reader
from aims_gate.governance.contract import (
    ProblemKind,
    RecordAct,
    RecordDocument,
    RecordProblem,
    Records,
    Strength,
)
from aims_gate.governance.kinds import FOLDERS, Area
from aims_gate.oversight import Oversight, lies_there
from aims_gate.policy.model import Policy, Role
from aims_gate.regular import itself
from aims_gate.request import World
from aims_gate.signoffs.committed import CommitHistory
from aims_gate.sources.subject import Subject

RELEASE_POLICY = "release-policy"
"""Kind of the policy's own file among the documents that people approve."""


def with_records(  # noqa: PLR0917  # the parts of one run
    subject: Subject,
    policy: Policy,
    people: Oversight,
    world: World,
    reviews: Iterable[RecordAct],
    private: Path,
) -> Subject:
    """The subject with the records beside its policy; without where none are named or there.

    Args:
        subject: The model, which states a part of what is material.
        policy: It may name the folders.
        people: Whose signatures count, and where files are read.
        world: The environment, for git.
        reviews: What reviewers approved, as the forge says.
        private: A folder for a copy of what lies in another repository.
    """
    found = open_records(policy, people, private=private, environ=world.environ)
    if found is None:
        return subject
    material = {**found.material, **_measured(subject, policy)}
    approvals = (*reviews, *found.approvals)
    return replace(subject, records=replace(found, material=material, approvals=approvals))


def open_records(
    policy: Policy, people: Oversight, *, private: Path, environ: Mapping[str, str]
) -> Records | None:
    """Read the records beside a policy, with what people did about them; None if there are none."""
    found = records_beside(policy, people.at, private=private, environ=environ)
    if found is None or found.policy is None:
        return None
    signed = tuple(_signed_policy(policy, people))
    return acts.acted(
        replace(found, approvals=signed),
        trust=people.trust,
        history=people.history,
        now=people.now,
        at=people.at,
        also=[(found.policy, Path(policy.folder) / found.policy.path)],
    )


def records_beside(
    policy: Policy,
    at: Callable[[Path], Path],
    *,
    private: Path,
    environ: Mapping[str, str],
) -> Records | None:
    """Read the records beside a policy; None where it names none and none are there.

    Args:
        policy: It may name the folders.
        at: Where a file or folder is read: itself, or its copy from the policy base.
        private: A folder for a copy of what lies in another repository.
        environ: The environment, for git.
    """
    if not policy.folder:
        return None  # a pack lies nowhere, and so does nothing beside it
    folder = Path(policy.folder)
    system = _place(folder, policy.records_system, Area.SYSTEM, at)
    org, problem = _place(folder, policy.records_org, Area.ORG, at), ""
    if policy.records_org.startswith("git+"):
        org, problem = _fetched(policy.records_org, private, environ)
    if system is None and org is None and not problem:
        return None
    found = reader.read(system, org, at)
    fault = RecordProblem(
        path=FOLDERS[Area.ORG],
        line=0,
        key="",
        kind=ProblemKind.UNREADABLE,
        message=problem,
    )
    return replace(
        found,
        problems=(*found.problems, *([fault] if problem else ())),
        material=material.of_system(found),
        policy=_policy(policy),
    )


def approved_records(
    system: Path | None,
    org: Path | None,
    *,
    trust: Path | None,
    now: datetime,
    environ: Mapping[str, str],
    at: Callable[[Path], Path] = itself,
    commit: str = "",
) -> Records:
    """Read records outside of a run, with what people did about them by a trust file.

    Args:
        system: Folder of the system's records.
        org: Folder of the organisation's.
        trust: Whose signatures count.
        now: The present moment: a key must be valid now.
        environ: The environment, for git.
        at: Where a file or folder is read: itself, or its copy from a commit.
        commit: That commit, up to which signed commits count; what is checked out if left out.

    Raises:
        UsageError: The trust file cannot be read; PolicyError if it is wrong.
    """
    found = reader.read(system, org, at)
    known, history = None, None
    if trust is not None:
        known = unrevoked(trust_file.load(trust), trust.parent / REVOCATIONS, now=now)
        place = system or org
        history = None if place is None else CommitHistory.around(place, environ)
        history = replace(history, commit=commit) if history and commit else history
    found = replace(found, material=material.of_system(found))
    return acts.acted(found, trust=known, history=history, now=now, at=at)


def _place(folder: Path, named: str, area: Area, at: Callable[[Path], Path]) -> Path | None:
    """The folder of an area that is named, or the usual one if there is anything in its place."""
    if named:
        return Path(os.path.normpath(folder / named))
    usual = folder / FOLDERS[area]
    return usual if lies_there(usual, at) else None


def _fetched(uri: str, private: Path, environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Copy the organisation's records from its repository; the reason if that fails."""
    from aims_gate.policy.git import Clones, parse

    clones = Clones(environ=environ)
    try:
        return clones.copy(parse(uri.rstrip("/")), private / "records" / "org"), ""
    except GateError as error:
        return None, f"the records of the organisation cannot be read: {error.what}"
    finally:
        clones.close()


def _policy(policy: Policy) -> RecordDocument:
    """The policy's file as a document: what is signed and committed is its bytes."""
    name = Path(policy.uri.rpartition("#")[2]).name
    return RecordDocument(
        kind=RELEASE_POLICY,
        id=policy.id,
        path=name,
        owner=policy.owner,
        digest=policy.source_digest,
        human_digest=policy.source_digest,
    )


def _signed_policy(policy: Policy, people: Oversight) -> Iterable[RecordAct]:
    """The signature of the policy, where one holds: `policy sign` makes it."""
    if people.trust is None:
        return
    from aims_gate.evidence.signed_policy import open_policy, statement_name

    name = statement_name(policy)
    folder = people.at(Path(policy.folder) / statement_file(name)).parent
    people.at(Path(policy.folder) / envelope_file(name))
    try:
        opened = open_policy(
            folder,
            name,
            source=policy.source_digest,
            resolved=policy.digest,
            trust=people.trust,
            now=people.now,
        )
    except TrustError:
        return  # who demands it, says so: --require-signed-policy
    yield RecordAct(
        record=policy.id,
        digest=policy.source_digest,
        names=opened.signer.names,
        strength=Strength.SIGNED,
        when=opened.said.signed_on,
        where=envelope_file(name),
    )


def _measured(subject: Subject, policy: Policy) -> Mapping[str, tuple[str, ...]]:
    """Material parts that the model, its data and the policy state, as far as they are known.

    Where evidence is signed elsewhere there are no data, and the policy alone says what it says.
    """
    stated, data = policy.data.get(Role.EVALUATION), subject.data.get(Role.EVALUATION)
    spec = stated if data is None else data.spec
    parts: dict[str, tuple[str, ...]] = {}
    if subject.flavors:
        parts["flavour"] = tuple(subject.flavors)
    if subject.signature is not None:
        parts["inputs"] = tuple(
            f"{name}: {kind}{'' if required else ' or none'}"
            for name, kind, required in subject.signature.inputs
        )
    if spec is not None:
        parts["threshold"] = ("none" if spec.threshold is None else f"{spec.threshold:g}",)
        if data is not None or spec.sensitive:
            parts["protected"] = tuple(spec.sensitive)
    return parts
