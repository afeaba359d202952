"""What a decision rests on: hashing, revocations, crashes, and what is only observed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from aims_gate.attest import manifest
from aims_gate.errors import SourceError
from aims_gate.guard import hashing
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.registry_file import refusals
from tests.guard.conftest import InProcess
from tests.support.guarding import settings
from tests.support.promoting import ALIAS


def set_alias(inside: InProcess, version: str) -> None:
    inside.store.set_registered_model_alias(inside.house.name, ALIAS, version)


def test_while_a_model_is_hashed_the_answer_is_to_try_again(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "SECONDS", 0.1)
    version, go_on, scan = inside.house.version(), threading.Event(), manifest.scan

    def slow(*args: Any, **named: Any) -> Any:
        go_on.wait(20)
        return scan(*args, **named)

    monkeypatch.setattr(hashing, "scan", slow)
    with pytest.raises(MlflowException, match="still being hashed: try again") as caught:
        set_alias(inside, version)
    assert caught.value.get_http_status_code() == 503
    assert inside.told() == []
    go_on.set()
    monkeypatch.setattr(hashing, "SECONDS", 20)
    set_alias(inside, version)
    assert inside.house.champion() == version


def test_a_model_is_hashed_when_its_evidence_is_tagged(inside: InProcess) -> None:
    from mlflow.entities.model_registry import ModelVersionTag

    house, key = inside.house, "aims_gate.production.evidence"
    version = house.version()
    pointer = house.content.client.get_model_version(house.name, version).tags[key]
    inside.store.set_model_version_tag(house.name, version, ModelVersionTag(key, pointer))
    (begun,) = inside.guard.prover.hashes._made.values()
    set_alias(inside, version)
    assert [begun] == list(inside.guard.prover.hashes._made.values())
    inside.store.set_model_version_tag(
        house.name, version, ModelVersionTag("aims_gate.evidence", "x")
    )


def test_files_that_change_while_they_are_hashed_prove_nothing(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, scan = inside.house.version(), manifest.scan

    def changed(folder: Path, **named: Any) -> Any:
        found = scan(folder, **named)
        (folder / "late").write_bytes(b"evil")
        return found

    monkeypatch.setattr(hashing, "scan", changed)
    with pytest.raises(MlflowException, match="changed while they were hashed"):
        set_alias(inside, version)


def test_an_upload_that_is_under_way_is_no_file_of_the_model(inside: InProcess) -> None:
    """MLflow writes under such a name first, and never lists it."""
    version = inside.house.version()
    (inside.folder(version) / ".artifact.uploading.x").write_bytes(b"half")
    set_alias(inside, version)
    assert inside.house.champion() == version


def test_an_upload_that_begins_while_a_model_is_hashed_is_no_file_of_it(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, scan = inside.house.version(), manifest.scan

    def begun(folder: Path, **named: Any) -> Any:
        (folder / ".artifact.uploading.y").write_bytes(b"half")
        return scan(folder, **named)

    monkeypatch.setattr(hashing, "scan", begun)
    set_alias(inside, version)
    assert inside.house.champion() == version


@pytest.mark.parametrize("known_to_mlflow", [True, False])
def test_what_was_revoked_is_not_set_again(inside: InProcess, *, known_to_mlflow: bool) -> None:
    """By a tag of the version and beside its evidence, or beside the server's trust file."""
    house = inside.house
    version = house.version()
    set_alias(inside, version)
    how = Revoking(
        signer=house.signer,
        why="the labels were wrong",
        trust=house.trust_file if known_to_mlflow else inside.registry_file.with_name("trust.yaml"),
        environ=house.environ,
    )
    revoke(Frozen(evidence=house.uri(version)), how, now=house.now)
    if not known_to_mlflow:
        client = house.content.client
        for key in client.get_model_version(house.name, version).tags:
            if key.startswith("aims_gate.revoked."):
                client.delete_model_version_tag(house.name, version, key)
    with pytest.raises(MlflowException, match="was revoked"):
        set_alias(inside, version)


def test_a_crash_refuses_and_says_so_in_the_log(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    version = inside.house.version()
    prover = type(inside.guard.prover)
    monkeypatch.setattr(prover, "prove", lambda *_args: 1 / 0)
    with pytest.raises(MlflowException, match=r"could not decide \(ZeroDivisionError\)"):
        set_alias(inside, version)
    assert "could not decide on alias 'champion'" in caplog.text
    settings(inside.registry_file.parent, models=[{"pattern": "house-*"}], server="mlflow-local")
    set_alias(inside, version)
    assert [one.enforced for one in refusals.lines(inside.registry_file)] == [True, False]


def test_a_journal_that_cannot_be_written_stops_nothing(
    inside: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    inside.guard.journal.path.mkdir()
    with pytest.raises(MlflowException, match="no evidence"):
        set_alias(inside, inside.house.version(gated=False))
    assert "aims-gate cannot write" in caplog.text


def test_a_source_that_leads_elsewhere_than_the_download_is_refused(inside: InProcess) -> None:
    """A copied version keeps its place, and the one that it names can be made anew."""
    house, store = inside.house, inside.store
    good, evil = house.version(), house.version(gated=False)
    shadow = "shadow"
    store.create_registered_model(shadow)
    store.create_model_version(shadow, str(inside.folder(evil)))
    copied = store.create_model_version(house.name, f"models:/{shadow}/1").version
    store.delete_registered_model(shadow)
    store.create_registered_model(shadow)
    store.create_model_version(shadow, str(inside.folder(good)))
    with pytest.raises(SourceError, match="leads elsewhere than where MLflow downloads"):
        house.gate(str(copied))
    with pytest.raises(MlflowException, match="leads elsewhere than where MLflow downloads"):
        set_alias(inside, str(copied))


def test_files_that_are_only_observed_are_written_and_told(inside: InProcess) -> None:
    version = inside.house.version()
    settings(inside.registry_file.parent, models=[{"pattern": "house-*"}], server="mlflow-local")
    inside.repository(str(inside.folder(version))).delete_artifacts("weights")
    assert not (inside.folder(version) / "weights").exists()
    (told,) = inside.told()
    assert told.startswith("False: version 1 of")


def test_a_version_in_a_guarded_stage_is_frozen_and_one_in_another_is_not(
    inside: InProcess,
) -> None:
    """Version 1 was live when the guard came: it was moved past it."""
    past_the_guard = SqlAlchemyStore.transition_model_version_stage
    house, folders = inside.house, []
    for stage in ("Production", "Staging"):
        version = house.version(gated=False)
        past_the_guard(inside.store, house.name, version, stage, archive_existing_versions=False)
        folders.append(inside.folder(version))
    with pytest.raises(MlflowException, match="is frozen: it is in Production"):
        inside.repository(str(folders[0])).delete_artifacts("weights")
    inside.repository(str(folders[1])).delete_artifacts("weights")
    with pytest.raises(MlflowException, match="it is live: version 1 in Production"):
        inside.store.delete_registered_model(house.name)
    with pytest.raises(MlflowException, match="it is live: stage Production"):
        inside.store.delete_model_version(house.name, "1")
