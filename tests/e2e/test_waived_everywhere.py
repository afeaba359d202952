"""A waiver reaches every surface, pytest and MLflow included, and fails there if it is none."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aims_gate.operations import signoff
from tests.support.waiving import Team


def session(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest over the policy of a team, as its author does."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-rx", "-p", "no:cacheprovider", "policy.yaml"),
            *("--aims-gate", "--aims-gate-model", "file:model"),
            *("--aims-gate-data", "evaluation=evaluation.parquet"),
        ],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A team whose waiver begins now, by the clock that pytest reads."""
    team = Team.make(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    now = datetime.now(UTC)
    refused = team.run(now=now)
    assert refused.evidence is not None
    asked = signoff.Asked(
        evidence=Path(refused.evidence.directory),
        requested_by="jo@acme.example",
        why="the new labels arrive on Friday, every refusal is read by hand until then",
        expires=now + timedelta(days=2),
        now=now,
    )
    draft = signoff.save(signoff.draft_waiver("PERF-01", asked), None, tmp_path / "waivers")
    team.approve(draft, at=now)
    return team


def test_in_pytest_a_waived_rule_is_expected_to_fail_and_one_that_does_not_count_fails(
    team: Team,
) -> None:
    waived = session(team.folder)
    assert waived.returncode == 0, waived.stdout
    assert "1 passed, 1 xfailed" in waived.stdout
    assert "waived by WVR-" in waived.stdout
    assert "in 2.0 days" in waived.stdout
    (team.folder / "trust.yaml").unlink()
    refused = session(team.folder)
    assert refused.returncode == 1
    assert "there is no trust file" in refused.stdout
