"""A revoked key lets nothing through: its waivers and approvals count nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.manifest import scan
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.revocations import FOLDER, Revocations
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.operations import signoff
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.operations.waiver_list import listing
from aims_gate.verdict import Verdict
from tests.support.waiving import NOW, Team

REVOKED = r"key SHA256:.* of ana@acme.example was revoked"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    team = Team.make(tmp_path)
    refused = team.run()
    assert refused.evidence is not None
    team.approve(team.draft(refused.evidence.directory))
    return team


def revoked(team: Team, person: str, since: datetime | None = None) -> None:
    frozen = Frozen(key_fingerprint=team.keys[person].key.fingerprint, since=since)
    trust = team.folder / "trust.yaml"
    how = Revoking(signer=team.keys["bo@acme.example"], why="the key was in a log", trust=trust)
    revoke(frozen, how, now=NOW)


def verify(team: Team, verdict: Verdict, deploy: str = "") -> bool:
    assert verdict.evidence is not None
    text = (team.folder / "trust.yaml").read_text(encoding="utf-8")
    trust = trust_file.parse((text + deploy).encode(), file="trust.yaml", folder=team.folder)
    expected = Expected(
        model=scan(team.folder / "model"),
        approvals=team.folder / "approvals",
        revocations=Revocations.read([team.folder / FOLDER], trust=trust, now=NOW),
    )
    folder = Path(verdict.evidence.directory)
    return verify_evidence(folder, trust=trust, expected=expected, now=NOW).passed


@pytest.mark.parametrize("days", [None, -1, 0])
def test_its_waiver_lets_nothing_through(team: Team, days: int | None) -> None:
    verdict = team.run()
    assert verify(team, verdict)
    revoked(team, "ana@acme.example", None if days is None else NOW + timedelta(days=days))
    with pytest.raises(TrustError, match=REVOKED):
        verify(team, verdict)
    again = team.run()
    assert not again.passed
    assert "was revoked" in str([one.reason for one in again.results])
    (line,) = listing(team.folder / "waivers", team.folder / "trust.yaml", now=NOW)
    assert line.state == "does not hold"


def test_what_it_signed_before_counts(team: Team) -> None:
    revoked(team, "ana@acme.example", NOW + timedelta(seconds=1))
    verdict = team.run()
    assert verdict.passed
    assert verify(team, verdict)


def test_keys_of_others_count(team: Team) -> None:
    revoked(team, "jo@acme.example")
    assert verify(team, team.run())


def test_its_approval_is_none(team: Team) -> None:
    verdict = team.run()
    assert verdict.evidence is not None
    asked = signoff.Asked(
        evidence=Path(verdict.evidence.directory),
        requested_by="jo@acme.example",
        why="read the report and the errors of the smallest groups",
        now=NOW,
    )
    text = signoff.draft_approval("validator", asked)
    draft = signoff.save(text, None, team.folder / "approvals")
    team.approve(draft, by="bo@acme.example")
    wanted = "deploy: [{approvals: [validator]}]\n"
    assert verify(team, verdict, wanted)
    revoked(team, "bo@acme.example")
    with pytest.raises(TrustError, match=r"nobody approved .* was revoked"):
        verify(team, verdict, wanted)


def test_it_signs_nothing_more(team: Team) -> None:
    revoked(team, "ana@acme.example")
    (draft,) = (team.folder / "waivers").glob("*.yaml")
    with pytest.raises(UsageError, match=REVOKED):
        team.approve(draft)


def test_a_revocation_that_cannot_be_verified_refuses_the_run(team: Team) -> None:
    revoked(team, "ana@acme.example")
    (envelope,) = (team.folder / FOLDER).glob("*.dsse.json")
    envelope.unlink()
    with pytest.raises(TrustError, match="revocation cannot be verified"):
        team.run()
