"""One gate over the same rows on Arrow and in the engines that hold them: cost, bytes, growth.

`make bench-engines` prints a table per number of rows a side (24 columns, 10 groups): processor
seconds, wall, memory, the bytes that came back from the engine, and the processor time of a row
beside that of the size before, each leg a fresh process over data that are there already. `--spark`
names a Python that has PySpark, whose leg is left out where there is none (its memory is Python's,
without Java's). Beside them stands what a user would do instead: Evidently's distances on a random
sample of 10,000 rows, with their greatest error. A benchmark asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from speed import Cost, machine, median, run
from speed_data import NUMBERS, SIDES, make

HERE = Path(__file__).parent
SIZES = (1_000_000, 10_000_000)
SAMPLE = 10_000
HEAD = """| way | CPU s | wall s | GiB | bytes returned | CPU a row, grown | greatest error |
| --- | --- | --- | --- | --- | --- | --- |"""
_LOAD = """
import sys, duckdb
from pathlib import Path
con = duckdb.connect(sys.argv[1])
for path in map(Path, sys.argv[2:]):
    name = path.stem.replace("-", "_")
    con.execute(f"create table if not exists {name} as select * from read_parquet('{path}')")
"""
_SAMPLED = """
import json, sys, duckdb
from evidently.legacy.calculations.stattests import wasserstein_stat_test as test
columns = sys.argv[3].split(",")
some = f"select {sys.argv[3]} from read_parquet('%s') using sample {sys.argv[4]} rows"
sides = [duckdb.sql(some % path).df() for path in sys.argv[1:3]]
values = {c: test(*(s[c].dropna() for s in sides), "num", 0.1).drift_score for c in columns}
print(json.dumps(values))
"""
_SPARK = """
import sys
from pyspark.sql import SparkSession
from aims_gate import pipeline
from aims_gate.operations.run import real_world
from aims_gate.policy.data_roles import roles_of
from aims_gate.request import Request
policy, model, *paths = sys.argv[1:]
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.memory", "3g").getOrCreate()
data = {side: spark.read.parquet(f"file://{path}") for side, path in zip(SIDES, paths)}
request = Request(policy=policy, model=f"file:{model}", data=roles_of(data))
print(pipeline.run(request, real_world(lambda line: print(line, file=sys.stderr))).decision)
java = spark.sparkContext._gateway.proc
spark.stop()
java.stdin.close()
java.wait()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One way to the same answers."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    python: str = sys.executable


def legs(folder: Path, rows: int, spark: str) -> Iterator[Leg]:
    """The ways of one size, their data made."""
    # in a process of its own: a child's largest size begins with that of its parent
    with ProcessPoolExecutor(1) as pool:
        paths = pool.submit(make, folder, rows).result()
    model = folder / "model"
    model.mkdir(exist_ok=True)
    (model / "weights.txt").write_text("weights", encoding="utf-8")
    policy = HERE / "speed_policy.yaml"
    gate = ["-m", "aims_gate", "run", "--model", f"file:{model}", "--unsigned"]
    gate += ["--out", "evidence", "--report", "json=report.json"]
    data = [f"--data={role}={path}" for role, path in paths.items()]
    yield Leg(name="Arrow", command=[*gate, str(policy), *data], environ={})
    files = [str(path) for path in paths.values()]
    run(
        [sys.executable, "-c", _LOAD, str(folder / "engine.duckdb"), *files], {**os.environ}, folder
    )
    config = folder / "operator.yaml"
    config.write_text(
        "apiVersion: aims-gate/v1\nkind: Config\ntables: {timeout_seconds: 3600}\nconnections:\n"
        f"  engine: {{url: 'duckdb://{folder}/engine.duckdb', timeout_seconds: 3600}}\n",
        encoding="utf-8",
    )
    tables = [f"--data={side}=table:engine/main.{side}_{rows}" for side in SIDES]
    found = {"AIMS_GATE_CONFIG": str(config)}
    yield Leg(name="DuckDB", command=[*gate, str(policy), *tables], environ=found)
    if Path(spark).exists():
        script = _SPARK.replace("SIDES", repr(SIDES))
        command = ["-c", script, str(policy), str(model), *files]
        root = {"PYTHONPATH": str(HERE.parent)}
        yield Leg(name="Spark", command=command, environ=found | root, python=spark)
    else:
        print("Spark is left out: no", spark, file=sys.stderr)
    names = ",".join(NUMBERS)
    yield Leg(name="Evidently", command=["-c", _SAMPLED, *files, names, str(SAMPLE)], environ={})


def distances(report: Path) -> dict[str, float]:
    """Wasserstein distance of each column, of all rows."""
    results = json.loads(report.read_bytes())["results"]
    (drift,) = [one for one in results if one["rule"] == "DRIFT-01"]
    return {
        cell["slice"].partition("=")[2] or cell["slice"]: cell["value"]
        for cell in drift["statistics"]
        if cell["value"] is not None
    }


def bytes_returned(cost: Cost) -> str:
    """Bytes that came back from an engine, as the run says; empty where none was asked."""
    found = re.search(r" sent ([0-9,]+) of", cost.told)
    return found[1] if found else ""


def turns(leg: Leg, repeat: int) -> tuple[list[Cost], dict[str, float]]:
    """What a leg took each time, and the distances that it found."""
    costs = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / str(turn) for turn in range(repeat)]
        for folder in folders:
            folder.mkdir()
            environ = {**os.environ, **leg.environ}
            costs.append(run([leg.python, *leg.command], environ, folder))
        report = folders[0] / "report.json"
        return costs, distances(report) if report.exists() else {}


def shown(leg: Leg, cost: Cost, exact: Mapping[str, float], growth: str) -> str:
    """Row of the table; of a sample also how far it is off at most."""
    error = ""
    if leg.name == "Evidently" and exact:
        sampled = json.loads(cost.printed)
        worst = max(abs(sampled[name] - exact[name]) for name in sampled)
        error = f"{worst:.3f} in a distance, of a sample of {SAMPLE:,}"
    took = f"{cost.cpu:.2f} | {cost.wall:.2f} | {cost.peak:.2f}"
    return f"| {leg.name} | {took} | {bytes_returned(cost)} | {growth} | {error} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES, help="rows a side")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each leg")
    parser.add_argument("--ways", nargs="*", default=(), help="only these: Arrow DuckDB ...")
    default = Path(tempfile.gettempdir()) / "aims-gate-bench" / "engines"
    parser.add_argument("--cache", type=Path, default=default, help="where data are kept")
    there = HERE.parent / ".venv-spark" / "bin" / "python"
    parser.add_argument("--spark", default=str(there), help="a Python that has PySpark")
    asked = parser.parse_args()
    machine()
    before: dict[str, float] = {}
    for rows in asked.rows:
        print(f"\n{rows:,} rows a side")
        print(HEAD)
        exact: dict[str, float] = {}
        for leg in legs(asked.cache, rows, asked.spark):
            if asked.ways and leg.name not in asked.ways:
                continue
            costs, report = turns(leg, asked.repeat)
            exact, cost = exact or report, median(costs)
            growth = f"{cost.cpu / rows / before[leg.name]:.2f}" if leg.name in before else ""
            before[leg.name] = cost.cpu / rows
            print(shown(leg, cost, exact, growth), flush=True)


if __name__ == "__main__":
    main()
