"""docs/aims.md: its commands, in their order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.conftest import JudgedModel
from tests.test_docs import blocks, commands

pytestmark = pytest.mark.filterwarnings("ignore")


PAGES = ("docs/first-records.md", "docs/aims.md")
"""In this order; the first one from the demo on, whose own commands a test at night runs."""


def test_the_pages_of_the_management_system_run(
    judged: JudgedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with a policy and a trust file, and nothing else."""
    for name in ("policy.yaml", "trust.yaml", "gate.key.pub"):
        shutil.copy(judged.folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", judged.environ["MLFLOW_TRACKING_URI"])
    lines = [line for page in PAGES for block in blocks(page) for line in commands(block)]
    ran = 0
    for arguments, code in lines:
        words = [one.replace("employment", "credit") for one in arguments]
        if words[0] == "aims":
            assert guarded(words) == code, words
            ran += 1
    assert ran >= 10
