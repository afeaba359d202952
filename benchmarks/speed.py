"""Our gate beside what people write without it: time, processor time and memory of whole processes.

`make bench` prints the table; `benchmarks/speed.py --rows 10000000 --repeat 1` makes the large one,
without the plain script. Every leg is a fresh process on the same files in the same run, the files
warm in the page cache, legs in turn. Data and an MLflow server live in `--cache`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from speed_data import SIDES, make
from speed_server import MODEL, serving

HERE = Path(__file__).parent
SIZES = (50_000, 100_000, 1_000_000)
LEGS = {
    "bare": "bare reading, sorting, counting",
    "bare-avx2": "bare, NumPy without AVX-512",
    "native": "aims-gate, native",
    "both": "aims-gate, both engines",
    "expert": "(b) expert script",
    "plain": "(a) plain script",
}
PLAIN_MOST = 1_000_000
"""Rows a side up to which the plain script is run: it takes minutes there."""
_AVX2 = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
"""Where AVX-512 sorts slowly the gate does without it (`aims_gate/cli/lean.py`); so may others."""
_NO_MORE: Mapping[str, str] = MappingProxyType({})
_LIBRARIES = ("numpy", "pyarrow", "scipy", "polars", "pandas", "mlflow", "evidently", "fairlearn")
_IMPORTS = ("evidently.legacy.calculations.stattests", "fairlearn.metrics", "sklearn.metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took."""

    wall: float
    cpu: float
    """User and system seconds, its children's included."""
    peak: float
    """GiB: largest resident size of the process, or of one of its children."""
    printed: str
    told: str = ""
    """What it wrote to standard error."""


