"""The gate in pre-commit, on GitLab and in a container: what stands in the files is what is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.support.act import git
from tests.support.command_line import call
from tests.support.installed import ROOT
from tests.support.laws import nightly

CASES = ROOT / "tests" / "contract"
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")


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
    text = (ROOT / "examples" / "gitlab" / ".gitlab-ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)
    passes = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema"]
    path = str(ROOT / "examples" / "gitlab" / ".gitlab-ci.yml")
    subprocess.run([*passes, "vendor.gitlab-ci", path], check=True, capture_output=True)
    work = tmp_path / "work"
    shutil.copytree(CASES / "biased", work)
    git(tmp_path, "init", "-q", "--bare", "target.git")
    git(work, "init", "-q", "-b", "main")
    git(work, "remote", "add", "origin", str(tmp_path / "target.git"))
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "A policy")
    git(work, "push", "-q", "origin", "main")
    policy = work / "policy.yaml"
    policy.write_text(re.sub("at_least: [0-9.]+", "at_least: 0.01", policy.read_text("utf-8")))
    install, *lines = jobs["gate"]["script"]
    assert install.startswith("pip install")
    lines[-1] = lines[-1].strip() + " --data evaluation=evaluation.csv --unsigned"
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "MODEL": "file:model",
    }
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)], cwd=work, env=environ, check=False, capture_output=True
    )
    assert done.returncode == 1, done.stdout.decode() + done.stderr.decode()
    assert (work / "junit.xml").is_file()
    assert (work / "quality.json").is_file()


def test_the_container_is_linted_and_runs_as_nobody() -> None:
    linter = str(Path(sys.executable).parent / "hadolint")
    subprocess.run([linter, str(ROOT / "Containerfile")], check=True, capture_output=True)
    (user,) = re.findall(r"^USER (.*)$", CONTAINER, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


@nightly
def test_the_steps_of_the_container_build_what_verifies(tmp_path: Path) -> None:
    """COPY and RUN, in order, in a folder instead of an image; the result writes nothing."""
    source, target = tmp_path / "src", tmp_path / "opt"
    build = CONTAINER.partition("\nFROM docker.io/library/python:3.13-slim\n")[0]
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
