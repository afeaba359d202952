"""Waivers of registered models on a real server: authors, later versions, and how often used."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from tests.e2e.test_server import Project

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0"}
waivers: {scope: model}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.999}}
"""
TRUST = """\
apiVersion: aims-gate/v1
kind: Trust
keys:
  - {person: gate@acme.example, public_key: gate.key.pub, roles: [gate]}
  - {person: ana@acme.example, public_key: ana.key.pub, roles: [approver]%s}
"""
WHY = "the nightly model is watched by hand until the new labels arrive"


def test_a_nightly_retrain_needs_no_new_signature_until_its_uses_are_spent(
    mlflow_server: str, tmp_path: Path
) -> None:
    """Two evaluations of two versions rest on one signature, the third refuses."""
    project = Project(tmp_path, mlflow_server)
    assert project.gate("evidence", "key", "generate", "--out", "ana.key").returncode == 0
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "trust.yaml").write_text(TRUST % "", encoding="utf-8")
    name = "waived-nightly"
    project.train(name)
    project.train(name)

    def gate(version: int, out: str, *more: str) -> tuple[int, str]:
        model = f"models:/{name}/{version}"
        done = project.gate("run", "--model", model, "--key", "gate.key", "--out", out, *more)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    assert gate(1, "refused")[0] == 1
    drafted = project.gate(
        *("waiver", "draft", "PERF-01", "--evidence", "refused", "--by", "jo@acme.example"),
        *("--model-pattern", "waived-*", "--uses", "2", "--why", WHY, "--out", "waivers/one.yaml"),
    )
    assert drafted.returncode == 0, drafted.stderr
    signed = project.gate("waiver", "approve", "waivers/one.yaml", "--key", "ana.key")
    assert signed.returncode == 0, signed.stderr
    code, told = gate(1, "uncounted", "--no-publish")
    assert code == 1, "signed evidence that no server shows would use no waiver up"
    assert "this evaluation is not published" in told
    for version, out in ((1, "first"), (2, "second")):
        code, told = gate(version, out)
        assert code == 0, told
    verified = project.gate("verify", f"models:/{name}/2")
    assert verified.returncode == 0, verified.stderr
    code, told = gate(2, "third")
    assert code == 1
    assert "it was used 2 times, and 2 are allowed" in told
    # whoever trained the model approves nothing for it, under whatever name MLflow has
    (tmp_path / "trust.yaml").write_text(
        TRUST % f", known_as: [{getpass.getuser()}]", encoding="utf-8"
    )
    code, told = gate(1, "fourth")
    assert code == 1
    assert "ana@acme.example approved it and made the model" in told
