"""A model's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.registry_content import FILES, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", FILES)
