from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.choose import CLIENT_ONLY, for_artifacts, open_registry
from aims_gate.registry.contract import LOCAL
from tests.conftest import Store

SERVER = "http://127.0.0.1:9"


def test_no_tracking_uri_is_refused_instead_of_guessed() -> None:
    """MLflow's own default would make an empty store in the working directory."""
    for environ in ({}, {"MLFLOW_TRACKING_URI": " "}):
        with pytest.raises(UsageError, match="MLFLOW_TRACKING_URI is not set") as caught:
            open_registry(environ)
        assert "https://" in caught.value.hint


def test_a_plain_server_is_read_over_rest() -> None:
    registry = open_registry({"MLFLOW_TRACKING_URI": SERVER, "MLFLOW_ENABLE_WORKSPACES": "false"})
    assert (registry.name, registry.server) == ("rest", SERVER)
    assert (
        open_registry({"MLFLOW_TRACKING_URI": SERVER, "MLFLOW_REGISTRY_URI": SERVER}).name == "rest"
    )


@pytest.mark.parametrize("variable", CLIENT_ONLY)
def test_special_set_ups_go_through_mlflows_client(variable: str) -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER, variable: "true"}
    assert open_registry(environ).name == "client"


def test_a_registry_apart_from_tracking_goes_through_mlflows_client(mlflow_store: Store) -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER, "MLFLOW_REGISTRY_URI": mlflow_store.uri}
    assert open_registry(environ).name == "client"


def test_a_sqlite_store_is_local_in_evidence(mlflow_store: Store) -> None:
    registry = open_registry({"MLFLOW_TRACKING_URI": mlflow_store.uri})
    assert (registry.name, registry.server) == ("client", LOCAL)


def test_user_and_password_of_the_uri_do_not_reach_its_name() -> None:
    registry = open_registry({"MLFLOW_TRACKING_URI": "http://user:secret@127.0.0.1:9/base/"})
    assert registry.server == "http://127.0.0.1:9/base"


def test_artifacts_that_the_server_does_not_hand_out_go_through_mlflows_client() -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER}
    registry = open_registry(environ, ["s3://bucket/"])
    assert for_artifacts(registry, "mlflow-artifacts:/1/x", environ) is registry
    proxied = f"{SERVER}/api/2.0/mlflow-artifacts/artifacts/1/x"
    assert for_artifacts(registry, proxied, environ) is registry
    assert for_artifacts(registry, "s3://bucket/1/x", environ).name == "client"


@pytest.mark.parametrize(
    "uri",
    [
        "/etc",
        "file:///etc",
        "mlflow-artifacts:/1/../../etc",
        "mlflow-artifacts:/1/%2e%2e/etc",
        "mlflow-artifacts:/",
        "mlflow-artifacts://other.example/1",
        f"{SERVER}/elsewhere/1",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_places_that_only_a_hostile_source_would_name_are_refused(uri: str) -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER}
    registry = open_registry(environ)
    assert not registry.reads(uri)
    with pytest.raises(SourceError, match="may not be read"):
        for_artifacts(registry, uri, environ)


def test_a_folder_of_a_server_is_read_only_where_this_machine_says_so(tmp_path: Path) -> None:
    """Inside the named folders, with links and encoded dots followed, and nowhere else."""
    shared = tmp_path / "shared"
    (shared / "1").mkdir(parents=True)
    (tmp_path / "shared-secret").mkdir()
    (shared / "link").symlink_to("/etc")
    environ = {"MLFLOW_TRACKING_URI": SERVER, "AIMS_GATE_ARTIFACT_FOLDERS": f":{shared}:"}
    registry = open_registry(environ)
    for uri in (str(shared / "1"), (shared / "1").as_uri(), str(shared)):
        assert for_artifacts(registry, uri, environ).name == "client"
    for uri in (
        "/etc",
        str(tmp_path / "shared-secret"),
        str(shared / "link"),
        f"{shared.as_uri()}/%2e%2e/shared-secret",
        f"{shared}/../shared-secret",
        f"file://elsewhere.example{shared}",
        "shared/1",
    ):
        with pytest.raises(SourceError, match="may not be read") as caught:
            for_artifacts(registry, uri, environ)
        assert "AIMS_GATE_ARTIFACT_FOLDERS" in caught.value.hint or "//elsewhere" in uri


@pytest.mark.parametrize("folders", ["/", "relative", "/srv:.", "//"])
def test_a_folder_that_would_permit_everything_is_refused(folders: str) -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER, "AIMS_GATE_ARTIFACT_FOLDERS": folders}
    with pytest.raises(UsageError, match="no shared folder"):
        for_artifacts(open_registry(environ), "/srv/x", environ)


def test_reading_a_server_imports_no_mlflow() -> None:
    code = (
        "import sys; from aims_gate.registry.choose import open_registry;"
        f"open_registry({{'MLFLOW_TRACKING_URI': '{SERVER}'}});"
        "sys.exit(any(name in sys.modules for name in ('mlflow', 'pandas', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"])
def test_a_local_store_is_not_made_by_being_asked(variable: str, tmp_path: Path) -> None:
    """From another folder a relative path names no store, which is not an empty one."""
    store = tmp_path / "mlflow.db"
    environ = {"MLFLOW_TRACKING_URI": SERVER, variable: f"sqlite:///{store}"}
    with pytest.raises(SourceError, match="no such MLflow store; a relative path counts from"):
        open_registry(environ)
    assert not store.exists()


def test_a_store_without_mlflow_says_which_extra_to_install(tmp_path: Path) -> None:
    store = tmp_path / "x.db"
    store.touch()
    code = (
        "import sys; sys.modules['mlflow'] = None\n"
        "from aims_gate.errors import MissingExtraError\n"
        "from aims_gate.registry.choose import open_registry\n"
        f"try: open_registry({{'MLFLOW_TRACKING_URI': 'sqlite:///{store}'}})\n"
        "except MissingExtraError as error: print(error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "pip install 'aims-gate[gate]'"
