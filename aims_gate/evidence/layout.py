"""The layout of an evidence directory: where it lies, and what its files are called."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("aims-gate-evidence")
"""Where evidence goes if nobody says where."""
POLICY_FILE = "policy.resolved.yaml"
SIGNATURE = "policy-signature"
"""Stem of the statement that signs the policy."""
REPORT_FILE = "report.json"
ORIGIN = "origin"
"""Key of an evaluation's `evaluator.version`: the evidence is local, made by what it names."""


def directory(root: Path, *, model_digest: str, evaluation: str) -> Path:
    """Place an evaluation below *root*: `<first 12 of the model's digest>/<evaluation id>`."""
    return root / model_digest[:12] / evaluation
