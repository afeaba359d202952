"""The mixin over MLflow's artifact repositories, in this process."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from tests.guard.conftest import InProcess


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "given" / "w.txt"
    path.parent.mkdir()
    path.write_bytes(b"evil")
    return path


async def _chunks() -> AsyncIterator[bytes]:
    yield b"evil"


WRITES: dict[str, Callable[[Any, Path, str], object]] = {
    "file": lambda store, file, path: store.log_artifact(str(file), path),
    "folder": lambda store, file, path: store.log_artifacts(str(file.parent), path),
    "stream": lambda store, _file, path: store.log_artifact_from_stream(
        io.BytesIO(b"evil"), "w.txt", path
    ),
    "chunks": lambda store, _file, path: asyncio.run(
        store.log_artifact_from_async_stream(_chunks(), "w.txt", path)
    ),
    "delete": lambda store, _file, path: store.delete_artifacts(path),
    "delete above": lambda store, _file, path: store.delete_artifacts(path.partition("/")[0]),
    "delete all": lambda store, _file, _path: store.delete_artifacts(),
    "trace": lambda store, file, _path: store.upload_archived_trace_data_bytes(file.read_bytes()),
}


@pytest.mark.parametrize("write", WRITES)
def test_files_of_a_judged_version_are_frozen_for_every_way_of_writing(
    inside: InProcess, file: Path, write: str
) -> None:
    judged = inside.folder(inside.house.version())
    before = (judged / "weights/w.txt").read_bytes()
    path = str(judged.relative_to(inside.artifacts) / "weights")
    for store in (inside.repository(), inside.repository(str(inside.artifacts))):
        with pytest.raises(MlflowException, match="is frozen: there is evidence"):
            WRITES[write](store, file, path)
    assert (judged / "weights/w.txt").read_bytes() == before


def test_what_is_not_frozen_is_written(inside: InProcess, file: Path) -> None:
    place = inside.folder(inside.house.version(gated=False))
    path = str(place.relative_to(inside.artifacts) / "weights")
    store = inside.repository()
    store.log_artifact_from_stream(io.BytesIO(b"new"), "w.txt", path)
    assert (place / "weights/w.txt").read_bytes() == b"new"
    asyncio.run(store.log_artifact_from_async_stream(_chunks(), "w.txt", path))
    assert (place / "weights/w.txt").read_bytes() == b"evil"
    store.log_artifact(str(file), path)
    store.delete_artifacts(path)
    assert not (place / "weights").exists()
    assert inside.told() == []


def test_a_frozen_place_is_known_however_it_is_spelled(inside: InProcess) -> None:
    """The file system of a Mac takes MODELS for models, and some stores decode a name twice."""
    place = str(inside.folder(inside.house.version()).relative_to(inside.artifacts))
    quoted = place.replace("m", "%256d")
    for path in (
        *(f"{place}/new", f"./{place}/x", f"{place}//weights", f"{place}/a/../new"),
        *(f"a/../{place}", f"{place.upper()}/x", f"{quoted}/x", f"{place}/", ""),
    ):
        with pytest.raises(MlflowException, match="is frozen"):
            inside.repository().log_artifacts("/nowhere", path)


def test_a_repository_rooted_in_a_model_is_guarded_too(inside: InProcess, file: Path) -> None:
    """An experiment may keep its artifacts anywhere, such as in somebody else's model."""
    place = inside.folder(inside.house.version())
    quoted = str(place).replace("models", "%6Dodels")  # MLflow decodes plain paths, too
    for uri in (str(place), f"file://{place}/weights", f"aims-gate+file://{place}/x", quoted):
        with pytest.raises(MlflowException, match="is frozen"):
            inside.repository(uri).log_artifact(str(file))


def test_what_is_live_is_frozen_without_its_evidence_tag(inside: InProcess, file: Path) -> None:
    house = inside.house
    version = house.version()
    inside.store.set_registered_model_alias(house.name, "champion", version)
    inside.store.delete_model_version_tag(house.name, version, "aims_gate.production.evidence")
    with pytest.raises(MlflowException, match="is frozen: alias 'champion' points at it"):
        inside.repository(str(inside.folder(version))).log_artifact(str(file))
