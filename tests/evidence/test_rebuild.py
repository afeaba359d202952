"""A verdict is rebuilt from evidence as it was, and from what contradicts itself not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aims_gate import canonical
from aims_gate.errors import TrustError
from aims_gate.evidence.reader import open_unverified
from aims_gate.evidence.rebuild import rebuild, unrecorded
from aims_gate.evidence.record import record
from aims_gate.policy.model import Severity
from aims_gate.reports import REPORTS
from aims_gate.sinks import directory
from aims_gate.verdict import (
    Authenticity,
    CellPower,
    Decision,
    EvidenceIdentity,
    Outcome,
    Power,
    Result,
    Verdict,
    VerificationStatus,
)
from tests.reports.cases import CASES
from tests.support.proofs import NOW, POLICY, VERIFIER, Lab, Tree, refused, verdict_of

GOLDEN = Path(__file__).parents[1] / "golden" / "evidence-0.1" / "evidence"
READ = datetime(2026, 12, 1, tzinfo=UTC)
SIZED = Power(
    chance=0.31, serious=0.6, rows=61, what="rows of the data", wanted=283,
    cells=(CellPower(slice="a vs b", group="a", rows=61, excluded=0.5, wanted=None),),
)  # fmt: skip
KEPT = [name for name, one in CASES.items() if one.model.digest and name != "hostile"]


def standing(authenticity: Authenticity = Authenticity.VERIFIED) -> VerificationStatus:
    return VerificationStatus(
        authenticity=authenticity, told="signed by gate@acme.example", read=READ
    )


def written(lab: Lab, verdict: Verdict, *, signed: bool = True) -> Path:
    """Write evidence of *verdict* with its own report.json, as the gate does."""
    identity = EvidenceIdentity(
        id="20261123T100000Z-0a1b2c3d",
        directory="",
        signed=signed,
        key=lab.signer.key.fingerprint if signed else "",
    )
    model = replace(verdict.model, digest=lab.manifest.digest)
    policy = replace(verdict.policy, digest=canonical.sha256(POLICY), source_digest="ac" * 32)
    verdict = replace(verdict, evidence=identity, model=model, policy=policy)
    report = REPORTS["json"](verdict).encode()
    signer = lab.signer if signed else None
    files = record(verdict, lab.manifest, POLICY, report, signer=signer, verifier_id=VERIFIER)
    folder = lab.folder / "kept"
    directory.write(folder, files)
    lab.evidence = folder
    return folder


def read(folder: Path, found: VerificationStatus | None = None) -> Verdict:
    contents, key = open_unverified(folder)
    found = found or standing()
    return rebuild(contents, key=key, place=str(folder), published="", standing=found)


def _without_nan(result: Result) -> Result:
    """Evidence has null for NaN, with these words."""
    told = "the value is not a finite number"
    cells = (
        one
        if one.value is None or math.isfinite(one.value)
        else replace(one, value=None, reason=told)
        for one in result.statistics
    )
    return replace(result, statistics=tuple(cells))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("case", KEPT)
def test_a_rebuilt_verdict_reads_as_the_one_that_was_decided(
    lab: Lab, case: str, *, signed: bool
) -> None:
    """In every format; but for what it is worth, when it was, and digits past the twelfth."""
    verdict = CASES[case]
    sized = tuple(replace(one, power=SIZED, roles=("evaluation",)) for one in verdict.results[:1])
    verdict = replace(
        verdict,
        results=tuple(map(_without_nan, (*sized, *verdict.results[1:]))),
        started=verdict.started.replace(microsecond=0),
        finished=verdict.finished.replace(microsecond=0),
    )
    found = read(written(lab, verdict, signed=signed))
    assert found.decision is verdict.decision
    now = replace(
        found,
        standing=None,
        evidence=verdict.evidence,
        model=replace(found.model, digest=verdict.model.digest),
        policy=replace(found.policy, digest=verdict.policy.digest, source_digest=""),
    )
    for name in REPORTS:
        if name != "json":
            assert REPORTS[name](now) == REPORTS[name](verdict)
    told, was = (json.loads(REPORTS["json"](one)) for one in (now, verdict))
    for one in (told, was):
        for result in one["results"]:
            result["statistics"] = [
                (cell["name"], cell["slice"], canonical.decimal(cell["value"]))
                for cell in result["statistics"]
            ]
    assert told == was


def test_what_the_evidence_names_is_all_there(lab: Lab) -> None:
    verdict = verdict_of(lab.manifest, lab.signer)
    found = read(written(lab, verdict))
    assert found.evidence is not None
    assert found.evidence.key == lab.signer.key.fingerprint
    assert found.policy.extends == verdict.policy.extends
    assert found.datasets == verdict.datasets
    assert [one.statistics for one in found.results] != []
    assert found.standing == standing()
    assert found.passed


@pytest.mark.parametrize("worth", [one for one in Authenticity if one is not Authenticity.VERIFIED])
def test_a_pass_that_is_not_verified_is_none(lab: Lab, worth: Authenticity) -> None:
    """Neither for a program that asks, nor in the exit code, nor for a reader of any format."""
    found = read(written(lab, verdict_of(lab.manifest, lab.signer)), standing(worth))
    assert found.decision is Decision.PASSED
    assert not found.passed
    assert found.exit_code == 4
    assert str(worth) in repr(found)
    words = {
        "unverified": ("not verified", "unverified claim"),
        "refused": ("does not hold today",),
        "expired": ("expired",),
    }
    for name in REPORTS:
        told = REPORTS[name](found).lower()
        expected = (f'"{worth}"',) if name == "json" else words[worth]
        assert any(word in told for word in expected)
    assert "<error" in REPORTS["junit"](found)
    assert '"level": "error"' in REPORTS["sarif"](found)
    assert '"severity": "blocker"' in REPORTS["codequality"](found)


def test_a_refusal_that_is_not_verified_says_so_too(lab: Lab) -> None:
    folder = written(lab, verdict_of(lab.manifest, lab.signer, **refused()))
    found = read(folder, standing(Authenticity.UNVERIFIED))
    assert found.exit_code == 1
    for name in ("text", "markdown", "junit", "sarif", "codequality"):
        assert "not verified" in REPORTS[name](found)


def test_what_version_0_1_did_not_record_is_said() -> None:
    contents, _ = open_unverified(GOLDEN)
    told = list(unrecorded(contents))
    assert len(told) == 4
    assert "each cell by itself" in told[0]


def test_what_this_version_records_is_not_missed(lab: Lab) -> None:
    verdict = verdict_of(lab.manifest, lab.signer)
    results = tuple(replace(one, power=SIZED, roles=("evaluation",)) for one in verdict.results)
    contents, _ = open_unverified(written(lab, replace(verdict, results=results)))
    assert not list(unrecorded(contents))


def forged(lab: Lab, change: Callable[[Tree, Tree], object]) -> None:
    """Change evaluation and report together, and mend every digest and signature."""
    report = canonical.parse((lab.evidence / "report.json").read_bytes())
    tree = lab.payload("evaluation")
    change(tree["predicate"], report)
    data = json.dumps(report).replace("Infinity", "1e999").encode()
    (lab.evidence / "report.json").write_bytes(data)
    tree["predicate"]["report"] = {"sha256": canonical.sha256(data)}
    lab.resign("evaluation", tree)


def _result(key: str, value: Any, number: int = 0) -> Callable[[Tree, Tree], None]:
    camel = {"raw_outcome": "rawOutcome"}.get(key, key)

    def change(said: Tree, report: Tree) -> None:
        said["results"][number][camel] = value
        report["results"][number][key] = value

    return change


def _in(side: int, *path: str | int, value: Any) -> Callable[[Tree, Tree], None]:
    def change(*sides: Tree) -> None:
        *steps, last = path
        at: Any = sides[side]
        for step in steps:
            at = at[step]
        at[last] = value

    return change


CONTRADICTIONS = {
    "a refused rule that does not block": (_result("outcome", "FAIL"), "which blocks"),
    "a passed rule that blocks": (_result("blocking", value=True), "cannot block"),
    "a rule of no severity": (_result("severity", "grave"), "is no severity"),
    "an unknown outcome": (_result("outcome", "FINE"), "is no outcome"),
    "an unknown raw outcome": (_result("raw_outcome", "FINE"), "is no outcome"),
    "nothing decided": (_result("severity", "warn"), "contradict the decision 'passed'"),
    "another outcome": (_in(1, "results", 0, "outcome", value="WARN"), "contradicts the eval"),
    "another verdict": (_in(1, "verdict", value="refused"), "another verdict"),
    "another stage": (_in(1, "stage", value="dev"), "another verdict"),
    "another number": (
        _in(1, "results", 0, "statistics", 0, "value", value=0.9), "contradicts the evaluation"
    ),
    "another limit": (
        _in(1, "results", 0, "threshold", "at_least", value=0.1), "another threshold"
    ),
    "another blocking": (_in(1, "results", 0, "blocking", value=True), "on 'PERF-01'"),
    "another model": (_in(1, "model", "digest", value="0" * 64), "another verdict"),
    "an infinite limit": (
        _in(1, "results", 0, "threshold", "at_least", value=float("1e999")), "is no report"
    ),
    "a name that is none": (_in(1, "model", "name", value=7), "is no report"),
    "no annotation": (_in(0, "model", "annotations", "requested", value=None), "requested"),
    "a key of the future": (_in(0, "mood", value="good"), "'mood', which is not known"),
}  # fmt: skip


@pytest.mark.parametrize("how", CONTRADICTIONS)
def test_what_contradicts_itself_is_not_shown_although_every_digest_fits(
    lab: Lab, how: str
) -> None:
    """Nobody needs a key to write unsigned evidence, or evidence signed by an unknown one."""
    written(lab, verdict_of(lab.manifest, lab.signer))
    read(lab.evidence)
    change, match = CONTRADICTIONS[how]
    forged(lab, change)
    with pytest.raises(TrustError, match=match) as caught:
        read(lab.evidence)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.UNDECIDED])
def test_a_decision_that_the_results_do_not_give(lab: Lab, decision: Decision) -> None:
    """A refusal that nothing refuses, and one that is played down."""
    changes = refused() if decision is Decision.UNDECIDED else {}
    verdict = verdict_of(lab.manifest, lab.signer, **changes)
    written(lab, verdict)

    def change(said: Tree, report: Tree) -> None:
        said["verdict"] = report["verdict"] = decision.value

    lab.forge("vsa", lambda p: p.update(verificationResult="FAILED", verifiedLevels=["FAILED"]))
    lab.forge("test-result", lambda p: p.update(result="FAILED"))
    forged(lab, change)
    with pytest.raises(TrustError, match="contradict the decision"):
        read(lab.evidence)


def test_statements_that_contradict_each_other(lab: Lab) -> None:
    written(lab, verdict_of(lab.manifest, lab.signer, **refused()))
    lab.forge("vsa", lambda p: p.update(verificationResult="PASSED"))
    with pytest.raises(TrustError, match="contradict each other"):
        read(lab.evidence)


def test_a_waiver_that_lets_a_rule_through_stays_one(lab: Lab) -> None:
    verdict = verdict_of(lab.manifest, lab.signer)
    waived = replace(
        verdict.results[0],
        outcome=Outcome.WAIVED,
        raw_outcome=Outcome.FAIL,
        severity=Severity.BLOCK,
        waiver="W-1",
        expires=NOW,
        threshold=None,
    )
    found = read(written(lab, replace(verdict, results=(waived,))))
    assert (found.results[0].waiver, found.results[0].expires) == ("W-1", NOW)
    assert found.results[0].threshold is None


@pytest.mark.parametrize("signed", [True, False])
def test_every_file_must_be_there_and_be_the_one_that_is_named(lab: Lab, *, signed: bool) -> None:
    """Cut, or changed by one byte: nothing is shown of such a directory."""
    written(lab, verdict_of(lab.manifest, lab.signer if signed else None), signed=signed)
    needed = [path for path in lab.evidence.iterdir() if not path.name.endswith(".sigstore.json")]
    for path in needed:
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(TrustError):
            read(lab.evidence)
        path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        with pytest.raises(TrustError):
            read(lab.evidence)
        path.write_bytes(data)
    assert read(lab.evidence).passed


def test_envelopes_that_name_two_keys(lab: Lab) -> None:
    written(lab, verdict_of(lab.manifest, lab.signer))
    envelope = lab.evidence / "vsa.dsse.json"
    key = lab.signer.key.fingerprint
    envelope.write_text(envelope.read_text().replace(key, "SHA256:another"), encoding="utf-8")
    with pytest.raises(TrustError, match="name different keys"):
        read(lab.evidence)


def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="no readable evidence directory"):
        open_unverified(tmp_path / "nowhere")
