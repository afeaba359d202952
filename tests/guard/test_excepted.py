"""What a person signed lets the guard serve named bytes without evidence, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.attest.signers.file import open_signer
from aims_gate.operations import signoff
from aims_gate.operations.adopt import Adopting, adopt
from aims_gate.operations.break_glass import Emergency, draft_break_glass
from aims_gate.registry_file import read
from tests.guard.test_admission import refused, set_alias
from tests.support.guarding import GuardedServer
from tests.support.promoting import ALIAS, House


@pytest.fixture
def house(guarded: GuardedServer, tmp_path: Path) -> House:
    """A model that was live before the guard came; version 2 is proven, version 3 is not."""
    house = guarded.house(tmp_path)
    house.version(gated=False)
    past_the_guard(guarded, house, "1")
    house.version()
    house.version(gated=False)
    return house


def past_the_guard(guarded: GuardedServer, house: House, version: str) -> None:
    """Set the alias in the database, as it was set before there was a guard."""
    from mlflow import MlflowClient

    store = f"sqlite:///{guarded.server.folder / 'mlflow.db'}"
    MlflowClient(tracking_uri=store, registry_uri=store).set_registered_model_alias(
        house.name, ALIAS, version
    )


def environ(guarded: GuardedServer) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": guarded.url}


def test_what_was_live_is_set_again_and_no_other_bytes(
    guarded: GuardedServer, house: House
) -> None:
    """Not before it is adopted, not after a byte has changed, and not once the list is gone."""
    assert set_alias(guarded, house, "2").ok
    refused(set_alias(guarded, house, "1"), "no evidence")
    past_the_guard(guarded, house, "1")
    how = Adopting(
        file=read(guarded.folder / "registry.yaml"),
        signer=open_signer(str(guarded.folder / "officer.pem"), environ={}),
        now=datetime.now(UTC),
        models=(house.name,),
        environ=environ(guarded),
    )
    file = adopt(how).file
    assert file is not None
    for version in ("2", "1", "2", "1"):
        assert set_alias(guarded, house, version).ok, version
        assert house.champion() == version
    refused(set_alias(guarded, house, "3"), "no evidence")
    model = house.content.client.get_model_version(house.name, "1").source.partition("/")[2]
    (weights,) = guarded.server.artifacts.glob(f"*/models/{model}/*/weights/w.txt")
    before = weights.read_bytes()
    weights.write_bytes(before + b"x")
    assert set_alias(guarded, house, "2").ok
    refused(set_alias(guarded, house, "1"), "no evidence")
    weights.write_bytes(before)
    assert set_alias(guarded, house, "1").ok
    for one in file.parent.glob(f"{file.name.partition('.')[0]}.*"):
        one.unlink()
    refused(set_alias(guarded, house, "1"), "no evidence")


def test_two_people_break_the_glass_for_one_version(guarded: GuardedServer, house: House) -> None:
    trust = guarded.folder / "trust.yaml"
    asked = Emergency(
        model=house.uri("3"),
        alias=ALIAS,
        requested_by="jo",
        why="the present champion answers with errors since noon",
        now=datetime.now(UTC),
        trust=trust,
        environ={"MLFLOW_TRACKING_URI": guarded.url.replace("127.0.0.1", "localhost")},
    )
    refused(set_alias(guarded, house, "3"), "no evidence")
    path = signoff.save(draft_break_glass(asked), None, guarded.folder / "breakglass")
    refused(set_alias(guarded, house, "3"), "no evidence")
    officer = open_signer(str(guarded.folder / "officer.pem"), environ={})
    signed = signoff.approve(path, officer, trust, now=datetime.now(UTC))
    assert set_alias(guarded, house, "3").ok
    assert house.champion() == "3"
    refused(set_alias(guarded, house, "1"), "no evidence")
    signed.path.unlink()
    assert set_alias(guarded, house, "2").ok
    refused(set_alias(guarded, house, "3"), "no evidence")
