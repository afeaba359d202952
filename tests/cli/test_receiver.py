"""`aims-gate registry serve` and `status` as a user types them."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from aims_gate.inbox.contract import MOST_ATTEMPTS, ModelKey
from aims_gate.inbox.database import open_inbox
from aims_gate.webhook_signature import VARIABLE
from tests.support.command_line import call
from tests.support.deliveries import SECRET, Sender
from tests.support.killing import until
from tests.support.servers import environment, free_port
from tests.test_docs import ROOT, blocks, commands

EXAMPLES = ROOT / "examples" / "receiver"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry file that guards models no other test has, with keys."""
    assert call(tmp_path, "evidence", "key", "generate").code == 0
    person = {"person": "gate@acme.example", "public_key": "gate.key.pub", "roles": ["gate"]}
    trust: dict[str, object] = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [person]}
    (tmp_path / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    registry: dict[str, object] = {
        "apiVersion": "aims-gate/v1",
        "kind": "Registry",
        "trust": "trust.yaml",
    }
    registry |= {"server": "prod", "models": [{"pattern": "receiver-*"}]}
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump(registry), encoding="utf-8")
    return tmp_path


def test_status_shows_what_is_not_clean_and_exits_3_for_the_dead(folder: Path) -> None:
    """Names and errors are strangers' words: no log obeys them, no secret is shown."""
    empty = call(folder, "registry", "status")
    assert (empty.code, empty.out) == (0, "0 models\n")
    inbox = open_inbox(f"sqlite:///{folder}/inbox.db")
    names = ("clean", "judging", "dead", "waiting::error::x")
    for name in names:
        inbox.mark([ModelKey(server="prod", workspace="", model=name)])
        lease = inbox.claim("w", 60)
        assert lease is not None
        match name:
            case "clean":
                inbox.finish(lease)
            case "dead":
                for _ in range(MOST_ATTEMPTS):
                    inbox.fail(lease, "no way to http://user:pw@host", 0.0)
                    lease = inbox.claim("w", 60) or lease
            case "judging":
                pass
            case _:
                inbox.release(lease)
    inbox.close()
    shown = call(folder, "registry", "status")
    assert shown.code == 3
    *lines, last = shown.out.splitlines()
    assert last == "4 models: 1 clean, 1 dead, 1 judging, 1 waiting"
    assert [line.split()[0] for line in lines] == ["dead", "judging", "waiting"]
    assert "failed 8 times: no way to http://host" in lines[0]
    assert "::error::" not in shown.out
    everything = call(folder, "registry", "status", "--all", "--config", "registry.yaml")
    assert "prod/clean" in everything.out


def test_status_names_what_is_missing(tmp_path: Path) -> None:
    done = call(tmp_path, "registry", "status")
    assert done.code == 2
    assert "registry.yaml" in done.err


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "there is no secret"),
        ({"AIMS_GATE_WEBHOOK_SECRET": "short"}, "16 to 4096 bytes"),
        ({"AIMS_GATE_WEBHOOK_SECRET": "a" * 32, "MLFLOW_TRACKING_URI": ""}, "MLFLOW_TRACKING_URI"),
        ({"AIMS_GATE_WEBHOOK_SECRET": "a" * 32, "TAKEN": "1"}, "cannot listen"),
    ],
)
def test_serve_refuses_to_start_and_says_why(
    folder: Path, variables: dict[str, str], told: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        tracking = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", **variables}
        done = call(folder, "registry", "serve", "--port", port, **tracking)
    assert done.code == 2, done.err
    assert told in done.err
    assert "aaaa" not in done.err


@pytest.mark.server
def test_serve_judges_what_is_delivered_and_stops_when_told(
    folder: Path, mlflow_server: str
) -> None:
    """Against a real server, which has no such model: that is judged, too."""
    sender = Sender(port=free_port())
    variables = {"MLFLOW_TRACKING_URI": mlflow_server, VARIABLE: SECRET.decode()}
    command = [sys.executable, "-m", "aims_gate", "registry", "serve", "--port", str(sender.port)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, env=environment(variables), stderr=log) as process,
    ):
        until(lambda: process.poll() is not None or _ready(sender))
        assert sender.event("receiver-unheard-of").status == 202
        assert sender.event("unguarded").status == 200
        until(lambda: "receiver-unheard-of" in _clean(folder))
        assert b'aims_gate_deliveries_total{outcome="accepted"} 1.0' in sender.get("/metrics").body
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    lines = [json.loads(line) for line in (folder / "log").read_bytes().splitlines()]
    told = {(line["event"], line.get("outcome")) for line in lines}
    assert {("delivery", "accepted"), ("delivery", "ignored"), ("judged", "done")} <= told
    assert ("stopped", None) in told
    assert SECRET not in (folder / "log").read_bytes()


def _ready(sender: Sender) -> bool:
    with contextlib.suppress(OSError):
        return sender.get("/readyz").status == 200
    return False


def _clean(folder: Path) -> str:
    shown = call(folder, "registry", "status", "--all").out.splitlines()
    return "\n".join(line for line in shown if line.startswith("clean"))


def test_the_page_about_running_it_says_what_is_typed(folder: Path) -> None:
    """`status` runs as printed; `serve` starts as printed, and only lacks its secret here."""
    lines = [line for block in blocks("docs/receiver.md") for line in commands(block)]
    (serve,) = [words for words, _ in lines if words[1] == "serve"]
    refused = call(folder, *serve)
    assert (refused.code, "there is no secret" in refused.err) == (2, True)
    (status,) = [words for words, _ in lines if words[1] == "status"]
    assert call(folder, *status).code == 0


def test_without_its_libraries_the_extra_is_named(folder: Path) -> None:
    """In a process of its own: here the libraries are loaded, and others hold them."""
    code = (
        "import sys; sys.modules['alembic'] = None\n"
        "from aims_gate.__main__ import guarded; sys.exit(guarded(['registry', 'status']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "pip install 'aims-gate[serve]'" in done.stderr


def test_the_container_of_the_receiver_is_linted_and_runs_as_nobody() -> None:
    linter = str(Path(sys.executable).parent / "hadolint")
    subprocess.run([linter, str(EXAMPLES / "Containerfile")], check=True, capture_output=True)
    assert "\nUSER 65532:65532\n" in (EXAMPLES / "Containerfile").read_text(encoding="utf-8")


@pytest.mark.tool("systemd-analyze")
def test_the_unit_of_the_receiver_is_one(tmp_path: Path) -> None:
    """As systemd reads it, with our program in the place of the installed one."""
    unit = tmp_path / "aims-gate-receiver.service"
    text = (EXAMPLES / unit.name).read_text(encoding="utf-8")
    program = shutil.which("true")
    assert program is not None
    unit.write_text(text.replace("/opt/aims-gate/bin/aims-gate", program), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr
