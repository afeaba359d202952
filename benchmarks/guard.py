"""What the guard costs inside an MLflow server: time in its own code, beside MLflow's own.

Marks, 95th percentile: an unguarded call 1 ms, an artifact written with 1,000 live models 5 ms, a
guarded call with everything known 15 ms. Over the stores themselves, in one process: the routes
above them are MLflow's with and without a guard. Printed, not asserted: a benchmark is no test.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support import servers
from tests.support.guarding import settings
from tests.support.promoting import ALIAS, House

CLOCK = time.thread_time if "--cpu" in sys.argv else time.perf_counter
Inside = Sequence[tuple[type, str]]
MARKS = {"unguarded": 1.0, "write": 5.0, "guarded": 15.0}


def live_models(uri: str, artifacts: Path, count: int) -> None:
    """Register models, each with evidence and a guarded alias: rows, as MLflow writes them."""
    rows = [
        {"name": f"guarded-{n}", "alias": ALIAS, "at": f"{artifacts}/9/models/m-{n}/artifacts"}
        for n in range(count)
    ]
    own = {"workspace": "'default'", "name": ":name"}
    version = {**own, "version": "1"}
    tables = {
        "registered_models": own,
        "model_versions": {
            **version,
            "current_stage": "'None'",
            "source": ":at",
            "storage_location": ":at",
            "status": "'READY'",
        },
        "model_version_tags": {
            **version,
            "key": "'aims_gate.production.evidence'",
            "value": "'sha256:'",
        },
        "registered_model_aliases": {**version, "alias": ":alias"},
    }
    with create_engine(uri).begin() as connection:
        for table, values in tables.items():
            columns, said = ", ".join(values), ", ".join(values.values())
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({said})"), rows)  # noqa: S608


@contextmanager
def timed(kind: type, method: str, spent: list[float]) -> Iterator[None]:
    """Measure what a method takes in all."""
    plain = getattr(kind, method)

    def measured(*args: Any, **named: Any) -> Any:
        begun = CLOCK()
        try:
            return plain(*args, **named)
        finally:
            spent.append(CLOCK() - begun)

    setattr(kind, method, measured)
    try:
        yield
    finally:
        setattr(kind, method, plain)


def report(
    name: str, call: Callable[[], object], guard: Inside, mlflow: Inside, repeat: int
) -> None:
    """Print a row: MLflow's own time and the guard's, in milliseconds.

    Args:
        name: Its first word is that of its mark.
        call: What is called.
        guard: Methods of the guard's that are called from MLflow's.
        mlflow: Methods of MLflow's that are called from the guard's.
        repeat: How often.
    """
    call()
    measured = [once(call, guard, mlflow) for _again in range(repeat)]
    plain, own = ([one[n] for one in measured] for n in (0, 1))
    columns = (1e3 * one for each in (plain, own) for one in percentiles(each))
    mark = MARKS[name.partition(" ")[0]]
    print(f"| {name} | " + " | ".join(f"{one:.2f}" for one in columns) + f" | {mark:g} |")


def once(call: Callable[[], object], guard: Inside, mlflow: Inside) -> tuple[float, float]:
    """Measure one call: what MLflow takes of it, and what the guard does."""
    within: list[float] = []
    without: list[float] = []
    with ExitStack() as timers:
        for place, spent in ((guard, within), (mlflow, without)):
            for kind, method in place:
                timers.enter_context(timed(kind, method, spent))
        begun = CLOCK()
        call()
        whole = CLOCK() - begun
    plain = sum(without) - sum(within)
    return plain, whole - plain


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def main() -> None:
    """Print a table of calls and what they cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=1000, help="live models")
    parser.add_argument("--cpu", action="store_true", help="processor time, for a busy machine")
    parser.add_argument("--repeat", type=int, default=200, help="calls of each kind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        database, artifacts = folder / "mlflow.db", folder / "artifacts"
        uri = f"sqlite:///{database}"
        servers.copy_store(servers.empty_store(folder), database, str(artifacts))
        file = settings(folder / "settings", server="mlflow-local")
        os.environ |= {
            "AIMS_GATE_REGISTRY": str(file),
            "_MLFLOW_SERVER_FILE_STORE": uri,
            "_MLFLOW_SERVER_REGISTRY_STORE": f"aims-gate+{uri}",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(artifacts),
            "_MLFLOW_SERVER_ARTIFACT_ROOT": str(folder / "mlruns"),
        }
        measure(uri, folder, asked.live, asked.repeat)


def measure(uri: str, folder: Path, live: int, repeat: int) -> None:
    """Measure over a store that holds *live* models besides the one that is asked about."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from aims_gate.guard.artifact_store import GuardedArtifacts
    from aims_gate.guard.process import guarded_store

    artifacts = folder / "artifacts"
    house = House.build(uri, folder / "house")
    house.use_key(folder / "settings" / "gate.pem")
    store = guarded_store(f"aims-gate+{uri}")
    version = house.version()
    live_models(uri, artifacts, live)
    store.create_registered_model("free")
    store.create_model_version("free", str(artifacts / "free"))
    repository = get_artifact_repository(f"aims-gate+file://{artifacts}")
    print(f"{live:,} live models, {repeat} calls of each kind, milliseconds")
    print("| call | MLflow p50 | p95 | guard p50 | p95 | mark |")
    print("| --- | --- | --- | --- | --- | --- |")
    set_alias = ((SqlAlchemyStore, "set_registered_model_alias"),)
    publish = "_publish_staged_artifact"
    report(
        "unguarded alias",
        lambda: store.set_registered_model_alias("free", ALIAS, "1"),
        *((), set_alias, repeat),
    )
    report(
        "unguarded tag",
        lambda: store.set_model_version_tag("free", "1", TAG),
        *((), ((SqlAlchemyStore, "set_model_version_tag"),), repeat),
    )
    report(
        "write of an artifact",
        lambda: repository.log_artifact_from_stream(io.BytesIO(b"w"), "w", "7/run/artifacts/model"),
        ((GuardedArtifacts, publish),),
        (
            (LocalArtifactRepository, "log_artifact_from_stream"),
            (LocalArtifactRepository, publish),
        ),
        repeat,
    )
    report(
        "guarded alias, proven",
        lambda: store.set_registered_model_alias(house.name, ALIAS, version),
        *((), set_alias, repeat),
    )


class TAG:
    """A tag as MLflow's routes hand it on."""

    key, value = "team", "risk"


if __name__ == "__main__":
    main()
