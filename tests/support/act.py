"""GitHub Actions on this machine: `act` runs the workflows of a repository, without GitHub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aims_gate.version import __version__

ROOT = Path(__file__).parents[2]
ACTION = "aims-gate/aims-gate"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ACT = Path(sys.executable).parent / "act"
VERSION = __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a workflow did: of the step `gate` its result, outputs and summary, and all lines."""

    job: str
    jobs: Mapping[str, str]
    results: Mapping[str, str]
    outputs: Mapping[str, str]
    summary: str
    log: str


@dataclass(slots=True, kw_only=True)
class Repository:
    """A repository of `acme/credit`, its remote, and the home of the runner."""

    folder: Path
    work: Path = field(init=False)
    remote: Path = field(init=False)

    def __post_init__(self) -> None:
        self.work, self.remote = self.folder / "work", self.folder / "remote.git"
        self.work.mkdir(parents=True)
        git(self.folder, "init", "-q", "--bare", str(self.remote))
        git(self.work, "init", "-q", "-b", "main")
        git(self.work, "remote", "add", "origin", "https://github.com/acme/credit")

    def commit(self, branch: str = "main", *, push: bool = True) -> str:
        """Commit all files to a branch, which is made if needed; give the commit."""
        git(self.work, "checkout", "-q", "-B", branch)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-q", "--allow-empty", "-m", f"A change of {branch}")
        if push:
            git(self.work, "push", "-q", str(self.remote), branch)
        return git(self.work, "rev-parse", "HEAD").strip()

    def run(
        self,
        name: str,
        event: Mapping[str, Any],
        *,
        actor: str = "ada",
        environ: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        actions: Mapping[str, Path] | None = None,
    ) -> Ran:
        """Run the workflows of the repository for an event."""
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        address = "https://github.com/acme/credit"
        (home / ".gitconfig").write_text(f'[url "{self.remote}"]\n\tinsteadOf = {address}\n')
        (self.folder / "event.json").write_text(json.dumps(event))
        action = action_of(self.folder / "action")
        words = [str(ACT), name, "--platform=ubuntu-24.04=-self-hosted", "--json"]
        words += ["--actor", actor]
        words += ["--action-offline-mode", f"--eventpath={self.folder / 'event.json'}"]
        for uses, place in {f"{ACTION}@{COMMIT}": action, **(actions or {})}.items():
            words += ["--local-repository", f"{uses}={place}"]
        for key, value in (environ or {}).items():
            words += ["--env", f"{key}={value}"]
        for key, value in (variables or {}).items():
            words += ["--var", f"{key}={value}"]
        for key in secrets or {}:
            words += ["--secret", key]
        path = f"{ACT.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            words,
            cwd=self.work,
            env={"HOME": str(home), "PATH": path, **(secrets or {})},
            check=False,
            capture_output=True,
            text=True,
        )
        return read([json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"])


def pull_request(head: str, *, repository: str = "acme/credit") -> dict[str, Any]:
    """The event of a pull request, from a fork if *repository* says so."""
    source = {"ref": "change", "sha": head, "repo": {"full_name": repository}}
    base = {"ref": "main", "repo": {"full_name": "acme/credit"}}
    person = {"login": "ada"}
    return {
        "pull_request": {"number": 7, "base": base, "head": source, "user": person},
        "repository": {"full_name": "acme/credit"},
        "sender": person,
    }


def merge_group(head: str, base: str) -> dict[str, Any]:
    """The event of a merge queue, which names no pull request."""
    group = {"head_sha": head, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-x"}
    group |= {"base_sha": base, "base_ref": "refs/heads/main"}
    return {"action": "checks_requested", "merge_group": group}


def git(folder: Path, *words: str) -> str:
    """Call git as a person with a name."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.example")
    done = subprocess.run(
        ["git", *person, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def action_of(folder: Path) -> Path:
    """A copy of what a runner downloads of this repository, as far as the action reads it."""
    if not folder.exists():
        shutil.copytree(ROOT / "github-action", folder / "github-action")
        shutil.copytree(ROOT / ".github", folder / ".github")
        shutil.copy(ROOT / "action.yml", folder)
    return folder


def read(lines: list[dict[str, Any]]) -> Ran:
    """Read act's own report of a run."""
    steps = [line for line in lines if "stepID" in line or "stepid" in line]
    top = [line for line in steps if line.get("stepID") == ["gate"]]
    return Ran(
        job=next((line["jobResult"] for line in lines if "jobResult" in line), ""),
        jobs={line["jobID"]: line["jobResult"] for line in lines if "jobResult" in line},
        results={
            line["stepID"][0]: line["stepResult"]
            for line in steps
            if "stepResult" in line and line.get("stage") == "Main" and len(line["stepID"]) == 1
        },
        outputs={line["name"]: line["arg"] for line in top if line.get("command") == "set-output"},
        summary="".join(line["content"] for line in top if line.get("command") == "summary"),
        log="".join(str(line["msg"]) + "\n" * ("raw_output" not in line) for line in lines),
    )
