"""What a real server with the guard in it lets go live, for every client."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from aims_gate.sources import SOURCES
from aims_gate.sources.subject import Workspace
from aims_gate.verdict import Decision, Outcome
from tests.support.guarding import GuardedServer
from tests.support.promoting import ALIAS, House
from tests.support.proofs import new_signer, result

ALIAS_ROUTE = "registered-models/alias"
FAILED = result("BIAS-01", Outcome.FAIL, blocking=True)


@pytest.fixture
def house(guarded: GuardedServer, tmp_path: Path) -> House:
    return guarded.house(tmp_path)


def set_alias(guarded: GuardedServer, house: House, version: str) -> requests.Response:
    body = {"name": house.name, "alias": ALIAS, "version": version}
    return guarded.post(ALIAS_ROUTE, body)


def refused(answer: requests.Response, why: str) -> None:
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert why in answer.json()["message"]


def test_the_gate_opens_the_way_for_its_alias(guarded: GuardedServer, house: House) -> None:
    version = house.version(gated=False)
    refused(set_alias(guarded, house, version), "no evidence for stage 'production'")
    assert house.champion() is None
    house.gate(version)
    assert set_alias(guarded, house, version).status_code == 200
    assert house.champion() == version


def test_promote_goes_through_the_guard(guarded: GuardedServer, house: House) -> None:
    first, second = house.version(), house.version()
    house.promote(first)
    house.promote(second)
    assert house.champion() == second


def test_another_byte_is_another_model(guarded: GuardedServer, house: House) -> None:
    """The disk is written past the server, as the guard says it cannot see."""
    version = house.version()
    assert set_alias(guarded, house, version).status_code == 200
    (weights,) = guarded.server.artifacts.glob(f"*/models/{model_id(house, version)}/*/weights/*")
    weights.write_bytes(weights.read_bytes() + b"x")
    refused(set_alias(guarded, house, version), "the model is not the one that was judged")


def test_evidence_that_is_too_old_is_refused(guarded: GuardedServer, house: House) -> None:
    house.gated_at = house.now - timedelta(days=8)
    refused(set_alias(guarded, house, house.version()), "is older than 7 days")


def test_evidence_for_another_stage_is_refused(guarded: GuardedServer, house: House) -> None:
    version = house.version(stage="staging")
    refused(set_alias(guarded, house, version), "stages with evidence: 'staging'")


def test_evidence_of_another_version_is_refused(guarded: GuardedServer, house: House) -> None:
    """Its tags were copied by hand, and its bytes are others."""
    first, second = house.version(), house.version(gated=False)
    copy_tags(house, first, second)
    refused(set_alias(guarded, house, second), "is for")


def test_evidence_of_another_server_is_refused(
    guarded: GuardedServer, house: House, tmp_path: Path
) -> None:
    version = house.version(gated=False)
    workspace = Workspace(folder=tmp_path, environ=house.environ)
    model = SOURCES["models"].fetch(house.uri(version), workspace=workspace).model
    place = f"pkg:mlflow/{house.name}@{version}?repository_url=https%3A%2F%2Fother.example"
    house.gate(version, model=replace(model, resource_uri=place))
    why = f"the evidence is for {house.name}@{version} on https://other.example"
    refused(set_alias(guarded, house, version), why)


def test_localhost_and_its_address_are_one_server(guarded: GuardedServer, house: House) -> None:
    house.environ = {"MLFLOW_TRACKING_URI": guarded.url.replace("127.0.0.1", "localhost")}
    assert set_alias(guarded, house, house.version()).status_code == 200


def test_a_refusal_of_the_gate_is_refused(guarded: GuardedServer, house: House) -> None:
    version = house.version(decision=Decision.REFUSED, results=(FAILED,))
    refused(set_alias(guarded, house, version), "the policy is not met: BIAS-01")


def test_evidence_with_an_unknown_key_is_refused(guarded: GuardedServer, house: House) -> None:
    house.lab.signer = new_signer()
    refused(set_alias(guarded, house, house.version()), "signed by a key that is not")


def copy_tags(house: House, source: str, target: str) -> None:
    tags = house.content.client.get_model_version(house.name, source).tags
    for key, value in tags.items():
        house.content.client.set_model_version_tag(house.name, target, key, value)


def model_id(house: House, version: str) -> str:
    source = str(house.content.client.get_model_version(house.name, version).source)
    return source.removeprefix("models:/")
