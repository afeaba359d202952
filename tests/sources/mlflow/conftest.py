"""A server's content, and workspaces to fetch it into."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.sources.subject import Workspace
from tests.sources.mlflow.opened import Space
from tests.support.registry_content import Content


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """Make workspaces, each with a fresh folder."""

    def make(uri: str, *, max_files: int = 100, max_bytes: int = 1 << 20) -> Workspace:
        folder = tmp_path / f"space-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return Workspace(
            folder=folder,
            max_files=max_files,
            max_bytes=max_bytes,
            environ={"MLFLOW_TRACKING_URI": uri},
        )

    return make


@pytest.fixture
def content(mlflow_server: str) -> Content:
    return Content(uri=mlflow_server)
