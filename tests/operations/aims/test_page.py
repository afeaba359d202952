"""docs/aims.md: its commands, in their order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.conftest import JudgedModel
from tests.test_docs import blocks, commands

pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_page_of_the_management_system_runs(
    judged: JudgedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with a policy and a trust file, and nothing else."""
    for name in ("policy.yaml", "trust.yaml", "gate.key.pub"):
        shutil.copy(judged.folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", judged.environ["MLFLOW_TRACKING_URI"])
    lines = [line for block in blocks("docs/aims.md") for line in commands(block)]
    assert lines
    for arguments, code in lines:
        assert guarded(arguments) == code, arguments
