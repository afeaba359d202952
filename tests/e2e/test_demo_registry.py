"""`aims-gate demo --registry`: server, guard and receiver, and what becomes of three moves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.laws import nightly


@nightly
@pytest.mark.server
@pytest.mark.timeout(600)
def test_a_good_version_stays_a_bad_one_loses_and_a_move_by_hand_is_put_back(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "aims_gate", "demo", "--registry", "--dir", "demo"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "tagged it: proven: the policy demo@1.0.0 was met" in done.stdout
    assert "promoted:  champion points at models:/employment/1" in done.stdout
    assert "tagged it: refused: the policy demo@1.0.0 was not met" in done.stdout
    assert "champion is at version 1 again" in done.stdout
    assert "put back by the gate: refused" in done.stdout
    secrets = (tmp_path / "demo" / "receiver.log").read_text(encoding="utf-8")
    assert "PRIVATE" not in secrets
