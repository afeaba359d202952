"""A model in a real MLflow store, with data of its own run and a signed, published verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.aims.known import Known, look
from aims_gate.operations.log_evaluation import log_evaluation
from aims_gate.policy.resolve import load
from aims_gate.sources import SOURCES
from aims_gate.sources.opening import scheme
from aims_gate.sources.subject import Subject, Workspace
from tests.support.proofs import NOW
from tests.support.registry_content import Content
from tests.support.servers import copy_store

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0", owner: bo@acme.example}
data:
  evaluation: {label: repaid, prediction: prediction, score: score, positive: 1, sensitive: [sex]}
rules:
  - {id: INTEG-01, check: integrity.model, require: {at_most: 0}}
  - {id: DATA-02, check: data.missing, require: {at_most: 0.05}}
  - {id: PERF-01, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.7}}
  - {id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}, severity: warn}
"""
TRUST = """\
apiVersion: aims-gate/v1
kind: Trust
keys:
  - {person: ci@acme.example, public_key: gate.key.pub, roles: [gate]}
"""


FEATURES = {"income": "double", "age": "double"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedModel:
    """A version of a registered model, its policy, and who is trusted, in one folder."""

    folder: Path
    uri: str
    environ: Mapping[str, str]

    def look(
        self, *, evidence: str | None = None, trust: bool = True, policy: str = "policy.yaml"
    ) -> Known:
        """What is known of it, with its policy."""
        return look(
            self.uri,
            policy=self.folder / policy,
            evidence=evidence,
            trust=self.folder / "trust.yaml" if trust else None,
            environ=self.environ,
            now=NOW,
        )

    def opened(self, private: Path) -> Subject:
        """It and its data, as a run by its policy has them."""
        policy = load(self.folder / "policy.yaml", environ=self.environ)
        workspace = Workspace(folder=private, environ=self.environ)
        return SOURCES[scheme(self.uri)].open(
            self.uri, policy=policy, given={}, workspace=workspace
        )


def frame() -> pa.Table:
    """3,000 cases of unequal groups, and a decent model's answers."""
    random = np.random.default_rng(42)
    income, noise = random.normal(40, 12, 3000), random.normal(0, 10, 3000)
    score = 1 / (1 + np.exp((40 - income) / 6))
    columns = {
        "income": income,
        "age": random.normal(45, 9, 3000),
        "sex": np.where(random.random(3000) < 0.4, "F", "M"),
        "repaid": (income + noise > 40).astype(int),
        "score": score,
        "prediction": (score >= 0.5).astype(int),
    }
    return pa.table(columns)


def files(features: Mapping[str, str]) -> Mapping[str, bytes]:
    """Files of a model that reads *features*, as MLflow writes them."""
    inputs = json.dumps([{"name": name, "type": kind} for name, kind in features.items()])
    told = f"flavors:\n  sklearn: {{code: null}}\nsignature:\n  inputs: '{inputs}'\n"
    python = 'python: "3.11.7"\ndependencies: ["-r requirements.txt"]\n'
    return {
        "MLmodel": told.encode(),
        "weights.txt": b"1 2",
        "requirements.txt": b"scikit-learn\nnumpy==2.2.0\n",
        "python_env.yaml": python.encode(),
    }


def log_version(content: Content, name: str, features: Mapping[str, str]) -> str:
    """Log and register one version with its evaluation data; its URI."""
    run = content.run(end=False)
    model = content.model(run, files(features))
    roles = {"label": "repaid", "prediction": "prediction", "score": "score", "positive": 1}
    log_evaluation(frame(), **roles, run_id=run, model=model)  # type: ignore[arg-type]
    content.client.set_terminated(run)
    return f"models:/{name}/{content.version(name, f'models:/{model}', run)}"


@pytest.fixture(scope="session")
def judged(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgedModel]:
    """One version that met its policy; nobody writes to it, so that all tests share it."""
    import mlflow

    folder = tmp_path_factory.mktemp("judged")
    store = folder / "mlflow.db"
    copy_store(empty_store, store, str(folder / "artifacts"))
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "trust.yaml").write_text(TRUST, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
        mlflow.set_tracking_uri(f"sqlite:///{store}")
        uri = log_version(Content(uri=f"sqlite:///{store}"), "credit", FEATURES)
        mlflow.set_tracking_uri(None)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
        assert guarded(["evidence", "key", "generate", "--out", "gate.key"]) == 0
        assert guarded(["run", "policy.yaml", "--model", uri, "--key", "gate.key"]) == 0
        yield JudgedModel(folder=folder, uri=uri, environ=dict(os.environ))
