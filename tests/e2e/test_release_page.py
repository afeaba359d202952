"""docs/release.md, from top to bottom, on a real server: three persons with three keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.test_server import Project
from tests.test_docs import blocks, commands

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]
NAME = "credit-release-page"


def test_a_refused_model_is_waived_approved_released_and_taken_back(
    mlflow_server: str, tmp_path: Path
) -> None:
    """Each command of the page ends as it says; only the model has a name of its own here."""
    project = Project(tmp_path, mlflow_server)
    (tmp_path / "gate.key").unlink()
    (tmp_path / "gate.key.pub").unlink()
    project.train(NAME)
    told: dict[int, str] = {}
    for block in blocks("docs/release.md"):
        if block.title:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            for arguments, code in commands(block):
                words = [word.replace("models:/credit/", f"models:/{NAME}/") for word in arguments]
                done = project.gate(*words)
                assert done.returncode == code, (words, done.stdout, done.stderr)
                told[len(told)] = " ".join((done.stdout + done.stderr).split())
    whole = "\n".join(told.values())
    assert "waived by WVR-" in whole
    assert "nobody approved these bytes as validator" in whole
    assert "case 4711" in whole
