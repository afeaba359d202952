"""Tables of numbers that other projects printed, and small data that they were printed of."""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).parent


def table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file whose first lines, from `#` on, say where it comes from."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def columns(path: Path) -> dict[str, list[str]]:
    """Read a CSV file as columns of text."""
    rows = table(path)
    return {name: [row[name] for row in rows] for name in rows[0]}
