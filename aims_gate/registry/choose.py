"""Choose the registry implementation, by the URI and the environment only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.client import ClientRegistry
from aims_gate.registry.client_artifacts import ClientArtifacts
from aims_gate.registry.contract import Artifacts, Registry
from aims_gate.registry.rest import RestRegistry
from aims_gate.registry.roots import Roots, refused
from aims_gate.registry.uris import local_store

CLIENT_ONLY = (
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "MLFLOW_ENABLE_WORKSPACES",
    "MLFLOW_WORKSPACE",
)
"""Variables of set-ups that only MLflow's own client knows how to speak to."""
Opener = Callable[[Iterable[str]], Registry]
"""Opens a registry; it is given where artifacts may lie beside it."""
_SERVED: dict[str, Opener] = {}


def serve(uri: str, opener: Opener) -> None:
    """Register a tracking URI by which a registry inside this process is opened."""
    _SERVED[uri] = opener


def open_registry(environ: Mapping[str, str], allow: Iterable[str] = ()) -> Registry:
    """Open the registry that MLflow's variables name.

    Args:
        environ: The process's environment.
        allow: Where artifacts may lie beside it, as the policy or a trust file says.

    Raises:
        UsageError: `MLFLOW_TRACKING_URI` is not set: MLflow would then make an empty store in the
            working directory, and a gate must not guess.
        MissingExtraError: `MlflowClient` is needed and MLflow is not installed.
        SourceError: A local store is not there. MLflow would make an empty one by being asked.
    """
    uri = environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not uri:
        raise UsageError(
            "MLFLOW_TRACKING_URI is not set",
            hint="set it to the MLflow server, such as https://mlflow.example.com, or to a store, "
            "such as sqlite:///mlflow.db",
        )
    if uri in _SERVED:
        return _SERVED[uri](allow)
    registry_uri = environ.get("MLFLOW_REGISTRY_URI", "").strip()
    roots = Roots.of(environ, allow)
    if not needs_client(environ):
        return RestRegistry(uri, environ, roots=roots)
    for named in (uri, registry_uri):
        place = local_store(named)
        if place is not None and not place.exists():
            hint = "a relative path counts from the current folder: go there, or write it in full"
            raise SourceError("there is no such MLflow store", where=str(place), hint=hint)
    return ClientRegistry(uri, registry_uri, roots=roots)


def for_artifacts(registry: Registry, uri: str, environ: Mapping[str, str]) -> Artifacts:
    """The registry that can read *uri*: this one, or MLflow's client beside the server.

    Raises:
        SourceError: Artifacts may not lie there, with the line that would permit it.
    """
    if registry.reads(uri):
        return registry
    if not registry.roots.permit(uri):
        raise refused(uri, registry.server)
    return ClientArtifacts(environ.get("MLFLOW_TRACKING_URI", "").strip(), roots=registry.roots)


def needs_client(environ: Mapping[str, str]) -> bool:
    """Whether only MLflow's own client can speak to the store; not if there is none."""
    uri = environ.get("MLFLOW_TRACKING_URI", "").strip()
    registry_uri = environ.get("MLFLOW_REGISTRY_URI", "").strip()
    if uri and urlsplit(uri).scheme not in {"http", "https"}:
        return True
    if registry_uri and registry_uri != uri:
        return True
    return any(environ.get(name, "").lower() not in {"", "false", "0"} for name in CLIENT_ONLY)
