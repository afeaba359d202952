"""Facts of a training run from MLflow, with every metric point: claims, kept apart from values."""

from __future__ import annotations

from dataclasses import replace

from aims_gate.errors import SourceError, UsageError
from aims_gate.policy.model import Role
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import MetricPoint, RunRecord
from aims_gate.registry.uris import COMMIT
from aims_gate.sources.subject import RunFacts, ServedModel

MAX_METRICS = 2_000
MAX_POINTS = 2_000_000
_NEWEST = 50
"""Versions of a model among which one in a stage is looked for: aliases have taken their place."""


def run_facts(registry: Registry, run: RunRecord) -> RunFacts:
    """Read the history of every metric of *run*; SourceError past a limit, never a part of it."""
    if len(run.metrics) > MAX_METRICS:
        raise SourceError(f"the run has more than {MAX_METRICS:,} metrics", where=run.run_id)
    points: list[MetricPoint] = []
    for key in sorted(run.metrics):
        points += registry.metric_history(run.run_id, key)
        if len(points) > MAX_POINTS:
            raise SourceError(f"the run has more than {MAX_POINTS:,} points", where=run.run_id)
    return RunFacts(
        run_id=run.run_id,
        status=run.status,
        started=run.started,
        ended=run.ended,
        user=run.tags.get("mlflow.user", run.user),
        commit=run.tags.get(COMMIT, ""),
        tags=run.tags,
        metrics=tuple(points),
        models=run.models,
        deleted=run.deleted,
    )


def other_run(registry: Registry, run_id: str, metric: str) -> RunFacts:
    """Read a run that logged a metric for a model, such as an evaluation, with that metric only."""
    run = registry.run(run_id)
    kept = {key: value for key, value in run.metrics.items() if key == metric}
    return run_facts(registry, replace(run, metrics=kept))


def other_model(registry: Registry, model_id: str) -> tuple[MetricPoint, ...]:
    """Read what was logged for another model; nothing of one that is gone."""
    try:
        return registry.logged_model(model_id).metrics
    except NotFoundError:
        return ()


def served_models(registry: Registry) -> tuple[ServedModel, ...]:
    """List every registered model with what its aliases and stages name; none is left out."""
    return tuple(_served(registry, name) for name in sorted(registry.model_names()))


def _served(registry: Registry, name: str) -> ServedModel:
    try:
        aliases, found = registry.aliases(name), registry.versions(name, last=_NEWEST)
    except UsageError as error:  # a name that no model URI can hold
        return ServedModel(name=name, problem=error.what)
    stages = {one.stage: one.version for one in reversed(found) if one.stage}
    newest = found[0].version if found else ""
    return ServedModel(name=name, aliases=aliases, stages=stages, newest=newest)


def dataset_digest(run: RunRecord, role: Role) -> str:
    """MLflow's digest of the data set of *role*; empty unless the run names exactly one."""
    digests = {d.digest for d in run.datasets if role.value in {d.context, d.name}}
    return digests.pop() if len(digests) == 1 else ""
