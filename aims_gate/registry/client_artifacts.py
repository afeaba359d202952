"""Artifacts through MLflow's own client: stores that the server does not proxy.

`MlflowClient` reads credentials, retries and time limits from the process's environment itself.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aims_gate.errors import GateError, MissingExtraError, SourceError
from aims_gate.registry.contract import LOCAL, NotFoundError
from aims_gate.registry.entities import Artifact
from aims_gate.registry.roots import NOWHERE, Roots, folder, on_server, refused
from aims_gate.registry.uris import bare, local_store, printable
from aims_gate.time_limit import HINT, patiently, seconds_of, size_of

_SERVER_CHOOSES_NO_HOST = {
    "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
}
"""Variables by which MLflow's client follows neither redirects nor signed URLs of other hosts."""
_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_QUOTABLE = _GONE | {"INVALID_PARAMETER_VALUE"}
ATTEMPTS = 3
"""Tries that MLflow's client is given time for: it repeats what fails by itself."""


class ClientArtifacts:
    """Implements `Artifacts` for every store that MLflow's client knows.

    Raises:
        MissingExtraError: MLflow is not installed.
    """

    name = "client"

    def __init__(self, uri: str, *, roots: Roots = NOWHERE) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is read at the import
        try:
            from mlflow import MlflowClient  # noqa: F401
        except ImportError:
            raise MissingExtraError.for_library("mlflow", "gate", f"reading {bare(uri)}") from None
        self._uri = uri
        self.roots = roots
        self.server = LOCAL if local_store(uri) is not None else bare(uri)
        self._seconds = ATTEMPTS * seconds_of(os.environ)

    def reads(self, uri: str) -> bool:
        """Tell whether an artifact URI lies on the server, or where it may lie beside it."""
        return on_server(uri, self.server) is not None or self.roots.permit(uri)

    def list_artifacts(self, uri: str, path: str = "") -> tuple[Artifact, ...]:
        """List one folder below an artifact URI; nothing if it is not there or is a file."""
        with self._understood():
            infos = self._repository(uri).list_artifacts(path or None)
        return tuple(
            Artifact(path=info.path, is_dir=bool(info.is_dir), bytes=info.file_size)
            for info in infos
        )

    def download(self, uri: str, path: str, target: Path, *, limit: int) -> int:
        """Write one file below an artifact URI to *target*."""
        root = folder(uri)
        with self._understood(), tempfile.TemporaryDirectory(dir=target.parent) as private:
            if root is not None:
                self._permitted(uri)
                return _copy(root, path, target, limit)
            repository = self._repository(uri, grown=partial(size_of, Path(private)))
            got = Path(repository.download_artifacts(path, dst_path=private))
            return _copy(got.parent, got.name, target, limit)

    def upload(self, uri: str, path: str, file: Path) -> None:
        """Store a file below an artifact URI."""
        parent, _, name = path.rpartition("/")
        with self._understood(), tempfile.TemporaryDirectory() as private:
            repository = self._repository(uri)
            renamed = Path(private) / name
            shutil.copyfile(file, renamed)
            repository.log_artifact(str(renamed), parent or None)

    def _repository(self, uri: str, grown: Callable[[], int] = int) -> Any:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        self._permitted(uri)
        repository = get_artifact_repository(uri, tracking_uri=self._uri)
        return self._awaited(repository, grown) if folder(uri) is None else repository

    def _awaited(self, target: Any, grown: Callable[[], int] = int) -> Any:
        return _Awaited(target, seconds=self._seconds, grown=grown)

    def _permitted(self, uri: str) -> None:
        if not self.reads(uri):
            raise refused(uri, self.server)

    def _settings(self) -> AbstractContextManager[None]:
        """What MLflow's client is told by the environment while it is asked."""
        return _no_other_host()

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            with self._settings():
                yield
        except GateError:
            raise
        except Exception as error:  # stores are plug-ins: they raise whatever their libraries raise
            code = getattr(error, "error_code", "")
            kind = NotFoundError if code in _GONE else SourceError
            if isinstance(error, TimeoutError):
                what = f"cannot reach MLflow: {printable(error)}"
                raise SourceError(what, where=self.server, hint=HINT) from error
            # other messages may quote a URI with its password
            what = printable(error) if code in _QUOTABLE else code or type(error).__name__
            raise kind(f"MLflow's client failed: {what}", where=self.server) from error


@contextmanager
def _no_other_host() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(_SERVER_CHOOSES_NO_HOST)
    try:
        yield
    finally:
        for name in _SERVER_CHOOSES_NO_HOST:
            os.environ.pop(name)
            os.environ.update({name: before[name]} if name in before else {})


class _Awaited:
    """Another object, each of whose methods must end in time."""

    def __init__(self, target: Any, *, seconds: float, grown: Callable[[], int]) -> None:
        self._target = target
        self._awaited = partial(patiently, seconds=seconds, grown=grown)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)
        return lambda *args, **named: self._awaited(partial(method, *args, **named))


def _copy(root: Path, path: str, target: Path, limit: int) -> int:
    """Copy a file that really lies below *root*, following no link out of it."""
    source = root / path
    if not source.exists():
        raise NotFoundError("there is no such artifact", where=path)
    if source.is_symlink() or not source.resolve().is_relative_to(root.resolve()):
        raise SourceError("the artifact is a symbolic link", where=path)
    size = 0
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file, target.open("xb") as copy:
        while chunk := file.read(1 << 20):
            size += len(chunk)
            if size > limit:
                raise SourceError(
                    f"the file has more than the {limit:,} bytes that are left of the limit",
                    where=path,
                )
            copy.write(chunk)
    return size
