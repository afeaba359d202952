"""MLflow's client's entities as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from aims_gate.errors import SourceError
from aims_gate.sources.mlflow.registry import DatasetInput, Run, Version
from aims_gate.sources.mlflow.rest_json import moment
from aims_gate.sources.subject import MetricPoint

MAX_PAGES = 1000


def pages(search: Callable[..., Any]) -> Iterator[Any]:
    """Give everything that a paged search of the client finds; SourceError if it has no end."""
    token = None
    for _page in range(MAX_PAGES):
        found = search(page_token=token)
        yield from found
        token = found.token
        if not token:
            return
    raise SourceError("a listing does not end", hint="name the experiment")


def version(version: Any) -> Version:
    """Read a version of a registered model."""
    return Version(
        name=version.name,
        version=str(version.version),
        source=version.source or "",
        run_id=version.run_id or "",
        status=str(version.status),
        tags=dict(version.tags),
    )


def run(run: Any) -> Run:
    """Read a run."""
    info, outputs = run.info, getattr(run, "outputs", None)
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return Run(
        run_id=info.run_id,
        status=info.status,
        artifact_uri=info.artifact_uri,
        started=moment(info.start_time),
        ended=moment(info.end_time),
        user=info.user_id or "",
        tags=dict(run.data.tags),
        metrics=dict(run.data.metrics),
        models=tuple(m.model_id for m in outputs.model_outputs) if outputs else (),
        datasets=tuple(map(_dataset, inputs)),
        deleted=info.lifecycle_stage == "deleted",
    )


def _dataset(item: Any) -> DatasetInput:
    tags = {tag.key: tag.value for tag in item.tags}
    return DatasetInput(
        name=item.dataset.name,
        digest=item.dataset.digest,
        context=tags.get("mlflow.data.context", ""),
        source=item.dataset.source or "",
    )


def point(metric: Any) -> MetricPoint:
    """Read a point of a metric."""
    return MetricPoint(
        key=metric.key,
        value=float(metric.value),
        timestamp=moment(metric.timestamp),
        step=metric.step,
        dataset_name=getattr(metric, "dataset_name", None) or "",
        dataset_digest=getattr(metric, "dataset_digest", None) or "",
        model_id=getattr(metric, "model_id", None) or "",
        run_id=getattr(metric, "run_id", None) or "",
    )
