"""What a start costs: CPU seconds of whole processes, the least of seven runs.

Marks: `--version` and `policy check` under 0.3 s, `verify` under 0.5 s. Printed, not asserted: a
benchmark is no test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: bench, version: "1.0.0", owner: bench@example.org}
data:
  evaluation: {label: y, prediction: p, positive: 1, task: binary}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.5}}
"""


def cpu_seconds(command: list[str], folder: Path) -> float:
    """Give the user and system seconds of one run of *command*."""
    before = os.times()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def main() -> None:
    """Print a table of commands and their cost."""
    gate = [sys.executable, "-m", "aims_gate"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model").mkdir()
        (folder / "model" / "weights.bin").write_bytes(b"weights")
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        table = pa.table({"y": [0, 1] * 25_000, "p": [0, 1, 1, 1] * 12_500})
        pq.write_table(table, folder / "data.parquet")
        run = [*gate, "run", "policy.yaml", "--model", "file:model", "--quiet"]
        run += ["--data", "evaluation=data.parquet", "--key", "gate.key"]
        subprocess.run(
            [*gate, "evidence", "key", "generate", "--out", "gate.key"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
        trust += "  - {person: bench@example.org, public_key: gate.key.pub, roles: [gate]}\n"
        (folder / "trust.yaml").write_text(trust, encoding="utf-8")
        subprocess.run(
            [*run, "--out", "evidence"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        verify = [*gate, "verify", "evidence", "--model", "model", "--trust", "trust.yaml"]
        rows = {
            "python -c pass": [[sys.executable, "-c", "pass"]] * 7,
            "aims-gate --version": [[*gate, "--version"]] * 7,
            "aims-gate policy check": [[*gate, "policy", "check", "--quiet"]] * 7,
            "aims-gate verify": [verify] * 7,
            "aims-gate run, 50,000 rows": [[*run, "--out", f"evidence-{i}"] for i in range(7)],
        }
        for title, commands in rows.items():
            best = min(cpu_seconds(command, folder) for command in commands)
            print(f"{title:<28} {best:.2f} s")


if __name__ == "__main__":
    main()
