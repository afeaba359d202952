"""The mixin over MLflow's S3 repositories, in this process, against a server that speaks S3."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow.exceptions import MlflowException

from tests.guard.conftest import InProcess
from tests.support.servers import S3_KEYS


@pytest.fixture
def bucket(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket's URI, which MLflow's repositories find."""
    import boto3  # type: ignore[import-untyped]

    for name, value in {**S3_KEYS, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", s3_url)
    name = f"models-{uuid.uuid4().hex[:8]}"
    boto3.client("s3", endpoint_url=s3_url).create_bucket(Bucket=name)
    return f"s3://{name}/store"


@pytest.fixture
def kept(inside: InProcess, bucket: str, tmp_path: Path) -> tuple[InProcess, Any, str]:
    """A model on S3, registered under a guarded name and with the tag that freezes it."""
    place, file = f"{bucket}/1/models/m-1/artifacts", tmp_path / "w.txt"
    file.write_bytes(b"1 2")
    repository = inside.repository(f"aims-gate+{place}")
    repository.log_artifact(str(file))
    store, name = inside.store, inside.house.name
    store.create_registered_model(name)
    version = store.create_model_version(name, place).version
    from mlflow.entities.model_registry import ModelVersionTag

    tag = ModelVersionTag("aims_gate.production.evidence", "pending")
    store.set_model_version_tag(name, version, tag)
    return inside, repository, str(file)


def test_files_on_s3_are_frozen_for_every_way_of_writing(kept: tuple[InProcess, Any, str]) -> None:
    _inside, repository, file = kept
    writes = (
        lambda: repository.log_artifact(file),
        lambda: repository.log_artifacts(str(Path(file).parent / "house")),
        repository.delete_artifacts,
        lambda: repository.create_multipart_upload("w.txt", 1),
        lambda: repository.complete_multipart_upload("w.txt", "id", []),
        lambda: repository.create_presigned_upload_url("w.txt"),
        lambda: repository.upload_archived_trace_data_bytes(b"evil"),
    )
    for write in writes:
        with pytest.raises(MlflowException, match="is frozen: there is evidence about it"):
            write()
    assert [one.path for one in repository.list_artifacts()] == ["w.txt"]


def test_what_is_beside_it_is_written_past_the_server_and_in_parts(
    kept: tuple[InProcess, Any, str],
) -> None:
    inside, repository, _file = kept
    other = inside.repository(repository.artifact_uri.replace("m-1", "m-2"))
    signed = other.create_presigned_upload_url("w.txt")
    assert requests.put(signed.presigned_url, data=b"1 2", headers=signed.headers, timeout=60).ok
    parts = other.create_multipart_upload("x.txt", 1)
    requests.put(parts.credentials[0].url, data=b"3", timeout=60)
    assert {one.path for one in other.list_artifacts()} == {"w.txt"}


def test_bytes_that_came_past_the_server_are_told_by_their_state(
    kept: tuple[InProcess, Any, str],
) -> None:
    """A URL that was signed before the freeze knows of none."""
    from aims_gate.guard.hashing import state_of
    from aims_gate.registry.roots import Roots
    from aims_gate.registry.served import ServedRegistry, Stores

    inside, repository, file = kept
    uri = repository.artifact_uri
    stores = Stores(
        tracking=inside.house.content.uri,
        registry=inside.house.content.uri,
        destination=uri,
        server="http://localhost",
    )
    registry = ServedRegistry(stores, roots=Roots())
    before = state_of(uri, registry)
    manifest = inside.guard.prover.hashes.of(uri, registry, before)
    assert state_of(uri, registry) == before
    assert manifest is inside.guard.prover.hashes.of(uri, registry, before)
    repository._get_s3_client().put_object(
        Bucket=uri.split("/")[2], Key=f"{uri.split('/', 3)[3]}/{Path(file).name}", Body=b"1 3"
    )
    after = state_of(uri, registry)
    assert after != before
    assert inside.guard.prover.hashes.of(uri, registry, after).digest != manifest.digest
