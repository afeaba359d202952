"""A step that is cancelled half-way: its outputs say what was proved, which is nothing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github_action.conftest import CASES, TRUST
from tests.support.act import ROOT, VERSION, git

BIN = Path(sys.executable).parent
INPUTS = ("POLICY", "MODEL", "STAGE", "DATA", "TRACKING_URI", "EXPERIMENT", "KEY", "TRUST")
OTHERS = ("SARIF", "REPORTS", "VERSION", "EXTRAS", "PYTHON", "TOKEN", "EVIDENCE", "MODE", "COMMENT")


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes requests and never answers one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def cancelled(script: str, silent: socket.socket, folder: Path, key: Path) -> dict[str, str]:
    """Outputs of a script that is ended while it waits for the server."""
    work, outputs = folder / "work", folder / "outputs"
    shutil.copytree(CASES / "met", work)
    (work / "trust.yaml").write_text(TRUST, encoding="utf-8")
    shutil.copy(key.with_suffix(".key.pub"), work)
    git(work, "init", "-q", "-b", "main")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "A policy")
    given = {"SARIF": "false", "REPORTS": "markdown", "VERSION": VERSION, "POLICY": "policy.yaml"}
    given |= {"MODEL": "models:/credit/1", "TRUST": "trust.yaml"}
    given |= {"TRACKING_URI": f"http://127.0.0.1:{silent.getsockname()[1]}"}
    environ = {f"IN_{name}": given.get(name, "") for name in (*INPUTS, *OTHERS)}
    environ |= {f"EVENT_{name}": "" for name in ("BASE", "NUMBER", "HEAD", "AUTHOR", "FROM")}
    environ |= {"GITHUB_OUTPUT": str(outputs), "RUNNER_TEMP": str(folder), "HOME": str(folder)}
    environ |= {"GITHUB_STEP_SUMMARY": str(folder / "summary"), "EVENT_QUEUED": ""}
    started = subprocess.Popen(
        [ROOT / "github-action" / script],
        cwd=work,
        env={"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    silent.settimeout(60)
    with silent.accept()[0]:  # now it waits for an answer
        time.sleep(0.1)
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(30)
    lines = outputs.read_text(encoding="utf-8").splitlines()
    return {line.partition("<<")[0]: lines[at + 1] for at, line in enumerate(lines) if "<<" in line}


def test_a_cancelled_gate_has_no_exit_code_of_a_pass(
    silent: socket.socket, tmp_path: Path, signing_key: Path
) -> None:
    assert cancelled("gate.sh", silent, tmp_path, signing_key)["exit-code"] == "3"


def test_a_cancelled_proof_is_undecided(
    silent: socket.socket, tmp_path: Path, signing_key: Path
) -> None:
    found = cancelled("verify.sh", silent, tmp_path, signing_key)
    assert found == {"exit-code": "3", "verdict": "undecided"}
    assert "undecided" in (tmp_path / "summary").read_text(encoding="utf-8")
