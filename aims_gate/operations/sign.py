"""Sign what another job measured: hash the model again, judge again, then sign.

So a key never sits beside training code. Who measured can still lie about the numbers, if the lie
is consistent; evidence says that they came from an unsigned job.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from aims_gate import canonical, provenance, waivers
from aims_gate.attest import manifest
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import decode, statement_file
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.layout import ORIGIN, POLICY_FILE
from aims_gate.evidence.predicates import EVALUATION, OF_A_VERDICT
from aims_gate.evidence.record import record
from aims_gate.evidence.unsigned import MeasuredResult, UnsignedEvaluation, read_unsigned
from aims_gate.evidence.verify import MAX_SKEW
from aims_gate.facts import DigestKind
from aims_gate.governance.reviews import read_reviews
from aims_gate.judge import decide, judge
from aims_gate.keep import keep, used
from aims_gate.measure import measure
from aims_gate.oversight import Oversight
from aims_gate.pipeline import applying, believes, identified, left_out, overseen, planned
from aims_gate.plan import Task
from aims_gate.policy.model import Policy, Role
from aims_gate.policy.scope import on_insufficient, stage_of
from aims_gate.request import Request, World
from aims_gate.sources import SOURCES
from aims_gate.sources.opening import scheme
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.system_records import with_records
from aims_gate.verdict import EvidenceIdentity, Outcome, Result, Verdict, bounded
from aims_gate.version import __version__
from aims_gate.waivers import Waiver

_RECORDED = ("record:", "review:", "material:")
"""What `provenance` calls the records that a verdict rests on."""
_TAIL = re.compile(r"; | \(and ")


def sign(folder: Path, request: Request, world: World) -> Verdict:
    """Judge unsigned measurements again, and sign the evidence of the verdict.

    Args:
        folder: The unsigned evidence directory.
        request: Policy, model and stage as the signing side has them, local copies of data whose
            digests are to be taken again, and the key.
        world: Time and environment.

    Raises:
        UsageError: (2) It is signed already, or an argument is wrong; PolicyError if the policy is.
        TrustError: (4) Model, policy, data, place, stage, a number or an outcome is not what the
            evidence says.
        SourceError: (3) The model could not be read; RecordError if evidence cannot be kept.
    """
    measured, files = read_unsigned(folder)
    now = world.now()
    _refuse_others(measured, now)
    policy, tasks = planned(request, world, now)
    if policy.document != files[POLICY_FILE]:
        what = f"another policy was applied than {policy.id}@{policy.version}"
        raise TrustError(what, where=POLICY_FILE, hint="measure with the policy that is in force")
    stage = stage_of(policy, request.stage)
    if measured.stage != stage:
        what = f"it was measured for stage {measured.stage!a}, not for {stage!a}"
        raise TrustError(what, hint="name the stage with --stage, if it is the one to sign for")
    _hold_data(measured, request.data)
    recording = request.recording
    if recording is None or not isinstance(request.model, str):
        raise UsageError("a key and a model's URI are needed to sign")
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        world.progress(f"reading {request.model}")
        subject = SOURCES[scheme(request.model)].open(
            request.model,
            policy=replace(policy, data={}),  # what was measured is not read again
            given={},
            workspace=Workspace(
                folder=Path(private),
                environ=world.environ,
                progress=world.progress,
                experiment=request.experiment,
            ),
        )
        _hold_model(subject, measured, files[MODEL_FILE])
        people = Oversight.beside(
            policy,
            recording.signer,
            trust=request.trust,
            base=request.base,
            believing=request.require_signed_policy or believes(tasks),
            now=now,
            environ=world.environ,
        )
        subject, held, faulty = overseen(people, policy, tasks, subject, world, recording=recording)
        reviews = read_reviews(request.reviews, now=now)
        subject = with_records(subject, policy, people, world, reviews, Path(private))
        _hold_records(subject, measured)
        results = _judged(policy, tasks, subject, measured, stage=stage, now=now, held=held)
        results += (*faulty, *waivers.unused(held, results))
        if [one.rule for one in results] != [one.rule for one in measured.results]:
            raise TrustError(
                "its rules and waivers are not those of the policy",
                hint="measure again: they were changed, or a waiver began or ended",
            )
        identity = identified(policy, people, request)
        verdict = Verdict(
            decision=decide(results),
            stage=stage,
            model=subject.model,
            policy=provenance.held_to_people(
                identity, policy, subject.records, on=measured.started_on
            ),
            results=results,
            datasets=tuple(one.read() for one in measured.datasets),
            started=measured.started_on,
            finished=measured.finished_on,
            versions=measured.evaluator.version,
        )
        _hold_statements(verdict, policy, subject, measured, files, used(held, results))
        recording = replace(recording, measured_as=measured.evaluation_id)
        return keep(verdict, policy, subject, recording, world, held)


def _refuse_others(measured: UnsignedEvaluation, now: datetime) -> None:
    """Refuse what no job of the gate measured, or another version, or the future."""
    versions = measured.evaluator.version
    if ORIGIN in versions:
        raise TrustError(
            f"the evidence is local: it was made by {versions[ORIGIN]!a}",
            hint="measure with aims-gate run --unsigned",
        )
    version = versions.get("aims-gate")
    if version != __version__:
        raise TrustError(
            f"it was measured by aims-gate {version!a}, and this is {__version__}",
            hint="measure and sign with one version: wording and defaults differ",
        )
    if not measured.started_on <= measured.finished_on <= now + MAX_SKEW:
        raise TrustError("its times are in the future, or in no order")


def _hold_model(subject: Subject, measured: UnsignedEvaluation, listed: bytes) -> None:
    if subject.manifest.text != listed:
        raise TrustError(
            "the model is not the one that was measured",
            where=MODEL_FILE,
            hint="sign for the files that were measured, or measure these",
        )
    if subject.model.resource_uri != measured.model.uri:
        raise TrustError(
            f"it was measured as {measured.model.uri!a}, and this is {subject.model.resource_uri}",
            hint="give --model as it was given to run --unsigned",
        )


def _hold_records(subject: Subject, measured: UnsignedEvaluation) -> None:
    """Hold the records that were measured against those that lie beside the policy here.

    What only the data say is material, such as attributes that the run named, is not known here.
    """
    here, said = provenance.records_of(subject), measured.evaluator.version
    unknown = {name for name in said if name.startswith("material:")} - here.keys()
    there = {name: said[name] for name in said if name.startswith(_RECORDED)}
    wrong = sorted(
        name for name in (here.keys() | there.keys()) - unknown if here.get(name) != there.get(name)
    )
    if wrong:
        raise TrustError(
            f"other records were measured than lie beside the policy here: {wrong[0]}",
            hint="measure again, and hand the same --reviews to both jobs",
        )


def _hold_data(measured: UnsignedEvaluation, data: Mapping[Role, object]) -> None:
    """Take the digests of the data again that were handed over."""
    known = {one.annotations.role: one.read() for one in reversed(measured.datasets)}
    for role, named in data.items():
        path = Path(str(named).removeprefix("file:"))
        if role not in known:
            raise UsageError(f"no {role} data were measured", hint=f"there are {', '.join(known)}")
        kind = known[role].digest_kind
        if kind is DigestKind.ROWS:
            raise UsageError(f"the {role} data were in memory, so no file has their digest")
        try:
            again = (
                canonical.sha256_file(path)
                if kind is DigestKind.FILE
                else manifest.scan(path).digest
            )
        except OSError as error:
            raise UsageError(f"cannot read: {error.strerror}", where=str(path)) from error
        if again != known[role].digest:
            raise TrustError(f"the {role} data are not those that were measured", where=str(path))


def _judged(
    policy: Policy,
    tasks: tuple[Task, ...],
    subject: Subject,
    measured: UnsignedEvaluation,
    *,
    stage: str,
    now: datetime,
    held: Mapping[str, Waiver],
) -> tuple[Result, ...]:
    """Judge each rule from its recorded statistics; TrustError where something else came out."""
    relevant = applying(policy, tasks, subject.model, stage)
    said = {one.rule: one for one in measured.results}
    results: dict[str, Result] = {}
    for task in sorted(tasks, key=lambda task: task.late):
        name = task.rule.id
        if task not in relevant:
            results[name] = left_out(task, subject.model, stage)
        elif name not in said:
            raise TrustError(f"its rules are not those of the policy: {name} was not measured")
        else:
            first = tuple(results[one.rule.id] for one in tasks if task.late and not one.late)
            recorded = tuple(one.read() for one in said[name].statistics)
            fresh = judge(
                task,
                # what people signed is here to be looked at: no other job's word is taken for it
                measure(task, subject, now=now, results=first)
                if type(task.check).about.beside
                else recorded,
                now=now,
                insufficient=on_insufficient(task.rule, policy, stage),
                waiver=held.get(name),
            )
            results[name] = _as_said(fresh, said[name])
    return bounded([results[task.rule.id] for task in tasks])


def _as_said(fresh: Result, said: MeasuredResult) -> Result:
    """The result judged again, with what only the measuring job could know."""
    if fresh.outcome.value != said.outcome or fresh.raw_outcome.value != said.raw_outcome:
        raise TrustError(
            f"{fresh.rule} is said to be {said.outcome[:20]!a}, and judged again it is "
            f"{fresh.outcome}",
            hint="measure again: numbers or outcomes were changed, or a date has passed; or let "
            "waivers/ and the trust file lie beside the policy here, too",
        )
    # rows to collect follow from sizes that evidence does not have, a waiver's end from the clock
    varies = fresh.raw_outcome is Outcome.INSUFFICIENT or fresh.waiver is not None
    words = _TAIL.split(fresh.reason)[0] if varies else fresh.reason
    if not said.reason.startswith(words):
        raise TrustError(f"the reason of {fresh.rule} is not about its numbers")
    more = said.reason.removeprefix(fresh.reason)
    told = f"; the job that measured said: {more.lstrip('; ')}" if more else ""
    return replace(fresh, reason=fresh.reason + told, named_by_run=tuple(said.named_by_run))


def _hold_statements(  # noqa: PLR0917  # what is stated, and what was
    verdict: Verdict,
    policy: Policy,
    subject: Subject,
    measured: UnsignedEvaluation,
    files: Mapping[str, bytes],
    waived: Mapping[str, bytes],
) -> None:
    """State the verdict once more, without a key: the three statements must say the same."""
    identity = EvidenceIdentity(id=measured.evaluation_id, directory="", signed=False)
    again = record(
        replace(verdict, evidence=identity),
        subject.manifest,
        policy.document,
        b"",
        signer=None,
        verifier_id=measured.evaluator.id,
        waivers=waived,
    )
    for kind in OF_A_VERDICT:
        name = statement_file(kind.name)
        ours, theirs = (
            dict(decode(one[name], kind=kind, where=name).predicate) for one in (again, files)
        )
        for tree in (ours, theirs):
            # the digests of what is written anew, and the reasons, which were compared before
            tree.pop("report", None)
            tree.pop("inputAttestations", None)
            if kind is EVALUATION:
                tree["results"] = [{**one, "reason": ""} for one in tree["results"]]
        if ours != theirs:
            wrong = ", ".join(
                sorted(key for key in ours | theirs if ours.get(key) != theirs.get(key))
            )
            raise TrustError(f"is not what these measurements give: {wrong}", where=name)
