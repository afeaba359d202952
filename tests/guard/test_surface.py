"""What an MLflow server can be asked to do is known: a new route or store method makes this red.

Whoever adds a line to `tests/golden/mlflow/surface.txt` says by its section what stands in the
way of it. Other versions of MLflow are installed and listed at night.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.laws import nightly

HERE = Path(__file__)
GOLDEN = HERE.parents[1] / "golden" / "mlflow" / "surface.txt"
RECORDED = frozenset(
    line
    for line in GOLDEN.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
OTHERS = {"2.22.1": ["sqlalchemy<2.1"], "3.10.0": [], "3.18.0": []}
"""Tested versions of MLflow, each with what it needs beside what is installed here."""


def surface(libraries: str = "") -> frozenset[str]:
    """List the routes and methods of an MLflow, by default the one that is installed."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "COVERAGE_"))}
    environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": libraries}
    program = [sys.executable, str(HERE.with_name("surface.py"))]
    done = subprocess.run(program, env=environ, check=True, capture_output=True, text=True)
    return frozenset(done.stdout.splitlines())


def stores(found: frozenset[str]) -> frozenset[str]:
    return frozenset(line for line in found if line.startswith("registry "))


def test_every_route_and_method_of_this_mlflow_is_recorded() -> None:
    """Those of the registry store stand in the table that the guard itself reads at its start."""
    from aims_gate.guard.methods import KNOWN

    found = surface()
    fresh = sorted(found - RECORDED - stores(found))
    assert fresh == [], "say in tests/golden/mlflow/surface.txt what stands in their way"
    assert {line.partition(" ")[2] for line in stores(found)} - KNOWN == set()
    assert len(found) > 500
    assert version("mlflow") in GOLDEN.read_text(encoding="utf-8").partition("\n")[0]


def test_the_record_itself_is_in_order() -> None:
    """Each line once, in the sections that the guard's page names."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line and not line.startswith("#")]
    assert len(told) == len(set(told))
    assert all(line.split(" ")[0] in {"route", "tracking", "artifacts"} for line in told)


@nightly
@pytest.mark.parametrize("other", OTHERS)
def test_other_versions_of_mlflow_have_nothing_new(other: str, tmp_path: Path) -> None:
    from aims_gate.guard.methods import KNOWN

    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    wanted = [f"mlflow=={other}", *OTHERS[other]]
    done = subprocess.run(
        [*install, str(tmp_path), *wanted], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"MLflow {other} cannot be installed here: {done.stderr[-300:]}")
    found = surface(str(tmp_path))
    assert sorted(found - RECORDED - stores(found)) == []
    assert {line.partition(" ")[2] for line in stores(found)} - KNOWN == set()
