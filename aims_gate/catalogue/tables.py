"""Reference tables shipped beside their readers: CSV, so that people review data and not code."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path


def rows(name: str) -> Iterable[dict[str, str]]:
    """Rows of a shipped table, by the names of its columns."""
    text = (Path(__file__).parent / f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
