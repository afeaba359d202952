"""A gate over a Spark of two executors, while they, or its driver, are killed: run as a program.

It prints a line of JSON for each gate: what was decided, or which error ended it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
from pyspark.sql import SparkSession

from aims_gate.errors import GateError
from aims_gate.operations.run import real_world
from aims_gate.pipeline import run
from aims_gate.policy.model import Role
from aims_gate.request import Request

POLICY = """
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: loans, version: "1.0.0", owner: model-risk@acme.example}
data:
  evaluation: {label: y, prediction: yhat, positive: 1, task: binary, sensitive: [sex]}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.3}}
  - {id: DATA-01, check: data.missing, with: {columns: [y, p]}, require: {at_most: 0}}
  - {id: DATA-02, check: data.duplicates, with: {columns: [id, sex]}, require: {at_most: 0}}
"""
COLUMNS = (
    "id",
    "if(id % 5 < 2, 'F', 'M') as sex",
    "double(id * 7919 % 1000) / 1000 as p",
    "int(id * 104729 % 10 < 6) as y",
    "int(id * 7919 % 1000 >= 500) as yhat",
)


def children(of: int) -> Iterator[tuple[int, str]]:
    """Processes below one, with their command lines."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            told = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if parent == of:
            yield int(place.name), told
            yield from children(int(place.name))


def kill(word: str) -> int:
    """Kill the processes of ours whose command has a *word*; how many there were."""
    found = [pid for pid, told in children(os.getpid()) if word in told]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return len(found)


def gate(frame: Any, folder: Path, word: str) -> dict[str, object]:
    """Gate a frame, and kill what has a *word* in its command while it is asked, three times."""
    killed = 0

    def killing() -> None:
        nonlocal killed
        for _ in range(3):
            time.sleep(0.7)
            killed += kill(word)

    thread = threading.Thread(target=killing)

    def progress(text: str) -> None:
        if word and "DATA-01" in text:
            thread.start()

    data: dict[Role, object] = {Role.EVALUATION: frame}
    request = Request(policy=f"{folder}/policy.yaml", model=f"file:{folder}/model", data=data)
    told: dict[str, object]
    try:
        verdict = run(request, real_world(progress))
    except GateError as error:
        told = {"error": str(error), "exit": error.exit_code}
    else:
        told = {
            "decision": verdict.decision,
            "rules": {
                result.rule: [result.outcome, *(cell.value for cell in result.statistics)]
                for result in verdict.results
            },
            "digest": verdict.datasets[0].digest if verdict.datasets else "",
        }
    if word:
        thread.join()
    return told | {"killed": killed}


def main() -> None:
    """Gate without harm; while executors die, also with the only copy; while the driver dies."""
    folder = Path(sys.argv[1])
    (folder / "model").mkdir()
    (folder / "model" / "weights.txt").write_text("weights")
    (folder / "policy.yaml").write_text(POLICY)
    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.local.dir", str(folder / "spark"))
        .getOrCreate()
    )
    spark.range(0, 100_000, 1, 8).selectExpr(*COLUMNS).write.parquet(f"{folder}/rows")
    frame = spark.read.parquet(f"{folder}/rows")
    varying = frame.selectExpr("*", "rand() as noise")
    executors = "CoarseGrainedExecutorBackend"
    for rows, word in (
        (frame, ""),
        (frame, executors),
        (varying, executors),
        (frame, "SparkSubmit"),
    ):
        sys.stdout.write(f"TOLD {json.dumps(gate(rows, folder, word))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
