"""What strangers, or a server, could put in the way of a model's bytes: refused, not followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aims_gate.errors import SourceError
from aims_gate.sources.subject import Workspace
from tests.conftest import Store
from tests.sources.mlflow.opened import Space, fetch, open_subject, put
from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import FILES, Content

HOSTILE = [
    "..%5c..%5cevil",
    "a%1b[31m",
    "C:evil",
    "-rf",
    "a%E2%80%AEb",
    "WEIGHTS/w.txt",
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
        inside = request.path.endswith("/w.txt")
        return Answer(body=b"x" * 5000) if inside else None

    with Proxy(content.uri, plan) as proxy, pytest.raises(SourceError, match="left of the limit"):
        fetch(logged.uri, space(proxy.url, max_bytes=1000))


def test_a_file_with_the_name_of_its_folder_is_hashed_or_the_model_is_refused(
    content: Content, mlflow_store: Store, space: Space
) -> None:
    """MLflow's client drops it from a server's listing: it must not drop out of the digest."""
    files = {**FILES, "weights/w.txt/w.txt": b"x"}
    del files["weights/w.txt"]
    logged = content.registered(files=files)
    assert fetch(logged.uri, space(content.uri)).model.files == 3
    local = Content(uri=mlflow_store.uri).registered(files=files)
    assert fetch(local.uri, space(mlflow_store.uri)).model.files == 3
    workspace = space(content.uri)
    environ = {**workspace.environ, "MLFLOW_REGISTRY_URI": content.uri + "/"}
    with pytest.raises(SourceError, match="lists nothing"):
        fetch(logged.uri, Workspace(folder=workspace.folder, environ=environ))


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


def test_a_local_link_out_of_the_store_is_not_followed(mlflow_store: Store, space: Space) -> None:
    content = Content(uri=mlflow_store.uri)
    logged = content.registered()
    place = Path(content.client.get_logged_model(logged.model_id).artifact_location)
    (place / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(SourceError, match="symbolic link"):
        fetch(logged.uri, space(mlflow_store.uri))


def test_a_server_that_dies_while_a_model_is_read_is_a_source_error(
    content: Content, space: Space
) -> None:
    logged = content.registered()
    with (
        Proxy(content.uri, lambda n, _r: Answer(status=0) if n >= 4 else None) as proxy,
        pytest.raises(SourceError, match="cannot reach MLflow"),
    ):
        open_subject(logged.uri, space(proxy.url))


def test_a_copy_of_a_version_that_was_made_anew_is_refused(content: Content, space: Space) -> None:
    """Its source leads to good files, and MLflow hands out those that it was registered with."""
    shown = content.registered()
    hidden = content.model(shown.run_id, {"MLmodel": b"hidden: 1\n"})
    name = f"{shown.name}-shadow"
    content.version(name, f"models:/{hidden}", shown.run_id)
    version = content.version(f"{name}-copy", f"models:/{name}/1")
    uri = f"models:/{name}-copy/{version}"
    fetch(uri, space(content.uri))
    content.client.delete_registered_model(name)
    content.version(name, f"models:/{shown.model_id}", shown.run_id)
    with pytest.raises(SourceError, match="leads elsewhere than where MLflow downloads it from"):
        fetch(uri, space(content.uri))
