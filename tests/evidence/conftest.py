"""Genuine evidence, to be tampered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.proofs import (
    Lab,
)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.make(tmp_path)
