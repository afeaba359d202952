"""The MLflow source on real stores: what it resolves, fetches and refuses."""

from __future__ import annotations

import json
import math
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import requests
from pyarrow import parquet

from aims_gate.attest.manifest import scan
from aims_gate.errors import SourceError, UsageError
from aims_gate.facts import DigestKind
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources import SOURCES
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Fetched, Subject, Workspace
from tests.conftest import Store
from tests.registry_content import FILES, Content, write
from tests.servers import Answer, Proxy, Request, Server, environment

POLICY = Policy(id="p", version="1.0.0")
Space = Callable[..., Workspace]


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """Make workspaces, each with a fresh folder."""

    def make(uri: str, *, max_files: int = 100, max_bytes: int = 1 << 20) -> Workspace:
        folder = tmp_path / f"space-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return Workspace(
            folder=folder,
            max_files=max_files,
            max_bytes=max_bytes,
            environ={"MLFLOW_TRACKING_URI": uri},
        )

    return make


@pytest.fixture
def content(mlflow_server: str) -> Content:
    return Content(uri=mlflow_server)


def fetch(uri: str, workspace: Workspace) -> Fetched:
    return SOURCE.fetch(uri, workspace=workspace)


def open_subject(uri: str, workspace: Workspace, policy: Policy = POLICY) -> Subject:
    return SOURCE.open(uri, policy=policy, given={}, workspace=workspace)


def test_both_schemes_have_this_source() -> None:
    assert SOURCES["models"] is SOURCES["runs"] is SOURCE


def test_a_version_is_copied_hashed_and_named(
    content: Content, space: Space, tmp_path: Path
) -> None:
    logged = content.registered()
    fetched = fetch(logged.uri, space(content.uri))
    expected = scan(write(tmp_path / "expected", FILES))
    assert fetched.manifest == expected
    model = fetched.model
    assert (model.uri, model.name, model.version) == (logged.uri, logged.name, "1")
    assert (model.model_id, model.run_id) == (logged.model_id, logged.run_id)
    assert model.resolved_uri == f"models:/{logged.model_id}"
    assert (model.digest, model.files, model.bytes) == (expected.digest, 3, expected.bytes)
    assert model.reader == "rest"
    server = content.uri.replace(":", "%3A").replace("/", "%2F")
    assert model.resource_uri == f"pkg:mlflow/{logged.name}@1?repository_url={server}"
    assert stat.S_IMODE(fetched.folder.stat().st_mode) == 0o700


def test_every_way_to_name_a_model_gives_the_same_bytes(content: Content, space: Space) -> None:
    logged = content.registered()
    content.client.set_registered_model_alias(logged.name, "champion", "1")
    by_version = fetch(logged.uri, space(content.uri))
    for uri, version in (
        (f"models:/{logged.name}@champion", "1"),
        (f"models:/{logged.model_id}", ""),
        (f"runs:/{logged.run_id}", ""),
        (f"runs:/{logged.run_id}/model", ""),
    ):
        fetched = fetch(uri, space(content.uri))
        assert fetched.manifest == by_version.manifest
        assert fetched.model.resolved_uri == f"models:/{logged.model_id}"
        assert fetched.model.version == version
        wanted = version or logged.model_id
        assert f"@{wanted}?" in fetched.model.resource_uri


def test_a_sqlite_store_gives_the_same_manifest(
    content: Content, mlflow_store: Store, space: Space
) -> None:
    """Two readers, two stores, one digest; what differs is named."""
    over_rest = fetch(content.registered().uri, space(content.uri))
    local = Content(uri=mlflow_store.uri).registered()
    fetched = fetch(local.uri, space(mlflow_store.uri))
    assert fetched.manifest == over_rest.manifest
    assert fetched.model.reader == "client"
    assert fetched.model.resource_uri == f"pkg:mlflow/{local.name}@1?repository_url=mlflow-local"


def test_a_copied_version_leads_to_the_bytes_of_its_origin(content: Content, space: Space) -> None:
    logged = content.registered()
    target = f"prod.{logged.name}"
    content.client.copy_model_version(logged.uri, target)
    content.client.copy_model_version(f"models:/{target}/1", f"eu.{target}")
    fetched = fetch(f"models:/eu.{target}/1", space(content.uri))
    assert (fetched.model.name, fetched.model.version) == (f"eu.{target}", "1")
    assert fetched.model.model_id == logged.model_id
    assert fetched.model.run_id == logged.run_id


