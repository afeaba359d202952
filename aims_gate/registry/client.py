"""Registry implementation with `MlflowClient`, for every store that has no plain REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from aims_gate.registry import client_entities as entities
from aims_gate.registry.client_artifacts import ClientArtifacts
from aims_gate.registry.contract import LOCAL, PAGE_OF_TRACES, NotFoundError, all_of
from aims_gate.registry.entities import LoggedModel, MetricPoint, RunRecord, Trace, Version
from aims_gate.registry.rest_json import milliseconds
from aims_gate.registry.roots import NOWHERE, Roots
from aims_gate.registry.uris import commit_filter, model_name

_MAX_METRICS = 1000


class ClientRegistry(ClientArtifacts):
    """Implements `Registry` for sqlite and file stores, databases, Databricks and special set-ups.

    Raises:
        MissingExtraError: MLflow is not installed.
    """

    def __init__(self, uri: str, registry_uri: str = "", *, roots: Roots = NOWHERE) -> None:
        super().__init__(uri, roots=roots)
        from mlflow import MlflowClient

        with self._understood():
            client = MlflowClient(tracking_uri=uri, registry_uri=registry_uri or None)
        self._client = client if self.server == LOCAL else self._awaited(client)

    def model_names(self) -> tuple[str, ...]:
        """Names of all registered models."""
        with self._understood():
            found = entities.pages(self._client.search_registered_models)
            return tuple(str(one.name) for one in found)

    def get_version(self, name: str, version: str) -> Version:
        """A version of a registered model."""
        with self._understood():
            return entities.version(self._client.get_model_version(name, version))

    def download_uri(self, name: str, version: str) -> str:
        """Artifact URI from which MLflow's clients download a version, as it was registered."""
        with self._understood():
            return str(self._client.get_model_version_download_uri(name, version))

    def get_alias(self, name: str, alias: str) -> Version:
        """The model version that an alias points at now."""
        with self._understood():
            return entities.version(self._client.get_model_version_by_alias(name, alias))

    def aliases(self, name: str) -> Mapping[str, str]:
        """Aliases of a registered model, each with the version that it points at now."""
        with self._understood():
            found = self._client.get_registered_model(name).aliases
            return {str(alias): str(version) for alias, version in found.items()}

    def versions(self, name: str, *, last: int) -> tuple[Version, ...]:
        """The newest *last* versions of a registered model, newest first; empty if unknown."""
        with self._understood():
            found = self._client.search_model_versions(
                f"name='{model_name(name)}'", max_results=last, order_by=["version_number DESC"]
            )
            return tuple(map(entities.version, found))

    def logged_model(self, model_id: str) -> LoggedModel:
        """A logged model (MLflow 3)."""
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
        """A run by its id."""
        with self._understood():
            return entities.run(self._client.get_run(run_id))

    def runs_of_commit(self, commit: str, experiment: str = "") -> tuple[RunRecord, ...]:
        """Runs with the tag of a git commit."""
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
        """The newest *last* runs of an experiment, by its name; deleted ones are left out."""
        with self._understood():
            key, order = self._experiment(experiment), ["attributes.start_time DESC"]
            runs = self._client.search_runs([key], max_results=last, order_by=order)
            return tuple(map(entities.run, runs))

    def metric_history(self, run_id: str, key: str) -> tuple[MetricPoint, ...]:
        """Metric history: every logged point of a metric."""
        with self._understood():
            return tuple(map(entities.point, self._client.get_metric_history(run_id, key)))

    def traces(self, experiments: Sequence[str], wanted: str) -> tuple[Trace, ...]:
        """Traces of experiments, given by id, that MLflow's filter *wanted* finds."""
        with self._understood():
            search = partial(
                self._client.search_traces,
                locations=list(experiments),
                filter_string=wanted,
                max_results=PAGE_OF_TRACES,
                include_spans=False,
            )
            return all_of(map(entities.trace, entities.pages(search)), self.server)

    def experiment(self, name: str) -> str:
        """Id of an experiment by its name; it is created if it does not exist."""
        with self._understood():
            if found := self._client.get_experiment_by_name(name):
                return str(found.experiment_id)
            made = _made(partial(self._client.create_experiment, name, self._artifact_location()))
            return self._experiment(name) if made is None else str(made)

    def _artifact_location(self) -> str | None:
        """Where a new experiment keeps its artifacts; None leaves it to the store."""
        return None

    def find_runs(self, experiment: str, tag: str, value: str) -> tuple[RunRecord, ...]:
        """Runs of an experiment with this tag, newest first."""
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
        """Create a run, which is then RUNNING."""
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

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version, wherever it points now."""
        with self._understood():
            self._client.set_registered_model_alias(name, alias, version)

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias of a registered model, which may not have it."""
        with self._understood():
            self._client.delete_registered_model_alias(name, alias)

    def set_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a tag on a version of a registered model."""
        with self._understood():
            self._client.set_model_version_tag(name, version, key, value)

    def delete_version_tag(self, name: str, version: str, key: str) -> None:
        """Delete a tag of a version of a registered model, which may not have it."""
        with self._understood():
            self._client.delete_model_version_tag(name, version, key)

    def create_version(self, name: str, source: str, run_id: str = "") -> Version:
        """Register what lies at *source* as a new version of a model, made if it is not there."""
        with self._understood():
            _made(partial(self._client.create_registered_model, model_name(name)))
            made = self._client.create_model_version(
                name, source, run_id or None, await_creation_for=0
            )
            return entities.version(made)


def _made(make: Callable[[], Any]) -> Any:
    """Make something; None if it is there already, as where another gate made it meanwhile."""
    try:
        return make()
    except Exception as error:
        if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
            raise
        return None
