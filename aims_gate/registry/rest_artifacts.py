"""Artifacts that an MLflow server proxies, over its REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from aims_gate.errors import SourceError
from aims_gate.registry import rest_json
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.entities import Artifact
from aims_gate.registry.http import Connection
from aims_gate.registry.roots import NOWHERE, Roots, on_server, refused


class RestArtifacts:
    """Implements `Artifacts` for http and https servers that proxy artifacts."""

    name = "rest"

    def __init__(self, uri: str, environ: Mapping[str, str], *, roots: Roots = NOWHERE) -> None:
        self._connection = Connection(uri, environ)
        self.roots = roots
        self.server = self._connection.server

    def reads(self, uri: str) -> bool:
        """Tell whether this server proxies the artifact URI."""
        return on_server(uri, self.server) is not None

    def list_artifacts(self, uri: str, path: str = "") -> tuple[Artifact, ...]:
        """List one folder below an artifact URI; nothing if it is not there or is a file."""
        full = _join(self._proxied(uri), path)
        try:
            answer = self._connection.json(
                "GET", "mlflow-artifacts/artifacts", params={"path": full}
            )
        except NotFoundError:
            return ()
        with self._understood():
            return tuple(rest_json.artifact(file, path) for file in answer.get("files", []))

    def download(self, uri: str, path: str, target: Path, *, limit: int) -> int:
        """Write one file below an artifact URI to *target*."""
        return self._connection.download(
            _endpoint(_join(self._proxied(uri), path)), target, limit=limit
        )

    def upload(self, uri: str, path: str, file: Path) -> None:
        """Store a file below an artifact URI."""
        self._connection.upload(_endpoint(_join(self._proxied(uri), path)), file)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
            raise SourceError(
                "MLflow's answer lacks something or has another shape",
                where=self.server,
                hint=f"{type(error).__name__}: is this a supported version of MLflow?",
            ) from error

    def _proxied(self, uri: str) -> str:
        root = on_server(uri, self.server)
        if root is None:
            raise refused(uri, self.server)
        return root


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _endpoint(path: str) -> str:
    return f"mlflow-artifacts/artifacts/{quote(path)}"
