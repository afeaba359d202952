"""The gate in pre-commit, on GitLab and in a container: what stands in the files is what is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.act import git
from tests.support.command_line import call
from tests.support.installed import ROOT
from tests.support.laws import nightly

CASES = ROOT / "tests" / "contract"
GITLAB = ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")

READ_ONLY = """
import errno, os, sys
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
def refuse(event, arguments):
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in CHANGES:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), arguments[0])
sys.addaudithook(refuse)
from aims_gate.__main__ import main
main()
"""
"""A program that is refused every write, as on a file system that is read-only."""


def test_pre_commit_refuses_an_unsound_policy_and_names_each_problem(tmp_path: Path) -> None:
    """Its entry is called with every changed policy at once, as pre-commit does."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    files = []
    for name in ("met", "unknown-check", "nan-threshold"):
        (tmp_path / name).mkdir()
        shutil.copy(CASES / name / "policy.yaml", tmp_path / name)
        files.append(f"{name}/policy.yaml")
    assert all(re.search(hook["files"], file) for file in files)
    assert not re.search(hook["files"], "src/policy.py")
    program, *words = shlex.split(hook["entry"])
    assert program == "aims-gate"
    sound = call(tmp_path, *words, files[0])
    assert (sound.code, sound.out) == (0, "")
    refused = call(tmp_path, *words, *files)
    assert refused.code == 2
    assert "met/policy.yaml" not in refused.err
    for name in files[1:]:
        assert f"{name}:" in refused.err


def test_gitlab_judges_a_merge_request_by_its_target(tmp_path: Path) -> None:
    """The lines of the example, in a shell: a loosened policy does not judge itself."""
    jobs = _jobs()
    passes = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema"]
    subprocess.run([*passes, "vendor.gitlab-ci", str(GITLAB)], check=True, capture_output=True)
    shutil.copytree(CASES / "biased", tmp_path / "work")
    work = _loosened(tmp_path)
    lines = jobs["gate"]["script"]
    lines[-1] = lines[-1].strip() + " --data evaluation=evaluation.csv --unsigned"
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)],
        cwd=work,
        env={"PATH": PATH, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "MODEL": "file:model"},
        check=False,
        capture_output=True,
    )
    assert done.returncode == 1, done.stdout.decode() + done.stderr.decode()
    assert (work / "junit.xml").is_file()
    assert (work / "quality.json").is_file()


