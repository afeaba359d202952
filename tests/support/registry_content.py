"""Models, versions and runs in a real MLflow store, small and made without training."""

from __future__ import annotations

import copy
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOURCE_RUN = "mlflow.assessment.sourceRunId"
MLMODEL = b"""flavors:
  python_function: {loader_module: mlflow.catboost, python_version: 3.11.7}
"""
FILES = {"MLmodel": MLMODEL, "weights/w.txt": b"1 2", "requirements.txt": b"numpy\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A registered model's version and where it came from."""

    name: str
    version: str
    run_id: str
    model_id: str

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"


@dataclass(kw_only=True)
class Content:
    """Writes to one store through MLflow's own client, as a training job would."""

    uri: str
    experiment: str = "0"
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def run(
        self, *, end: bool = True, metrics: bool = True, tags: Mapping[str, str] | None = None
    ) -> str:
        """A run; its *metrics* are one that is logged twice, and one that is NaN."""
        run_id: str = self.client.create_run(self.experiment, tags=dict(tags or {})).info.run_id
        if metrics:
            self.client.log_metric(run_id, "auc", 0.75, step=0)
            self.client.log_metric(run_id, "auc", 0.875, step=1)
            self.client.log_metric(run_id, "loss", float("nan"))
        if end:
            self.client.set_terminated(run_id)
        return run_id

    def model(self, run_id: str | None, files: Mapping[str, bytes] | None = None) -> str:
        """A logged model of a run, READY."""
        from mlflow.entities import LoggedModelOutput

        model = self.client.create_logged_model(self.experiment, name="model", source_run_id=run_id)
        with tempfile.TemporaryDirectory() as private:
            write(Path(private), FILES if files is None else files)
            self.client.log_model_artifacts(model.model_id, private)
        self.client.finalize_logged_model(model.model_id, "READY")
        if run_id is not None:
            self.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        return str(model.model_id)

    def version(self, name: str, source: str, run_id: str | None = None) -> str:
        """A new version of a registered model, which is made if it is not there."""
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        # without waiting, which would poll every few seconds
        model_id = source.removeprefix("models:/") if source.startswith("models:/m-") else None
        mlflow.set_tracking_uri(self.uri)  # a sqlite registry looks the model up in the global one
        try:
            version = self.client._create_model_version(
                name, source, run_id, await_creation_for=0, model_id=model_id
            )
        finally:
            mlflow.set_tracking_uri(None)
        return str(version.version)

    def registered(self, prefix: str = "cr", files: Mapping[str, bytes] | None = None) -> Logged:
        """A finished run, its model, and a version of it under a name of its own."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        run_id = self.run()
        model_id = self.model(run_id, files)
        version = self.version(name, f"models:/{model_id}", run_id)
        return Logged(name=name, version=version, run_id=run_id, model_id=model_id)

    def judged(
        self, run_id: str, said: Iterable[Iterable[Any]], *, model_id: str = "", **tags: list[str]
    ) -> list[str]:
        """A trace of a run for each row of *said*, with its feedback; tags by row."""
        from mlflow.entities import TraceInfo, TraceLocation, TraceState

        ids = []
        for row, feedback in enumerate(said):
            trace_id = f"tr-{uuid.uuid4().hex}"
            given = [copy.copy(one) for one in feedback]
            for one in given:
                one.trace_id = trace_id
                one.metadata = {SOURCE_RUN: run_id, **(one.metadata or {})}
            info = TraceInfo(
                trace_id=trace_id,
                trace_location=TraceLocation.from_experiment_id(self.experiment),
                request_time=1_700_000_000_000 + row,
                state=TraceState.OK,
                request_preview="what a customer asked",
                response_preview="what the model answered",
                trace_metadata={
                    "mlflow.sourceRun": run_id,
                    **({"mlflow.modelId": model_id} if model_id else {}),
                },
                tags={name: texts[row] for name, texts in tags.items()},
                assessments=given,
            )
            self.client._tracing_client.start_trace(info)
            ids.append(trace_id)
        return ids

    def artifact(self, run_id: str, path: str, content: bytes) -> None:
        """A file among a run's artifacts."""
        with tempfile.TemporaryDirectory() as private:
            file = Path(private) / Path(path).name
            file.write_bytes(content)
            self.client.log_artifact(run_id, str(file), str(Path(path).parent))

    def late_metric(self, run_id: str) -> None:
        """A metric that is logged after the run's end, which MLflow allows."""
        self.client.log_metric(
            run_id, "auc", 0.97, step=2, timestamp=int(time.time() * 1000) + 60_000
        )


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below *folder*."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
