"""The verdict as SARIF 2.1.0, for code scanning: a result for each rule that is not met.

A result's fingerprint is that of its policy, rule and model's name: neither a new version of the
model nor a rule that moves to another line makes an alert anew. What is met is no alert; a verdict
that is not `passed` has at least one of level `error`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aims_gate.advice import advice
from aims_gate.harmless import json_text, plain, sarif_text
from aims_gate.reports import (
    fingerprint,
    headline,
    line_of,
    needs_alert,
    refuse_contradiction,
    to_look_at,
)
from aims_gate.verdict import Result, Verdict

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT = "aimsGateRule/v1"
"""Names how a fingerprint is made; another way gets another name."""
_TAGS = 20
"""Tags of a rule, which is GitHub's own limit."""


_NO_FILE = "policy.yaml"
"""Where a policy is shown that is a pack, since an alert needs a file."""


def render(verdict: Verdict) -> str:
    """Write *verdict* as SARIF; RecordError if it contradicts itself."""
    refuse_contradiction(verdict)
    seen = to_look_at(verdict)
    rules = {plain(result.rule): _rule(result) for result in reversed(seen)}
    results = [
        _alert(
            result.rule,
            "error" if result.blocking else "warning",
            f"{result.outcome}: {result.reason}",
            result.place,
            verdict,
        )
        for result in seen
    ]
    if needs_alert(verdict, seen):
        rules["aims-gate"] = {"id": "aims-gate", "shortDescription": {"text": "The verdict"}}
        results.append(_alert("aims-gate", "error", headline(verdict), "", verdict))
    driver = {"name": "aims-gate", "version": plain(verdict.versions.get("aims-gate", "unknown"))}
    run = {
        "tool": {"driver": {**driver, "rules": [*rules.values()]}},
        "automationDetails": {"id": f"aims-gate/{plain(verdict.policy.id)}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": verdict.ended_with is None, "exitCode": verdict.exit_code}
        ],
        "properties": {"verdict": verdict.decision.value, "stage": plain(verdict.stage)},
        "results": results,
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(result: Result) -> dict[str, Any]:
    told = sarif_text(result.title) or plain(result.check)
    return {
        "id": plain(result.rule),
        "name": plain(result.check),
        "shortDescription": {"text": told},
        "fullDescription": {"text": sarif_text(result.why) or told},
        "help": {"text": sarif_text(advice(result)) or told},
        "properties": {"tags": list(dict.fromkeys(map(plain, result.controls)))[:_TAGS]},
    }


def _alert(rule: str, level: str, told: str, place: str, verdict: Verdict) -> dict[str, Any]:
    file, line = line_of(place, verdict)
    where = {
        "artifactLocation": {"uri": quote(plain(file)) or _NO_FILE},
        "region": {"startLine": line},
    }
    return {
        "ruleId": plain(rule),
        "level": level,
        "message": {"text": sarif_text(told)},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {FINGERPRINT: fingerprint(rule, verdict)},
    }
