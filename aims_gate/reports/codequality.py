"""The verdict as GitLab's code quality report, shown in a merge request at the policy's lines."""

from __future__ import annotations

from typing import Any

from aims_gate.harmless import json_text, plain
from aims_gate.reports import (
    fingerprint,
    headline,
    line_of,
    needs_alert,
    refuse_contradiction,
    to_look_at,
)
from aims_gate.verdict import Verdict

_NO_FILE = "policy.yaml"
"""Where a policy is shown that is a pack, since an issue needs a file."""


def render(verdict: Verdict) -> str:
    """Write *verdict* as a list of issues; RecordError if it contradicts itself."""
    refuse_contradiction(verdict)
    seen = to_look_at(verdict)
    issues = [
        _issue(
            r.rule,
            "blocker" if r.blocking else "minor",
            f"{r.rule} {r.outcome}: {r.reason}",
            r.place,
            verdict,
        )
        for r in seen
    ]
    if needs_alert(verdict, seen):
        issues.append(_issue("aims-gate", "blocker", headline(verdict), "", verdict))
    return json_text(issues)


def _issue(rule: str, severity: str, told: str, place: str, verdict: Verdict) -> dict[str, Any]:
    file, line = line_of(place, verdict)
    return {
        "check_name": plain(rule),
        "description": plain(told),
        "fingerprint": fingerprint(rule, verdict),
        "location": {"path": plain(file) or _NO_FILE, "lines": {"begin": line}},
        "severity": severity,
    }
