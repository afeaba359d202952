"""Backtest a policy: what it would have decided of existing model versions or runs.

For the day before a policy is switched on: past runs of an experiment, or versions of a model, are
judged by the tables that they logged. Every rule counts as in force (`effective_from` is not waited
for), at the time when the run ended; nothing is published or written, and no model is downloaded.
What cannot be read is shown as such and never counted as met.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aims_gate import pipeline
from aims_gate.advice import family_of
from aims_gate.errors import GateError, PolicyError, Problem, UsageError
from aims_gate.harmless import plain
from aims_gate.judge import decide
from aims_gate.plan import Task, plan
from aims_gate.policy.model import Policy, Severity
from aims_gate.policy.scope import stage_of
from aims_gate.request import World
from aims_gate.sources.mlflow.history import Archive, OpenedModel, Past
from aims_gate.sources.subject import Workspace
from aims_gate.verdict import Decision, Result

NEEDS_MODEL = frozenset({"integrity.model"})
"""Checks that read the model's files, which a simulation does not download."""
MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationRequest:
    """What to backtest: the versions of a model, or the runs of an experiment."""

    model: str | None = None
    experiment: str | None = None
    name: str | None = None
    """The model's name that `applies_to` is matched with where runs are judged."""
    last: int = 20
    stage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedVersion:
    """One version or run, and its hypothetical decision."""

    uri: str
    at: datetime | None = None
    decision: Decision | None = None
    """None if it could not be read."""
    results: tuple[Result, ...] = ()
    unreadable: str = ""

    @property
    def in_the_way(self) -> tuple[Result, ...]:
        """The results for which it would not have passed."""
        return tuple(result for result in self.results if result.blocking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Hypothetical decisions of a policy, newest first."""

    judged: tuple[JudgedVersion, ...]
    skipped: tuple[str, ...]
    """Rules that need the model's files, or ask what an alias or a record said then."""

    @property
    def readable(self) -> int:
        """Count those that could be judged."""
        return sum(one.decision is not None for one in self.judged)


def simulate(
    policy: Policy,
    question: SimulationRequest,
    *,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _text: None,
) -> Simulation:
    """Judge past models by *policy*.

    Raises:
        UsageError: not exactly one of model and experiment is named, or `last` is out of range.
        PolicyError: the policy is not sound, does not apply, or has no rule that can be simulated.
        SourceError: MLflow cannot be read, or has no such model, experiment, version or run.
    """
    if (question.model is None) == (question.experiment is None):
        raise UsageError("ask for a model or for an experiment", hint="--model or --experiment")
    if not 1 <= question.last <= MOST:
        raise UsageError(f"the last {question.last} cannot be judged", hint=f"1 to {MOST}")
    tasks = plan(_in_force(policy)).sound()
    kept = tuple(task for task in tasks if _of_that_day(task))
    if not any(task.rule.severity is Severity.BLOCK for task in kept):
        what = "no blocking rule can be simulated without the model's files, a champion or records"
        raise PolicyError([Problem(file=policy.uri, line=0, what=what)])
    archive = Archive.of(environ, policy)
    if question.model is not None:
        past = archive.versions(question.model, last=question.last)
    else:
        past = archive.runs(question.experiment or "", last=question.last)
    stage = stage_of(policy, question.stage)
    bench = _Bench(policy, kept, archive, question.model or question.name or "", stage, environ)
    judged = []
    for one in past:
        progress(f"judging {one.uri}")
        judged.append(bench.judge(one))
    skipped = tuple(task.rule.id for task in tasks if task not in kept)
    return Simulation(judged=tuple(judged), skipped=skipped)


def _of_that_day(task: Task) -> bool:
    """Whether what a rule looks at is still known of a past model: data are, records are not."""
    beside = type(task.check).about.beside or family_of(task.rule.check) == "records"
    return task.rule.check not in NEEDS_MODEL and not task.judged.alias and not beside


@dataclass(frozen=True, slots=True)
class _Bench:
    policy: Policy
    tasks: tuple[Task, ...]
    archive: Archive
    name: str
    stage: str
    environ: Mapping[str, str]

    def judge(self, past: Past) -> JudgedVersion:
        """Judge one; unreadable ones are reported, a policy that does not apply is an error."""
        folder = Path(tempfile.mkdtemp(prefix="aims-gate-"))
        try:
            workspace = Workspace(folder=folder, environ=self.environ)
            opened = self.archive.open(
                past, name=self.name, policy=self.policy, workspace=workspace
            )
            return self._judged(past, opened)
        except UsageError:
            raise
        except GateError as error:
            return JudgedVersion(uri=past.uri, unreadable=error.what)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _judged(self, past: Past, opened: OpenedModel) -> JudgedVersion:
        world = World(now=lambda: opened.at, new_id=lambda _at: "", environ=self.environ)
        results = pipeline.evaluate(
            self.policy, self.tasks, opened.subject, stage=self.stage, world=world
        )
        return JudgedVersion(
            uri=past.uri, at=opened.at, decision=decide(results), results=tuple(results)
        )


def told(simulation: Simulation) -> Iterator[str]:
    """Lines for each version or run with the value of every rule, and a summary at the end."""
    width = max(len(one.uri) for one in simulation.judged)
    for one in simulation.judged:
        day = f"{one.at:%Y-%m-%d}" if one.at else "          "
        word = one.decision.value if one.decision else "unreadable"
        why = one.unreadable or ", ".join(f"{r.rule} {r.outcome}" for r in one.in_the_way)
        yield f"{word:<10}  {day}  {one.uri:<{width}}  {why}".rstrip()
        for result in one.results:
            yield f"{'':<12}{plain(f'{result.outcome} {result.rule}: {result.reason}')}"
    yield _summed(simulation)
    if simulation.skipped:
        needed = "they need the model's files, its champion or records of that day"
        yield f"not simulated, {needed}: {', '.join(simulation.skipped)}"


def _summed(simulation: Simulation) -> str:
    judged = simulation.judged
    refused = [one for one in judged if one.decision is Decision.REFUSED]
    rules = Counter(result.rule for one in refused for result in one.in_the_way)
    text = f"would have refused {len(refused)} of the last {len(judged)}"
    if rules:
        text += ", for " + ", ".join(f"{rule} ({n})" for rule, n in rules.most_common())
    undecided = sum(one.decision is Decision.UNDECIDED for one in judged)
    unread = len(judged) - simulation.readable
    text += f"; {undecided} undecided" if undecided else ""
    return text + (f"; {unread} could not be read" if unread else "")


def _in_force(policy: Policy) -> Policy:
    rules = tuple(replace(rule, effective_from=None) for rule in policy.rules)
    return replace(policy, rules=rules)
