"""Evidence of earlier versions still verifies; its bytes are data, never written anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from aims_gate.operations.verify import Expectation, prove

GOLDEN = Path(__file__).parents[1] / "golden" / "evidence-0.1"
THEN = datetime(2030, 1, 1, tzinfo=UTC)
"""Long after it was signed, long before the policy, its debt and the key end (2099)."""


def test_evidence_of_version_0_1_still_verifies() -> None:
    """A pass with a known debt, under a policy with a parent, signed by a key long thrown away."""
    question = Expectation(
        evidence=GOLDEN / "evidence", trust=GOLDEN / "trust.yaml", model=str(GOLDEN / "model")
    )
    verified = prove(question, now=THEN)
    assert verified.passed
    assert verified.policy == "known-debt@1.0.0"
    assert [one.name for one in verified.extends] == ["file:parent.yaml"]
