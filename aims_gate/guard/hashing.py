"""Manifests of models in the server's own store, hashed once for each state of their files.

A state is what tells that files were written since: on this machine's disk each file's inode, size
and times, on S3 its ETag and time. Stores that tell neither are hashed anew each time.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any

from aims_gate.attest.manifest import MAX_BYTES, MAX_FILES, Manifest, scan
from aims_gate.errors import SourceError
from aims_gate.guard.refusal import Busy
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.roots import folder
from aims_gate.registry.served import ServedRegistry
from aims_gate.sources.mlflow.fetch import fetch_tree

SECONDS = 5.0
"""How long a write waits for a model to be hashed."""
_MOST = 4096
_UPLOADING = ".artifact.uploading."
"""What a file's name begins with that MLflow has not published yet, and never lists."""
State = tuple[Any, ...]


class Hashes:
    """Manifests by place and state, made by one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[str, State], Future[Manifest]] = OrderedDict()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aims-gate-hash")

    def of(self, uri: str, registry: ServedRegistry, state: State | None) -> Manifest:
        """Manifest of the files at an artifact URI that are in a state.

        Raises:
            Busy: They are still being hashed.
            SourceError: They cannot be read, or changed meanwhile.
        """
        if state is None:
            return _hashed(uri, registry)
        try:
            return self.begin(uri, registry, state).result(SECONDS)
        except FutureTimeoutError:
            raise Busy(f"{uri} is still being hashed") from None

    def begin(self, uri: str, registry: ServedRegistry, state: State) -> Future[Manifest]:
        """Hash files in the background; what failed, or did not stay as it was, is forgotten."""
        key = (uri, state)

        def hashed() -> Manifest:
            manifest = _hashed(uri, registry)
            if state_of(uri, registry) != state:
                raise SourceError("the model's files changed while they were hashed", where=uri)
            return manifest

        def forget(done: Future[Manifest]) -> None:
            if done.exception() is not None:
                with self._lock:
                    self._made.pop(key, None)

        with self._lock:
            found = self._made.get(key)
            if found is not None:
                self._made.move_to_end(key)
                return found
            found = self._made[key] = self._worker.submit(hashed)
            while len(self._made) > _MOST:
                self._made.popitem(last=False)
        found.add_done_callback(forget)
        return found


def state_of(uri: str, registry: ServedRegistry) -> State | None:
    """State of the files at an artifact URI; None where their store does not tell."""
    place = registry.stored(uri)
    local = folder(place)
    if local is not None:
        return tuple(sorted(_states(local, "")))
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return _state_on_s3(get_artifact_repository(place), place)


def _states(root: Path, inside: str) -> Iterator[tuple[Any, ...]]:
    try:
        entries = list(os.scandir(root / inside))
    except FileNotFoundError:
        return
    for entry in entries:
        path = f"{inside}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _states(root, f"{path}/")
        elif not entry.name.startswith(_UPLOADING):
            found = entry.stat(follow_symlinks=False)
            yield (path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _state_on_s3(repository: Any, place: str) -> State | None:
    client: Callable[[], Any] | None = getattr(repository, "_get_s3_client", None)
    if client is None:
        return None
    bucket, prefix = repository.parse_s3_compliant_uri(place)
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    return tuple(
        (one["Key"], one["ETag"], one["Size"], str(one["LastModified"]))
        for page in pages
        for one in page.get("Contents", ())
    )


def _hashed(uri: str, registry: ServedRegistry) -> Manifest:
    local = folder(registry.stored(uri))
    if local is None:
        with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
            copy = Path(private)
            fetch_tree(registry, uri, copy, max_files=MAX_FILES, max_bytes=MAX_BYTES)
            return scan(copy)
    if not registry.reads(uri) or not local.is_dir():
        raise NotFoundError("there are no files at the model's artifact URI", where=uri)
    return scan(local, ignore=_Unpublished())


class _Unpublished(Container[str]):
    """Files that are being uploaded, also those that come while a model is being hashed."""

    def __contains__(self, path: object) -> bool:
        return str(path).rpartition("/")[2].startswith(_UPLOADING)
