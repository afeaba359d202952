"""Drift decided on brackets, beside asking a DuckDB table for every value: processor seconds.

`benchmarks/decisions.py FILE ROWS` prints a table, over the tables that `engines.py` made: for each
method, a rule over a few columns whose limit is a quarter above the greatest distance. Rows and
nulls are asked before, as a gate does when it opens a table; the digest is left out of both ways.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from speed_data import SIDES

from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.checks.contract import EXACT
from aims_gate.facts import DatasetIdentity, DigestKind, ModelIdentity
from aims_gate.frames.engine_connections import connect
from aims_gate.frames.opening import open_frame
from aims_gate.judge import judge
from aims_gate.plan import Task, plan
from aims_gate.policy.model import DataSpec, OnInsufficient, Policy, Role, Rule, Threshold
from aims_gate.refinement import FIRST, measure_finely
from aims_gate.sources.subject import Data, Subject
from aims_gate.verdict import Result

METHODS = ("ks", "wasserstein", "psi", "js")
COLUMNS = ("x00", "x01", "x02")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEAD = """| method | on brackets, CPU s | every value, CPU s | share | outcome |
| --- | --- | --- | --- | --- |"""


def task_of(method: str, limit: float) -> Task:
    """A rule over some columns."""
    rule = Rule(
        id="DRIFT-01",
        check="drift.columns",
        parameters={"columns": COLUMNS, "numeric": method, "categorical": "none"},
        require=Threshold(at_most=limit),
    )
    (task,) = plan(Policy(id="bench", version="1.0.0", rules=(rule,))).sound()
    return task


def opened(file: Path, rows: int) -> Subject:
    """Both tables, nothing of which was asked but what a gate asks first."""
    connected = connect(f"duckdb://{file}", timeout=3600, max_bytes=1 << 33)
    data = {}
    for side in SIDES:
        frame = open_frame(connected.table(f"{side}_{rows}"), name=side)
        identity = DatasetIdentity(
            role=Role(side),
            name=side,
            uri="table:bench",
            digest="0" * 64,
            digest_kind=DigestKind.TABLE,
            rows=frame.rows,
        )
        role = Role(side)
        data[role] = Data(role=role, frame=frame, spec=DataSpec(), identity=identity)
    entry = ManifestEntry(path="weights", sha256="0" * 64, bytes=1)
    model = ModelIdentity(uri="file:model", name="model")
    return Subject(
        model=model, manifest=Manifest(entries=(entry,)), folder=Path("model"), data=data
    )


def decided(task: Task, subject: Subject, *, exact: bool) -> tuple[Result, float]:
    """How a rule ends, and the processor seconds that it took."""
    start = time.process_time()
    first = replace(EXACT) if exact else FIRST
    found = measure_finely(task, subject, now=NOW, first=first)
    result = judge(task, found, now=NOW, insufficient=OnInsufficient.BLOCK)
    return result, time.process_time() - start


def main(file: Path, rows: int) -> None:
    """Print the table."""
    print(HEAD)
    for method in METHODS:
        found, _ = decided(task_of(method, 0.5), opened(file, rows), exact=False)
        greatest = max(one.value for one in found.statistics if one.judged and one.value)
        task = task_of(method, 1.25 * greatest)
        (few, brackets), (every, exact) = (
            decided(task, opened(file, rows), exact=exact) for exact in (False, True)
        )
        told = f"{few.outcome}" if few.outcome is every.outcome else "they differ"
        row = f"| {method} | {brackets:.2f} | {exact:.2f} | {brackets / exact:.2f} | {told} |"
        print(row, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
