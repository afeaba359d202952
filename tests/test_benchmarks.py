"""The benchmarks run from end to end on little data: nothing else would notice if they broke."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.laws import nightly
from tests.support.servers import environment

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def run(program: str, *options: str) -> str:
    """Run a benchmark, and give what it prints."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / program), *options],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells_of(printed: str) -> list[list[str]]:
    return [line.split(" | ") for line in printed.splitlines() if line.startswith("| ")]


@nightly
def test_noise_is_drawn_for_one_table() -> None:
    printed = run("noise", "--runs", "1", "--largest", "100", "--only", "one group of 200")
    assert printed.count("\n### ") == 1
    assert all(cell for row in cells_of(printed) for cell in row)


@nightly
def test_noise_is_drawn_for_every_table() -> None:
    printed = run("noise", "--runs", "1", "--largest", "100")
    assert printed.count("\n### ") == 11
    cells = cells_of(printed)
    assert len(cells) > 150
    assert all(cell for row in cells for cell in row)


def test_whole_gates_are_timed_beside_bare_reading(tmp_path: Path) -> None:
    options = ("--rows", "5000", "--repeat", "1", "--cache", str(tmp_path))
    printed = run("speed.py", *options, "--legs", "bare", "native")
    assert "5,000 rows a side" in printed
    timed = [line for line in printed.splitlines() if line.startswith(("bare", "aims-gate, "))]
    assert len(timed) == 2
    assert "sign" in printed


@nightly
def test_gates_over_engines_are_timed_and_decide_on_brackets_as_on_all_values(
    tmp_path: Path,
) -> None:
    timed = run("engines.py", "--rows", "20000", "50000", "--repeat", "1", "--cache", str(tmp_path))
    ways = [row[0] for row in cells_of(timed)]
    assert ways.count("| DuckDB") == ways.count("| Evidently") == 2
    decided = cells_of(run("decisions.py", str(tmp_path / "engine.duckdb"), "50000"))[2:]
    assert len(decided) == 4
    assert not any("differ" in row[-1] for row in decided)


@nightly
def test_the_receiver_is_timed_under_load() -> None:
    options = ("--database", "sqlite", "--rate", "20", "--seconds", "1")
    (row,) = cells_of(run("webhook.py", *options))[2:]
    assert row[:3] == ["| sqlite", "20", "20 of 20"]


@nightly
def test_reverts_are_timed_on_a_real_server_with_its_webhooks() -> None:
    rows = cells_of(run("webhook_reverts.py", "--moves", "4", "--sweep", "2s"))[2:]
    assert [row[1] for row in rows] == ["4", "2"]


@nightly
def test_the_guard_is_timed_beside_mlflow() -> None:
    printed = run("guard.py", "--live", "10", "--repeat", "3")
    assert [row[0].strip("| ") for row in cells_of(printed)][2:] == [
        "unguarded alias",
        "unguarded tag",
        "write of an artifact",
        "guarded alias, proven",
    ]
