"""The demo in a registry: a real MLflow server, the guard in it, and the webhook receiver.

A good version is asked for and promoted, a bad one loses, and a move by hand is put back.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from aims_gate.demo.story import TRUST, Stage, policy_text, prepare, step
from aims_gate.demo.train import MODEL, train_and_register
from aims_gate.errors import UndecidedError
from aims_gate.webhook_signature import VARIABLE

_PATIENCE = 180.0
_DEPLOY = """\
deploy:
  - {stage: production, max_age: 7d}
"""
_REGISTRY = """\
apiVersion: aims-gate/v1
kind: Registry
trust: trust.yaml
models:
  - pattern: "*"
    mode: MODE
    policy: policy.yaml
    trigger: {alias: candidate}
    on_fail: revert
"""
_WEBHOOKS = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
"""The server may send to this machine, and notices soon that it should."""
_ANSWER = "aims_gate.production.request"
_REVERTED = "aims_gate.alias.champion.reverted"


def tell(folder: Path, say: Callable[[str], None], *, store: str = "", inbox: str = "") -> None:
    """Run the whole demo in *folder*, which is made anew; UndecidedError if a step surprises.

    MLflow keeps what it knows at the database URL *store* and the receiver at *inbox*: without
    them, in files of sqlite in the folder.
    """
    port, receiver = _free_port(), _free_port()
    stage = Stage(folder=folder.resolve(), say=say, server=f"http://127.0.0.1:{port}")
    prepare(stage.folder)
    _write(stage.folder, inbox)
    step(stage, "A key to sign with.", ["evidence", "key", "generate", "--out", "gate.key"], 0)
    with ExitStack() as running:
        say("\nStarting an MLflow server with the guard in it, which only observes today ...")
        running.enter_context(_mlflow(stage, port, store))
        say("Starting the receiver ...")
        secret = {VARIABLE: secrets.token_urlsafe(32)}
        serve = ["registry", "serve", "--port", str(receiver), "--key", "gate.key"]
        serving = [sys.executable, "-m", "aims_gate", *serve]
        ready = f"http://127.0.0.1:{receiver}/readyz"
        running.enter_context(_program(stage, "receiver", serving, secret, ready))
        stage = Stage(folder=stage.folder, say=say, server=stage.server, more=secret)
        url = f"http://127.0.0.1:{receiver}/webhook"
        step(stage, "MLflow is to tell it.", ["registry", "webhook", "install", url], 0)
        say("\nTraining two models on Massachusetts census data and registering them ...")
        train_and_register(stage.tracking_uri)
        _tell_moves(stage)


def _tell_moves(stage: Stage) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=stage.server, registry_uri=stage.server)
    for version, title in (("1", "the careful model"), ("2", "the strict model")):
        stage.say(f"\n{version}. Its author points candidate at version {version}, {title}.")
        client.set_registered_model_alias(MODEL, "candidate", version)
        asked = f"an answer about version {version}"
        answer = _wait(asked, partial(_tag, client, version, _ANSWER))
        stage.say(f"The receiver ran the gate, and tagged it: {answer}")
        if version == "1":
            promote = ["promote", "--model", f"models:/{MODEL}/1", "--alias", "champion"]
            promote += ["--key", "gate.key", "--why", "first release"]
            step(stage, "So it is promoted.", promote, 0)
            _wait("a look at it", lambda: _seen(stage))
    stage.say("\n3. Somebody points champion at version 2 all the same, by hand.")
    began = time.monotonic()
    client.set_registered_model_alias(MODEL, "champion", "2")
    reason = _wait("the move to be taken back", partial(_tag, client, "2", _REVERTED))
    found = client.get_model_version_by_alias(MODEL, "champion").version
    stage.say(f"champion is at version {found} again, {time.monotonic() - began:.1f} s later:")
    stage.say(f"  {reason}")
    if str(found) != "1":
        raise UndecidedError(f"champion is at version {found}, not at 1", where="the demo")
    history = ["registry", "history", MODEL]
    step(stage, "4. What was champion, and on what evidence?", history, 0)
    stage.say(f"\nLook around in {stage.folder}: registry.yaml, inbox.db, receiver.log, mlflow.log")


def _tag(client: Any, version: str, key: str) -> str:
    return str(client.get_model_version(MODEL, version).tags.get(key, ""))


def _seen(stage: Stage) -> str:
    """Whether the receiver knows that champion is at version 1: else that were a first look."""
    command = [sys.executable, "-m", "aims_gate", "registry", "history", MODEL]
    done = subprocess.run(
        command, cwd=stage.folder, env=stage.environ, check=False, text=True, capture_output=True
    )
    return "met" if "the policy demo@1.0.0 was met" in done.stdout else ""


def _write(folder: Path, inbox: str) -> None:
    registry = _REGISTRY + (f"inbox: {inbox}\n" if inbox else "")
    texts = {
        "policy.yaml": policy_text(),
        "trust.yaml": TRUST + _DEPLOY,
        "registry.yaml": registry.replace("MODE", "enforce"),
        "guard.yaml": registry.replace("MODE", "observe"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def _mlflow(stage: Stage, port: int, store: str) -> Iterator[None]:
    store = store or f"sqlite:///{stage.folder / 'mlflow.db'}"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", store),
        *("--registry-store-uri", f"aims-gate+{store}"),
        *("--artifacts-destination", f"aims-gate+{(stage.folder / 'artifacts').as_uri()}"),
    ]
    environ = {**_WEBHOOKS, "AIMS_GATE_REGISTRY": str(stage.folder / "guard.yaml")}
    with _program(stage, "mlflow", command, environ, f"{stage.server}/health"):
        yield


@contextmanager
def _program(
    stage: Stage, name: str, command: Sequence[str], more: Mapping[str, str], ready: str
) -> Iterator[None]:
    """Run a program until the end, from when it answers on."""
    with (stage.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=stage.folder,
            env={**stage.environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(f"{name} to start", lambda: _answers(ready) or process.poll() is not None)
        if process.poll() is not None:
            raise UndecidedError(f"{name} ended at once", where=f"{name}.log")
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(what: str, look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise UndecidedError(f"the demo waited for {what} in vain", hint="look into the logs there")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # of this machine
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
