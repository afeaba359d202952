"""Convert entities of MLflow's client into our values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from aims_gate.errors import SourceError
from aims_gate.registry.entities import (
    DatasetInput,
    Feedback,
    MetricPoint,
    RunRecord,
    Trace,
    Version,
)
from aims_gate.registry.rest_json import NO_STAGE, SCORER_DIGEST, SOURCE_RUN, moment, trace_of

MAX_PAGES = 1000


def pages(search: Callable[..., Any]) -> Iterator[Any]:
    """All items of a paged search of the client; SourceError if it does not end."""
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
        stage=(version.current_stage or "").removeprefix(NO_STAGE),
    )


def run(run: Any) -> RunRecord:
    """Read a run."""
    info, outputs = run.info, getattr(run, "outputs", None)
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return RunRecord(
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
        experiment=str(info.experiment_id),
    )


def _dataset(item: Any) -> DatasetInput:
    tags = {tag.key: tag.value for tag in item.tags}
    return DatasetInput(
        name=item.dataset.name,
        digest=item.dataset.digest,
        context=tags.get("mlflow.data.context", ""),
        source=item.dataset.source or "",
    )


def trace(trace: Any) -> Trace:
    """Read a trace without its spans."""
    info = trace.info
    given = tuple(_feedback(one) for one in info.assessments if one.feedback is not None)
    return trace_of(info.trace_id, info.trace_metadata, info.tags, given)


def _feedback(one: Any) -> Feedback:
    metadata = one.metadata or {}
    return Feedback(
        name=one.name,
        value=None if one.feedback.error else one.feedback.value,
        key=one.assessment_id or "",
        overrides=one.overrides or "",
        valid=one.valid is not False,
        digest=metadata.get(SCORER_DIGEST, ""),
        run_id=metadata.get(SOURCE_RUN, ""),
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
