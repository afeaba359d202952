"""The gate's pipeline: policy + model -> plan -> statistics -> verdict -> signed evidence.

`run` is the picture in ARCHITECTURE.md. Nothing flows back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

from aims_gate import provenance, waivers
from aims_gate.attest import manifest
from aims_gate.engines import Engines
from aims_gate.errors import PolicyError, Problem, SourceError, UsageError
from aims_gate.evidence.layout import ORIGIN
from aims_gate.facts import ModelIdentity, Statistic
from aims_gate.frames.opening import in_memory
from aims_gate.governance.reviews import read_reviews
from aims_gate.judge import decide, judge
from aims_gate.keep import keep
from aims_gate.measure import cache_shared_columns, prefetch_columns, unreported_columns
from aims_gate.oversight import Oversight
from aims_gate.plan import Task, plan, unserved
from aims_gate.policy.model import Policy, Role, Severity
from aims_gate.policy.resolve import check
from aims_gate.policy.scope import applies, in_force, on_insufficient, stage_of
from aims_gate.refinement import measure_finely
from aims_gate.request import Recording, Request, World
from aims_gate.sinks import directory
from aims_gate.sources.opening import open_subject
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.sources.tables import sent
from aims_gate.system_records import with_records
from aims_gate.verdict import PolicyIdentity, Result, Verdict, bounded, not_applicable
from aims_gate.waivers import Waiver


def planned(request: Request, world: World, started: datetime) -> tuple[Policy, tuple[Task, ...]]:
    """Read a policy and plan its rules.

    PolicyError with everything that is wrong with either; UsageError if it is not the pinned one.
    """
    policy, problems = check(request.policy, environ=world.environ, base=request.base)
    tasks = plan(policy, now=started) if policy is not None else None
    if policy is not None and tasks is not None:
        problems += tuple(unserved(tasks.tasks, policy, request.data))
    if policy is None or tasks is None or problems:
        raise PolicyError((*problems, *(tasks.problems if tasks is not None else ())))
    if request.policy_digest not in {None, policy.digest}:
        what = f"{policy.uri} has the digest {policy.digest}, not {request.policy_digest}"
        raise UsageError(what, hint="read what changed: aims-gate policy diff")
    return policy, tasks.sound()


def identified(policy: Policy, people: Oversight, request: Request) -> PolicyIdentity:
    """Identity of a policy, with its signature where one is demanded; UsageError without."""
    signed = people.signature(policy) if request.require_signed_policy else {}
    return replace(provenance.policy(policy), signature=signed)


def run(request: Request, world: World) -> Verdict:
    """Decide whether a model meets a policy, and record the decision as asked.

    UsageError (2) if an argument is wrong, PolicyError (2) if the policy is; SourceError (3) if
    something cannot be read; RecordError (3) if the evidence cannot be kept. A refusal is a
    Verdict, not an error.
    """
    started = world.now()
    policy, tasks = planned(request, world, started)
    stage = stage_of(policy, request.stage)
    signer = request.recording.signer if request.recording is not None else None
    people = Oversight.beside(
        policy,
        signer,
        trust=request.trust,
        base=request.base,
        believing=request.require_signed_policy or believes(tasks),
        now=started,
        environ=world.environ,
    )
    identity = identified(policy, people, request)
    reviews = read_reviews(request.reviews, now=started)
    _refuse_unread(request.data, tasks)
    _refuse_signing(request)
    if request.recording is not None and request.recording.out is not None:
        directory.refuse_unusable(request.recording.out)  # before long work, not after it
    with (
        tempfile.TemporaryDirectory(prefix="aims-gate-") as private,
        Engines(world.environ) as engines,
    ):
        libraries = _start(engines, tasks)
        workspace = Workspace(
            folder=Path(private),
            environ=world.environ,
            progress=world.progress,
            experiment=request.experiment,
            alias=next((task.judged.alias for task in tasks if task.judged.alias), ""),
        )
        subject = open_subject(
            request.model, policy=policy, given=request.data, workspace=workspace
        )
        subject, held, faulty = overseen(
            people, policy, tasks, subject, world, recording=request.recording
        )
        subject = with_records(subject, policy, people, world, reviews, Path(private))
        results = evaluate(
            policy, tasks, subject, stage=stage, world=world, engines=engines, waivers=held
        )
        results += (*faulty, *waivers.unused(held, results))
        for role, data in subject.data.items():
            for name, value in data.unnamed.items():
                world.unnamed(f"{role} data, {name}", value)
        _refuse_changed(subject)
        for line in sent(subject.data.values()):
            world.progress(line)
        versions = provenance.versions(engines, tasks, libraries, subject)
        verdict = Verdict(
            decision=decide(results),
            stage=stage,
            model=subject.model,
            policy=provenance.held_to_people(identity, policy, subject.records, on=started),
            results=results,
            datasets=tuple(provenance.datasets(subject)),
            started=started,
            finished=world.now(),
            versions=versions | _origin(request.recording),
        )
        if request.recording is None:
            return verdict
        return keep(verdict, policy, subject, request.recording, world, held)


def evaluate(
    policy: Policy,
    tasks: tuple[Task, ...],
    subject: Subject,
    *,
    stage: str,
    world: World,
    engines: Engines | None = None,
    waivers: Mapping[str, Waiver] = MappingProxyType({}),
) -> tuple[Result, ...]:
    """Measure and judge every rule; PolicyError if no blocking rule is about this model.

    Rules about other rules' results come in a second pass, and see those of the first as they
    ended, waivers included. *engines* are those of the run; without them they are opened here.
    *waivers* are those in force, by rule.
    """
    if engines is None:
        with Engines(world.environ) as own:
            return evaluate(
                policy, tasks, subject, stage=stage, world=world, engines=own, waivers=waivers
            )
    relevant = applying(policy, tasks, subject.model, stage)
    now = world.now()
    prefetch_columns(relevant, subject, now=now, engines=engines)
    measured: dict[str, tuple[Statistic, ...]] = {}

    def judged(task: Task, *more: Statistic) -> Result:
        insufficient = on_insufficient(task.rule, policy, stage)
        statistics = (*measured[task.rule.id], *more)
        waiver = waivers.get(task.rule.id)
        result = judge(task, statistics, now=now, insufficient=insufficient, waiver=waiver)
        return provenance.marked(result, task, subject)

    results: dict[str, Result] = {}

    def go_through(these: Iterable[Task], seen: tuple[Result, ...] = ()) -> None:
        for task in these:
            if task not in relevant:
                results[task.rule.id] = left_out(task, subject.model, stage)
                continue
            place = relevant.index(task) + 1
            world.progress(f"rule {place:,} of {len(relevant):,}: {task.rule.id} {task.rule.check}")
            cache_shared_columns(task, relevant[place:], subject)
            measured[task.rule.id] = measure_finely(
                task, subject, now=now, engines=engines, results=seen
            )
            results[task.rule.id] = judged(task)

    first = [task for task in tasks if not task.late]
    go_through(first)
    absent = unreported_columns(subject, results.values())
    for task in first:
        roles = [role for role in task.roles if role in absent and task in relevant]
        cells = [replace(cell, name=task.judged.name) for role in roles for cell in absent[role]]
        if cells:
            results[task.rule.id] = judged(task, *cells)
    go_through((task for task in tasks if task.late), tuple(results.values()))
    return bounded([results[task.rule.id] for task in tasks])


def applying(
    policy: Policy, tasks: tuple[Task, ...], model: ModelIdentity, stage: str
) -> list[Task]:
    """Rules that apply to a model at a stage; PolicyError if no blocking rule does."""
    name, registered = model.name, model.registered
    if not applies(policy.applies_to, model=registered, stage=stage):
        what = f"the policy does not apply to {name} at {stage}"
        hint = "" if registered else "only a registered name counts: gate models:/NAME/VERSION"
        raise _applies_to_nothing(policy, what, hint)
    relevant = [t for t in tasks if in_force(t.rule, model=registered, stage=stage)]
    if not any(task.rule.severity is Severity.BLOCK for task in relevant):
        raise _applies_to_nothing(policy, f"no blocking rule applies to {name} at {stage}")
    return relevant


def left_out(task: Task, model: ModelIdentity, stage: str) -> Result:
    """Result of a rule that does not apply."""
    place = task.rule.applies_to.place if task.rule.applies_to else task.rule.place
    reason = f"applies_to leaves out {model.name} at {stage} ({place})"
    return not_applicable(task.rule, task.controls, reason)


def believes(tasks: Iterable[Task]) -> bool:
    """Whether a rule reads past evidence, so that somebody must be trusted to have signed it."""
    return any(type(task.check).about.history for task in tasks)


def overseen(
    people: Oversight,
    policy: Policy,
    tasks: tuple[Task, ...],
    subject: Subject,
    world: World,
    *,
    recording: Recording | None,
) -> tuple[Subject, Mapping[str, Waiver], tuple[Result, ...]]:
    """The subject with what people approved, waivers in force by rule, and those that are not."""
    subject = replace(
        subject,
        approvals=people.approvals(subject),
        evaluations=people.evaluations(subject, world.environ),
    )
    # unsigned evidence never verifies, so that only what is signed can use a waiver up
    uncounted = recording is not None and recording.signer is not None and not recording.publish
    uses = partial(_uses, subject=subject, environ=world.environ, uncounted=uncounted)
    return subject, *people.waivers(subject, policy, tasks, uses)


def _uses(waiver: str, *, subject: Subject, environ: Mapping[str, str], uncounted: bool) -> int:
    """Count the published evaluations that a waiver let through; only a registry remembers."""
    if subject.model.reader == "files":
        what = "no tracking server keeps the evaluations of a model in a folder"
        raise SourceError(what, hint="bind the waiver to the model's sha256")
    if uncounted:
        what = "this evaluation is not published, so that nobody would count it"
        raise SourceError(what, hint="leave --no-publish out, or bind the waiver to a sha256")
    from aims_gate.sinks import mlflow

    return mlflow.uses(waiver, environ)


def _refuse_signing(request: Request) -> None:
    """Refuse to sign for an estimator in memory: it has no files that a digest could cover."""
    signed = request.recording is not None and request.recording.signer is not None
    if signed and not isinstance(request.model, str):
        hint = "log the model and gate what was logged; unsigned keeps a local record"
        raise UsageError("an estimator in memory has no files to sign for", hint=hint)


def _origin(recording: Recording | None) -> dict[str, str]:
    return {ORIGIN: recording.origin} if recording is not None and recording.origin else {}


def _refuse_unread(given: Mapping[Role, object], tasks: tuple[Task, ...]) -> None:
    """Refuse data that were passed in and that no rule reads, or that are None."""
    read = {role for task in tasks for role in task.roles}
    for role, data in given.items():
        if role not in read:
            hint = f"the rules read: {', '.join(sorted(read)) or 'no data at all'}"
            raise UsageError(f"no rule reads the {role} data that were handed over", hint=hint)
        if data is None:
            raise UsageError(f"the {role} data that were handed over are None")


def _refuse_changed(subject: Subject) -> None:
    """Hash the private copy again: what was evaluated must be what is signed."""
    again = manifest.scan(subject.folder)
    if again.digest != subject.manifest.digest:
        raise SourceError(
            "the model's files changed while they were evaluated",
            where=subject.model.uri,
            hint="nothing was recorded; find out what writes into temporary folders, and run again",
        )
    for role, data in subject.data.items():
        if in_memory(data.frame) is not None or data.read_twice is None:
            continue  # read once, and judged from memory
        if data.read_twice() != data.identity.digest:
            what = f"the {role} data changed while they were asked about"
            hint = "nothing was recorded; name a table or view that nobody writes to"
            raise SourceError(what, where=data.identity.uri, hint=hint)


def _applies_to_nothing(policy: Policy, what: str, hint: str = "") -> PolicyError:
    hint = hint or "a gate that checks nothing is refused: see applies_to"
    return PolicyError([Problem(file=policy.uri, line=0, what=what, hint=hint)])


def _start(engines: Engines, tasks: tuple[Task, ...]) -> tuple[str, ...]:
    """Load the engines' libraries while data are read; MissingExtraError if one is missing."""
    wanted: dict[str, None] = {}
    for name in sorted({task.engine for task in tasks}):
        asked = {type(t.check).about.asks: None for t in tasks if t.engine == name}
        wanted |= dict.fromkeys(engines[name].start(library for library in asked if library))
    return tuple(wanted)