def test_bytes_replaced_after_registration_change_the_digest(
    content: Content, space: Space
) -> None:
    """MLflow lets anybody PUT over the files of a READY version, without a trace."""
    logged = content.registered()
    before = fetch(logged.uri, space(content.uri)).model.digest
    path = f"0/models/{logged.model_id}/artifacts/weights/w.bin"
    put(content.uri, path, b"\x00\x01\x03")
    assert fetch(logged.uri, space(content.uri)).model.digest != before


def put(server: str, path: str, data: bytes) -> None:
    url = f"{server}/api/2.0/mlflow-artifacts/artifacts/{path}"
    requests.put(url, data=data, timeout=30).raise_for_status()


HOSTILE = [
    "..%5c..%5cevil",
    "a%1b[31m",
    "C:evil",
    "-rf",
    "a%E2%80%AEb",
    "WEIGHTS/w.bin",
    "mlmodel",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_before_anything_is_written(
    content: Content, space: Space, name: str
) -> None:
    """Stored through the server's own API, which takes them."""
    logged = content.registered()
    put(content.uri, f"0/models/{logged.model_id}/artifacts/{name}", b"x")
    workspace = space(content.uri)
    with pytest.raises(SourceError):
        fetch(logged.uri, workspace)
    assert [path for path in workspace.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "name", ["..", "/etc/cron.d/x", "a/../../b", "x/y", "", "a\x00b", ".", "a\n0", "%2e%2e%2fx"]
)
def test_names_that_only_a_hostile_server_gives_are_refused_too(
    content: Content, space: Space, name: str
) -> None:
    logged = content.registered()
    listing = json.dumps({"files": [{"path": name, "is_dir": False, "file_size": 1}]}).encode()

    def plan(_number: int, request: Request) -> Answer | None:
        listed = "mlflow-artifacts/artifacts?" in request.path
        return Answer(body=listing) if listed else None

    workspace = space("")
    with Proxy(content.uri, plan) as proxy, pytest.raises(SourceError):
        fetch(
            logged.uri,
            Workspace(folder=workspace.folder, environ={"MLFLOW_TRACKING_URI": proxy.url}),
        )
    assert list(workspace.folder.rglob("*/*")) == []


def test_folders_within_folders_for_ever_are_refused(content: Content, space: Space) -> None:
    logged = content.registered()
    listing = json.dumps({"files": [{"path": "a", "is_dir": True}]}).encode()

    def plan(_number: int, request: Request) -> Answer | None:
        return Answer(body=listing) if "mlflow-artifacts/artifacts?" in request.path else None

    with Proxy(content.uri, plan) as proxy, pytest.raises(SourceError, match="more than 20 files"):
        fetch(logged.uri, space(proxy.url, max_files=20))


def test_limits_hold_for_files_and_bytes(content: Content, space: Space) -> None:
    logged = content.registered()
    assert fetch(logged.uri, space(content.uri, max_files=4)).model.files == 3
    with pytest.raises(SourceError, match="more than 3 files and folders"):
        fetch(logged.uri, space(content.uri, max_files=3))
    with pytest.raises(SourceError, match="more than 10 bytes"):
        fetch(logged.uri, space(content.uri, max_bytes=10))


def test_a_file_that_is_larger_than_its_listing_says_is_cut(content: Content, space: Space) -> None:
    """The size in a listing is a claim; the bytes are counted while they come in."""
    logged = content.registered()

    def plan(_number: int, request: Request) -> Answer | None:
        inside = request.path.endswith("/w.bin")
        return Answer(body=b"x" * 5000) if inside else None

    with Proxy(content.uri, plan) as proxy, pytest.raises(SourceError, match="left of the limit"):
        fetch(logged.uri, space(proxy.url, max_bytes=1000))


def test_what_mlflows_client_adds_to_downloads_is_never_hashed(
    content: Content, space: Space
) -> None:
    plain = fetch(content.registered().uri, space(content.uri))
    extra = content.registered(files={**FILES, "registered_model_meta": b"model_name: x\n"})
    fetched = fetch(extra.uri, space(content.uri))
    assert fetched.manifest == plain.manifest
    deeper = content.registered(files={**FILES, "weights/registered_model_meta": b"x"})
    assert fetch(deeper.uri, space(content.uri)).model.files == 4


def test_a_file_with_the_name_of_its_folder_is_hashed_or_the_model_is_refused(
    content: Content, mlflow_store: Store, space: Space
) -> None:
    """MLflow's client drops it from a server's listing: it must not drop out of the digest."""
    files = {**FILES, "weights/w.bin/w.bin": b"x"}
    del files["weights/w.bin"]
    logged = content.registered(files=files)
    assert fetch(logged.uri, space(content.uri)).model.files == 3
    local = Content(uri=mlflow_store.uri).registered(files=files)
    assert fetch(local.uri, space(mlflow_store.uri)).model.files == 3
    workspace = space(content.uri)
    environ = {**workspace.environ, "MLFLOW_REGISTRY_URI": content.uri + "/"}
    with pytest.raises(SourceError, match="lists nothing"):
        fetch(logged.uri, Workspace(folder=workspace.folder, environ=environ))


def test_a_model_that_is_not_ready_is_refused(content: Content, space: Space) -> None:
    model = content.client.create_logged_model("0", name="half").model_id
    with pytest.raises(SourceError, match="not ready: 'PENDING'"):
        fetch(f"models:/{model}", space(content.uri))


def test_a_model_without_files_is_refused(content: Content, space: Space) -> None:
    model = content.client.create_logged_model("0", name="empty").model_id
    content.client.finalize_logged_model(model, "READY")
    with pytest.raises(SourceError, match="no files"):
        fetch(f"models:/{model}", space(content.uri))


def test_a_run_with_two_models_is_ambiguous_and_names_them(content: Content, space: Space) -> None:
    run_id = content.run()
    models = {content.model(run_id), content.model(run_id)}
    for uri in (f"runs:/{run_id}", f"runs:/{run_id}/model"):
        with pytest.raises(SourceError, match="more than one") as caught:
            fetch(uri, space(content.uri))
        assert all(model in caught.value.hint for model in models)


def test_a_run_of_mlflow_2_keeps_its_model_among_its_artifacts(
    content: Content, space: Space
) -> None:
    run_id = content.run()
    for name, data in FILES.items():
        content.artifact(run_id, f"model/{name}", data)
    fetched = fetch(f"runs:/{run_id}", space(content.uri))
    assert fetched.model.resolved_uri == f"runs:/{run_id}/model"
    assert (fetched.model.files, fetched.model.model_id) == (3, "")
    assert f"pkg:mlflow/model@{run_id}?" in fetched.model.resource_uri
    root = content.client.get_run(run_id).info.artifact_uri
    version = content.version(f"old-{run_id}", f"{root}/model", run_id)
    registered = fetch(f"models:/old-{run_id}/{version}", space(content.uri))
    assert registered.manifest == fetched.manifest
    assert registered.model.run_id == run_id


def test_a_run_without_a_model_is_refused(content: Content, space: Space) -> None:
    with pytest.raises(SourceError, match="no such model"):
        fetch(f"runs:/{content.run()}", space(content.uri))


def test_a_version_that_names_somebody_elses_run_is_refused(content: Content, space: Space) -> None:
    """Otherwise a good run could vouch for another run's model."""
    logged, other = content.registered(), content.run()
    forged = content.version(f"forged-{logged.name}", f"models:/{logged.model_id}", other)
    with pytest.raises(SourceError, match="its files are not that run's"):
        fetch(f"models:/forged-{logged.name}/{forged}", space(content.uri))


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc",
        "/etc",
        "mlflow-artifacts:/../etc",
        "models:/../etc",
        "models:/other@champion",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_hostile_sources_of_a_version_are_never_followed(
    content: Content, space: Space, source: str
) -> None:
    logged = content.registered()

    def plan(_number: int, request: Request) -> Answer | None:
        if "model-versions/get?" not in request.path:
            return None
        version = {"name": logged.name, "version": "1", "source": source, "status": "READY"}
        return Answer(body=json.dumps({"model_version": version}).encode())

    with Proxy(content.uri, plan) as proxy:
        with pytest.raises(SourceError):
            fetch(logged.uri, space(proxy.url))
        assert not any("etc" in request.path for request in proxy.seen)


def test_a_chain_that_does_not_end_is_refused(content: Content, space: Space) -> None:
    def plan(_number: int, request: Request) -> Answer:
        assert "model-versions/get?" in request.path
        version = {"name": "loop", "version": "1", "source": "models:/loop/1", "status": "READY"}
        return Answer(body=json.dumps({"model_version": version}).encode())

    with Proxy(content.uri, plan) as proxy:
        with pytest.raises(SourceError, match="does not end"):
            fetch("models:/loop/1", space(proxy.url))
        assert len(proxy.seen) == 9


def test_a_server_that_answers_with_another_version_is_refused(
    content: Content, space: Space
) -> None:
    version = {"name": "cr", "version": "2", "source": "models:/m-1", "status": "READY"}
    body = json.dumps({"model_version": version}).encode()
    with (
        Proxy(content.uri, lambda _n, _r: Answer(body=body)) as proxy,
        pytest.raises(SourceError, match="another version"),
    ):
        fetch("models:/cr/1", space(proxy.url))


def test_an_unknown_form_is_a_usage_error(space: Space, mlflow_server: str) -> None:
    with pytest.raises(UsageError):
        fetch("models:/cr/latest", space(mlflow_server))


def test_a_local_link_out_of_the_store_is_not_followed(mlflow_store: Store, space: Space) -> None:
    content = Content(uri=mlflow_store.uri)
    logged = content.registered()
    place = Path(content.client.get_logged_model(logged.model_id).artifact_location)
    (place / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(SourceError, match="symbolic link"):
        fetch(logged.uri, space(mlflow_store.uri))


def table(rows: int = 5) -> pa.Table:
    return pa.table({"y": [n % 2 for n in range(rows)], "yhat": [0] * rows})


def log(content: Content, run_id: str, path: str, logged: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    parquet.write_table(logged, sink)
    content.artifact(run_id, path, sink.getvalue().to_pybytes())


def test_a_subject_has_its_run_with_every_point_and_its_data_by_convention(
    content: Content, space: Space
) -> None:
    logged = content.registered()
    log(content, logged.run_id, "aims_gate/evaluation.parquet", table(5))
    log(content, logged.run_id, "elsewhere/now.parquet", table(7))
    policy = Policy(
        id="p",
        version="1",
        data={
            Role.EVALUATION: DataSpec(label="y", prediction="yhat"),
            Role.CURRENT: DataSpec(source="artifact:elsewhere/now.parquet", label="y"),
        },
    )
    subject = open_subject(logged.uri, space(content.uri), policy)
    assert subject.run is not None
    assert (subject.run.run_id, subject.run.status) == (logged.run_id, "FINISHED")
    points = [(p.key, p.step, p.value) for p in subject.run.metrics if p.key == "auc"]
    assert points == [("auc", 0, 0.75), ("auc", 1, 0.875)]
    assert any(math.isnan(p.value) for p in subject.run.metrics)
    assert set(subject.data) == {Role.EVALUATION, Role.CURRENT}
    assert subject.unread == {}
    data = subject.data[Role.EVALUATION]
    assert data.frame.rows == 5
    assert data.identity.uri == f"runs:/{logged.run_id}/aims_gate/evaluation.parquet"
    assert data.identity.digest_kind is DigestKind.FILE
    assert data.created == subject.run.ended
    assert subject.data[Role.CURRENT].frame.rows == 7
    assert subject.flavors == ("python_function",)


def test_data_that_are_not_there_are_missing_and_a_folder_without_parquet_is_unread(
    content: Content, space: Space
) -> None:
    logged = content.registered()
    log(content, logged.run_id, "aims_gate/current.parquet/plain/inner.parquet", table())
    policy = Policy(
        id="p", version="1", data={Role.EVALUATION: DataSpec(source="artifact:no.parquet")}
    )
    subject = open_subject(logged.uri, space(content.uri), policy)
    assert subject.data == {}
    assert set(subject.unread) == {Role.CURRENT}
    assert "'plain' is not called KEY=VALUE" in str(subject.unread[Role.CURRENT])


def test_a_dataset_source_of_a_run_is_never_loaded(content: Content, space: Space) -> None:
    """It can name /etc/passwd or an inner host; only its digest is taken, as a link."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    logged = content.registered()
    with Proxy(content.uri, lambda _n, _r: Answer()) as inner:
        source = json.dumps({"url": f"{inner.url}/latest/meta-data"})
        dataset = Dataset(name="d", digest="77aa", source_type="http", source=source)
        tags = [InputTag("mlflow.data.context", "evaluation")]
        content.client.log_inputs(logged.run_id, [DatasetInput(dataset, tags)])
        log(content, logged.run_id, "aims_gate/evaluation.parquet", table())
        subject = open_subject(logged.uri, space(content.uri))
        assert inner.seen == []
    assert subject.data[Role.EVALUATION].identity.mlflow_digest == "77aa"


def test_a_model_without_a_run_has_no_run_and_no_data(content: Content, space: Space) -> None:
    subject = open_subject(f"models:/{content.model(None)}", space(content.uri))
    assert subject.run is None
    assert (subject.data, subject.unread) == ({}, {})


def test_a_server_that_dies_while_a_model_is_read_is_a_source_error(
    content: Content, space: Space
) -> None:
    logged = content.registered()
    with (
        Proxy(content.uri, lambda n, _r: Answer(status=0) if n >= 4 else None) as proxy,
        pytest.raises(SourceError, match="cannot reach MLflow"),
    ):
        open_subject(logged.uri, space(proxy.url))


def test_a_trained_scikit_learn_model_is_read(mlflow_process: Server, space: Space) -> None:
    """What `mlflow.sklearn.log_model` really writes, from a process of its own."""
    code = """
import numpy as np, mlflow
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(%r)
x = np.arange(8.0).reshape(-1, 1)
with mlflow.start_run():
    mlflow.sklearn.log_model(LogisticRegression().fit(x, x[:, 0] > 3), name="model",
        registered_model_name="trained", input_example=x[:2], pip_requirements=["scikit-learn"])
"""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code % mlflow_process.url],
        check=True,
        capture_output=True,
        env=environment(),
        cwd=mlflow_process.folder,
    )
    subject = open_subject("models:/trained/1", space(mlflow_process.url))
    names = {entry.path for entry in subject.manifest.entries}
    assert {"MLmodel", "requirements.txt", "python_env.yaml"} <= names
    assert "sklearn" in subject.flavors
    assert subject.run is not None
    assert subject.model.run_id == subject.run.run_id


def test_a_folder_of_the_run_is_read_as_one_table(content: Content, space: Space) -> None:
    logged = content.registered()
    for year in (2025, 2026):
        log(content, logged.run_id, f"lake/year={year}/a.parquet", table())
    policy = Policy(id="p", version="1", data={Role.EVALUATION: DataSpec(source="artifact:lake")})
    data = open_subject(logged.uri, space(content.uri), policy).data[Role.EVALUATION]
    assert data.identity.digest_kind is DigestKind.TREE
    assert "year" in data.frame.kinds
    assert data.frame.rows == 2 * table().num_rows


def test_a_data_set_in_another_runs_artifacts_needs_the_allow_list(
    content: Content, space: Space
) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    logged, other = content.registered(), content.run()
    log(content, other, "data/eval.parquet", table())
    place = f"{content.client.get_run(other).info.artifact_uri}/data/eval.parquet"
    dataset = Dataset("eval", other[:8], "local", json.dumps({"uri": place}))
    tags = [InputTag("mlflow.data.context", "testing")]
    content.client.log_inputs(logged.run_id, [DatasetInput(dataset, tags)])
    for source in ("dataset:eval", "context:testing"):
        spec = {Role.EVALUATION: DataSpec(source=source)}
        policy = Policy(id="p", version="1", data=spec, sources_allow=("mlflow-artifacts:",))
        data = open_subject(logged.uri, space(content.uri), policy).data[Role.EVALUATION]
        assert (data.identity.uri, data.identity.mlflow_digest) == (place, other[:8])
        policy = Policy(id="p", version="1", data=spec)
        subject = open_subject(logged.uri, space(content.uri), policy)
        assert "sources.allow does not permit" in str(subject.unread[Role.EVALUATION])


def commit_of(content: Content) -> str:
    import uuid

    return uuid.uuid4().hex + "0" * 8


def of_commit(content: Content, commit: str, *, end: bool = True) -> tuple[str, str]:
    run_id = content.run(end=end, tags={"mlflow.source.git.commit": commit})
    return run_id, content.model(run_id)


def test_a_commit_is_the_one_finished_run_that_was_made_from_it(
    content: Content, space: Space
) -> None:
    commit = commit_of(content)
    run_id, model_id = of_commit(content, commit)
    of_commit(content, commit, end=False)  # a run that still runs is not meant
    workspace = space(content.uri)
    fetched = SOURCES["commit"].fetch(f"commit:{commit}", workspace=workspace)
    assert (fetched.model.run_id, fetched.model.model_id) == (run_id, model_id)
    assert (fetched.model.uri, fetched.model.resolved_uri) == (
        f"commit:{commit}",
        f"models:/{model_id}",
    )


def test_a_commit_of_no_or_many_finished_runs_is_undecided_and_says_what_there_is(
    content: Content, space: Space
) -> None:
    commit = commit_of(content)
    with pytest.raises(SourceError, match="no finished run in all experiments"):
        fetch(f"commit:{commit}", space(content.uri))
    running, _ = of_commit(content, commit, end=False)
    with pytest.raises(SourceError, match=f"runs:/{running} is RUNNING"):
        fetch(f"commit:{commit}", space(content.uri))
    first, second = (of_commit(content, commit)[0] for _ in range(2))
    with pytest.raises(SourceError, match="2 finished runs") as caught:
        fetch(f"commit:{commit}", space(content.uri))
    assert first in str(caught.value)
    assert second in str(caught.value)
    assert caught.value.exit_code == 3


def test_an_experiment_says_which_of_two_runs_is_meant(content: Content, space: Space) -> None:
    commit = commit_of(content)
    of_commit(content, commit)
    name = f"training-{commit[:8]}"
    experiment = content.client.create_experiment(name)
    tags = {"mlflow.source.git.commit": commit}
    run_id = content.client.create_run(experiment, tags=tags).info.run_id
    content.client.set_terminated(run_id)
    model_id = content.model(run_id)
    fetched = fetch(f"commit:{commit}", replace(space(content.uri), experiment=name))
    assert (fetched.model.run_id, fetched.model.model_id) == (run_id, model_id)
    with pytest.raises(SourceError, match="2 finished runs"):
        fetch(f"commit:{commit}", space(content.uri))
    with pytest.raises(SourceError):
        fetch(f"commit:{commit}", replace(space(content.uri), experiment="nobody"))


@pytest.mark.parametrize("commit", ["", "abc123", "HEAD", "A" * 40, "g" * 40, "0" * 41, "' or '1"])
def test_only_a_full_commit_is_one(content: Content, space: Space, commit: str) -> None:
    with pytest.raises(UsageError, match="not a full git commit"):
        fetch(f"commit:{commit}", space(content.uri))


def test_a_caller_may_name_what_another_run_logged(content: Content, space: Space) -> None:
    """By the URI that `log_evaluation` gives; a policy may not, and a lost one is unread."""
    logged, other = content.registered(), content.run()
    content.artifact(other, "aims_gate/evaluation.csv", b"y,p\n1,1\n0,1\n")
    uri = f"runs:/{other}/aims_gate/evaluation.csv"

    def opened(given: str, policy: Policy = POLICY) -> Subject:
        data = {Role.EVALUATION: given} if given else {}
        return SOURCE.open(logged.uri, policy=policy, given=data, workspace=space(content.uri))

    found = opened(uri).data[Role.EVALUATION]
    assert (found.identity.uri, found.frame.rows) == (uri, 2)
    assert found.created is not None
    for lost, told in (
        (f"runs:/{'0' * 32}/x.csv", "no such thing"),
        (f"runs:/{other}", "names no artifact"),
        (f"runs:/{other}/../x.csv", "no model URI|not a model URI|runs:/RUN_ID"),
    ):
        error = opened(lost).unread[Role.EVALUATION]
        assert re.search(told, str(error)), str(error)
    assert not opened(f"runs:/{other}/aims_gate/no.csv").data
    naming = Policy(id="p", version="1", data={Role.EVALUATION: DataSpec(source=uri)})
    assert "cannot be read" in str(opened("", naming).unread[Role.EVALUATION])
