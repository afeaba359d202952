"""What MLflow, the policy and past evidence know of a model, so that nobody is asked for it.

Everything here is the word of whoever trained the model, except the numbers: those were recomputed
by a gate whose evidence is read.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aims_gate.checks.records.card_table import trained
from aims_gate.checks.records.data_sources import DataSource, data_sources
from aims_gate.errors import DataError, GateError, NoEvidenceError, UsageError
from aims_gate.facts import ModelIdentity
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.policy.adoption import UNADOPTED, limits_of_packs
from aims_gate.policy.model import Policy, Role, TaskKind
from aims_gate.policy.resolve import load
from aims_gate.sources import SOURCES
from aims_gate.sources.opening import scheme
from aims_gate.sources.scoring.requirements import declared
from aims_gate.sources.subject import Data, Subject, Workspace
from aims_gate.verdict import Authenticity, Verdict

_EXACT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])? ?={2,3} ?(?P<version>[^ ,;*]+)(?: ?;.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A library that the model's files name."""

    name: str
    version: str
    """The exact version; empty where none is pinned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Facts about a model that were found, and what stood out on the way."""

    model: ModelIdentity
    policy: Policy | None
    verdict: Verdict | None
    """The newest one of these very bytes, as its evidence states it."""
    flavor: str
    task: TaskKind | None
    inputs: tuple[tuple[str, str], ...]
    """The columns that the model reads, each with its type, in the order of its signature."""
    protected: tuple[str, ...]
    threshold: float | None
    python: str
    packages: tuple[Package, ...]
    trained: tuple[tuple[str, str], ...]
    """Of the training run: its id, its times, who and from which commit."""
    sources: tuple[DataSource, ...]
    found: tuple[str, ...]
    """What a person should look at although it stops nothing here."""

    def facts(self) -> Mapping[str, str]:
        """Every single fact by its name, as far as it is known."""
        return {name: text for name, text in _facts(self) if text}


def look(
    model: str,
    *,
    policy: Path | None,
    evidence: str | None,
    trust: Path | None,
    environ: Mapping[str, str],
    now: datetime,
) -> Known:
    """Read what is known of *model*.

    Args:
        model: A model URI, as for `run`.
        policy: The policy that it is judged by; None where there is none yet.
        evidence: Where its evidence lies; None looks for what its version in MLflow names.
        trust: Whose signatures count; None verifies none, and *found* says so.
        environ: The process's environment.
        now: The time, with its zone.

    Raises:
        UsageError: (2) *model* or the policy is wrong, or the evidence is about another model.
        SourceError: (3) The model cannot be read.
        TrustError: (4) The evidence does not hold.
    """
    rules = None if policy is None else load(policy, environ=environ)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        workspace = Workspace(folder=Path(private), environ=environ)
        wanted = rules or Policy(id="none", version="0")
        subject = SOURCES[scheme(model)].open(model, policy=wanted, given={}, workspace=workspace)
        verdict, remarks = _verdict(subject, evidence, trust, environ, now)
        return _known(subject, rules, verdict, remarks)


def _verdict(
    subject: Subject,
    evidence: str | None,
    trust: Path | None,
    environ: Mapping[str, str],
    now: datetime,
) -> tuple[Verdict | None, list[str]]:
    """Past verdict of these very bytes, and what stood out about it."""
    judged = subject.model
    if evidence is None and not (judged.registered and judged.version):
        return None, ["no evidence of this model was looked for: name it with --evidence"]
    version = f"models:/{judged.registered}/{judged.version}"
    asked = EvidenceQuestion(evidence=evidence or version, trust=trust, environ=environ)
    try:
        verdict = read_past(asked, now=now)
    except NoEvidenceError as error:
        if evidence is not None:
            raise
        return None, [f"no verdict of this model yet: {error.what}"]
    if verdict.model.digest != subject.model.digest:
        raise UsageError(
            f"the evidence is about other bytes ({verdict.model.digest[:12]}) than the model's",
            where=asked.evidence,
            hint="run the gate on this model first",
        )
    standing = verdict.standing
    if standing is not None and standing.authenticity is Authenticity.REFUSED:
        return None, [f"the evidence of this model does not count: {standing.told}"]
    if standing is not None and standing.authenticity is Authenticity.UNVERIFIED:
        return verdict, ["its numbers are from evidence of which no signature was verified"]
    return verdict, []


