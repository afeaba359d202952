"""Provenance of a verdict: the policy, the data, and every version that took part."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from importlib import metadata

from aims_gate import canonical
from aims_gate.checks.authored import authored
from aims_gate.engines import Engines
from aims_gate.facts import DatasetIdentity
from aims_gate.governance.contract import Records, Strength
from aims_gate.governance.material import digests
from aims_gate.governance.people import People
from aims_gate.plan import Task
from aims_gate.policy.adoption import limit_sentences
from aims_gate.policy.model import Adoption, Policy
from aims_gate.sources.subject import Subject
from aims_gate.verdict import PolicyIdentity, Result
from aims_gate.version import __version__


def policy(found: Policy) -> PolicyIdentity:
    """Identity of a policy: its digest, its parents, and the bytes it was read from."""
    return PolicyIdentity(
        id=found.id,
        version=found.version,
        digest=found.digest,
        uri=found.uri,
        extends=found.extends,
        source_digest=found.source_digest,
        expires=found.expires,
        limits=tuple(limit_sentences(found)),
    )


def held_to_people(
    identity: PolicyIdentity, found: Policy, records: Records | None, *, on: datetime
) -> PolicyIdentity:
    """The identity, where nobody adopts limits whom a sound list of people does not have."""
    people = None if records is None else People.of(records)
    if people is None:
        return identity

    def objection(one: Adoption) -> str:
        return people.objection(one.by, one.day.date(), on.date())

    return replace(identity, limits=tuple(limit_sentences(found, objection)))


def datasets(subject: Subject) -> Iterator[DatasetIdentity]:
    """Dataset identities of all roles, each followed by what it was joined with."""
    for _role, data in sorted(subject.data.items()):
        yield data.identity
        yield from (other.identity for other in data.joined)


def marked(result: Result, task: Task, subject: Subject) -> Result:
    """The result, with what it rests on by the choice of the run's author in its reason."""
    data = [subject.data[role] for role in task.roles if role in subject.data]
    for claim in dict.fromkeys(one.claim for one in data if one.claim):
        result = replace(result, reason=f"{result.reason}; {claim}")
    named = tuple(dict.fromkeys(word for one in data for word in authored(task.check, one)))
    if not named:
        return result
    listing = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    reason = f"{result.reason}; {listing} named by the run"
    return replace(result, named_by_run=named, reason=reason)


def versions(
    engines: Engines, tasks: tuple[Task, ...], libraries: tuple[str, ...], subject: Subject
) -> dict[str, str]:
    """Versions of this package, Python, engines and libraries, and where models ran."""
    kinds = sorted(set(subject.isolation.values()))
    labels = {name: engines[name].label for name in sorted({task.engine for task in tasks})}
    return {
        "aims-gate": __version__,
        "python": platform.python_version(),
        **{f"engine:{name}": label for name, label in labels.items()},
        **{library: metadata.version(library) for library in sorted(libraries)},
        **records_of(subject),
        **({"isolation": ", ".join(kinds)} if kinds else {}),
        **_pythons(subject),
    }


def _pythons(subject: Subject) -> dict[str, str]:
    """Python environment of the model's code; one for all roles."""
    used = subject.pythons.values()
    own = next((python for python in used if python.requirements), None)
    kinds = sorted({python.environment for python in used})
    told = {"environment": ", ".join(kinds)} if kinds else {}
    if own is None:
        return told
    digest = f"sha256:{own.requirements}"
    return told | {"environment:python": own.python, "environment:requirements": digest}


def records_of(subject: Subject) -> dict[str, str]:
    """Digests of the records that were read and of what is material; who reviewed which."""
    records = subject.records
    if records is None:
        return {}
    entries = sorted([one.path, one.digest] for one in records.entries)
    reviewed: dict[str, str] = {}
    for act in records.approvals:
        if act.strength is Strength.REVIEWED:
            told = f"{act.where}, approved by {', '.join(act.names)}"
            before = reviewed.get(f"review:{act.record}")
            reviewed[f"review:{act.record}"] = f"{before}; {told}" if before else told
    return {
        **{f"record:{one.path}": one.digest for one in records.documents if one.digest},
        **({"record:log": canonical.sha256(canonical.encode(entries))} if entries else {}),
        **{f"material:{part}": value for part, value in digests(records.material).items()},
        **reviewed,
    }
