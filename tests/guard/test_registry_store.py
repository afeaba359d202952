"""The mixin over MLflow's registry store, in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from tests.guard.conftest import InProcess
from tests.support.promoting import ALIAS

_plain_set_alias: Callable[..., None] = SqlAlchemyStore.__dict__["set_registered_model_alias"]


def test_an_alias_is_set_on_what_is_proven(inside: InProcess) -> None:
    house = inside.house
    proven, unproven = house.version(), house.version(gated=False)
    inside.store.set_registered_model_alias(house.name, ALIAS, proven)
    assert house.champion() == proven
    with pytest.raises(MlflowException, match="no evidence for stage 'production'") as caught:
        inside.store.set_registered_model_alias(house.name, ALIAS, unproven)
    assert caught.value.get_http_status_code() == 403
    assert house.champion() == proven
    assert inside.told() == [
        "True: models:/" + f"{house.name}/{unproven}: there is no evidence for stage 'production'; "
        "stages with evidence: none"
    ]


def test_what_changed_between_look_and_write_is_taken_back(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signed URL knows no locks: its bytes may come while the alias is being set."""
    house, write = inside.house, _plain_set_alias
    first, second, third = (house.version() for _n in range(3))

    def late(store: object, name: str, alias: str, version: object) -> None:
        write(store, name, alias, version)
        if version in {first, third}:
            (inside.folder(str(version)) / "weights/w.txt").write_bytes(b"evil")

    monkeypatch.setattr(SqlAlchemyStore, "set_registered_model_alias", late)
    for version, stays in ((first, None), (third, second)):
        with pytest.raises(MlflowException, match="not the one that was judged"):
            inside.store.set_registered_model_alias(house.name, ALIAS, version)
        assert house.champion() == stays
        inside.store.set_registered_model_alias(house.name, ALIAS, second)


def test_a_stage_is_guarded_as_an_alias_is(inside: InProcess) -> None:
    house, move = inside.house, inside.store.transition_model_version_stage
    proven, unproven = house.version(), house.version(gated=False)
    move(house.name, unproven, "Staging", archive_existing_versions=False)
    with pytest.raises(MlflowException, match="no evidence"):
        move(house.name, unproven, "Production", archive_existing_versions=True)
    assert move(house.name, proven, "production", True).current_stage == "Production"
    with pytest.raises(MlflowException, match="only the gate may"):
        move(house.name, proven, "None", archive_existing_versions=False)


def test_what_is_live_stays(inside: InProcess) -> None:
    house, store = inside.house, inside.store
    version, other = house.version(), house.version(gated=False)
    store.set_registered_model_alias(house.name, ALIAS, version)
    for method, *given in (
        ("delete_registered_model_alias", house.name, ALIAS),
        ("delete_registered_model_alias", house.name, ALIAS.upper()),
        ("delete_model_version", house.name, version),
        ("delete_registered_model", house.name),
        ("rename_registered_model", house.name, "other"),
    ):
        with pytest.raises(MlflowException, match="aims-gate refuses"):
            getattr(store, method)(*given)
    store.delete_registered_model_alias(house.name, "nobody")
    store.delete_model_version(house.name, other)
    assert house.champion() == version


def test_tags_of_the_gate_are_left_out_of_a_new_version(inside: InProcess) -> None:
    house = inside.house
    house.version(gated=False)
    tags = [ModelVersionTag(key, "v") for key in ("aims_gate.x", "Aims_Gate.y", "team")]
    made = inside.store.create_model_version(house.name, str(inside.folder("1")), tags=tags)
    assert dict(made.tags) == {"team": "v"}
    assert inside.told() == ["True: the gate's tags were left out"]


def test_nothing_else_is_touched(inside: InProcess) -> None:
    store, name = inside.store, "free"
    store.create_registered_model(name)
    made = store.create_model_version(
        name, "file:///nowhere", tags=[ModelVersionTag("aims_gate.x", "v")]
    )
    assert dict(made.tags) == {"aims_gate.x": "v"}
    store.set_registered_model_alias(name, ALIAS, "1")
    store.transition_model_version_stage(name, "1", "Production", archive_existing_versions=False)
    store.delete_model_version_tag(name, "1", "aims_gate.x")
    store.delete_registered_model_alias(name, ALIAS)
    store.delete_model_version(name, "1")
    store.rename_registered_model(name, "freer")
    store.delete_registered_model("freer")
    assert inside.told() == []
    with pytest.raises(MlflowException, match="nobody"):
        store.delete_model_version(inside.house.name, "nobody")


def test_a_rollback_may_go_where_the_gate_once_promoted(inside: InProcess) -> None:
    """Its evidence is too old for a first time, and no older than what was live."""
    house = inside.house
    first, second, never = house.version(), house.version(), house.version()
    for version in (first, second):
        house.promote(version)
    trust = inside.guard.settings.now().trust
    trust.write_text(trust.read_text("utf-8").replace("max_age: 7d", "max_age: 1m"), "utf-8")
    house.trust(deploy=[{"max_age": "1m"}])
    for version in (second, first):
        inside.store.set_registered_model_alias(house.name, ALIAS, version)
    with pytest.raises(MlflowException, match="is older than"):
        inside.store.set_registered_model_alias(house.name, ALIAS, never)
    (inside.folder(second) / "weights/w.txt").write_bytes(b"evil")
    with pytest.raises(MlflowException, match="not the one that was judged"):
        inside.store.set_registered_model_alias(house.name, ALIAS, second)
