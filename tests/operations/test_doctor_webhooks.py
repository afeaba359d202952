"""`aims-gate registry doctor`: what keeps MLflow from telling the receiver of a move."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.operations.doctor.examine import examine
from aims_gate.operations.doctor.finding import Finding, Setup, State
from aims_gate.operations.doctor.webhooks import LOOKS
from aims_gate.registry.webhooks import EVENTS, NAME, Webhook, Webhooks

FILE = """\
apiVersion: aims-gate/v1
kind: Registry
trust: trust.yaml
models:
  - {pattern: "*", trigger: {tag: gate.request}}
notify: [{url: "https://hooks.acme.example/x", secret: HOOK}]
"""
GOOD = {
    "MLFLOW_TRACKING_URI": "https://mlflow.acme.example",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "k",
    "MLFLOW_REGISTRY_STORE_URI": "aims-gate+sqlite:///m.db",
    "AIMS_GATE_WEBHOOK_SECRET": "a secret of enough bytes",
    "HOOK": "h",
}


def hook(url: str, *, active: bool = True) -> Webhook:
    return Webhook(id="1", name=NAME, url=url, active=active, events=frozenset(EVENTS), changed="1")


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> list[Webhook]:
    """What the server lists: there is a real one in tests/cli/test_reconcile.py."""
    found = [hook("https://gate.acme.example/webhook")]
    monkeypatch.setattr(Webhooks, "all", lambda _self: tuple(found))
    return found


def look(folder: Path, file: str = FILE, **changes: str) -> dict[str, Finding]:
    path = folder / "registry.yaml"
    path.write_text(file, encoding="utf-8")
    environ = {name: value for name, value in {**GOOD, **changes}.items() if value}
    setup = Setup(environ=environ, now=datetime.now(UTC), policy="", registry=path)
    return {one.name: one for one in examine(setup, LOOKS)}


def test_a_good_set_up_has_nothing_to_do(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert {one.state for one in found.values()} == {State.OK}
    assert found["webhook"].what == "aims-gate sends to https://gate.acme.example/webhook"
    assert "after 60 s" in found["webhook cache"].what


def test_the_guard_alone_needs_no_webhook(tmp_path: Path) -> None:
    lean = FILE.replace(", trigger: {tag: gate.request}", "").partition("notify")[0]
    assert look(tmp_path, lean, AIMS_GATE_WEBHOOK_SECRET="") == {}


@pytest.mark.parametrize(
    ("name", "state", "changes"),
    [
        ("webhook key", State.WARN, {"MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": ""}),
        ("webhook store", State.FAIL, {"MLFLOW_REGISTRY_STORE_URI": "./mlruns"}),
        ("webhook reach", State.WARN, {"MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}),
        ("webhook reach", State.WARN, {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "https,http"}),
        ("webhook workspaces", State.WARN, {"MLFLOW_ENABLE_WORKSPACES": "true"}),
        ("webhook secret", State.WARN, {"AIMS_GATE_WEBHOOK_SECRET": ""}),
        ("webhook secret", State.WARN, {"AIMS_GATE_WEBHOOK_SECRET": "short"}),
        ("notify", State.WARN, {"HOOK": ""}),
    ],
)
def test_each_trap_is_named_with_its_setting(
    tmp_path: Path, name: str, state: State, changes: dict[str, str]
) -> None:
    found = look(tmp_path, **changes)[name]
    assert found.state is state
    assert found.todo


def test_a_webhook_that_is_not_there_or_disabled_is_named(
    tmp_path: Path, listed: list[Webhook]
) -> None:
    listed[:] = [hook("https://gate.acme.example/webhook", active=False)]
    assert look(tmp_path)["webhook"].state is State.WARN
    listed.clear()
    found = look(tmp_path)["webhook"]
    assert found.what == "there is no webhook aims-gate"
    assert "webhook install" in found.todo


@pytest.mark.parametrize("url", ["http://10.0.0.8/webhook", "http://localhost:8080/webhook"])
def test_an_address_that_mlflow_refuses_is_named(
    tmp_path: Path, listed: list[Webhook], url: str
) -> None:
    listed[:] = [hook(url)]
    found = look(tmp_path)
    assert found["webhook scheme"].state is State.FAIL
    assert found["webhook address"].state is State.FAIL
    allowed = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "https, http",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    }
    found = look(tmp_path, **allowed)
    assert not found.keys() & {"webhook scheme", "webhook address"}
