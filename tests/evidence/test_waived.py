"""Waivers beside evidence, verified once more: whatever the gate signed, they must be of this."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate import canonical
from aims_gate.attest.envelope import sign
from aims_gate.attest.manifest import scan
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.errors import TrustError
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.verdict import Verdict
from tests.support.waiving import NOW, POLICY, Team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team.make(tmp_path)


def waived(team: Team) -> tuple[Verdict, Path]:
    """Evidence that rests on a genuine waiver, and the waiver's draft."""
    refused = team.run()
    assert refused.evidence is not None
    draft = team.draft(refused.evidence.directory)
    team.approve(draft)
    verdict = team.run()
    assert verdict.passed
    return verdict, draft


def put(team: Team, verdict: Verdict, data: bytes) -> Path:
    """Exchange the waiver beside evidence, and sign all that names it with the gate's own key."""
    assert verdict.evidence is not None
    folder = Path(verdict.evidence.directory)
    (beside,) = folder.glob("waiver.*.dsse.json")
    beside.write_bytes(data)
    for bundle in folder.glob("*.sigstore.json"):
        bundle.unlink()

    def resign(stem: str, tree: Any) -> None:
        payload = canonical.encode(tree)
        (folder / statement_file(stem)).write_bytes(payload)
        (folder / envelope_file(stem)).write_bytes(sign(payload, team.keys["gate@acme.example"]))

    evaluation = canonical.parse((folder / statement_file("evaluation")).read_bytes())
    evaluation["predicate"]["waivers"][0]["digest"]["sha256"] = canonical.sha256(data)
    resign("evaluation", evaluation)
    summary = canonical.parse((folder / statement_file("vsa")).read_bytes())
    for one in summary["predicate"]["inputAttestations"]:
        one["digest"]["sha256"] = canonical.sha256_file(folder / one["uri"])
    resign("vsa", summary)
    return folder


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"id": "WVR-9"}, "its waiver is not there"),
        ({"rule": "DATA-01"}, "it is for DATA-01, not for PERF-01"),
        ({"ruleSha256": "0" * 64}, "PERF-01 is not the rule that it was drafted for"),
        ({"model": {"name": "model", "sha256": "0" * 64}}, "it is for other bytes"),
        ({"model": {"name": "*", "scope": "model"}, "uses": 9}, "it is for models called '*'"),
        ({"expires": "2026-11-30T12:00:00Z"}, "it ended at 2026-11-30T12:00:00Z"),
        ({"requestedBy": "ana"}, "asked for it and approved it"),
    ],
)
def test_a_waiver_of_something_else_is_refused_although_the_gate_signed_for_it(
    team: Team, changes: dict[str, Any], told: str
) -> None:
    verdict, draft = waived(team)
    folder = put(team, verdict, team.forge(draft, **changes).read_bytes())
    expected = Expected(model=scan(team.folder / "model"))
    if not told:
        assert verify_evidence(folder, trust=team.trust(), expected=expected, now=NOW).passed
        return
    with pytest.raises(TrustError, match=told.replace("*", r"\*")):
        verify_evidence(folder, trust=team.trust(), expected=expected, now=NOW)


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ("{not_waivable: [PERF-01]}", "the policy says that PERF-01 is not waivable"),
        ("{approvals: 2}", "by 2 are needed"),
    ],
)
def test_the_applied_policy_bounds_its_waivers_at_verification_too(
    team: Team, terms: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the gate that signed had not looked: here one that forgot the policy's terms."""
    from aims_gate import oversight  # exchanged below

    (team.folder / "policy.yaml").write_text(f"{POLICY}waivers: {terms}\n", encoding="utf-8")
    honest = oversight.Oversight.waivers

    def forgetful(self: Any, subject: Any, policy: Any, tasks: Any, uses: Any) -> Any:
        none = replace(policy.waivers, not_waivable=(), approvals=1)
        return honest(self, subject, replace(policy, waivers=none), tasks, uses)

    monkeypatch.setattr(oversight.Oversight, "waivers", forgetful)
    verdict, _draft = waived(team)
    assert verdict.evidence is not None
    with pytest.raises(TrustError, match=told):
        verify_evidence(
            Path(verdict.evidence.directory),
            trust=team.trust(),
            expected=Expected(model=scan(team.folder / "model")),
            now=NOW + timedelta(minutes=1),
        )


def test_a_policy_that_no_longer_reads_holds_no_waiver(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version may know less of an old policy; then nothing it let through is believed."""
    verdict, _draft = waived(team)
    assert verdict.evidence is not None
    monkeypatch.setattr("aims_gate.evidence.waived.resolve", lambda *_a, **_k: (None, ()))
    with pytest.raises(TrustError, match="the policy cannot be read"):
        verify_evidence(
            Path(verdict.evidence.directory),
            trust=team.trust(),
            expected=Expected(model=scan(team.folder / "model")),
            now=NOW,
        )
