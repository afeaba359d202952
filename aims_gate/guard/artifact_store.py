"""Mixin over MLflow's artifact repositories: files of a judged or live version are frozen.

Every way of writing ends here, whatever its route. A write looks where it publishes, with the place
locked, and before it takes any bytes only at what it knows already. URLs that are signed for direct
uploads are refused when they are asked for; one of before the freeze is told by the digest alone.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterable, Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO

from mlflow.utils.file_utils import local_file_uri_to_path

from aims_gate.guard.artifact_paths import below, place, spellings

_CHUNK = 1 << 20


class GuardedArtifacts:
    """Refuses writes to frozen places; mixed into a class of MLflow's that does the writing."""

    guard: Any
    artifact_uri: str

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> Any:
        """Store a file."""
        write = partial(super().log_artifact, local_file, artifact_path)  # type: ignore[misc]
        name = Path(local_file).name
        if not self._stages:
            return self._written(write, artifact_path, name)
        self._glance(artifact_path, name)
        return write()

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> Any:
        """Store a folder."""
        write = partial(super().log_artifacts, local_dir, artifact_path)  # type: ignore[misc]
        return self._written(write, artifact_path)

    def log_artifact_from_stream(
        self, stream: BinaryIO, artifact_file_name: str, artifact_path: str | None = None
    ) -> Any:
        """Store what a stream gives."""
        self._glance(artifact_path, artifact_file_name)
        if self._stages:
            store = super().log_artifact_from_stream  # type: ignore[misc]
            return store(stream, artifact_file_name, artifact_path)
        with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
            file = Path(private) / Path(artifact_file_name).name
            with file.open("xb") as copy:
                shutil.copyfileobj(stream, copy, _CHUNK)
            return self.log_artifact(str(file), artifact_path)

    async def log_artifact_from_async_stream(
        self,
        chunks: AsyncIterable[bytes],
        artifact_file_name: str,
        artifact_path: str | None = None,
    ) -> Any:
        """Store what a stream gives."""
        await asyncio.to_thread(self._glance, artifact_path, artifact_file_name)
        if self._stages:
            store = super().log_artifact_from_async_stream  # type: ignore[misc]
            return await store(chunks, artifact_file_name, artifact_path)
        with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
            file = Path(private) / Path(artifact_file_name).name
            with file.open("xb") as copy:
                async for chunk in chunks:
                    await asyncio.to_thread(copy.write, chunk)
            return await asyncio.to_thread(self.log_artifact, str(file), artifact_path)

    def delete_artifacts(self, artifact_path: str | None = None) -> Any:
        """Delete a file or a folder, or everything."""
        delete = partial(super().delete_artifacts, artifact_path)  # type: ignore[misc]
        return self._written(delete, artifact_path)

    def create_multipart_upload(
        self, local_file: str, num_parts: int = 1, artifact_path: str | None = None
    ) -> Any:
        """Begin to store a file in parts."""
        begin = super().create_multipart_upload  # type: ignore[misc]
        self._look(artifact_path, Path(local_file).name)
        return begin(local_file, num_parts, artifact_path)

    def complete_multipart_upload(
        self,
        local_file: str,
        upload_id: str,
        parts: Any = None,
        artifact_path: str | None = None,
    ) -> Any:
        """Publish a file that was stored in parts."""
        end = super().complete_multipart_upload  # type: ignore[misc]
        publish = partial(end, local_file, upload_id, parts, artifact_path)
        return self._written(publish, artifact_path, Path(local_file).name)

    def create_presigned_upload_url(self, artifact_path: str, expiration: int = 900) -> Any:
        """Sign a URL by which a client writes past the server."""
        sign = super().create_presigned_upload_url  # type: ignore[misc]
        self._look(artifact_path)
        return sign(artifact_path, expiration)

    def upload_archived_trace_data_bytes(self, data: bytes) -> Any:
        """Store an archived trace at the repository's own place."""
        write = super().upload_archived_trace_data_bytes  # type: ignore[misc]
        self._look(None)
        return write(data)

    def _publish_staged_artifact(self, temporary: str, target: str, *more: Any) -> Any:
        """Atomic rename of a file that was written in full: what local repositories end with."""
        publish = super()._publish_staged_artifact  # type: ignore[misc]
        written = os.path.relpath(target, local_file_uri_to_path(self.artifact_uri))
        return self._written(partial(publish, temporary, target, *more), written)

    @property
    def _stages(self) -> bool:
        """Whether the repository writes to a name of its own first, and then publishes."""
        return hasattr(super(), "_publish_staged_artifact")

    def _written(self, write: Callable[[], Any], path: str | None, name: str = "") -> Any:
        """Look and write with the places locked, so that no decision falls in between."""
        places = self._places(path, name)
        with self.guard.locks.hold(*places):
            self.guard.refuse_frozen(places, _shown(path, name))
            return write()

    def _glance(self, path: str | None, name: str = "") -> None:
        """Look early where the place was frozen when this process looked last."""
        if self.guard.was_frozen(self._places(path, name)):
            self._look(path, name)

    def _look(self, path: str | None, name: str = "") -> None:
        self.guard.refuse_frozen(self._places(path, name), _shown(path, name))

    def _places(self, path: str | None, name: str = "") -> tuple[str, ...]:
        """Every place that the path may mean to whoever decodes it, or the repository's own URI."""
        roots = {place(one, "") for one in spellings(str(self.artifact_uri))}
        paths = spellings(_shown(path, name))
        return tuple(dict.fromkeys(below(root, one) for root in roots for one in paths))


def _shown(path: str | None, name: str) -> str:
    return "/".join(filter(None, (path, name)))


@cache
def mixed(repository: type) -> type:
    """Class of artifact repositories with the guard in it."""
    return type(f"Guarded{repository.__name__}", (GuardedArtifacts, repository), {})