def run(command: Sequence[str], environ: dict[str, str], folder: Path) -> Cost:
    """Run a process to its end; RuntimeError if it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=err)
        _pid, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            told = err.read()[-2000:].decode()
            raise RuntimeError(f"{' '.join(command)}: exit {child.returncode}\n{told}")
        return Cost(
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime,
            peak=usage.ru_maxrss / 2**20,
            printed=out.read().decode(),
            told=err.read().decode(),
        )


def median(costs: Sequence[Cost]) -> Cost:
    """Give the medians of several runs of one process."""
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=statistics.median(cost.peak for cost in costs),
        printed=costs[0].printed,
        told=costs[0].told,
    )


class Bench:
    """The legs of one size, over the same two files."""

    def __init__(
        self, cache: Path, tracking: str, scratch: Path, repeat: int, legs: Sequence[str]
    ) -> None:
        self._cache = cache
        self._tracking = tracking
        self._scratch = scratch
        self._repeat = repeat
        self._legs = ("native", *legs)
        self._environ = {
            **os.environ,
            "MLFLOW_TRACKING_URI": tracking,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
        }
        # what is installed was compiled then; so is what is run from its sources, in the first run
        self._environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self._run(["-m", "aims_gate", "evidence", "key", "generate", "--out", "gate.key"])

    def size(self, rows: int) -> Iterator[tuple[str, Cost]]:
        """Give each leg and its cost; all but the plain script take turns."""
        paths = self._data(rows)
        legs = {
            "bare": [str(HERE / "bare_cost.py"), *paths],
            "bare-avx2": [str(HERE / "bare_cost.py"), *paths],
            "native": self._gate("native", paths),
            "both": self._gate("both", paths),
            "expert": [str(HERE / "expert_script.py"), *paths],
            "plain": [str(HERE / "plain_script.py"), *paths, self._tracking, MODEL],
        }
        self._run(legs["bare"])  # the files into the page cache
        costs: dict[str, list[Cost]] = {leg: [] for leg in legs if leg in self._legs}
        for turn in range(self._repeat):
            for leg, found in costs.items():
                if leg != "plain" or (turn == 0 and rows <= PLAIN_MOST):
                    found.append(self._run(legs[leg], _AVX2 if leg == "bare-avx2" else {}))
        yield from ((leg, median(found)) for leg, found in costs.items() if found)

    def stages(self, rows: int) -> dict[str, float]:
        """Give the seconds of each stage of our gate, signed, in one process."""
        paths = self._data(rows)
        policy = self._policy("native")
        found = self._run([str(HERE / "speed_stages.py"), policy, MODEL, *paths, "gate.key"])
        stages: dict[str, float] = json.loads(found.printed)
        return stages

    def imports(self) -> dict[str, Cost]:
        """Give what it costs to import each library that `engine: both` asks."""
        return {
            name: median([self._run(["-P", "-W", "ignore", "-c", f"import {name}"]) for _ in "123"])
            for name in _IMPORTS
        }

    def _data(self, rows: int) -> list[str]:
        # in a process of its own: a child's largest size begins with that of its parent
        with ProcessPoolExecutor(1) as pool:
            paths = pool.submit(make, self._cache / "data", rows).result()
        return [str(path) for path in paths.values()]

    def _gate(self, engine: str, paths: list[str]) -> list[str]:
        data = [f"--data={role}={path}" for role, path in zip(SIDES, paths, strict=True)]
        gate = ["-m", "aims_gate", "run", self._policy(engine), "--model", MODEL, *data]
        return [*gate, "--key", "gate.key", "--out", "evidence", "--no-publish", "--quiet"]

    def _policy(self, engine: str) -> str:
        path = self._scratch / f"{engine}.yaml"
        text = (HERE / "speed_policy.yaml").read_text(encoding="utf-8")
        path.write_text(text.replace("engine: native", f"engine: {engine}"), encoding="utf-8")
        return str(path)

    def _run(
        self, arguments: Sequence[str], more: Mapping[str, str] = MappingProxyType({})
    ) -> Cost:
        shutil.rmtree(self._scratch / "evidence", ignore_errors=True)
        return run([sys.executable, *arguments], {**self._environ, **more}, self._scratch)


def report(rows: int, legs: dict[str, Cost]) -> None:
    """Print the table of one size."""
    ours = legs["native"]
    print(f"\n{rows:,} rows a side")
    print(f"{'':<34}{'wall s':>9}{'CPU s':>9}{'GiB':>7}{'wall/ours':>11}{'CPU/ours':>10}")
    for leg, cost in legs.items():
        print(
            f"{LEGS[leg]:<34}{cost.wall:>9.2f}{cost.cpu:>9.2f}{cost.peak:>7.2f}"
            f"{cost.wall / ours.wall:>11.2f}{cost.cpu / ours.cpu:>10.2f}",
            flush=True,
        )


def machine() -> None:
    """Print what the figures depend on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()}")
    print(
        f"load before: {os.getloadavg()[0]:.1f} (others had a part of the machine unless this is 0)"
    )
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    print(f"Python {platform.python_version()}, {', '.join(versions)}")


@contextmanager
def bench(cache: Path, repeat: int, legs: Sequence[str]) -> Iterator[Bench]:
    """Give a bench with a server and a folder of its own."""
    with serving(cache) as tracking, tempfile.TemporaryDirectory() as scratch:
        yield Bench(cache, tracking, Path(scratch), repeat, legs)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES, help="rows a side")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each leg but (a)")
    default = Path(tempfile.gettempdir()) / "aims-gate-bench"
    parser.add_argument("--cache", type=Path, default=default, help="where data are kept")
    parser.add_argument("--legs", nargs="*", choices=LEGS, default=list(LEGS))
    asked = parser.parse_args()
    machine()
    with bench(asked.cache, asked.repeat, asked.legs) as found:
        for rows in asked.rows:
            report(rows, dict(found.size(rows)))
            stages = found.stages(rows)
            told = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in stages.items())
            print(f"stages of aims-gate, native: {told}")
        if "both" not in asked.legs:
            return
        print("\nimports that engine: both waits for")
        for name, cost in found.imports().items():
            print(f"{name:<42}{cost.wall:>7.2f} s wall{cost.cpu:>7.2f} s CPU")


if __name__ == "__main__":
    main()
