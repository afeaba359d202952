"""`aims-gate demo --registry`: server, guard and receiver, and what becomes of three moves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.laws import nightly
from tests.support.postgres import Cluster

_ON_POSTGRES = """
import sys
from pathlib import Path

from aims_gate.demo.registry import tell

tell(Path("demo"), print, store=sys.argv[1], inbox=sys.argv[2])
"""


@nightly
@pytest.mark.server
@pytest.mark.timeout(600)
def test_a_good_version_stays_a_bad_one_loses_and_a_move_by_hand_is_put_back(
    tmp_path: Path,
) -> None:
    _goes_well(tmp_path, "-m", "aims_gate", "demo", "--registry", "--dir", "demo")


@nightly
@pytest.mark.server
@pytest.mark.tool("postgresql")
@pytest.mark.timeout(600)
def test_the_same_on_postgresql(tmp_path: Path, postgres_cluster: Cluster) -> None:
    """MLflow, the guard's lock and the receiver's inbox, all of them."""
    store, inbox = (postgres_cluster.database(f"demo-{name}") for name in ("mlflow", "inbox"))
    _goes_well(tmp_path, "-c", _ON_POSTGRES, store.replace(":", "+psycopg:", 1), inbox)
    assert not list(tmp_path.rglob("*.db"))


def _goes_well(folder: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "tagged it: proven: the policy demo@1.0.0 was met" in done.stdout
    assert "promoted:  champion points at models:/employment/1" in done.stdout
    assert "tagged it: refused: the policy demo@1.0.0 was not met" in done.stdout
    assert "champion is at version 1 again" in done.stdout
    assert "put back by the gate: refused" in done.stdout
    secrets = (folder / "demo" / "receiver.log").read_text(encoding="utf-8")
    assert "PRIVATE" not in secrets
