"""Every implementation of `Registry`, against real stores: a server, and a sqlite file."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry import rest
from aims_gate.registry.client import ClientRegistry
from aims_gate.registry.contract import LOCAL, NotFoundError
from aims_gate.registry.entities import DatasetInput
from aims_gate.registry.rest import RestRegistry
from aims_gate.sources.mlflow.fetch import list_tree
from tests.conformance.conftest import Place
from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import FILES, Content, Logged

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_a_version_says_where_it_came_from(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    content.client.set_model_version_tag(logged.name, logged.version, "team", "risk")
    version = registry.get_version(logged.name, logged.version)
    assert (version.name, version.version) == (logged.name, "1")
    assert version.source == f"models:/{logged.model_id}"
    assert (version.run_id, version.status) == (logged.run_id, "READY")
    assert (version.tags, version.stage) == ({"team": "risk"}, "")
    with pytest.warns(FutureWarning, match="deprecated"):
        content.client.transition_model_version_stage(logged.name, logged.version, "production")
    assert registry.get_version(logged.name, logged.version).stage == "Production"


def test_files_of_a_version_are_downloaded_from_where_they_were_when_it_was_registered(
    place: Place,
) -> None:
    """A copy of a version that was deleted and made anew still hands out the files of before."""
    registry, content = place
    first, other = content.registered(), content.registered(files={"MLmodel": b"other: 1\n"})
    copied = f"{first.name}-copy"
    version = content.version(copied, f"models:/{first.name}/{first.version}")
    before = registry.logged_model(first.model_id).artifact_uri
    assert registry.download_uri(copied, version).rstrip("/") == before.rstrip("/")
    content.client.delete_registered_model(first.name)
    content.version(first.name, f"models:/{other.model_id}", other.run_id)
    assert registry.download_uri(copied, version).rstrip("/") == before.rstrip("/")
    with pytest.raises(NotFoundError):
        registry.download_uri(copied, "77")


def test_an_alias_gives_the_version_it_points_at_now(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    second = content.version(logged.name, f"models:/{logged.model_id}", logged.run_id)
    content.client.set_registered_model_alias(logged.name, "champion", "1")
    assert registry.get_alias(logged.name, "champion").version == "1"
    content.client.set_registered_model_alias(logged.name, "champion", second)
    assert registry.get_alias(logged.name, "champion").version == "2"


def test_a_registered_model_lists_its_aliases_and_an_unknown_one_is_an_error(place: Place) -> None:
    """So that an alias that is not there can be told from a model that is not there."""
    registry, content = place
    logged = content.registered()
    assert registry.aliases(logged.name) == {}
    second = content.version(logged.name, f"models:/{logged.model_id}", logged.run_id)
    content.client.set_registered_model_alias(logged.name, "champion", "1")
    content.client.set_registered_model_alias(logged.name, "shadow", second)
    assert registry.aliases(logged.name) == {"champion": "1", "shadow": "2"}
    with pytest.raises(NotFoundError):
        registry.aliases("nobody")


def test_all_registered_models_are_listed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MAX_METRICS", 2)  # more than one page
    registry, content = place
    names = {f"all-{uuid.uuid4().hex[:8]}-{n}" for n in range(3)}
    for name in names:
        content.client.create_registered_model(name)
    assert names <= set(registry.model_names())


def test_what_is_not_there_is_an_error_and_never_an_empty_answer(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    for ask in (
        lambda: registry.get_version(logged.name, "77"),
        lambda: registry.get_version("nobody", "1"),
        lambda: registry.logged_model("m-" + "0" * 32),
        lambda: registry.run("0" * 32),
    ):
        with pytest.raises(NotFoundError):
            ask()
    with pytest.raises(SourceError):
        registry.get_alias(logged.name, "nobody")


def test_versions_are_listed_newest_first(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    for _again in range(10):
        content.version(logged.name, f"models:/{logged.model_id}", logged.run_id)
    other = content.registered()
    newest = registry.versions(logged.name, last=3)
    assert [version.version for version in newest] == ["11", "10", "9"]
    assert {(one.name, one.run_id) for one in newest} == {(logged.name, logged.run_id)}
    assert len(registry.versions(logged.name, last=1000)) == 11
    assert [one.name for one in registry.versions(other.name, last=5)] == [other.name]
    assert registry.versions("nobody", last=5) == ()
    with pytest.raises(UsageError):
        registry.versions("x' OR name LIKE '%", last=5)


def test_runs_of_an_experiment_are_listed_newest_first(place: Place) -> None:
    registry, content = place
    name = f"past {uuid.uuid4().hex}'s"
    key = content.client.create_experiment(name)
    runs = [content.client.create_run(key, start_time=1000 + n).info.run_id for n in range(4)]
    content.client.delete_run(runs[1])
    content.client.log_metric(runs[3], "auc", 0.5)
    found = registry.runs(name, last=2)
    assert [run.run_id for run in found] == [runs[3], runs[2]]
    assert found[0].metrics == {"auc": 0.5}
    assert [run.run_id for run in registry.runs(name, last=9)] == [runs[3], runs[2], runs[0]]
    with pytest.raises(NotFoundError):
        registry.runs("nobody's", last=9)
    assert content.client.get_experiment_by_name("nobody's") is None, "looking makes nothing"


def test_a_logged_model_names_its_run_and_its_place(place: Place) -> None:
    registry, content = place
    run_id = content.run()
    model = registry.logged_model(content.model(run_id))
    assert (model.name, model.run_id, model.status) == ("model", run_id, "READY")
    assert registry.reads(model.artifact_uri)


def test_a_model_whose_files_are_not_complete_is_not_ready(place: Place) -> None:
    registry, content = place
    pending = content.client.create_logged_model("0", name="half").model_id
    assert registry.logged_model(pending).status == "PENDING"
    content.client.finalize_logged_model(pending, "FAILED")
    assert registry.logged_model(pending).status == "FAILED"


def test_a_run_tells_its_status_times_tags_models_and_datasets(place: Place) -> None:
    from mlflow.entities import Dataset, InputTag
    from mlflow.entities import DatasetInput as Input

    registry, content = place
    run_id = content.run(end=False, tags={"mlflow.source.git.commit": "abc"})
    digest = uuid.uuid4().hex[:8]  # MLflow keeps the first source of a name and digest
    source = '{"uri": "/etc/passwd"}'
    dataset = Dataset(name="d", digest=digest, source_type="local", source=source)
    tags = [InputTag("mlflow.data.context", "evaluation")]
    content.client.log_inputs(run_id, [Input(dataset, tags)])
    model_id = content.model(run_id)
    running = registry.run(run_id)
    assert (running.status, running.ended) == ("RUNNING", None)
    content.client.set_terminated(run_id)
    run = registry.run(run_id)
    assert run.status == "FINISHED"
    assert run.started is not None
    assert run.ended is not None
    assert run.started <= run.ended
    assert run.tags["mlflow.source.git.commit"] == "abc"
    assert run.models == (model_id,)
    assert run.datasets == (
        DatasetInput(name="d", digest=digest, context="evaluation", source=source),
    )


def test_metrics_come_with_every_point_and_nan_stays_nan(place: Place) -> None:
    registry, content = place
    run_id = content.run()
    run = registry.run(run_id)
    assert run.metrics["auc"] == 0.875
    assert math.isnan(run.metrics["loss"])
    points = registry.metric_history(run_id, "auc")
    assert [(p.step, p.value) for p in points] == [(0, 0.75), (1, 0.875)]
    assert all(p.timestamp is not None and p.timestamp.tzinfo is not None for p in points)
    assert math.isnan(registry.metric_history(run_id, "loss")[0].value)


def test_a_logged_model_has_the_points_of_every_run_with_data_set_and_run(place: Place) -> None:
    registry, content = place
    made, judged = content.run(end=False), content.run(end=False)
    model_id = content.model(made)
    log = content.client.log_metric
    named = {"model_id": model_id, "dataset_digest": "d0"}
    log(made, "auc", 0.5, dataset_name="holdout", **named)
    log(judged, "auc", 0.625, dataset_name="other", **named)
    log(judged, "loss", float("nan"), model_id=model_id)
    points = registry.logged_model(model_id).metrics
    found = {(p.key, p.value, p.dataset_name, p.run_id) for p in points if p.key == "auc"}
    assert found == {("auc", 0.5, "holdout", made), ("auc", 0.625, "other", judged)}
    assert all(p.timestamp is not None and p.timestamp.tzinfo is not None for p in points)
    assert {p.dataset_digest for p in points if p.key == "auc"} == {"d0"}
    # SQL stores forget here that a 0 was NaN; the history of the run knows
    assert [p.value for p in points if p.key == "loss" and p.run_id == judged] == [0.0]
    (spot,) = [(p.timestamp, p.step) for p in points if p.key == "loss"]
    history = registry.metric_history(judged, "loss")
    assert any(math.isnan(p.value) and (p.timestamp, p.step) == spot for p in history)
    assert {p.model_id for p in points} == {model_id}


def test_artifacts_are_listed_one_folder_at_a_time_and_downloaded_whole(
    place: Place, tmp_path: Path
) -> None:
    registry, content = place
    uri = registry.logged_model(content.model(content.run())).artifact_uri
    top = {(a.path, a.is_dir) for a in registry.list_artifacts(uri)}
    assert top == {("MLmodel", False), ("requirements.txt", False), ("weights", True)}
    (weights,) = registry.list_artifacts(uri, "weights")
    assert (weights.path, weights.bytes) == ("weights/w.txt", 3)
    assert {a.path for a in list_tree(registry, uri, max_files=9)} == set(FILES)
    size = registry.download(uri, "weights/w.txt", tmp_path / "w", limit=3)
    assert (size, (tmp_path / "w").read_bytes()) == (3, FILES["weights/w.txt"])


def test_a_file_or_nothing_lists_as_nothing(place: Place) -> None:
    registry, content = place
    uri = registry.logged_model(content.model(content.run())).artifact_uri
    assert registry.list_artifacts(uri, "nowhere") == ()
    assert registry.list_artifacts(uri, "MLmodel") == ()
    assert registry.list_artifacts(uri, "weights/w.txt") == ()


def test_a_download_stops_at_its_limit(place: Place, tmp_path: Path) -> None:
    registry, content = place
    uri = registry.logged_model(content.model(content.run())).artifact_uri
    with pytest.raises(SourceError, match="more than the 2 bytes"):
        registry.download(uri, "weights/w.txt", tmp_path / "w", limit=2)


def test_a_download_of_nothing_is_an_error(place: Place, tmp_path: Path) -> None:
    registry, content = place
    uri = registry.logged_model(content.model(content.run())).artifact_uri
    with pytest.raises(SourceError):
        registry.download(uri, "weights/other.bin", tmp_path / "w", limit=2)


def test_the_gates_own_run_is_written_and_found_by_its_tag(place: Place, tmp_path: Path) -> None:
    registry, content = place
    logged = content.registered()
    experiment = registry.experiment("aims-gate")
    assert registry.experiment("aims-gate") == experiment
    key = uuid.uuid4().hex
    tags = {"aims_gate.evaluation": key}
    run = registry.create_run(experiment, name="cr 1", started=AT, tags=tags)
    assert (run.status, run.started) == ("RUNNING", AT)
    for _again in range(2):
        registry.link_model(run.run_id, logged.model_id)
        registry.log_metrics(run.run_id, {"PERF-01.roc_auc": 0.5, "BIAS-02.gap": 0.0}, at=AT)
    file = tmp_path / "report.json"
    file.write_bytes(b"{}")
    registry.upload(run.artifact_uri, "aims_gate/e1/report.json", file)
    registry.finish_run(run.run_id, at=AT)
    (found,) = registry.find_runs(experiment, "aims_gate.evaluation", key)
    assert (found.run_id, found.status, found.ended) == (run.run_id, "FINISHED", AT)
    assert found.metrics == {"PERF-01.roc_auc": 0.5, "BIAS-02.gap": 0.0}
    assert [p.timestamp for p in registry.metric_history(run.run_id, "BIAS-02.gap")] == [AT]
    (stored,) = registry.list_artifacts(run.artifact_uri, "aims_gate/e1")
    assert (stored.path, stored.bytes) == ("aims_gate/e1/report.json", 2)
    inputs = content.client.get_run(run.run_id).inputs.model_inputs
    assert [item.model_id for item in inputs] == [logged.model_id]
    assert registry.find_runs(experiment, "aims_gate.evaluation", "other") == ()


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("reader", ["rest", "client"])
def test_an_experiment_that_somebody_else_makes_meanwhile_is_found(
    mlflow_server: str, reader: str, *, refused: bool
) -> None:
    """Two gates publish at the same time to a new server; a refusal that is none of that stays."""
    name, client = f"first {uuid.uuid4().hex}", Content(uri=mlflow_server).client
    made: list[str] = []

    def other_is_faster(_number: int, request: Request) -> Answer | None:
        if not request.path.endswith("/experiments/create"):
            return None
        if refused:
            return Answer(status=403, body=b'{"error_code": "PERMISSION_DENIED", "message": "no"}')
        made.append(client.create_experiment(name))
        return None

    with Proxy(mlflow_server, other_is_faster) as proxy:
        registry = RestRegistry(proxy.url, {}) if reader == "rest" else ClientRegistry(proxy.url)
        if refused:
            with pytest.raises(SourceError, match=r"403|PERMISSION_DENIED"):
                registry.experiment(name)
        else:
            assert [registry.experiment(name)] == made


def test_many_metrics_are_all_logged(place: Place) -> None:
    """More than MLflow takes in one call."""
    registry, _content = place
    run = registry.create_run(registry.experiment("aims-gate"), name="n", started=AT, tags={})
    values = {f"R-{number}.x": float(number) for number in range(1_001)}
    registry.log_metrics(run.run_id, values, at=AT)
    assert registry.run(run.run_id).metrics == values


def test_a_version_tag_is_set(place: Place) -> None:
    registry, content = place
    logged: Logged = content.registered()
    registry.set_version_tag(logged.name, "1", "aims_gate.verdict", "passed")
    registry.set_version_tag(logged.name, "1", "aims_gate.verdict", "refused")
    assert registry.get_version(logged.name, "1").tags == {"aims_gate.verdict": "refused"}


@pytest.mark.parametrize(
    "uri",
    [
        "mlflow-artifacts://elsewhere.example/1/models",
        "https://elsewhere.example/api/2.0/mlflow-artifacts/artifacts/1",
        "ftp://elsewhere.example/1",
        "file://elsewhere.example/etc",
    ],
)
def test_artifacts_of_another_host_are_not_read(place: Place, uri: str) -> None:
    registry, _content = place
    if uri.startswith("file:") and registry.server == LOCAL:
        uri = "sftp://elsewhere.example/etc"
    assert not registry.reads(uri)
    with pytest.raises(SourceError):
        registry.list_artifacts(uri)


def test_folders_of_this_machine_are_not_read_because_a_server_names_them(
    mlflow_server: str,
) -> None:
    for registry in (RestRegistry(mlflow_server, {}), ClientRegistry(mlflow_server)):
        for uri in ("/etc", "file:///etc"):
            assert not registry.reads(uri)
            with pytest.raises(SourceError):
                registry.download(uri, "passwd", Path("never"), limit=1)
    assert not Path("never").exists()


def test_runs_are_found_by_their_commit_in_one_experiment_or_all(place: Place) -> None:
    registry, content = place
    commit = uuid.uuid4().hex + "0" * 8
    tags = {"mlflow.source.git.commit": commit}
    finished, running = content.run(tags=tags), content.run(tags=tags, end=False)
    deleted = content.run(tags=tags)
    content.client.delete_run(deleted)
    name = f"other-{commit[:8]}"
    elsewhere = content.client.create_run(
        content.client.create_experiment(name), tags=tags
    ).info.run_id
    found = {run.run_id: run.status for run in registry.runs_of_commit(commit)}
    assert found == {finished: "FINISHED", running: "RUNNING", elsewhere: "RUNNING"}
    assert [run.run_id for run in registry.runs_of_commit(commit, name)] == [elsewhere]
    assert registry.runs_of_commit("0" * 40) == ()
    with pytest.raises(NotFoundError):
        registry.runs_of_commit(commit, f"nobody-{commit[:8]}")


def test_traces_tell_what_scorers_said_and_neither_question_nor_answer(place: Place) -> None:
    from mlflow.entities import Feedback as Given

    registry, content = place
    run_id, digest = content.run(end=False), "sha256:" + "a" * 64
    named = {"mlflow.assessment.scorerDigest": digest}
    said = [
        [Given(name="exact", value=True, metadata=named, rationale="the customer asked")],
        [Given(name="exact", error=ValueError("the customer asked")), Given(name="n", value=2)],
    ]
    ids = content.judged(run_id, said, model_id="m-1", topic=["loan", "card"])
    traces = {t.trace_id: t for t in registry.traces(("0",), f"attribute.run_id = '{run_id}'")}
    assert set(traces) == set(ids)
    first, second = (traces[trace_id] for trace_id in ids)
    assert (first.run_id, first.model_id, first.tags) == (run_id, "m-1", {"topic": "loan"})
    (one,) = first.feedback
    assert (one.name, one.value, one.valid, one.digest) == ("exact", True, True, digest)
    assert (one.run_id, bool(one.key), one.overrides) == (run_id, True, "")
    assert {f.name: f.value for f in second.feedback} == {"exact": None, "n": 2}
    assert "customer" not in repr(traces)
    assert registry.traces(("0",), "attribute.run_id = 'nobody'") == ()
