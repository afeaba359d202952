"""No process that the gate starts can see a signing key or its password."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import aims_gate
from aims_gate.attest import keys
from aims_gate.attest.keys import PASSWORD_VARIABLE
from aims_gate.attest.signers import KEY_VARIABLE, without_keys
from tests.support.command_line import call, process

ROOT = Path(aims_gate.__file__).parent
CASES = Path(__file__).parents[1] / "contract"
_WATCH = """
import os, sys
def note(event, args):
    if event == "subprocess.Popen":
        seen = os.environ if args[3] is None else args[3]
        with open({seen!r}, "a") as file:
            file.write(f"{{os.path.basename(args[1][-1])}} {{' '.join(map(os.fsdecode, seen))}}\\n")
sys.addaudithook(note)
"""


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """Give an encrypted key by the variable that `--key env:` names, one by ours, a password."""
    keys.generate(tmp_path / "k", password="correct horse")
    text = (tmp_path / "k").read_text(encoding="utf-8")
    return {"TEAM_KEY": text, KEY_VARIABLE: text, PASSWORD_VARIABLE: "correct horse"}


def test_every_child_of_a_signed_run_is_without_them(
    tmp_path: Path, secrets: dict[str, str]
) -> None:
    """The model's process and the engines' are started, and whatever else there may come to be."""
    shutil.copytree(CASES / "asked-model", tmp_path / "case")
    policy = tmp_path / "case" / "policy.yaml"
    policy.write_text(policy.read_text("utf-8") + "engine: both\n", "utf-8")
    seen = tmp_path / "seen"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_WATCH.format(seen=str(seen)), "utf-8")
    environ = {**os.environ, **secrets, "PYTHONPATH": str(tmp_path / "site")}
    command = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv"]
    done = process(
        tmp_path / "case", *command, "--key", "env:TEAM_KEY", "--out", "e", environ=environ
    )
    assert done.code == 0, done.err
    assert (tmp_path / "case" / "e" / "vsa.dsse.json").exists()
    started = seen.read_text("utf-8")
    assert len(started.splitlines()) >= 2, "the model's process and the engines'"
    assert not [name for name in secrets if name in started]


@pytest.mark.tool("sh")
def test_git_is_without_them(tmp_path: Path, secrets: dict[str, str]) -> None:
    """It runs helpers of its own, which a machine's configuration names."""
    shutil.copytree(CASES / "met", tmp_path / "case")
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin" / "git"
    git.write_text(f"#!/bin/sh\nenv >> {tmp_path}/seen\nexit 1\n", encoding="utf-8")
    git.chmod(0o755)
    place = "git+https://git.invalid/p.git@" + "a" * 40 + "#p.yaml"
    (tmp_path / "case" / "policy.yaml").write_text(
        "apiVersion: aims-gate/v1\nkind: Policy\n"
        'metadata: {id: a, version: "1", owner: a@example.org}\n'
        f"extends: [{{uri: '{place}', sha256: {'a' * 64}}}]\n",
        encoding="utf-8",
    )
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    done = call(tmp_path / "case", "run", "--model", "file:model", **secrets, PATH=path)
    assert done.code == 2
    seen = (tmp_path / "seen").read_text("utf-8")
    assert "GIT_DIR=" in seen
    assert "correct horse" not in seen
    assert not [name for name in secrets if name in seen]


def test_libraries_of_the_gate_s_own_process_find_none(
    tmp_path: Path, secrets: dict[str, str]
) -> None:
    """Some start programs for credentials by themselves, with all that the process has."""
    shutil.copytree(CASES / "met", tmp_path / "case")
    script = (
        "import sys, os, aims_gate.__main__ as m; c = m.guarded(sys.argv[1:]); print(*os.environ)"
    )
    for more in (["--key", "env:TEAM_KEY"], ["--unsigned"]):
        command = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--quiet"]
        done = process_of(script, tmp_path / "case", [*command, *more], secrets)
        assert KEY_VARIABLE not in done
        assert PASSWORD_VARIABLE not in done
        assert ("TEAM_KEY" in done) == (more == ["--unsigned"])


def process_of(script: str, folder: Path, command: list[str], secrets: dict[str, str]) -> str:
    """Run the command line inside *script*; give what it printed last."""
    done = subprocess.run(
        [sys.executable, "-c", script, *command],
        cwd=folder,
        env={**os.environ, **secrets},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()[-1]


def test_every_process_is_given_an_environment() -> None:
    """Without one it inherits everything, so that leaving it out is an oversight."""
    calls = 0
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="subprocess"), attr=name)) if (
                    name in {"Popen", "run", "call", "check_call", "check_output"}
                ):
                    calls += 1
                    assert any(given.arg == "env" for given in node.keywords), path
    assert calls >= 4


def test_only_the_keys_are_taken_away() -> None:
    """The variable that `env:` names too, and no other that only looks like it."""
    environ = {KEY_VARIABLE: "k", PASSWORD_VARIABLE: "p", "TEAM_KEY": "t", "PATH": "/bin"}
    assert without_keys(environ) == {"TEAM_KEY": "t", "PATH": "/bin"}
    assert without_keys(environ, "env:TEAM_KEY") == {"PATH": "/bin"}
    assert without_keys(environ, "TEAM_KEY") == {"TEAM_KEY": "t", "PATH": "/bin"}
