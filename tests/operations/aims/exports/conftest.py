"""A company that ran, attested, forgot and excluded something, and one that has nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate.checks.records.data_sources import DataSource, SourcePart
from aims_gate.operations.aims.exports import EXPORTS, Exported
from aims_gate.operations.aims.gap import assess
from aims_gate.operations.aims.known import Known, Package
from aims_gate.operations.aims.survey import Survey
from aims_gate.policy.model import TaskKind
from aims_gate.verdict import Outcome, Verdict
from tests.operations.aims.test_gap import NOW, Company
from tests.support.gated import Gated, measured
from tests.support.records import edit, write_records


def export(name: str, found: Survey) -> Exported:
    """The export called *name*, of the gap assessment of a survey."""
    return EXPORTS[name](assess(found), found)


def known_of(verdict: Verdict) -> Known:
    """What is known of a binary classifier with one source of data, judged so."""
    part = SourcePart(
        role="evaluation",
        uri="runs:/r/evaluation.parquet",
        digest="ab" * 32,
        digest_kind="rows",
        rows=5_000,
        columns=6,
        logged=None,
    )
    return Known(
        model=verdict.model,
        policy=None,
        verdict=verdict,
        flavor="sklearn",
        task=TaskKind.BINARY,
        inputs=(("income", "double"),),
        protected=("sex",),
        threshold=0.5,
        python="3.11.7",
        packages=(Package(name="numpy", version="2.2.0"), Package(name="Not_Pinned", version="")),
        trained=(("run", "r"), ("user", "ada")),
        sources=(DataSource(name="loans", parts=(part,)),),
        found=(),
    )


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gated:
    """A gate that let a version serve of which one rule fails; nobody writes to its evidence."""
    rules = (
        measured("PERF-01", "A.6.2.4", "9.1"),
        measured("BIAS-02", "A.5.4", outcome=Outcome.FAIL),
        measured("MON-01", "A.6.2.6", check="drift.columns"),
    )
    found = Gated(tmp_path_factory.mktemp("gate"))
    at = NOW - timedelta(days=4)
    found.promote(found.judge("credit", "7", at, *rules, passed=False), at + timedelta(hours=1))
    return found


@pytest.fixture
def company(tmp_path: Path, gate: Gated) -> Company:
    """Records of one system; one control is excluded with a reason."""
    aims, org = write_records(tmp_path)
    edit(org / "organisation.yaml", "strength: reviewed", "strength: declared")
    found = Company(folder=tmp_path, gated=gate, aims=aims, org=org)
    found.decide("A.10.4", applicable="false", justification="no customers", status="excluded")
    return found
