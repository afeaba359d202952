"""`aims-gate registry reconcile | history | webhook` against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from aims_gate.webhook_signature import is_signed
from tests.support.command_line import Done, call
from tests.support.listener import Listener
from tests.support.promoting import House
from tests.support.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


@pytest.fixture
def house(mlflow_server: str, tmp_path: Path) -> House:
    house = House.build(mlflow_server, tmp_path / "house")
    house.promote(house.version())
    text = {
        "apiVersion": "aims-gate/v1",
        "kind": "Registry",
        "trust": "trust.yaml",
        "models": [{"pattern": house.name, "mode": "enforce", "on_fail": "revert"}],
    }
    (house.trust_file.parent / "registry.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    return house


def registry(house: House, *words: str, **variables: str) -> Done:
    return call(house.trust_file.parent, "registry", *words, **{**house.environ, **variables})


def test_polling_alone_puts_back_what_moved_and_history_tells_it(house: House) -> None:
    done = registry(house, "reconcile")
    assert (done.code, done.err) == (0, "")
    assert f"proven     models:/{house.name}@champion  version 1" in done.out
    house.by_hand(house.version(gated=False))
    done = registry(house, "reconcile")
    assert done.code == 0
    assert f"reverted   models:/{house.name}  missing: there is no evidence" in done.out
    assert house.champion() == "1"
    done = registry(house, "history", house.name)
    assert done.code == 0
    assert "champion  nothing -> version 1  signed by gate  sha256:" in done.out
    assert "champion  version 1 -> version 2  unsigned  UNPROVEN" in done.out
    assert "champion  version 2 -> version 1  by the gate  sha256:" in done.out
    assert "put back by the gate: missing: there is no evidence" in done.out
    assert registry(house, "history", house.name, "--at", "2020-01-01").code == 1
    now = datetime.now(UTC)
    then = registry(house, "history", house.name, "--at", now.isoformat())
    assert then.code == 0
    assert "version 2 -> version 1" in then.out
    ahead = registry(house, "history", house.name, "--at", (now + timedelta(hours=1)).isoformat())
    assert (ahead.code, ahead.out) == (2, "")
    assert "lies in the future" in ahead.err


def test_what_is_unproven_is_shown_and_is_exit_code_1(house: House) -> None:
    house.by_hand(house.version(gated=False))
    done = registry(house, "reconcile")
    assert done.code == 1
    assert f"unproven   models:/{house.name}@champion  version 2" in done.out
    assert "1 model: 1 unproven, 0 could not be judged" in done.out
    assert "UNPROVEN" in registry(house, "history", house.name).out


def test_what_cannot_be_judged_is_exit_code_3(house: House) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    assert registry(house, "reconcile", MLFLOW_TRACKING_URI=away).code == 3


@pytest.fixture
def without_webhooks(house: House) -> Iterator[None]:
    """Webhooks are of the whole server, which other tests use, too."""
    yield
    client = house.content.client
    for hook in client.list_webhooks():
        client.delete_webhook(hook.webhook_id)


@pytest.mark.usefixtures("without_webhooks")
def test_a_webhook_is_installed_listed_tested_and_missed(house: House, listener: Listener) -> None:
    """MLflow signs what it sends; a sweep alerts once when the webhook is disabled, or deleted."""
    secret = "a secret of enough bytes"
    variables = {"AIMS_GATE_WEBHOOK_SECRET": secret}
    url = f"{listener.url}/webhook"
    assert registry(house, "webhook", "install", url).code == 2  # no secret
    assert registry(house, "webhook", "test").code == 2  # no webhook
    refused = registry(house, "webhook", "install", "ftp://gate.example/webhook", **variables)
    assert refused.code == 3
    assert "or start MLflow with MLFLOW_WEBHOOK_ALLOWED_SCHEMES=https,ftp" in refused.err
    for _twice in range(2):
        done = registry(house, "webhook", "install", url, **variables)
        assert (done.code, done.err) == (0, "")
    done = registry(house, "webhook", "list")
    assert f"active {url}: model_version.created, model_version_alias.created" in done.out
    assert done.out.endswith("1 webhook\n")
    done = registry(house, "webhook", "test")
    assert (done.code, done.out) == (0, f"taken: {url} answered HTTP 204\n")
    headers, body = listener.taken[0]
    name, moment = headers["x-mlflow-delivery-id"], headers["x-mlflow-timestamp"]
    assert is_signed(headers["x-mlflow-signature"], [secret.encode()], name, moment, body)
    listener.status = 401
    assert registry(house, "webhook", "test").code == 3
    assert "alert" not in registry(house, "reconcile").out
    (hook,) = house.content.client.list_webhooks()
    house.content.client.update_webhook(hook.webhook_id, status="DISABLED")
    assert "the webhook aims-gate is disabled" in registry(house, "reconcile").out
    assert "the webhook" not in registry(house, "reconcile").out
    house.content.client.delete_webhook(hook.webhook_id)
    assert "the webhook aims-gate was deleted" in registry(house, "reconcile").out
    assert "the webhook" not in registry(house, "reconcile").out
