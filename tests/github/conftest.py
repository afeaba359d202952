"""A workflow step: its files, its event and the API that it talks to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aims_gate.github import rest
from aims_gate.reports import json_report
from aims_gate.verdict import Verdict
from tests.support.github_api import TOKEN, GitHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """GitHub, as far as comments go, which is asked again without a pause."""
    monkeypatch.setattr(rest, "_AGAIN", rest._AGAIN.new(backoff_factor=0))
    with GitHub() as answering:
        yield answering


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: GitHub) -> Path:
    """A step of a pull request's workflow; the folder that it runs in."""
    monkeypatch.chdir(tmp_path)
    event = {"pull_request": {"number": 7, "head": {"repo": {"full_name": "acme/credit"}}}}
    (tmp_path / "event.json").write_text(json.dumps(event), encoding="utf-8")
    for name, value in {
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "acme/credit",
        "GITHUB_API_URL": hub.url,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WORKFLOW": "gate",
        "GITHUB_JOB": "credit",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "42",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def reported(verdict: Verdict, folder: Path) -> int:
    """Leave the report of a run, and its exit code."""
    (folder / "report.json").write_text(json_report.render(verdict), encoding="utf-8")
    return verdict.exit_code
