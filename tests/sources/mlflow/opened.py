"""The MLflow source as the gate uses it, and a hand that writes past it."""

from __future__ import annotations

from collections.abc import Callable

import requests

from aims_gate.policy.model import Policy
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Fetched, Subject, Workspace

POLICY = Policy(id="p", version="1.0.0")
Space = Callable[..., Workspace]


def fetch(uri: str, workspace: Workspace) -> Fetched:
    return SOURCE.fetch(uri, workspace=workspace)


def open_subject(uri: str, workspace: Workspace, policy: Policy = POLICY) -> Subject:
    return SOURCE.open(uri, policy=policy, given={}, workspace=workspace)


def put(server: str, path: str, data: bytes) -> None:
    url = f"{server}/api/2.0/mlflow-artifacts/artifacts/{path}"
    requests.put(url, data=data, timeout=30).raise_for_status()
