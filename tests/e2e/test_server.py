"""The whole road over a real `mlflow server`, and over one that dies on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import Content
from tests.support.servers import Server, environment

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0", owner: tests@example.org}
rules:
  - {id: INTEG-01, check: integrity.model}
  - {id: GOV-02, check: integrity.run}
  - {id: PERF-01, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.6}}
  - {id: BIAS-02, check: fairness.impact_ratio}
"""
TRUST = """\
apiVersion: aims-gate/v1
kind: Trust
keys:
  - {person: ci@example.org, public_key: gate.key.pub, roles: [gate]}
"""
TRAIN = """\
import sys
import mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
import aims_gate
random = np.random.default_rng(5)
frame = pd.DataFrame({"income": random.normal(40, 12, 6000)})
frame["sex"] = np.where(random.random(6000) < 0.35, "F", "M")
frame["approved"] = (frame["income"] + random.normal(0, 9, 6000) > 40).astype(int)
model = LogisticRegression().fit(frame[["income"]], frame["approved"])
frame["score"] = model.predict_proba(frame[["income"]])[:, 1]
frame["prediction"] = (frame["score"] >= 0.5).astype(int)
mlflow.set_experiment("training")
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", registered_model_name=sys.argv[1],
                             pip_requirements=["scikit-learn"])
    aims_gate.log_evaluation(frame, label="approved", prediction="prediction", score="score",
                             positive=1, sensitive=["sex"])
"""


class Project:
    """A folder with a policy and a key, whose commands talk to one server."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environ = environment({"MLFLOW_TRACKING_URI": url, "PYTHONWARNINGS": "ignore"})
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        (folder / "trust.yaml").write_text(TRUST, encoding="utf-8")
        assert self.gate("evidence", "key", "generate", "--out", "gate.key").returncode == 0

    def train(self, name: str) -> None:
        """Train, log, register and leave evaluation data, as a user's training job does."""
        self._python("-c", TRAIN, name).check_returncode()

    def gate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `aims-gate`."""
        return self._python("-m", "aims_gate", *arguments)

    def report(self, evidence: str) -> dict[str, Any]:
        """Read the report of an evidence directory."""
        text = (self.folder / evidence / "report.json").read_text(encoding="utf-8")
        return dict(json.loads(text))

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environ,
            check=False,
            capture_output=True,
            text=True,
        )


def tags(url: str, name: str) -> dict[str, str]:
    """Give the tags of version 1 of a model."""
    return dict(Content(uri=url).client.get_model_version(name, "1").tags)


def test_train_gate_publish_and_verify(mlflow_server: str, tmp_path: Path) -> None:
    """REST reads the version by number and alias, evidence is tagged last, and it verifies."""
    project = Project(tmp_path, mlflow_server)
    project.train("e2e-credit")
    Content(uri=mlflow_server).client.set_registered_model_alias("e2e-credit", "candidate", "1")
    run = ["run", "--key", "gate.key", "--model"]
    done = project.gate(*run, "models:/e2e-credit@candidate", "--out", "evidence")
    assert done.returncode == 0, done.stderr
    model = project.report("evidence")["model"]
    assert (model["reader"], model["version"]) == ("rest", "1")
    assert model["resolved_uri"] != model["uri"]
    found = tags(mlflow_server, "e2e-credit")
    assert found["aims_gate.production.verdict"] == "passed"
    assert found["aims_gate.production.evidence"].startswith("sha256:")
    verify = ["verify", "evidence", "--trust", "trust.yaml", "--model"]
    assert project.gate(*verify, "models:/e2e-credit/1").returncode == 0
    assert project.gate("verify", "models:/e2e-credit/1", "--trust", "trust.yaml").returncode == 0
    told = project.gate("evidence", "report", "models:/e2e-credit/1", "--trust", "trust.yaml")
    assert "policy met: nothing stands in the way" in told.stdout
    place = found["aims_gate.production.evidence"].partition(" ")[2]
    assert place in told.stdout
    assert project.gate("evidence", "fetch", place, "copy").returncode == 0
    assert project.gate("verify", "copy", *verify[2:], "models:/e2e-credit/1").returncode == 0
    project.train("e2e-credit")
    other = project.gate(*verify, "models:/e2e-credit/2")
    assert other.returncode == 4, other.stdout


@pytest.fixture
def mortal(tmp_path: Path, empty_store: Path) -> Iterator[Server]:
    """A server of this test's own, to be killed."""
    server = Server(folder=tmp_path / "server", store=empty_store)
    server.start()
    yield server
    server.kill()


def test_a_server_that_dies_half_way(mortal: Server, tmp_path: Path) -> None:
    """Killed between artifacts and tags: exit 3, evidence on disk; the next run completes."""
    project = Project(tmp_path, mortal.url)
    project.train("dying")
    run = ["run", "--key", "gate.key", "--model", "models:/dying/1", "--out"]

    def dies(_number: int, request: Request) -> Answer | None:
        if not request.path.endswith("/runs/log-batch"):
            return None
        mortal.kill()
        return Answer(status=0)

    with Proxy(mortal.url, dies) as proxy:
        project.environ["MLFLOW_TRACKING_URI"] = proxy.url
        gate = project.gate(*run, "first")
    assert gate.returncode == 3, gate.stderr
    assert "publishing the evidence" in gate.stderr
    assert "the evidence itself is in first" in gate.stderr
    assert project.report("first")["verdict"] == "passed"
    mortal.start()
    assert not [tag for tag in tags(mortal.url, "dying") if tag.startswith("aims_gate.")]
    project.environ["MLFLOW_TRACKING_URI"] = mortal.url
    done = project.gate(*run, "second")
    assert done.returncode == 0, done.stderr
    assert tags(mortal.url, "dying")["aims_gate.production.verdict"] == "passed"


def test_a_server_that_is_down_is_undecided(tmp_path: Path) -> None:
    """Nobody answers: exit 3, no evidence, and the address is named without its password."""
    project = Project(tmp_path, "http://user:hunter2@127.0.0.1:9")
    done = project.gate("run", "--unsigned", "--model", "models:/m/1", "--out", "evidence")
    assert done.returncode == 3
    assert "127.0.0.1:9" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert not (tmp_path / "evidence").exists()