def _known(
    subject: Subject, policy: Policy | None, verdict: Verdict | None, remarks: list[str]
) -> Known:
    evaluation = subject.data.get(Role.EVALUATION)
    python, packages, unread = _environment(subject)
    unusable = [
        f"the {role} data could not be read: {e.what}" for role, e in subject.unread.items()
    ]
    loose = ", ".join(one.name for one in packages if not one.version)
    pinned = [f"not pinned to a version in the model's files: {loose}"] if loose else []
    if policy is None:
        remarks.append("there is no policy: aims-gate init proposes a first one")
    signature = subject.signature.inputs if subject.signature is not None else ()
    return Known(
        model=subject.model,
        policy=policy,
        verdict=verdict,
        flavor=next((name for name in subject.flavors if name != "python_function"), ""),
        task=_task(evaluation),
        inputs=tuple((name, kind) for name, kind, _required in signature),
        protected=tuple(evaluation.spec.sensitive) if evaluation is not None else (),
        threshold=evaluation.spec.threshold if evaluation is not None else None,
        python=python,
        packages=packages,
        trained=tuple(trained(subject.run)),
        sources=tuple(data_sources(subject)),
        found=(*remarks, *unread, *unusable, *pinned, *_nobodys(policy)),
    )


def _nobodys(policy: Policy | None) -> Iterator[str]:
    """Packs whose limits nobody in the organisation has taken for its own."""
    for pack, rules in limits_of_packs(policy).items() if policy is not None else ():
        adopted = policy is not None and any(one.pack == pack for one in policy.adopted)
        if rules and not adopted:
            yield f"{UNADOPTED}: {len(rules)} of {pack}; read them, then aims-gate policy adopt"


def _task(data: Data | None) -> TaskKind | None:
    from aims_gate.checks.metrics import task_of  # late: it needs the libraries that compute

    try:
        return None if data is None else task_of(data)
    except DataError:
        return None


def _environment(subject: Subject) -> tuple[str, tuple[Package, ...], list[str]]:
    try:
        found = declared(subject.folder, where=subject.model.name)
    except GateError as error:
        return "", (), [f"the model's libraries are not known: {error.what}"]
    return found.python, tuple(map(_package, found.lines)), []


def _package(line: str) -> Package:
    exact = _EXACT.fullmatch(line)
    if exact is not None:
        return Package(name=exact["name"], version=exact["version"])
    return Package(name=re.split(r"[ \[<>=!~;]", line, maxsplit=1)[0], version="")


def _facts(known: Known) -> Iterator[tuple[str, str]]:
    model = known.model
    for name in ("name", "version", "digest", "model_id", "resource_uri"):
        yield f"model.{name}", str(getattr(model, name))
    yield "model.flavor", known.flavor
    yield "model.task", known.task.value if known.task is not None else ""
    yield "model.threshold", "" if known.threshold is None else f"{known.threshold:g}"
    yield "model.python", known.python
    yield from ((f"run.{name}", text) for name, text in known.trained)
    yield from ((f"input.{name}", kind) for name, kind in known.inputs)
    yield from ((f"protected.{name}", name) for name in known.protected)
    yield from ((f"package.{one.name}", one.version) for one in known.packages)
    for source in known.sources:
        for part in source.parts:
            yield f"data.{part.role}.digest", part.digest
            yield f"data.{part.role}.rows", str(part.rows)
            yield f"data.{part.role}.columns", str(part.columns)
    if known.policy is not None:
        yield "policy", f"{known.policy.id} {known.policy.version}"
        yield from ((f"rule.{one.id}", one.check) for one in known.policy.rules)
    if known.verdict is not None:
        yield "verdict", known.verdict.decision.value
        for result in known.verdict.results:
            yield f"outcome.{result.rule}", result.outcome.value
