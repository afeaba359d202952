"""Golden files: what each report looks like, to be read by people in a diff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parents[1] / "golden" / "reports"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with its golden file; with --update-goldens, write that file."""

    def compare(name: str, text: str) -> None:
        path = GOLDENS / name
        if request.config.getoption("--update-goldens"):
            path.write_text(text, encoding="utf-8", newline="")
        assert path.is_file(), f"{name} is not there: run pytest --update-goldens"
        assert text == path.read_bytes().decode(), f"{name} differs: pytest --update-goldens"

    return compare
