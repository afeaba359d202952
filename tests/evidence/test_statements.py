"""The statements say what was decided, no more, no less, and in the words of their types."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from aims_gate import canonical
from aims_gate.attest import manifest
from aims_gate.errors import RecordError
from aims_gate.evidence.statements import Statements, state
from aims_gate.facts import ModelIdentity, Statistic
from aims_gate.verdict import Decision, Outcome, Verdict
from tests.support.proofs import (
    PLACE,
    POLICY,
    REPORT,
    VERIFIER,
    make_model,
    new_signer,
    refused,
    result,
    verdict_of,
)


@pytest.fixture
def model(tmp_path: Path) -> manifest.Manifest:
    return manifest.scan(make_model(tmp_path / "model"))


def _state(verdict: Verdict, model: manifest.Manifest, **changes: Any) -> Statements:
    arguments = {"policy_document": POLICY, "report": REPORT, "verifier_id": VERIFIER, **changes}
    return state(verdict, model, **arguments)


def _predicate(payload: bytes) -> dict[str, Any]:
    predicate: dict[str, Any] = json.loads(payload)["predicate"]
    return predicate


def test_every_statement_has_the_manifest_as_its_only_subject(model: manifest.Manifest) -> None:
    """And its own predicate type."""
    stated = _state(verdict_of(model, None), model)
    types = []
    for payload in (stated.evaluation, stated.test_result, stated.vsa):
        tree = json.loads(payload)
        assert tree["subject"] == [{"name": "model.sha256", "digest": {"sha256": model.digest}}]
        types.append(tree["predicateType"])
    assert types == [
        "https://aims-gate.dev/attestation/evaluation/v1",
        "https://in-toto.io/attestation/test-result/v0.1",
        "https://slsa.dev/verification_summary/v1",
    ]


def test_the_summary_has_exactly_the_fields_of_its_protocol_buffer(
    model: manifest.Manifest,
) -> None:
    """A strict reader breaks on `policy.name` or `verifier.version`."""
    stated = _state(verdict_of(model, None), model)
    assert _predicate(stated.vsa) == {
        "verifier": {"id": VERIFIER},
        "timeVerified": "2026-11-23T10:00:00Z",
        "resourceUri": PLACE,
        "policy": {"uri": "policy.yaml", "digest": {"sha256": canonical.sha256(POLICY)}},
        "inputAttestations": [
            {
                "uri": "evaluation.statement.json",
                "digest": {"sha256": canonical.sha256(stated.evaluation)},
            },
            {
                "uri": "test-result.statement.json",
                "digest": {"sha256": canonical.sha256(stated.test_result)},
            },
        ],
        "verificationResult": "PASSED",
        "verifiedLevels": ["AIMS_GATE_CREDIT_RISK_PRODUCTION"],
    }


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.UNDECIDED])
def test_the_summary_of_a_refusal(model: manifest.Manifest, decision: Decision) -> None:
    """Anything but a pass is FAILED, and names no level of ours."""
    verdict = verdict_of(model, None, **refused(decision=decision))
    summary = _predicate(_state(verdict, model).vsa)
    assert (summary["verificationResult"], summary["verifiedLevels"]) == ("FAILED", ["FAILED"])


def test_the_evaluation_carries_every_number(model: manifest.Manifest) -> None:
    """As decimal text of 12 digits; an unbounded side is null; a lack keeps its reason."""
    predicate = _predicate(_state(verdict_of(model, None), model).evaluation)
    first = predicate["results"][0]
    value, lack = first["statistics"]
    assert value == {
        "name": "impact_ratio",
        "slice": "sex=F vs sex=M",
        "value": "0.666666666667",
        "interval": {"low": "0.61", "high": None, "level": "0.95", "method": "MOVER-R"},
        "alone": None,
        "serious": None,
        "small": False,
        "rows": 1212,
        "total": 5000,
        "engine": "native 0.1.0",
        "judged": True,
        "lack": None,
        "reason": "",
    }
    assert (lack["value"], lack["lack"], lack["reason"]) == (None, "insufficient", "11 rows")
    assert first["threshold"]["atLeast"] == "0.8"
    assert [entry["outcome"] for entry in predicate["results"]] == [
        "PASS",
        "WARN",
        "NOT_APPLICABLE",
    ]
    assert (predicate["verdict"], predicate["stage"]) == ("passed", "production")
    assert predicate["report"] == {"sha256": canonical.sha256(REPORT)}
    assert predicate["datasets"][0]["annotations"]["mlflowDigest"] == "1bb559db"


def test_a_number_that_is_none_says_so(model: manifest.Manifest) -> None:
    """NaN has no decimal text, and null without a reason would read as not measured."""
    odd = replace(
        result("PERF-01", Outcome.ERROR),
        statistics=(Statistic(name="auc", value=float("nan")),),
        threshold=None,
    )
    results = (result("PERF-02", Outcome.PASS), odd)
    stated = _state(verdict_of(model, None, results=results), model)
    _, entry = _predicate(stated.evaluation)["results"]
    assert entry["statistics"][0]["reason"] == "the value is not a finite number"
    assert entry["threshold"] is None


@pytest.mark.parametrize(
    ("outcome", "blocking", "where"),
    [
        (Outcome.PASS, False, "passedTests"),
        (Outcome.WARN, False, "warnedTests"),
        (Outcome.WAIVED, False, "warnedTests"),
        (Outcome.FAIL, False, "warnedTests"),
        (Outcome.MISSING, False, "warnedTests"),
        (Outcome.STALE, False, "warnedTests"),
        (Outcome.INSUFFICIENT, False, "warnedTests"),
        (Outcome.ERROR, False, "warnedTests"),
        (Outcome.FAIL, True, "failedTests"),
        (Outcome.MISSING, True, "failedTests"),
        (Outcome.STALE, True, "failedTests"),
        (Outcome.INSUFFICIENT, True, "failedTests"),
        (Outcome.ERROR, True, "failedTests"),
        (Outcome.NOT_APPLICABLE, False, None),
    ],
)
def test_every_outcome_has_its_list(
    model: manifest.Manifest, outcome: Outcome, blocking: bool, where: str | None
) -> None:
    """Each rule is in at most one list of the test result, and none but the right one."""
    results = (result("PERF-01", Outcome.PASS), result("BIAS-02", outcome, blocking=blocking))
    decision = Decision.REFUSED if blocking else Decision.PASSED
    verdict = verdict_of(model, None, decision=decision, results=results)
    predicate = _predicate(_state(verdict, model).test_result)
    lists = ("passedTests", "warnedTests", "failedTests")
    assert [name for name in lists if "BIAS-02" in predicate[name]] == ([where] if where else [])
    expected = {"failedTests": "FAILED", "warnedTests": "WARNED"}.get(str(where), "PASSED")
    assert predicate["result"] == expected
    assert predicate["configuration"][0]["name"] == "credit-risk"


def test_equal_verdicts_have_equal_bytes(model: manifest.Manifest) -> None:
    """And times are UTC to the second, whatever zone they came in."""
    verdict = verdict_of(model, None)
    zone = timezone(timedelta(hours=2))
    moved = replace(
        verdict,
        started=verdict.started.astimezone(zone),
        finished=verdict.finished.astimezone(zone),
    )
    assert _state(verdict, model) == _state(moved, model)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"decision": Decision.REFUSED}, "refused although no result blocks"),
        ({"results": refused()["results"]}, "passed although a result blocks"),
        ({"results": ()}, "no blocking rule was decided"),
        ({"results": (), "decision": Decision.UNDECIDED}, "no rule was decided"),
        ({"results": (result("BIAS-02", Outcome.WARN),)}, "passed although no blocking rule was"),
        ({"evidence": None}, "no evaluation id"),
        ({"stage": ""}, "no stage"),
        ({"finished": datetime(2026, 11, 23)}, "no time zone"),  # noqa: DTZ001  # that is the point
        ({"started": datetime(2026, 11, 23)}, "no time zone"),  # noqa: DTZ001  # that is the point
        ({"model": ModelIdentity(uri="x", name="x", digest="0" * 64)}, "of another model"),
        ({"versions": {"python": float("nan")}}, "cannot be written"),
    ],
)
def test_contradictions_are_never_stated(
    model: manifest.Manifest, changes: dict[str, Any], match: str
) -> None:
    """A bug above must not become a signature below."""
    with pytest.raises(RecordError, match=match):
        _state(replace(verdict_of(model, None), **changes), model)


def test_another_policy_verifier_or_dataset_is_never_stated(model: manifest.Manifest) -> None:
    """What is not what it should be is not signed."""
    verdict = verdict_of(model, None)
    with pytest.raises(RecordError, match="resolved policy is another"):
        _state(verdict, model, policy_document=POLICY + b"\n")
    for verifier in ("", "me", "https://a b"):
        with pytest.raises(RecordError, match="verifier id is no URI"):
            _state(verdict, model, verifier_id=verifier)
    datasets = (replace(verdict.datasets[0], digest="1bb559db"),)
    with pytest.raises(RecordError, match="digest is no SHA-256"):
        _state(replace(verdict, datasets=datasets), model)


def test_no_secret_leaves_in_a_statement(model: manifest.Manifest) -> None:
    """User information, tokens and keys planted in every free text are gone from all payloads."""
    planted = (
        "cannot read https://user:hunter2secret@host/x?token=hunter2secret&sig=hunter2secret "
        "Authorization: Bearer hunter2secrethunter2secret ghp_" + "hunter2secret" * 3
    )
    verdict = verdict_of(model, new_signer())
    verdict = replace(
        verdict,
        model=replace(
            verdict.model,
            uri="https://user:hunter2secret@host/m",
            resource_uri=PLACE.replace("%2F%2F", "%2F%2Fuser%3Ahunter2secret%40"),
            resolved_uri=planted,
        ),
        datasets=(replace(verdict.datasets[0], uri=planted, name=planted),),
        results=(replace(verdict.results[0], reason=planted),),
        versions={"engine:x": planted},
    )
    stated = _state(verdict, model, verifier_id="https://user:hunter2secret@ci/gate.yml")
    for payload in (stated.evaluation, stated.test_result, stated.vsa):
        assert b"hunter2secret" not in payload
    assert _predicate(stated.vsa)["resourceUri"] == PLACE
