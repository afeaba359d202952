"""MLflow's JSON as values; KeyError, TypeError or ValueError for anything that is not its shape.

Numbers may arrive as text (`"NaN"`, and 64-bit integers from some servers), and protobuf leaves
zeros and empty lists out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aims_gate.sources.mlflow.registry import Artifact, DatasetInput, LoggedModel, Run, Version
from aims_gate.sources.subject import MetricPoint


def milliseconds(at: datetime) -> int:
    """Give a time as MLflow counts it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def moment(value: object) -> datetime | None:
    """Read a time from MLflow's milliseconds, a number or text; None for nothing or 0."""
    count = int(value) if isinstance(value, int | str) and value else 0
    return datetime.fromtimestamp(count / 1000, UTC) if count else None


def status(text: str) -> str:
    """Give a logged model's status as `READY`, `PENDING` or `FAILED`."""
    return text.removeprefix("LOGGED_MODEL_").removeprefix("UPLOAD_")


def version(value: Mapping[str, Any]) -> Version:
    """Read a `model_version`."""
    return Version(
        name=_text(value, "name", needed=True),
        version=_text(value, "version", needed=True),
        source=_text(value, "source"),
        run_id=_text(value, "run_id"),
        status=_text(value, "status"),
        tags=_tags(value),
    )


def aliases(value: Mapping[str, Any]) -> dict[str, str]:
    """Read the aliases of a `registered_model`, each with its version."""
    found = value.get("aliases", [])
    return {_text(a, "alias", needed=True): _text(a, "version", needed=True) for a in found}


def logged_model(value: Mapping[str, Any]) -> LoggedModel:
    """Read a logged model: its `info`, and the metrics among its `data`."""
    info = value["info"]
    return LoggedModel(
        model_id=_text(info, "model_id", needed=True),
        name=_text(info, "name"),
        artifact_uri=_text(info, "artifact_uri", needed=True),
        run_id=_text(info, "source_run_id"),
        status=status(_text(info, "status")),
        metrics=tuple(_point(point) for point in value.get("data", {}).get("metrics", [])),
    )


def run(value: Mapping[str, Any]) -> Run:
    """Read a `run`."""
    info, data = value["info"], value.get("data", {})
    inputs, outputs = value.get("inputs", {}), value.get("outputs", {})
    return Run(
        run_id=_text(info, "run_id", needed=True),
        status=_text(info, "status"),
        artifact_uri=_text(info, "artifact_uri"),
        started=moment(info.get("start_time")),
        ended=moment(info.get("end_time")),
        user=_text(info, "user_id"),
        tags=_tags(data),
        metrics={_text(m, "key", needed=True): _number(m) for m in data.get("metrics", [])},
        models=tuple(_text(m, "model_id", needed=True) for m in outputs.get("model_outputs", [])),
        datasets=tuple(_dataset(item) for item in inputs.get("dataset_inputs", [])),
        deleted=_text(info, "lifecycle_stage") == "deleted",
    )


def _dataset(value: Mapping[str, Any]) -> DatasetInput:
    return DatasetInput(
        name=_text(value["dataset"], "name"),
        digest=_text(value["dataset"], "digest"),
        context=_tags(value).get("mlflow.data.context", ""),
        source=_text(value["dataset"], "source"),
    )


def page(answer: Mapping[str, Any], key: str) -> tuple[list[Any], str]:
    """Read one page of a listing, and the token of the next page or nothing."""
    return list(answer.get(key, [])), _text(answer, "next_page_token")


def history(answer: Mapping[str, Any]) -> tuple[list[MetricPoint], str]:
    """Read one page of a metric's history, and the token of the next page or nothing."""
    points = [_point(point) for point in answer.get("metrics", [])]
    return points, _text(answer, "next_page_token")


def _point(point: Mapping[str, Any]) -> MetricPoint:
    return MetricPoint(
        key=_text(point, "key", needed=True),
        value=_number(point),
        timestamp=moment(point.get("timestamp")),
        step=int(point.get("step", 0)),
        dataset_name=_text(point, "dataset_name"),
        dataset_digest=_text(point, "dataset_digest"),
        model_id=_text(point, "model_id"),
        run_id=_text(point, "run_id"),
    )


def artifact(value: Mapping[str, Any], folder: str) -> Artifact:
    """Read a `file` of the listing of *folder*; its name is checked by nobody yet."""
    size = value.get("file_size")
    name = _text(value, "path", needed=True)
    return Artifact(
        path=f"{folder}/{name}" if folder else name,
        is_dir=bool(value.get("is_dir", False)),
        bytes=None if size is None else int(size),
    )


def _number(point: Mapping[str, Any]) -> float:
    """Read a number; protobuf leaves 0 out, and writes `NaN` and `Infinity` as text."""
    return float(point.get("value", 0.0))


def _tags(value: Mapping[str, Any]) -> dict[str, str]:
    return {_text(tag, "key", needed=True): _text(tag, "value") for tag in value.get("tags", [])}


def _text(value: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
    found = value.get(key, "")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or (needed and not found):
        raise TypeError(f"{key} is not text")
    return found
