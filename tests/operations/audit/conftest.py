"""An organisation with a quarter behind it: refusals, a waiver's worth of records, approvals."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from aims_gate.attest import trust_file
from aims_gate.operations.aims.approve import approve
from aims_gate.operations.audit.pack import audit_pack, write_pack
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.stages import STAGES
from aims_gate.verdict import Outcome
from tests.operations.aims.test_gap import NOW, Company, company
from tests.support.gated import measured
from tests.support.proofs import new_signer

__all__ = ["audited", "company"]
PERIOD = Period(begins=(NOW - timedelta(days=90)).date(), ends=NOW.date())


@pytest.fixture
def audited(company: Company) -> Company:
    """Bo, the risk owner, signed the risks; a candidate was refused; a control is excluded."""
    signer = new_signer()
    lab = company.gated.lab
    (lab.folder / "bo.key.pub").write_text(signer.key.pem, encoding="utf-8")
    trust = yaml.safe_load(company.gated.trust.read_text("utf-8"))
    trust["keys"] += [
        {"person": "bo@acme.example", "public_key": "bo.key.pub", "roles": ["approver"]}
    ]
    company.gated.trust.write_text(yaml.safe_dump(trust), encoding="utf-8")
    approve(
        company.aims / "risks.yaml",
        signer=signer,
        trust=company.gated.trust,
        evidence=None,
        now=NOW - timedelta(days=10),
    )
    at = NOW - timedelta(days=20)
    failed = measured("BIAS-02", "A.5.4", outcome=Outcome.FAIL)
    company.gated.judge("credit", "6", at, measured("PERF-01", "A.6.2.4"), failed, passed=False)
    company.decide(
        "A.10.4", applicable="false", justification="no customers of ours", status="excluded"
    )
    return company


def pack(company: Company, out: Path, stage: str = "stage2") -> Path:
    """The pack of the last ninety days."""
    trust = trust_file.load(company.gated.trust)
    write_pack(audit_pack(company.survey(), STAGES[stage], PERIOD, trust), out)
    return out
