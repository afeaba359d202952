"""The registry over MLflow's REST API: no MLflow library, and a fraction of its start-up time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from aims_gate.errors import SourceError
from aims_gate.registry import rest_json
from aims_gate.registry.contract import PAGE_OF_TRACES, NotFoundError, all_of
from aims_gate.registry.entities import LoggedModel, MetricPoint, RunRecord, Trace, Version
from aims_gate.registry.http import RefusedError
from aims_gate.registry.rest_artifacts import RestArtifacts
from aims_gate.registry.uris import commit_filter, model_name

MAX_PAGES = 1000
"""Pages of one listing: a server that never ends a listing is refused."""
MAX_METRICS = 1000
"""Metrics of one `log-batch` call, which is MLflow's own limit."""
T = TypeVar("T")


class RestRegistry(RestArtifacts):
    """Implements `Registry` for http and https servers that proxy artifacts."""

    def model_names(self) -> tuple[str, ...]:
        """Names of all registered models."""
        with self._understood():
            found = self._listed("registered-models", {}, method="GET")
            return tuple(str(one["name"]) for one in found)

    def get_version(self, name: str, version: str) -> Version:
        """A version of a registered model."""
        asked = {"name": name, "version": version}
        return self._ask(
            "model-versions/get", asked, lambda a: rest_json.version(a["model_version"])
        )

    def download_uri(self, name: str, version: str) -> str:
        """Artifact URI from which MLflow's clients download a version, as it was registered."""
        asked = {"name": name, "version": version}
        return self._ask(
            "model-versions/get-download-uri",
            asked,
            lambda a: rest_json.text_of(a, "artifact_uri", needed=True),
        )

    def get_alias(self, name: str, alias: str) -> Version:
        """The model version that an alias points at now."""
        asked = {"name": name, "alias": alias}
        return self._ask(
            "registered-models/alias", asked, lambda a: rest_json.version(a["model_version"])
        )

    def aliases(self, name: str) -> Mapping[str, str]:
        """Aliases of a registered model, each with the version that it points at now."""
        return self._ask(
            "registered-models/get",
            {"name": name},
            lambda a: rest_json.aliases(a["registered_model"]),
        )

    def versions(self, name: str, *, last: int) -> tuple[Version, ...]:
        """The newest *last* versions of a registered model, newest first; empty if unknown."""
        asked = {
            "filter": f"name='{model_name(name)}'",
            "max_results": str(last),
            "order_by": "version_number DESC",
        }
        return self._ask(
            "model-versions/search",
            asked,
            lambda a: tuple(map(rest_json.version, a.get("model_versions", []))),
        )

    def logged_model(self, model_id: str) -> LoggedModel:
        """A logged model (MLflow 3)."""
        path = f"logged-models/{quote(model_id, safe='')}"
        return self._ask(path, {}, lambda a: rest_json.logged_model(a["model"]))

    def run(self, run_id: str) -> RunRecord:
        """A run by its id."""
        return self._ask("runs/get", {"run_id": run_id}, lambda a: rest_json.run(a["run"]))

    def runs_of_commit(self, commit: str, experiment: str = "") -> tuple[RunRecord, ...]:
        """Runs with the tag of a git commit."""
        if experiment:
            asked = {"experiment_name": experiment}
            ids = [self._ask("experiments/get-by-name", asked, _experiment)]
        else:
            with self._understood():
                ids = [str(item["experiment_id"]) for item in self._listed("experiments", {})]
        body = {"experiment_ids": ids, "filter": commit_filter(commit)}
        runs = self._listed("runs", body) if ids else []
        with self._understood():
            return tuple(map(rest_json.run, runs))

    def traces(self, experiments: Sequence[str], wanted: str) -> tuple[Trace, ...]:
        """Traces of experiments, given by id, that MLflow's filter *wanted* finds."""
        places = [
            {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": key}}
            for key in experiments
        ]
        body = {"locations": places, "filter": wanted, "max_results": PAGE_OF_TRACES}
        with self._understood():
            return all_of(
                map(rest_json.trace, self._listed("traces", body, api="3.0")), self.server
            )

    def _listed(
        self, kind: str, body: Mapping[str, Any], *, api: str = "2.0", method: str = "POST"
    ) -> Iterator[Any]:
        """All pages of a search, item by item."""
        token = ""
        for _page in range(MAX_PAGES):
            asked = {"max_results": MAX_METRICS, **body}
            if token:
                asked["page_token"] = token
            params, sent = (asked, None) if method == "GET" else (None, asked)
            answer = self._connection.json(
                method, f"mlflow/{kind}/search", params=params, body=sent, api=api
            )
            with self._understood():
                found, token = rest_json.page(answer, kind.replace("-", "_"))
            yield from found
            if not token:
                return
        raise SourceError(f"the listing of {kind} does not end", where=self.server)

    def runs(self, experiment: str, *, last: int) -> tuple[RunRecord, ...]:
        """The newest *last* runs of an experiment, by its name; deleted ones are left out."""
        asked = {"experiment_name": experiment}
        key = self._ask("experiments/get-by-name", asked, _experiment)
        body = {
            "experiment_ids": [key],
            "max_results": last,
            "order_by": ["attributes.start_time DESC"],
        }
        answer = self._connection.json("POST", "mlflow/runs/search", body=body)
        with self._understood():
            return tuple(rest_json.run(run) for run in answer.get("runs", []))

    def metric_history(self, run_id: str, key: str) -> tuple[MetricPoint, ...]:
        """Metric history: every logged point of a metric."""
        points: list[MetricPoint] = []
        token = ""
        for _page in range(MAX_PAGES):
            asked = {"run_id": run_id, "metric_key": key}
            if token:
                asked["page_token"] = token
            found, token = self._ask("metrics/get-history", asked, rest_json.history)
            points += found
            if not token:
                return tuple(points)
        raise SourceError(f"metric {key!a} has too many points", where=f"run {run_id}")

    def experiment(self, name: str) -> str:
        """Id of an experiment by its name; it is created if it does not exist."""
        asked = {"experiment_name": name}
        try:
            return self._ask("experiments/get-by-name", asked, _experiment)
        except NotFoundError:
            pass
        try:
            answer = self._write("experiments/create", {"name": name})
        except RefusedError:
            with suppress(NotFoundError):  # it is there if another gate made it meanwhile
                return self._ask("experiments/get-by-name", asked, _experiment)
            raise
        with self._understood():
            return str(answer["experiment_id"])

    def find_runs(self, experiment: str, tag: str, value: str) -> tuple[RunRecord, ...]:
        """Runs of an experiment with this tag, newest first."""
        body = {
            "experiment_ids": [experiment],
            "filter": f"tags.`{tag}` = '{value}'",
            "max_results": 100,
            "order_by": ["attributes.start_time DESC"],
        }
        answer = self._connection.json("POST", "mlflow/runs/search", body=body)
        with self._understood():
            return tuple(rest_json.run(run) for run in answer.get("runs", []))

    def create_run(
        self, experiment: str, *, name: str, started: datetime, tags: Mapping[str, str]
    ) -> RunRecord:
        """Create a run, which is then RUNNING."""
        answer = self._write(
            "runs/create",
            {
                "experiment_id": experiment,
                "run_name": name,
                "start_time": rest_json.milliseconds(started),
                "tags": [{"key": key, "value": value} for key, value in tags.items()],
            },
        )
        with self._understood():
            return rest_json.run(answer["run"])

    def link_model(self, run_id: str, model_id: str) -> None:
        """State that a run used a logged model."""
        self._write("runs/log-inputs", {"run_id": run_id, "models": [{"model_id": model_id}]})

    def log_metrics(self, run_id: str, values: Mapping[str, float], *, at: datetime) -> None:
        """Log finite numbers, all at one time and at step 0."""
        timestamp = rest_json.milliseconds(at)
        points = [
            {"key": key, "value": value, "timestamp": timestamp, "step": 0}
            for key, value in values.items()
        ]
        for start in range(0, len(points), MAX_METRICS):
            part = points[start : start + MAX_METRICS]
            self._write("runs/log-batch", {"run_id": run_id, "metrics": part})

    def finish_run(self, run_id: str, *, at: datetime) -> None:
        """Mark a run as FINISHED."""
        body = {"run_id": run_id, "status": "FINISHED", "end_time": rest_json.milliseconds(at)}
        self._write("runs/update", body)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version, wherever it points now."""
        self._write("registered-models/alias", {"name": name, "alias": alias, "version": version})

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias of a registered model, which may not have it."""
        self._write("registered-models/alias", {"name": name, "alias": alias}, "DELETE")

    def set_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a tag on a version of a registered model."""
        body = {"name": name, "version": version, "key": key, "value": value}
        self._write("model-versions/set-tag", body)

    def delete_version_tag(self, name: str, version: str, key: str) -> None:
        """Delete a tag of a version of a registered model, which may not have it."""
        body = {"name": name, "version": version, "key": key}
        self._write("model-versions/delete-tag", body, "DELETE")

    def create_version(self, name: str, source: str, run_id: str = "") -> Version:
        """Register what lies at *source* as a new version of a model, made if it is not there."""
        self._register(model_name(name))
        body = {"name": name, "source": source} | ({"run_id": run_id} if run_id else {})
        answer = self._write("model-versions/create", body)
        with self._understood():
            return rest_json.version(answer["model_version"])

    def _register(self, name: str) -> None:
        try:
            self._write("registered-models/create", {"name": name})
        except RefusedError:
            with suppress(NotFoundError):
                self.aliases(name)  # it is there already
                return
            raise

    def _ask(self, path: str, params: Mapping[str, str], read: Callable[[Any], T]) -> T:
        answer = self._connection.json("GET", f"mlflow/{path}", params=params)
        with self._understood():
            return read(answer)

    def _write(self, path: str, body: Mapping[str, Any], method: str = "POST") -> Any:
        return self._connection.json(method, f"mlflow/{path}", body=body, read=False)


def _experiment(answer: Any) -> str:
    return str(answer["experiment"]["experiment_id"])
