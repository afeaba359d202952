"""Parse MLflow's JSON into our values; KeyError, TypeError or ValueError for another shape.

Numbers may arrive as text (`"NaN"`, and 64-bit integers from some servers), and protobuf leaves
zeros and empty lists out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aims_gate.registry.entities import (
    Artifact,
    DatasetInput,
    Feedback,
    LoggedModel,
    MetricPoint,
    RunRecord,
    Trace,
    Version,
)

SCORER_DIGEST = "mlflow.assessment.scorerDigest"
SOURCE_RUN = "mlflow.assessment.sourceRunId"
NO_STAGE = "None"
"""What MLflow calls it where a version is in no stage."""


def milliseconds(at: datetime) -> int:
    """A time in MLflow's unit: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def moment(value: object) -> datetime | None:
    """Read a time from MLflow's milliseconds, a number or text; None for nothing or 0."""
    count = int(value) if isinstance(value, int | str) and value else 0
    return datetime.fromtimestamp(count / 1000, UTC) if count else None


def status(text: str) -> str:
    """Status of a logged model: `READY`, `PENDING` or `FAILED`."""
    return text.removeprefix("LOGGED_MODEL_").removeprefix("UPLOAD_")


def version(value: Mapping[str, Any]) -> Version:
    """Read a `model_version`."""
    return Version(
        name=text_of(value, "name", needed=True),
        version=text_of(value, "version", needed=True),
        source=text_of(value, "source"),
        run_id=text_of(value, "run_id"),
        status=text_of(value, "status"),
        tags=_tags(value),
        stage=text_of(value, "current_stage").removeprefix(NO_STAGE),
    )


def aliases(value: Mapping[str, Any]) -> dict[str, str]:
    """Read the aliases of a `registered_model`, each with its version."""
    found = value.get("aliases", [])
    return {text_of(a, "alias", needed=True): text_of(a, "version", needed=True) for a in found}


def logged_model(value: Mapping[str, Any]) -> LoggedModel:
    """Read a logged model: its `info`, and the metrics among its `data`."""
    info = value["info"]
    return LoggedModel(
        model_id=text_of(info, "model_id", needed=True),
        name=text_of(info, "name"),
        artifact_uri=text_of(info, "artifact_uri", needed=True),
        run_id=text_of(info, "source_run_id"),
        status=status(text_of(info, "status")),
        metrics=tuple(_point(point) for point in value.get("data", {}).get("metrics", [])),
        experiment=text_of(info, "experiment_id"),
    )


def run(value: Mapping[str, Any]) -> RunRecord:
    """Read a `run`."""
    info, data = value["info"], value.get("data", {})
    inputs, outputs = value.get("inputs", {}), value.get("outputs", {})
    return RunRecord(
        run_id=text_of(info, "run_id", needed=True),
        status=text_of(info, "status"),
        artifact_uri=text_of(info, "artifact_uri"),
        started=moment(info.get("start_time")),
        ended=moment(info.get("end_time")),
        user=text_of(info, "user_id"),
        tags=_tags(data),
        metrics={text_of(m, "key", needed=True): _number(m) for m in data.get("metrics", [])},
        models=tuple(text_of(m, "model_id", needed=True) for m in outputs.get("model_outputs", [])),
        datasets=tuple(_dataset(item) for item in inputs.get("dataset_inputs", [])),
        deleted=text_of(info, "lifecycle_stage") == "deleted",
        experiment=text_of(info, "experiment_id"),
    )


def _dataset(value: Mapping[str, Any]) -> DatasetInput:
    return DatasetInput(
        name=text_of(value["dataset"], "name"),
        digest=text_of(value["dataset"], "digest"),
        context=_tags(value).get("mlflow.data.context", ""),
        source=text_of(value["dataset"], "source"),
    )


def trace(value: Mapping[str, Any]) -> Trace:
    """Read a `trace_info`; of requests, responses and rationales nothing is taken."""
    listed = value.get("assessments", [])
    return trace_of(
        text_of(value, "trace_id", needed=True),
        value.get("trace_metadata", {}),
        value.get("tags", {}),
        tuple(_feedback(one) for one in listed if "feedback" in one),
    )


def trace_of(
    trace_id: str,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
    feedback: tuple[Feedback, ...],
) -> Trace:
    """A trace with its author's tags, without MLflow's own."""
    return Trace(
        trace_id=trace_id,
        run_id=text_of(metadata, "mlflow.sourceRun"),
        model_id=text_of(metadata, "mlflow.modelId"),
        tags={name: text_of(tags, name) for name in tags if not name.startswith("mlflow.")},
        feedback=feedback,
    )


def _feedback(value: Mapping[str, Any]) -> Feedback:
    given, metadata = value["feedback"], value.get("metadata", {})
    return Feedback(
        name=text_of(value, "assessment_name", needed=True),
        value=None if given.get("error") else given.get("value"),
        key=text_of(value, "assessment_id"),
        overrides=text_of(value, "overrides"),
        valid=value.get("valid", True) is True,
        digest=text_of(metadata, SCORER_DIGEST),
        run_id=text_of(metadata, SOURCE_RUN),
    )


def page(answer: Mapping[str, Any], key: str) -> tuple[list[Any], str]:
    """Read one page of a listing, and the token of the next page or nothing."""
    return list(answer.get(key, [])), text_of(answer, "next_page_token")


def history(answer: Mapping[str, Any]) -> tuple[list[MetricPoint], str]:
    """Read one page of a metric's history, and the token of the next page or nothing."""
    points = [_point(point) for point in answer.get("metrics", [])]
    return points, text_of(answer, "next_page_token")


def _point(point: Mapping[str, Any]) -> MetricPoint:
    return MetricPoint(
        key=text_of(point, "key", needed=True),
        value=_number(point),
        timestamp=moment(point.get("timestamp")),
        step=int(point.get("step", 0)),
        dataset_name=text_of(point, "dataset_name"),
        dataset_digest=text_of(point, "dataset_digest"),
        model_id=text_of(point, "model_id"),
        run_id=text_of(point, "run_id"),
    )


def artifact(value: Mapping[str, Any], folder: str) -> Artifact:
    """Read a `file` of the listing of *folder*; its name is checked by nobody yet."""
    size = value.get("file_size")
    name = text_of(value, "path", needed=True)
    return Artifact(
        path=f"{folder}/{name}" if folder else name,
        is_dir=bool(value.get("is_dir", False)),
        bytes=None if size is None else int(size),
    )


def _number(point: Mapping[str, Any]) -> float:
    """Read a number; protobuf leaves 0 out, and writes `NaN` and `Infinity` as text."""
    return float(point.get("value", 0.0))


def _tags(value: Mapping[str, Any]) -> dict[str, str]:
    return {
        text_of(tag, "key", needed=True): text_of(tag, "value") for tag in value.get("tags", [])
    }


def text_of(value: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
    """Read text, or a whole number as text; TypeError for anything else."""
    found = value.get(key, "")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or (needed and not found):
        raise TypeError(f"{key} is not text")
    return found
