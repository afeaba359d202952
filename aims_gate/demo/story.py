"""The demo's story: gate three situations, verify the evidence, swap a byte, be refused.

Every step is the command line that a user would type, run as a process of its own.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aims_gate.attest.signers import without_keys
from aims_gate.demo.train import (
    CANDIDATES,
    MODEL,
    QUIET,
    SENSITIVE,
    data_file,
    train_and_register,
)
from aims_gate.errors import UndecidedError, UsageError

_MARKER = ".aims-gate-demo"
_LASTS = timedelta(days=90)
"""A policy ends, so that somebody looks at it again: past its day it is refused."""
_POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: demo, version: "1.0.0", owner: demo@example.org, expires: EXPIRES}
extends:
  - pack: release@1.2.0
data:
  evaluation:
    {label: employed, prediction: prediction, score: score, positive: 1, key: id,
     sensitive: [SENSITIVE]}
  reference: {key: id}
rules:
  - {id: PERF-04, with: {by: key}, why: "many people are alike in so few columns"}
"""
TRUST = """\
apiVersion: aims-gate/v1
kind: Trust
keys:
  - person: demo@example.org
    public_key: gate.key.pub
    roles: [gate]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the demo works and how it talks."""

    folder: Path
    say: Callable[[str], None]
    server: str = ""
    """An MLflow server; a local store without."""
    more: Mapping[str, str] = field(default_factory=dict)
    """More variables for its commands."""

    @property
    def tracking_uri(self) -> str:
        """The server, or the local MLflow store."""
        return self.server or f"sqlite:///{self.folder / 'mlflow.db'}"

    @property
    def environ(self) -> dict[str, str]:
        """What the commands of the demo run with: this store, and no key of anybody."""
        return {
            **without_keys(os.environ),
            **QUIET,
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            **self.more,
        }


def tell(folder: Path, say: Callable[[str], None]) -> None:
    """Run the whole demo in *folder*, which is made anew; UndecidedError if a step surprises."""
    stage = Stage(folder=folder.resolve(), say=say)
    prepare(stage.folder)
    say("Training two models on Massachusetts census data and registering them in MLflow ...")
    uris = train_and_register(stage.tracking_uri, stage.folder / "artifacts")
    for uri, candidate in zip(uris, CANDIDATES, strict=True):
        say(f"  {uri}  {candidate.title}")
    step(stage, "A key to sign with.", ["evidence", "key", "generate", "--out", "gate.key"], 0)
    (stage.folder / "trust.yaml").write_text(TRUST, encoding="utf-8")
    (stage.folder / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    _gate(stage, "1. The careful model: the policy is met.", uris[0], "passed", 0)
    _gate(stage, "2. The strict model: refused for bias.", uris[1], "biased", 1)
    broken = f"current={data_file('current_broken')}"
    title = "3. The careful model on the broken stretch of production data: refused for drift."
    _gate(stage, title, uris[0], "drifted", 1, "--data", broken)
    _verify(stage)
    say(f"\nLook around in {stage.folder}")
    say(f"(for the commands above: export MLFLOW_TRACKING_URI={stage.tracking_uri}):")
    for name in ("evidence/passed", "evidence/biased", "evidence/drifted", "trust.yaml"):
        say(f"  {name}")
    say(f"  MLflow's own pages: mlflow ui --backend-store-uri {stage.tracking_uri}")
    pages = [stage.folder / page_of(name) for name in ("passed", "biased", "drifted")]
    say("The same verdicts as pages, to open in a browser or to print:")
    say("\n".join(f"  {page}" for page in pages))


def policy_text() -> str:
    """The demo's policy, which ends some months from now."""
    policy = _POLICY.replace("SENSITIVE", ", ".join(SENSITIVE))
    return policy.replace("EXPIRES", f"{datetime.now(UTC) + _LASTS:%Y-%m-%d}")


def _verify(stage: Stage) -> None:
    """Verify a deployed copy of the model, then swap one byte of it."""
    deployed = stage.folder / "deployed"
    _deploy(stage, deployed)
    command = ["verify", "evidence/passed", "--model", "deployed", "--trust", "trust.yaml"]
    command += ["--stage", "production"]
    step(stage, "4. Verify what was deployed, offline.", command, 0)
    weights = max(
        (path for path in deployed.rglob("*") if path.is_file()),
        key=lambda path: path.stat().st_size,
    )
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    stage.say(f"\nOne bit of deployed/{weights.relative_to(deployed)} is swapped.")
    step(stage, "5. Verify again: refused.", command, 4)


def _deploy(stage: Stage, target: Path) -> None:
    import mlflow

    mlflow.artifacts.download_artifacts(
        f"models:/{MODEL}/1", dst_path=str(target), tracking_uri=stage.tracking_uri
    )


def page_of(name: str) -> str:
    """File of the page of a verdict of the story."""
    return f"{name}.html"


def _gate(stage: Stage, title: str, uri: str, name: str, expected: int, *more: str) -> None:
    command = [
        "run",
        "policy.yaml",
        "--model",
        uri,
        "--key",
        "gate.key",
        "--out",
        f"evidence/{name}",
        "--report",
        f"html={page_of(name)}",
    ]
    step(stage, title, [*command, *more], expected)


def step(stage: Stage, title: str, command: Sequence[str], expected: int) -> None:
    """Run one command line as a user would, and compare its exit code with the expected one."""
    stage.say(f"\n{title}\n$ aims-gate {shlex.join(command)}")
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", *command],
        cwd=stage.folder,
        env=stage.environ,
        check=False,
        text=True,
        capture_output=True,
    )
    stage.say(done.stdout.rstrip())
    if done.returncode != expected:
        raise UndecidedError(
            f"the demo expected exit code {expected} and got {done.returncode}",
            where=f"aims-gate {command[0]}",
            hint=done.stderr.strip()[-2000:],
        )
    if done.returncode == 4:
        stage.say(done.stderr.strip())
    if command[0] != "run":  # whose report ends with it
        stage.say(f"exit code {done.returncode}")


def prepare(folder: Path) -> None:
    """Recreate the folder, but never delete what the demo did not create."""
    if folder.exists():
        if not (folder / _MARKER).is_file():
            raise UsageError(f"{folder} is there and is not a demo's", hint="choose another --dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARKER).touch()
