"""Writes to a guarded registry other than setting an alias: what takes down, renames or vouches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guard.test_admission import refused, set_alias
from tests.support.guarding import GuardedServer
from tests.support.promoting import ALIAS, House


@pytest.fixture
def house(guarded: GuardedServer, tmp_path: Path) -> House:
    """A model with a live version 1 and a version 2 without evidence."""
    return with_two_versions(guarded, tmp_path)


def with_two_versions(guarded: GuardedServer, folder: Path) -> House:
    house = guarded.house(folder)
    assert set_alias(guarded, house, house.version()).status_code == 200
    house.version(gated=False)
    return house


@pytest.fixture(scope="module")
def standing(guarded: GuardedServer, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Such a model for tests of which every write is refused, so that it stays as it is."""
    return with_two_versions(guarded, tmp_path_factory.mktemp("standing"))


@pytest.mark.parametrize("alias", ["Champion", "CHAMPION", "champion\n"])
def test_an_alias_that_may_be_taken_for_a_guarded_one_is_guarded(
    guarded: GuardedServer, standing: House, alias: str
) -> None:
    body = {"name": standing.name, "alias": alias, "version": "2"}
    refused(guarded.post("registered-models/alias", body), "no evidence")
    found = standing.content.client.get_registered_model(standing.name).aliases
    assert found == {ALIAS: "1"}


@pytest.mark.parametrize("version", ["2", "02", 2, " 2", "٢"])
def test_a_version_is_guarded_however_it_is_written(
    guarded: GuardedServer, standing: House, version: object
) -> None:
    body = {"name": standing.name, "alias": ALIAS, "version": version}
    assert guarded.post("registered-models/alias", body).status_code in {400, 403}
    assert standing.champion() == "1"


def test_other_aliases_stages_and_tags_pass(guarded: GuardedServer, house: House) -> None:
    client = house.content.client
    client.set_registered_model_alias(house.name, "candidate", "2")
    client.delete_registered_model_alias(house.name, "candidate")
    client.set_model_version_tag(house.name, "2", "team", "risk")
    client.delete_model_version_tag(house.name, "2", "team")
    client.update_model_version(house.name, "2", "what it is")
    client.set_registered_model_tag(house.name, "aims_gate.x", "nothing reads it")
    body = {"name": house.name, "version": "2", "stage": "Staging"}
    answer = guarded.post(
        "model-versions/transition-stage", {**body, "archive_existing_versions": False}
    )
    assert answer.json()["model_version"]["current_stage"] == "Staging"


@pytest.mark.parametrize("stage", ["Production", "production", "PRODUCTION"])
def test_a_stage_is_guarded_and_left_only_by_the_gate(
    guarded: GuardedServer, house: House, stage: str
) -> None:
    body = {"name": house.name, "stage": stage, "archive_existing_versions": True}
    route = "model-versions/transition-stage"
    refused(guarded.post(route, {**body, "version": "2"}), "no evidence")
    assert guarded.post(route, {**body, "version": "1"}).status_code == 200
    away = {**body, "version": "1", "stage": "Archived", "archive_existing_versions": False}
    refused(guarded.post(route, away), "only the gate")


def test_what_is_live_is_not_taken_down(guarded: GuardedServer, house: House) -> None:
    name = {"name": house.name}
    refused(guarded.post("registered-models/alias", {**name, "alias": ALIAS}, "DELETE"), "only the")
    refused(guarded.post("model-versions/delete", {**name, "version": "1"}, "DELETE"), "it is live")
    refused(guarded.post("registered-models/delete", name, "DELETE"), "it is live")
    assert guarded.post("model-versions/delete", {**name, "version": "2"}, "DELETE").ok
    assert house.champion() == "1"


def test_no_name_becomes_or_leaves_a_guarded_one(guarded: GuardedServer, house: House) -> None:
    route, shadow = "registered-models/rename", f"shadow-{house.name}"
    refused(guarded.post(route, {"name": house.name, "new_name": shadow}), "a guarded name")
    client = house.content.client
    client.create_registered_model(shadow)
    refused(guarded.post(route, {"name": shadow, "new_name": f"{house.name}2"}), "a guarded name")
    assert guarded.post(route, {"name": shadow, "new_name": f"{shadow}2"}).ok


def test_a_new_version_does_not_vouch_for_itself(guarded: GuardedServer, house: House) -> None:
    tags = house.content.client.get_model_version(house.name, "1").tags
    assert any(key.startswith("aims_gate.") for key in tags)
    client = house.content.client
    source = client.get_model_version(house.name, "2").source
    model = source.removeprefix("models:/")
    given = {**tags, "team": "risk"}
    made = client._create_model_version(
        house.name, source, tags=given, await_creation_for=0, model_id=model
    )
    assert made.tags == {"team": "risk"}
    copied = client.copy_model_version(house.uri("1"), f"guarded-{house.name}")
    assert not any(key.startswith("aims_gate.") for key in copied.tags)


def test_what_is_only_observed_is_told_and_done(guarded: GuardedServer, tmp_path: Path) -> None:
    house = guarded.house(tmp_path, "observed")
    house.version(gated=False)
    assert set_alias(guarded, house, "1").status_code == 200
    assert house.champion() == "1"
    lines = (guarded.folder / "registry.yaml.refusals.jsonl").read_text("utf-8").splitlines()
    told = [line for line in lines if house.name in line]
    assert len(told) == 1
    assert '"enforced": false' in told[0]
    assert "no evidence for stage 'production'" in told[0]


def test_what_is_not_guarded_is_as_ever(guarded: GuardedServer, tmp_path: Path) -> None:
    house = guarded.house(tmp_path, "free")
    house.version(gated=False)
    client = house.content.client
    client.set_registered_model_alias(house.name, ALIAS, "1")
    client.set_model_version_tag(house.name, "1", "aims_gate.production.evidence", "mine")
    house.overwrite("1")
    client.rename_registered_model(house.name, f"{house.name}2")
    client.delete_registered_model(f"{house.name}2")


def test_files_of_a_judged_version_are_frozen(guarded: GuardedServer, house: House) -> None:
    client = house.content.client
    for version, frozen in (("1", True), ("2", False)):
        source = client.get_model_version(house.name, version).source
        model = client.get_logged_model(source.removeprefix("models:/"))
        folder = model.artifact_location.removeprefix("mlflow-artifacts:/")
        for path in ("weights/w.txt", "new.bin", "./weights//w.txt", "weights%2Fw.txt"):
            answer = guarded.put(f"{folder}/{path}", b"evil")
            assert answer.status_code in ({403, 400} if frozen else {200, 400}), path
        for path in (f"{folder}/weights", folder, folder.rpartition("/")[0]):
            answer = guarded.delete(path)
            assert answer.status_code == (403 if frozen else 200), path
    assert set_alias(guarded, house, "1").status_code == 200
