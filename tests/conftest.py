"""Fixtures and markers that several rooms share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from aims_gate.engines import Engines
from tests.support import postgres, servers
from tests.support.guarding import GuardedServer, guarded_server
from tests.support.key_services import KeyService, SoftHsm, key_service, soft_hsm
from tests.support.listener import Listener, listening
from tests.support.servers import CHEAPER, WEBHOOKS_TO_HOME, Server, s3_server, shared_server

pytest_plugins = ["pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write tests/golden anew; then read the diff"
    )


def pytest_configure(config: pytest.Config) -> None:
    # MLflow's sqlite store on SQLAlchemy 2.1: theirs, and nothing that we could change
    config.addinivalue_line("filterwarnings", "ignore:The ``noload`` loader:DeprecationWarning")
    # Ibis 12 on DuckDB 2, likewise
    config.addinivalue_line("filterwarnings", "ignore:fetch_arrow_table:DeprecationWarning")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: packed bytes carry times, and xdist's workers must agree."""
    return argname if isinstance(val, bytes) else None


_FIND: dict[str, Callable[[], object]] = {
    "postgresql": postgres.programs,
    # in environments of their own: make test-spark, make test-iceberg
    "spark": lambda: find_spec("pyspark"),
    "iceberg": lambda: find_spec("snowpark_connect_deps_iceberg"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip where a program is missing; fail instead where AIMS_GATE_REQUIRE names it."""
    required = os.environ.get("AIMS_GATE_REQUIRE", "").replace(",", " ").split()
    wanted = [name for marker in item.iter_markers("tool") for name in marker.args]
    for name in wanted:
        found = _FIND[name]() if name in _FIND else shutil.which(name)
        if found is None and name in required:
            pytest.fail(f"AIMS_GATE_REQUIRE names {name}, which is not installed")
        if found is None:
            pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def mlflow_process(shared_folder: Path, empty_store: Path) -> Iterator[Server]:
    """The session's real MLflow server, with the folder where it keeps its artifacts."""
    with shared_server(
        shared_folder, store=empty_store, stores=CHEAPER, environ=WEBHOOKS_TO_HOME
    ) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_server(mlflow_process: Server) -> str:
    """URL of the session's real MLflow server; give your models names of their own."""
    return mlflow_process.url


@pytest.fixture(scope="session")
def guarded(shared_folder: Path, empty_store: Path) -> Iterator[GuardedServer]:
    """The session's real MLflow server with the guard in it, two workers; see `tests/guard`."""
    with guarded_server(shared_folder / "guarded", empty_store) as server:
        yield server


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """URL of an S3 stand-in; give your buckets names of their own."""
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL of this session; mark its tests `tool("postgresql")`."""
    with postgres.cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    """SoftHSM's tokens, which its module reads once a process: a good key, and useless ones."""
    hsm = soft_hsm(tmp_path_factory.mktemp("hsm"))
    hsm.put("gate", ec.generate_private_key(ec.SECP256R1()))
    hsm.put("swapped", ec.generate_private_key(ec.SECP256R1()))
    hsm.put("p384", ec.generate_private_key(ec.SECP384R1()))
    hsm.put("rsa", rsa.generate_private_key(65537, 2048))
    hsm.put("ed25519", ed25519.Ed25519PrivateKey.generate())
    return hsm


@pytest.fixture
def listener() -> Iterator[Listener]:
    """An address of this machine that keeps what is posted to it."""
    with listening() as found:
        yield found


@pytest.fixture
def key_services() -> Iterator[KeyService]:
    """A stand-in for AWS KMS and Vault, without keys."""
    with key_service() as service:
        yield service


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Engines with one child process for the whole session: its imports take seconds."""
    if find_spec("evidently") is None:
        pytest.skip("Evidently is not installed: it does not import with pandas 3")
    with Engines(os.environ) as found:
        found["both"].start(["scikit-learn", "fairlearn", "evidently"])
        yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An MLflow store of a test's own, without a server."""

    uri: str
    artifacts: Path


@pytest.fixture(scope="session")
def empty_store(shared_folder: Path) -> Path:
    """A migrated, empty sqlite store, to be copied."""
    return servers.empty_store(shared_folder)


@pytest.fixture
def mlflow_store(empty_store: Path, tmp_path: Path) -> Store:
    """A fresh sqlite store; `uri` is its tracking URI, artifacts lie below `artifacts`."""
    path = tmp_path / "mlflow.db"
    artifacts = tmp_path / "mlartifacts"
    servers.copy_store(empty_store, path, str(artifacts))
    return Store(uri=f"sqlite:///{path}", artifacts=artifacts)


@pytest.fixture
def mlflow(mlflow_store: Store) -> Iterator[Any]:
    """MLflow as a training job uses it, pointed at a store of this test's own."""
    import mlflow

    mlflow.set_tracking_uri(mlflow_store.uri)
    try:
        yield mlflow
    finally:
        while mlflow.active_run():
            mlflow.end_run()
        mlflow.set_tracking_uri(None)
