"""The registry through `MlflowClient`: every store that does not speak plain REST.

`MlflowClient` reads credentials, retries and time limits from the process's environment itself.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from aims_gate.errors import GateError, MissingExtraError, SourceError
from aims_gate.registry import client_entities as entities
from aims_gate.registry.contract import (
    LOCAL,
    PAGE_OF_TRACES,
    Artifact,
    LoggedModel,
    MetricPoint,
    NotFoundError,
    RunRecord,
    Trace,
    Version,
    all_of,
)
from aims_gate.registry.rest_json import milliseconds
from aims_gate.registry.roots import NOWHERE, Roots, folder, on_server, refused
from aims_gate.registry.uris import bare, commit_filter, local_store, printable, quoted
from aims_gate.time_limit import HINT, patiently, seconds_of, size_of

_SERVER_CHOOSES_NO_HOST = {
    "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
}
"""Variables by which MLflow's client follows neither redirects nor signed URLs of other hosts."""
_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_QUOTABLE = _GONE | {"INVALID_PARAMETER_VALUE"}
_MAX_METRICS = 1000
ATTEMPTS = 3
"""Tries that MLflow's client is given time for: it repeats what fails by itself."""


class ClientRegistry:
    """Implements `Registry` for sqlite and file stores, databases, Databricks and special set-ups.

    Raises:
        MissingExtraError: MLflow is not installed.
    """

    name = "client"

    def __init__(self, uri: str, registry_uri: str = "", *, roots: Roots = NOWHERE) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is read at the import
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise MissingExtraError.for_library("mlflow", "gate", f"reading {bare(uri)}") from None
        self._uri = uri
        self.roots = roots
        self.server = LOCAL if local_store(uri) is not None else bare(uri)
        self._seconds = ATTEMPTS * seconds_of(os.environ)
        with self._understood():
            client = MlflowClient(tracking_uri=uri, registry_uri=registry_uri or None)
        self._client = client if self.server == LOCAL else self._awaited(client)

    def get_version(self, name: str, version: str) -> Version:
        """Give a version of a registered model."""
        with self._understood():
            return entities.version(self._client.get_model_version(name, version))

    def get_alias(self, name: str, alias: str) -> Version:
        """Give the version that an alias points at now."""
        with self._understood():
            return entities.version(self._client.get_model_version_by_alias(name, alias))

    def aliases(self, name: str) -> Mapping[str, str]:
        """Give every alias of a registered model with the version that it points at now."""
        with self._understood():
            found = self._client.get_registered_model(name).aliases
            return {str(alias): str(version) for alias, version in found.items()}

    def versions(self, name: str, *, last: int) -> tuple[Version, ...]:
        """Give the newest *last* versions of a registered model, newest first; none if unknown."""
        with self._understood():
            found = self._client.search_model_versions(
                f"name='{quoted(name)}'", max_results=last, order_by=["version_number DESC"]
            )
            return tuple(map(entities.version, found))

    def logged_model(self, model_id: str) -> LoggedModel:
        """Give a logged model."""
        with self._understood():
            model = self._client.get_logged_model(model_id)
            return LoggedModel(
                model_id=model.model_id,
                name=model.name or "",
                artifact_uri=model.artifact_location,
                run_id=model.source_run_id or "",
                status=str(model.status),
                metrics=tuple(map(entities.point, model.metrics or ())),
                experiment=str(model.experiment_id),
            )

    def run(self, run_id: str) -> RunRecord:
        """Give a run."""
        with self._understood():
            return entities.run(self._client.get_run(run_id))

    def runs_of_commit(self, commit: str, experiment: str = "") -> tuple[RunRecord, ...]:
        """Give the runs that say they were made from a git commit."""
        with self._understood():
            if experiment:
                ids = [self._experiment(experiment)]
            else:
                ids = [
                    found.experiment_id for found in entities.pages(self._client.search_experiments)
                ]
            search = partial(self._client.search_runs, ids, commit_filter(commit))
            return tuple(map(entities.run, entities.pages(search))) if ids else ()

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            raise NotFoundError(f"there is no experiment {name!a}", where=self.server)
        return str(found.experiment_id)

    def runs(self, experiment: str, *, last: int) -> tuple[RunRecord, ...]:
        """Give the newest *last* runs of an experiment, by its name; those deleted left out."""
        with self._understood():
            key, order = self._experiment(experiment), ["attributes.start_time DESC"]
            runs = self._client.search_runs([key], max_results=last, order_by=order)
            return tuple(map(entities.run, runs))

    def metric_history(self, run_id: str, key: str) -> tuple[MetricPoint, ...]:
        """Give every point that was logged for a metric."""
        with self._understood():
            return tuple(map(entities.point, self._client.get_metric_history(run_id, key)))

    def traces(self, experiments: Sequence[str], wanted: str) -> tuple[Trace, ...]:
        """Give all traces of experiments, by id, that MLflow's filter *wanted* finds."""
        with self._understood():
            search = partial(
                self._client.search_traces,
                locations=list(experiments),
                filter_string=wanted,
                max_results=PAGE_OF_TRACES,
                include_spans=False,
            )
            return all_of(map(entities.trace, entities.pages(search)), self.server)

    def reads(self, uri: str) -> bool:
        """Tell whether an artifact URI lies on the server, or where it may lie beside it."""
        return on_server(uri, self.server) is not None or self.roots.permit(uri)

    def list_artifacts(self, uri: str, path: str = "") -> tuple[Artifact, ...]:
        """List one folder below an artifact URI; nothing if it is not there or is a file."""
        with self._understood():
            infos = self._repository(uri).list_artifacts(path or None)
        return tuple(
            Artifact(path=info.path, is_dir=bool(info.is_dir), bytes=info.file_size)
            for info in infos
        )

    def download(self, uri: str, path: str, target: Path, *, limit: int) -> int:
        """Write one file below an artifact URI to *target*."""
        root = folder(uri)
        with self._understood(), tempfile.TemporaryDirectory(dir=target.parent) as private:
            if root is not None:
                self._permitted(uri)
                return _copy(root, path, target, limit)
            repository = self._repository(uri, grown=partial(size_of, Path(private)))
            got = Path(repository.download_artifacts(path, dst_path=private))
            return _copy(got.parent, got.name, target, limit)

    def experiment(self, name: str) -> str:
        """Give the id of an experiment, which is made if it is not there."""
        with self._understood():
            if found := self._client.get_experiment_by_name(name):
                return str(found.experiment_id)
            try:
                return str(self._client.create_experiment(name))
            except Exception as error:
                if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                    raise
                return self._experiment(name)  # another gate made it meanwhile

    def find_runs(self, experiment: str, tag: str, value: str) -> tuple[RunRecord, ...]:
        """Give the runs of an experiment with this tag, newest first."""
        with self._understood():
            found = self._client.search_runs(
                [experiment],
                filter_string=f"tags.`{tag}` = '{value}'",
                max_results=100,
                order_by=["attributes.start_time DESC"],
            )
            return tuple(map(entities.run, found))

    def create_run(
        self, experiment: str, *, name: str, started: datetime, tags: Mapping[str, str]
    ) -> RunRecord:
        """Make a run, which is then RUNNING."""
        with self._understood():
            run = self._client.create_run(
                experiment, start_time=milliseconds(started), tags=dict(tags), run_name=name
            )
            return entities.run(run)

    def link_model(self, run_id: str, model_id: str) -> None:
        """State that a run used a logged model."""
        with self._understood():
            from mlflow.entities import LoggedModelInput

            self._client.log_inputs(run_id, models=[LoggedModelInput(model_id)])

    def upload(self, uri: str, path: str, file: Path) -> None:
        """Store a file below an artifact URI."""
        parent, _, name = path.rpartition("/")
        with self._understood(), tempfile.TemporaryDirectory() as private:
            repository = self._repository(uri)
            renamed = Path(private) / name
            shutil.copyfile(file, renamed)
            repository.log_artifact(str(renamed), parent or None)

    def log_metrics(self, run_id: str, values: Mapping[str, float], *, at: datetime) -> None:
        """Log finite numbers, all at one time and at step 0."""
        with self._understood():
            from mlflow.entities import Metric

            points = [Metric(key, value, milliseconds(at), 0) for key, value in values.items()]
            for start in range(0, len(points), _MAX_METRICS):
                self._client.log_batch(run_id, metrics=points[start : start + _MAX_METRICS])

    def finish_run(self, run_id: str, *, at: datetime) -> None:
        """Mark a run as FINISHED."""
        with self._understood():
            self._client.set_terminated(run_id, "FINISHED", end_time=milliseconds(at))

    def set_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a tag on a version of a registered model."""
        with self._understood():
            self._client.set_model_version_tag(name, version, key, value)

    def _repository(self, uri: str, grown: Callable[[], int] = int) -> Any:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        self._permitted(uri)
        repository = get_artifact_repository(uri, tracking_uri=self._uri)
        return self._awaited(repository, grown) if folder(uri) is None else repository

    def _awaited(self, target: Any, grown: Callable[[], int] = int) -> Any:
        return _Awaited(target, seconds=self._seconds, grown=grown)

    def _permitted(self, uri: str) -> None:
        if not self.reads(uri):
            raise refused(uri, self.server)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        before = dict(os.environ)
        os.environ.update(_SERVER_CHOOSES_NO_HOST)
        try:
            yield
        except GateError:
            raise
        except Exception as error:  # stores are plug-ins: they raise whatever their libraries raise
            code = getattr(error, "error_code", "")
            kind = NotFoundError if code in _GONE else SourceError
            if isinstance(error, TimeoutError):
                what = f"cannot reach MLflow: {printable(error)}"
                raise SourceError(what, where=self.server, hint=HINT) from error
            # other messages may quote a URI with its password
            what = printable(error) if code in _QUOTABLE else code or type(error).__name__
            raise kind(f"MLflow's client failed: {what}", where=self.server) from error
        finally:
            for name in _SERVER_CHOOSES_NO_HOST:
                os.environ.pop(name)
                os.environ.update({name: before[name]} if name in before else {})


class _Awaited:
    """Another object, each of whose methods must end in time."""

    def __init__(self, target: Any, *, seconds: float, grown: Callable[[], int]) -> None:
        self._target = target
        self._awaited = partial(patiently, seconds=seconds, grown=grown)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)
        return lambda *args, **named: self._awaited(partial(method, *args, **named))


def _copy(root: Path, path: str, target: Path, limit: int) -> int:
    """Copy a file that really lies below *root*, following no link out of it."""
    source = root / path
    if not source.exists():
        raise NotFoundError("there is no such artifact", where=path)
    if source.is_symlink() or not source.resolve().is_relative_to(root.resolve()):
        raise SourceError("the artifact is a symbolic link", where=path)
    size = 0
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file, target.open("xb") as copy:
        while chunk := file.read(1 << 20):
            size += len(chunk)
            if size > limit:
                raise SourceError(
                    f"the file has more than the {limit:,} bytes that are left of the limit",
                    where=path,
                )
            copy.write(chunk)
    return size
