"""What belongs together: files, statements and what they say of each other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aims_gate.attest import statement_files
from aims_gate.attest.statement import envelope_file, statement_file
from tests.evidence.refusals import refuses
from tests.support.proofs import (
    Lab,
    Tree,
    refused,
)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("model.sha256", "model.sha256: is not the manifest that was signed"),
        ("report.json", "report.json: is not the report that was signed"),
        ("policy.resolved.yaml", "policy.resolved.yaml: is not the policy that was signed"),
        ("evaluation.statement.json", "evaluation.statement.json: is not what was signed"),
        ("test-result.statement.json", "test-result.statement.json: is not what was signed"),
        ("vsa.statement.json", "vsa.statement.json: is not what was signed"),
    ],
)
def test_every_file_is_bound(lab: Lab, name: str, match: str) -> None:
    """One byte more, missing, or a link in its place: refused."""
    path = lab.evidence / name
    whole = path.read_bytes()
    path.write_bytes(whole + b"\n")
    refuses(lab, match)
    path.unlink()
    refuses(lab, f"{name}: a file of the evidence is missing")
    (lab.folder / "elsewhere").write_bytes(whole)
    path.symlink_to(lab.folder / "elsewhere")
    refuses(lab, f"{name}: cannot be read")


def test_other_files_are_not_read(lab: Lab) -> None:
    """A note of somebody beside the evidence changes nothing."""
    (lab.evidence / "note.txt").write_text("approved!", encoding="utf-8")
    assert lab.verify().passed


def test_oversized_files_are_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they fill the memory; at the limit they are read."""
    largest = max(path.stat().st_size for path in lab.evidence.iterdir())
    monkeypatch.setattr(statement_files, "MAX_ENVELOPE", largest)
    assert lab.verify().passed
    monkeypatch.setattr(statement_files, "MAX_ENVELOPE", largest - 1)
    refuses(lab, f"has more than {largest - 1:,} bytes")
    monkeypatch.setattr(statement_files, "MAX_ENVELOPE", 100)
    refuses(lab, "has more than 100 bytes")


def test_statements_of_two_models_are_refused(lab: Lab) -> None:
    """Each is genuine; together they say nothing."""
    tree = lab.payload("test-result")
    tree["subject"][0]["digest"]["sha256"] = "0" * 64
    lab.resign("test-result", tree)
    refuses(lab, "about different models")


def test_statements_of_two_runs_are_refused(lab: Lab) -> None:
    """The summary is over the digests of exactly its own two."""
    other = lab.write(lab.folder / "other", stage="dev")
    for name in (statement_file("evaluation"), envelope_file("evaluation")):
        shutil.copy(other / name, lab.evidence / name)
    lab.drop_bundles()
    refuses(lab, "over other statements")


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("vsa", lambda p: p.update(inputAttestations=[])),
        ("vsa", lambda p: p["inputAttestations"].reverse()),
        ("vsa", lambda p: p["inputAttestations"].append(p["inputAttestations"][0])),
    ],
)
def test_the_inputs_of_the_summary_are_exact(
    lab: Lab, stem: str, change: Callable[[Tree], object]
) -> None:
    """None missing, none more, in their order."""
    lab.forge(stem, change)
    refuses(lab, "over other statements")


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("evaluation", lambda p: p.update(verdict="refused")),
        ("evaluation", lambda p: p.update(verdict="approved")),
        ("evaluation", lambda p: p.update(stage="staging")),
        ("evaluation", lambda p: p["policy"].update(name="other")),
        ("evaluation", lambda p: p["model"].update(uri="pkg:generic/x")),
        ("evaluation", lambda p: p["model"]["digest"].update(sha256="0" * 64)),
        ("evaluation", lambda p: p.update(finishedOn="2026-11-23T10:00:01Z")),
        ("evaluation", lambda p: p["evaluator"].update(id="https://other")),
        ("test-result", lambda p: p.update(result="FAILED")),
        ("test-result", lambda p: p.update(failedTests=["BIAS-02"])),
        ("vsa", lambda p: p.update(verificationResult="FAILED")),
        ("vsa", lambda p: p.update(verifiedLevels=["FAILED"])),
        ("vsa", lambda p: p.update(verifiedLevels=["AIMS_GATE_CREDIT_RISK_DEV"])),
        ("vsa", lambda p: p["verifiedLevels"].append("SLSA_BUILD_LEVEL_3")),
        ("vsa", lambda p: p["verifier"].update(id="https://other")),
    ],
)
def test_contradictions_are_refused_even_when_signed(
    lab: Lab, stem: str, change: Callable[[Tree], object]
) -> None:
    """Evaluation, test result and summary agree on everything that two of them say."""
    lab.forge(stem, change)
    refuses(lab, "contradict each other")


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("vsa", lambda p: p.update(verificationResult="PASSED")),
        ("vsa", lambda p: p.update(verifiedLevels=["AIMS_GATE_CREDIT_RISK_PRODUCTION"])),
        ("test-result", lambda p: p.update(result="PASSED")),
        ("evaluation", lambda p: p.update(verdict="passed")),
    ],
)
def test_a_refusal_cannot_be_turned_in_one_place(
    tmp_path: Path, stem: str, change: Callable[[Tree], object]
) -> None:
    """Whatever single statement is forged, the others still say no."""
    lab = Lab.make(tmp_path, **refused())
    lab.forge(stem, change)
    refuses(lab, "contradict each other")


@pytest.mark.parametrize(
    ("stem", "change", "match"),
    [
        ("evaluation", lambda p: p.update(report={"sha256": "0" * 64}), "not the report"),
        ("evaluation", lambda p: p.pop("policy"), "not the policy"),
        ("test-result", lambda p: p.update(configuration=[]), "not the policy"),
        ("test-result", lambda p: p.update(configuration={}), "not the policy"),
        ("vsa", lambda p: p["policy"].update(digest={}), "not the policy"),
        ("test-result", lambda p: p.update(result=["PASSED"]), "lacks result of"),
        ("test-result", lambda p: p.update(failedTests=None), "lacks failedTests of"),
        ("test-result", lambda p: p.update(failedTests=[1]), r"lacks failedTests\.0 of"),
        ("evaluation", lambda p: p.pop("stage"), "lacks stage"),
        ("evaluation", lambda p: p.update(verdict=True), "lacks verdict"),
        ("vsa", lambda p: p.update(verifier=[]), "lacks verifier of the right type"),
        ("vsa", lambda p: p.update(timeVerified="yesterday"), "is not a UTC time"),
        ("vsa", lambda p: p.update(timeVerified="2026-11-23T10:00:00+00:00"), "is not a UTC time"),
        ("vsa", lambda p: p.update(resourceUri="x"), "contradict"),
    ],
)
def test_malformed_statements_are_refused_even_when_signed(
    lab: Lab, stem: str, change: Callable[[Tree], object], match: str
) -> None:
    """Fields missing or of another type."""
    lab.forge(stem, change)
    refuses(lab, match)
