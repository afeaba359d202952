"""Evidence of every version in every format: its bytes are data, and what they say stays.

`tests/golden/evidence-*` are folders of evidence with the key that signed it. A version that
records more brings one of its own; those that are there are never written anew.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.operations.verify import Expectation, prove
from aims_gate.reports import REPORTS
from aims_gate.verdict import Authenticity, Decision, Outcome, Verdict
from tests.reports.test_json_report import VALIDATOR

GOLDENS = Path(__file__).parents[1] / "golden"
THEN = datetime(2030, 1, 1, tzinfo=UTC)
"""Long after all of them were signed."""
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
SAID = {
    "evidence-0.1": {"BIAS-02": WARN, "INTEG-01": PASS, "PERF-01": PASS},
    "evidence-0.1-refused": {"BIAS-02": FAIL, "PERF-01": PASS},
    "evidence-0.1-curves": {"PERF-01": PASS, "PERF-05": FAIL},
}
"""What became of each rule; a row may be added, and none may change."""


def read(name: str, *, trusted: bool) -> Verdict:
    folder = GOLDENS / name
    trust = folder / "trust.yaml" if trusted else None
    question = EvidenceQuestion(evidence=str(folder / "evidence"), trust=trust, environ={})
    return read_past(question, now=THEN)


def test_every_golden_has_a_row() -> None:
    assert {path.name for path in GOLDENS.glob("evidence-*")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_its_meaning_stays(name: str) -> None:
    met = FAIL not in SAID[name].values()
    for trusted in (True, False):
        verdict = read(name, trusted=trusted)
        assert verdict.decision is (Decision.PASSED if met else Decision.REFUSED)
        assert {one.rule: one.outcome for one in verdict.results} == SAID[name]
        assert verdict.passed == (trusted and met)
    folder = GOLDENS / name
    asked = Expectation(
        evidence=folder / "evidence", trust=folder / "trust.yaml", model=str(folder / "model")
    )
    assert prove(asked, now=THEN).passed == met


def test_version_0_1_had_a_known_debt_and_a_parent() -> None:
    """Whose end its policy's text says; the key was thrown away long ago."""
    policy = read("evidence-0.1", trusted=True).policy
    assert f"{policy.id}@{policy.version}" == "known-debt@1.0.0"
    assert [one.name for one in policy.extends] == ["file:parent.yaml"]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("format_name", REPORTS)
@pytest.mark.parametrize("name", SAID)
def test_every_format_says_what_is_known_of_it(
    name: str, format_name: str, *, trusted: bool
) -> None:
    """All rules, and in so many words whether anybody verified it; the documents are valid."""
    verdict = read(name, trusted=trusted)
    told = REPORTS[format_name](verdict)
    shown = {"sarif", "codequality"}  # which have alerts only
    for one in verdict.results:
        assert one.rule in told or (format_name in shown and one.outcome is Outcome.PASS)
    if not trusted:
        assert any(word in told.lower() for word in ("not verified", "unverified"))
    if trusted and format_name not in shown:
        assert "signed by ci@example.org" in " ".join(told.split())  # lines break at any path
    if format_name == "json":
        document = json.loads(told)
        VALIDATOR.validate(document)
        worth = Authenticity.VERIFIED if trusted else Authenticity.UNVERIFIED
        assert document["standing"]["authenticity"] == worth
    if format_name == "junit":
        suite = ET.fromstring(told)  # noqa: S314  # ours
        red = [*suite.iter("error"), *suite.iter("failure")]
        assert bool(red) == (not verdict.passed)
    if format_name in shown:
        assert bool(json.loads(told))


def test_curves_are_drawn_from_evidence_alone() -> None:
    """As they were recorded: no data are there to measure them again."""
    verdict = read("evidence-0.1-curves", trusted=True)
    assert any(cell.curves for one in verdict.results for cell in one.statistics)
    page = REPORTS["html"](verdict)
    for title in (
        "ROC curve of all rows",
        "precision and recall of all rows",
        "reliability diagram of",
    ):
        assert title in page


@pytest.mark.parametrize("name", SAID)
def test_the_schema_is_that_of_old_reports_too(name: str) -> None:
    report = json.loads((GOLDENS / name / "evidence" / "report.json").read_bytes())
    VALIDATOR.validate(report)


def test_a_claim_is_never_valid_as_a_pass() -> None:
    """Whoever reads a report by its schema cannot take a claim for a verdict."""
    document = json.loads(REPORTS["json"](read("evidence-0.1", trusted=False)))
    VALIDATOR.validate(document)
    for wrong in ({"exit_code": 0}, {"standing": {**document["standing"], "authenticity": "ok"}}):
        assert not VALIDATOR.is_valid({**document, **wrong})
    document.pop("standing")
    assert not VALIDATOR.is_valid(document)
