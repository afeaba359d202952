"""A server process with the guard in it: what MLflow was started with, and its stores, guarded."""

from __future__ import annotations

import itertools
import logging
import os
import tempfile
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

from mlflow.store.artifact import artifact_repository_registry as repositories
from sqlalchemy import Engine, create_engine

from aims_gate.attest import trust_file
from aims_gate.guard import artifact_store, methods, registry_store
from aims_gate.guard.admission import Guard
from aims_gate.guard.hashing import Hashes
from aims_gate.guard.journal import Journal
from aims_gate.guard.locks import locks_of
from aims_gate.guard.proof import Prover
from aims_gate.guard.rows import RegistryRows
from aims_gate.guard.settings import FollowedFile
from aims_gate.guard.start import DESTINATION, REGISTRY, SCHEME, refuse_unsafe
from aims_gate.registry.choose import serve
from aims_gate.registry.roots import Roots
from aims_gate.registry.served import ServedRegistry, Stores
from aims_gate.registry_file import find

_logger = logging.getLogger("aims_gate.guard")
_BACKEND = "_MLFLOW_SERVER_FILE_STORE"
_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"
_REPLICA = "_MLFLOW_SERVER_READ_REPLICA_BACKEND_STORE"
_INTERFACE = "_MLFLOW_SGI_NAME"
_AUTHENTICATED = "_MLFLOW_AUTH_ADMIN_BOOTSTRAPPED"
_CONNECTIONS = 32
_numbers = itertools.count(1)


def plain(uri: str) -> str:
    """The URI of the store that is guarded."""
    return uri.removeprefix(SCHEME)


@cache
def guard_of(registry_uri: str) -> Guard:
    """The guard of a registry store, one in a process.

    Raises:
        UsageError: The registry file is missing or wrong, or its trust file is.
    """
    environ = os.environ
    settings = FollowedFile(find(environ))
    trust_file.load(settings.now().trust)
    engine = _engine(registry_uri)
    uri = f"aims-gate-served:{next(_numbers)}"
    destination = plain(environ.get(DESTINATION, ""))
    stores = Stores(
        tracking=environ.get(_BACKEND, registry_uri),
        registry=registry_uri,
        destination=destination,
        server=_address(environ.get("MLFLOW_HOST", "localhost")),
        root=plain(environ.get(_ROOT, "") or "mlflow-artifacts:"),
    )
    serve(uri, partial(_opened, stores))
    rows = RegistryRows(engine)
    return Guard(
        settings=settings,
        rows=rows,
        locks=locks_of(engine),
        prover=Prover(
            rows=rows,
            hashes=Hashes(),
            folder=Path(tempfile.mkdtemp(prefix="aims-gate-guard-")),
            destination=destination,
            environ={"MLFLOW_TRACKING_URI": uri},
        ),
        journal=Journal.beside(settings.now().path),
        environ=environ,
        strange=methods.unknown(_store_class()),
    )


def _address(host: str) -> str:
    return f"http://{host}"


def _opened(stores: Stores, allow: Iterable[str]) -> ServedRegistry:
    return _registry(stores, tuple(allow))


@cache
def _registry(stores: Stores, allow: tuple[str, ...]) -> ServedRegistry:
    return ServedRegistry(stores, roots=Roots.of(os.environ, allow))


@cache
def _engine(uri: str) -> Engine:
    """Connections of the guard's own: its locks never wait for MLflow's."""
    return create_engine(uri, pool_size=_CONNECTIONS, max_overflow=_CONNECTIONS)


def _store_class() -> type:
    from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
    from mlflow.store.model_registry import sqlalchemy_store, sqlalchemy_workspace_store

    if MLFLOW_ENABLE_WORKSPACES.get():
        return sqlalchemy_workspace_store.WorkspaceAwareSqlAlchemyStore  # type: ignore[no-any-return]
    return sqlalchemy_store.SqlAlchemyStore  # type: ignore[no-any-return]


def guarded_store(store_uri: str) -> Any:
    """Build MLflow's registry store with the guard in it.

    Raises:
        UsageError: As for `guard_of`.
    """
    uri = plain(store_uri)
    replica = os.environ.get(_REPLICA)
    built = registry_store.mixed(_store_class())(uri, replica)
    built.guard = guard_of(uri)
    late = guard_every_repository.cache_info().currsize == 0
    guard_every_repository()
    _say(built.guard)
    destination = os.environ.get(DESTINATION, SCHEME)
    if late and not destination.startswith(SCHEME):
        _logger.warning(
            "aims-gate guards files from the first request about a model on only; guard them from"
            " the start by --artifacts-destination %s…",
            SCHEME,
        )
    return built


def guarded_artifacts(artifact_uri: str, **where: Any) -> Any:
    """Build MLflow's artifact repository for what the scheme guards."""
    guard_every_repository()
    uri = plain(artifact_uri)
    return repositories.get_artifact_repository(uri, **where)


@cache
def guard_every_repository() -> None:
    """Put the guard into every class of artifact repositories that the server may write with."""
    registered = repositories.get_registered_artifact_repositories()
    for scheme, found in tuple(registered.items()):
        if isinstance(found, type) and scheme not in {"runs", "models"}:
            registered[scheme] = partial(_repository, found)


def _repository(kind: type, *args: Any, **named: Any) -> Any:
    registry = os.environ.get(REGISTRY)
    if not registry:  # no server's worker
        return kind(*args, **named)
    built = artifact_store.mixed(kind)(*args, **named)
    built.guard = guard_of(plain(registry))
    return built


def guarded_app() -> Any:
    """Guard the stores that this worker was given, and build MLflow's application over them."""
    refuse_unsafe(os.environ)
    os.environ[REGISTRY] = SCHEME + plain(os.environ[REGISTRY])
    guard_every_repository()
    if os.environ.get(_INTERFACE) == "uvicorn":
        from mlflow.server import fastapi_app

        return fastapi_app.app
    from mlflow.server import app

    return app


def _say(guard: Guard) -> None:
    """Tell the server's log what the guard does, and what it cannot do here."""
    file = guard.settings.now()
    for one in file.models:
        _logger.warning("aims-gate guards %s: %s (%s)", one.pattern, one.mode, one.where)
    if guard.strange:
        _logger.warning(
            "aims-gate does not know these methods of this MLflow, and refuses what it guards: %s",
            ", ".join(guard.strange),
        )
    if os.environ.get(_INTERFACE) and os.environ.get(_AUTHENTICATED) != "true":
        _logger.warning(
            "aims-gate: nobody is asked who they are, so anybody may set and delete the gate's tags"
        )
