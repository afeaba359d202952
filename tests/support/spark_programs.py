"""Programs that have a Spark of their own, and what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def told_by(program: Path, folder: Path) -> list[Any]:
    """What a program says in lines of JSON that begin with TOLD, given a folder."""
    ended = subprocess.run(
        [sys.executable, str(program), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith("TOLD ")]
    return [json.loads(line.removeprefix("TOLD ")) for line in lines]