@nightly
@pytest.mark.tool("gitlab-ci-local", "rsync")
@pytest.mark.parametrize(("case", "code"), [("biased", 1), ("met", 0)])
def test_gitlab_runs_the_example(tmp_path: Path, case: str, code: int) -> None:
    """Both jobs, by a runner of GitLab's files: what was refused is not deployed."""
    jobs = _jobs()
    verify, deploy = jobs["deploy"]["script"]
    # a folder of evidence, where a registry would find it by the model
    verify = verify.replace('verify "$MODEL"', 'verify evidence --model "$MODEL"')
    jobs["deploy"]["script"] = [verify, deploy]
    shutil.copytree(CASES / case, tmp_path / "work")
    key = _trusted(tmp_path / "work").read_text()
    defaults = '[tool.aims-gate.data]\nevaluation = "evaluation.csv"\n'
    (tmp_path / "work" / "pyproject.toml").write_text(defaults)
    (tmp_path / "work" / "deploy.sh").write_text("#!/bin/sh\ntouch deployed\n")
    (tmp_path / "work" / "deploy.sh").chmod(0o755)
    (tmp_path / "work" / ".gitlab-ci.yml").write_text(yaml.safe_dump(jobs))
    work = _loosened(tmp_path)

    def job(name: str, **variables: str) -> tuple[int, str]:
        """Give the exit code of a job, and what the runner said of it."""
        words = [f"--variable={name}={value}" for name, value in variables.items()]
        done = subprocess.run(
            ["gitlab-ci-local", name, *words],
            cwd=work,
            env={"PATH": PATH, "HOME": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    gated, said = job(
        "gate",
        CI_PIPELINE_SOURCE="merge_request_event",
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
        MODEL="file:model",
        AIMS_GATE_SIGNING_KEY=key,
    )
    assert gated == code, said
    for name in ("evidence/report.json", "junit.xml", "quality.json"):
        assert (work / name).is_file(), name
    git(work, "switch", "-q", "main")
    deployed, said = job("deploy", MODEL="model")
    assert deployed == code, said
    assert ("policy not met (refused)" in said) is (code == 1)
    assert (work / "deployed").is_file() == (code == 0)


def _jobs() -> dict[str, Any]:
    """The example's jobs on this machine: without images and what installs aims-gate in them."""
    jobs: dict[str, Any] = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    for name in ("gate", "deploy"):
        del jobs[name]["image"]
        assert jobs[name]["script"].pop(0).startswith("pip install")
    return jobs


def _loosened(tmp_path: Path) -> Path:
    """The folder `work` on a branch that loosens the policy of `main`."""
    work = tmp_path / "work"
    git(tmp_path, "init", "-q", "--bare", "target.git")
    git(work, "init", "-q", "-b", "main")
    git(work, "remote", "add", "origin", str(tmp_path / "target.git"))
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "A policy")
    git(work, "push", "-q", "origin", "main")
    git(work, "switch", "-q", "-c", "change")
    policy = work / "policy.yaml"
    policy.write_text(re.sub("at_least: [0-9.]+", "at_least: 0.01", policy.read_text("utf-8")))
    git(work, "commit", "-q", "-a", "-m", "Loosen it")
    return work


def test_the_container_is_linted_and_runs_as_nobody() -> None:
    linter = str(Path(sys.executable).parent / "hadolint")
    subprocess.run([linter, str(ROOT / "Containerfile")], check=True, capture_output=True)
    (user,) = re.findall(r"^USER (.*)$", CONTAINER, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


def test_verify_and_policy_check_write_no_file(tmp_path: Path) -> None:
    """So they run on a file system that is read-only: every write is refused here, too."""
    shutil.copytree(CASES / "met", tmp_path, dirs_exist_ok=True)
    _trusted(tmp_path)
    run = ["run", "policy.yaml", "--model", "file:model", "--data", "evaluation=evaluation.csv"]
    run += ["--key", "gate.key", "--out"]
    assert call(tmp_path, *run, "evidence").code == 0
    verify = ("verify", "evidence", "--model", "model", "--trust", "trust.yaml")
    for words in (verify, ("policy", "check", "policy.yaml")):
        done = _read_only(tmp_path, *words)
        assert done.returncode == 0, done.stderr
    refused = _read_only(tmp_path, *run, "more")
    assert refused.returncode == 2
    assert "Read-only file system" in refused.stderr


def _trusted(folder: Path) -> Path:
    """Make a key that the new trust file of *folder* trusts."""
    assert call(folder, "evidence", "key", "generate", "--out", "gate.key").code == 0
    person = {"person": "ci@acme.example", "public_key": "gate.key.pub", "roles": ["gate"]}
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [person]}
    (folder / "trust.yaml").write_text(yaml.safe_dump(trust))
    return folder / "gate.key"


def _read_only(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call aims-gate in a process to which all files are read-only."""
    return subprocess.run(
        [sys.executable, "-B", "-c", READ_ONLY, *words],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


@nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("file", ["Containerfile", "examples/receiver/Containerfile"])
def test_the_steps_of_a_container_build_it(tmp_path: Path, file: str) -> None:
    """COPY and RUN, in order, in a folder instead of an image."""
    source, target = tmp_path / "src", tmp_path / "opt"
    text = (ROOT / file).read_text(encoding="utf-8")
    build = text.partition("\nFROM docker.io/library/python:3.13-slim\n")[0]
    steps = build.replace("/opt/aims-gate", str(target)).replace("/src", str(source))
    steps = steps.replace("python -m venv", f"{sys.executable} -m venv")
    for verb, step in re.findall(r"^(COPY|RUN) ((?:.*\\\n)*.*)$", steps, re.MULTILINE):
        if verb == "RUN":
            environ = {**os.environ, "LOCK": "core"}
            done = subprocess.run(
                ["sh", "-ec", step], env=environ, check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            continue
        *names, place = step.split()
        Path(place).mkdir(parents=True, exist_ok=True)
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / name, place)
    said = subprocess.run(
        [target / "bin" / "aims-gate", "--version"], check=True, capture_output=True
    )
    assert said.stdout.startswith(b"aims-gate ")
    (words,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    command = [target / "bin" / "aims-gate", *json.loads(words), "--help"]
    subprocess.run(command, check=True, capture_output=True)
