"""OSCAL assessment results: what ran as observations and findings, what people say as attestations.

The objective of a finding is a rule of the policy, which a machine can find satisfied. Of a control
a finding only says that something is open: whether it is met is for people to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aims_gate import canonical
from aims_gate.attest.statement import BASE
from aims_gate.evidence.predicates import FORM
from aims_gate.harmless import plain
from aims_gate.operations.aims.exports import Exported
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_finding import Support
from aims_gate.operations.aims.survey import Survey
from aims_gate.verdict import Authenticity, Outcome, Result, Verdict
from aims_gate.version import __version__

OSCAL = "1.2.1"
_NS = f"{BASE}oscal"
_NO_TOKEN = re.compile(r"[^A-Za-z0-9._-]")


def export(rows: Sequence[GapRow], found: Survey) -> Exported:
    """One document; the same facts give the same bytes."""
    measured = [
        _Measured(system=system.id, verdict=verdict, result=result)
        for system in found.systems
        for verdict in system.verdicts
        for result in verdict.results
    ]
    verdicts = {_evaluation(one.verdict): one.verdict for one in measured}
    plan = [f"{one.policy.id} {one.policy.version}" for one in verdicts.values()]
    told = ", ".join(dict.fromkeys(plan)) or "no policy was applied yet"
    resources = [_resource("plan", "Assessment plan: the policies of the gate", told)]
    resources += [_resource(name, name, _signed(one)) for name, one in verdicts.items()]
    days = [one.started for one in verdicts.values()]
    document = {
        "assessment-results": {
            "uuid": "",
            "metadata": {
                "title": "AI management system, what was found",
                "last-modified": found.now.strftime(FORM),
                "version": f"{found.now:%Y-%m-%d}",
                "oscal-version": OSCAL,
                "props": [_property("aims-gate", __version__)],
            },
            "import-ap": {"href": f"#{_uuid('resource', 'plan')}"},
            "results": [_result(rows, found, measured, min(days, default=found.now))],
            "back-matter": {"resources": resources},
        }
    }
    whole = canonical.sha256(canonical.encode(document))
    document["assessment-results"]["uuid"] = _uuid("document", whole)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return Exported(files={"assessment-results.json": text}, left_out=found.history.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    system: str
    verdict: Verdict
    result: Result

    @property
    def key(self) -> tuple[str, ...]:
        return self.system, _evaluation(self.verdict), self.result.rule

    @property
    def passed(self) -> bool:
        """Whether it passed, and what it rests on still stands today."""
        standing = self.verdict.standing
        verified = standing is not None and standing.authenticity is Authenticity.VERIFIED
        return verified and self.result.outcome is Outcome.PASS


def _result(
    rows: Sequence[GapRow], found: Survey, measured: Sequence[_Measured], start: datetime
) -> dict[str, Any]:
    applies = [one for one in rows if one.support is not Support.EXCLUDED]
    left = [one for one in rows if one.support is Support.EXCLUDED]
    selected = {"include-controls": [{"control-id": _control(one)} for one in applies]}
    if left:
        selected["exclude-controls"] = [{"control-id": _control(one)} for one in left]
    judged = [one for one in measured if one.result.outcome is not Outcome.NOT_APPLICABLE]
    lists = {
        "attestations": [_attestation(one) for one in rows if one.support is Support.ATTESTED],
        "observations": [_observation(one) for one in measured],
        "risks": [_waived(one) for one in judged if one.result.outcome is Outcome.WAIVED],
        "findings": [
            *(_finding(one) for one in judged),
            *(_open(one) for one in rows if one.open),
        ],
    }
    return {
        "uuid": _uuid("result", found.now.isoformat()),
        "title": f"What was found on {found.now:%Y-%m-%d}",
        "description": "Support for an audit, and no audit's result.",
        "start": min(start, found.now).strftime(FORM),
        "end": found.now.strftime(FORM),
        "reviewed-controls": {"control-selections": [selected]},
        **{name: items for name, items in lists.items() if items},
    }


def _observation(one: _Measured) -> dict[str, Any]:
    evaluation = _evaluation(one.verdict)
    controls = [_property("control", control) for control in one.result.controls]
    return {
        "uuid": _uuid("observation", *one.key),
        "title": _line(f"{one.system}: {one.result.rule} {one.result.outcome}"),
        "description": _line(one.result.reason),
        "props": [_property("outcome", one.result.outcome), *controls],
        "methods": ["TEST"],
        "relevant-evidence": [
            {"href": f"#{_uuid('resource', evaluation)}", "description": evaluation}
        ],
        "collected": one.verdict.finished.strftime(FORM),
        **({"expires": one.result.expires.strftime(FORM)} if one.result.expires else {}),
    }


def _finding(one: _Measured) -> dict[str, Any]:
    outcome = one.result.outcome
    failed = "fail" if outcome is Outcome.FAIL else "other"
    status = {
        "state": "satisfied" if one.passed else "not-satisfied",
        "reason": "pass" if one.passed else failed,
        "remarks": _line(f"{outcome}; {one.verdict.standing and one.verdict.standing.told}"),
    }
    waived = [{"risk-uuid": _uuid("risk", *one.key)}] if outcome is Outcome.WAIVED else []
    return {
        "uuid": _uuid("finding", *one.key),
        "title": _line(f"{one.system}: {one.result.rule}"),
        "description": _line(one.result.title or one.result.check),
        "target": {
            "type": "objective-id",
            "target-id": f"rule-{_NO_TOKEN.sub('_', one.result.rule)}",
            "status": status,
        },
        "related-observations": [{"observation-uuid": _uuid("observation", *one.key)}],
        **({"related-risks": waived} if waived else {}),
    }


def _waived(one: _Measured) -> dict[str, Any]:
    ends = one.result.expires
    return {
        "uuid": _uuid("risk", *one.key),
        "title": _line(f"{one.system}: {one.result.rule} is waived"),
        "description": _line(f"{one.result.rule} did not pass: {one.result.raw_outcome}"),
        "statement": _line(f"{one.result.reason}; let through by {one.result.waiver}"),
        "status": "deviation-approved",
        **({"deadline": ends.strftime(FORM)} if ends else {}),
        "related-observations": [{"observation-uuid": _uuid("observation", *one.key)}],
    }


def _open(row: GapRow) -> dict[str, Any]:
    return {
        "uuid": _uuid("finding", row.requirement.id),
        "title": _line(f"{row.requirement.id} {row.requirement.title}: {row.support}"),
        "description": "\n".join(_lines(row)),
        "target": {
            "type": "objective-id",
            "target-id": _control(row),
            "status": {"state": "not-satisfied", "reason": "other", "remarks": str(row.support)},
        },
    }


def _attestation(row: GapRow) -> dict[str, Any]:
    title = _line(f"{row.requirement.id} {row.requirement.title}")
    prose = "\n".join(_lines(row))
    return {"parts": [{"name": "attestation", "ns": _NS, "title": title, "prose": prose}]}


def _lines(row: GapRow) -> Iterator[str]:
    for one in row.counted:
        yield _line(f"{one.support}: {one.what}" + (f" ({one.where})" if one.where else ""))


def _resource(name: str, title: str, description: str) -> dict[str, str]:
    described = {"title": _line(title), "description": _line(description)}
    return {"uuid": _uuid("resource", name), **described}


def _signed(verdict: Verdict) -> str:
    model, policy = verdict.model, verdict.policy
    key = (verdict.evidence.key if verdict.evidence else "") or "no key"
    return (
        f"{model.name} {model.version} sha256:{model.digest} at {verdict.stage} by {policy.id} "
        f"{policy.version} sha256:{policy.digest}: {verdict.decision}, signed with {key}"
    )


def _evaluation(verdict: Verdict) -> str:
    named = verdict.evidence.id if verdict.evidence else verdict.model.digest
    return _line(f"evaluation {named}")


def _control(row: GapRow) -> str:
    return f"iso42001-{row.requirement.id.lower()}"


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": _NS, "value": _line(value)}


def _line(text: str) -> str:
    return plain(text) or "-"


def _uuid(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, ascii((_NS, *parts))))
