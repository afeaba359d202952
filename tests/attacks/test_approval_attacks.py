"""Approvals that must not count: nobody, the wrong person, the wrong bytes, the wrong day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.manifest import scan
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.operations import signoff
from aims_gate.verdict import Verdict
from tests.support.waiving import NOW, POLICY, Team, outcomes

BOTH = """\
  - {id: OVER-01, check: oversight.approvals, with: {roles: [owner, validator]}}
"""
RULED = POLICY.replace("at_least: 0.9", "at_least: 0.7").replace("\ndata:", f"\n{BOTH}data:")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team.make(tmp_path, RULED)


def sign(
    team: Team, role: str, by: str, *, asked: str = "jo@acme.example", end: float = 30
) -> Path:
    """Draft an approval of the model as it was last judged, and sign it."""
    folder = max((team.folder / "evidence").glob("*/*"), key=lambda path: path.name)
    text = signoff.draft_approval(
        role,
        signoff.Asked(
            evidence=folder,
            requested_by=asked,
            why="read the report and the errors of the smallest groups",
            expires=NOW + timedelta(days=end),
            now=NOW,
        ),
    )
    draft = team.folder / "approvals" / f"{role}-{by.partition('@')[0]}.yaml"
    text = text.replace("id: APR-", f"id: APR-{len(list(draft.parent.glob('*')))}")
    return team.approve(signoff.save(text, draft, draft.parent), by=by)


def missing(verdict: Verdict) -> str:
    (one,) = (r for r in verdict.results if r.rule == "OVER-01")
    assert one.outcome == "MISSING"
    assert not verdict.passed
    return str([cell.reason for cell in one.statistics])


def test_each_role_by_a_person_of_its_own_passes(team: Team) -> None:
    assert "nobody approved these bytes as owner" in missing(team.run())
    sign(team, "owner", "ana@acme.example")
    assert "nobody approved these bytes as validator" in missing(team.run())
    sign(team, "validator", "bo@acme.example")
    assert outcomes(team.run())["OVER-01"] == "PASS"


def test_one_person_fills_one_role(team: Team) -> None:
    team.run()
    sign(team, "owner", "ana@acme.example")
    sign(team, "validator", "ana@acme.example")
    assert "each person fills one role" in missing(team.run())
    # ana may be either, so that whoever else signs completes the two
    sign(team, "owner", "bo@acme.example")
    assert outcomes(team.run())["OVER-01"] == "PASS"


def test_an_approval_ends_to_the_second(team: Team) -> None:
    team.run()
    sign(team, "owner", "ana@acme.example", end=30)
    sign(team, "validator", "bo@acme.example", end=30)
    end = NOW + timedelta(days=30)
    assert team.run(now=end - timedelta(seconds=1)).passed
    assert "it ended at" in missing(team.run(now=end))


def test_other_bytes_are_not_approved(team: Team) -> None:
    team.run()
    sign(team, "owner", "ana@acme.example")
    sign(team, "validator", "bo@acme.example")
    (team.folder / "model" / "weights.json").write_text("[2]", encoding="utf-8")
    missing(team.run())


def test_who_asked_does_not_approve(team: Team) -> None:
    team.run()
    sign(team, "owner", "ana@acme.example", asked="ana")
    assert "ana@acme.example asked for it" in missing(team.run())


def test_a_role_that_is_not_theirs(team: Team) -> None:
    team.run()
    signed = sign(team, "owner", "ana@acme.example")
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8").replace(
        "ana.key.pub\n", "ana.key.pub\n    approves: [validator]\n"
    )
    trust.write_text(text, encoding="utf-8")
    assert "may approve as validator" in missing(team.run())
    signed.unlink()
    (team.folder / "approvals" / "owner-ana.yaml").unlink()
    with pytest.raises(UsageError, match="may approve as validator, not as owner"):
        sign(team, "owner", "ana@acme.example")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_rubbish_is_named_where_an_approval_lacks(team: Team, content: bytes) -> None:
    (team.folder / "approvals").mkdir()
    (team.folder / "approvals" / "owner.dsse.json").write_bytes(content)
    assert "owner.dsse.json" in missing(team.run())


def deployed(team: Team, verdict: Verdict, *, days: float = 0) -> Verified:
    """Verify as the deploying side does, whose trust file expects a validator."""
    assert verdict.evidence is not None
    trust = trust_file.load(team.folder / "trust.yaml")
    deploy = trust_file.parse(
        (team.folder / "trust.yaml").read_bytes() + b"deploy: [{approvals: [validator]}]\n",
        file="trust.yaml",
        folder=team.folder,
    ).deploy
    return verify_evidence(
        Path(verdict.evidence.directory),
        trust=replace(trust, deploy=deploy),
        expected=Expected(model=scan(team.folder / "model"), approvals=team.folder / "approvals"),
        now=NOW + timedelta(days=days),
    )


def test_the_deploying_side_expects_an_approval_of_this_very_evidence(tmp_path: Path) -> None:
    team = Team.make(tmp_path, POLICY.replace("at_least: 0.9", "at_least: 0.7"))
    first = team.run()
    with pytest.raises(TrustError, match="nobody approved these bytes as validator"):
        deployed(team, first)
    sign(team, "validator", "ana@acme.example")
    assert deployed(team, first).passed
    with pytest.raises(TrustError, match="it ended at"):
        deployed(team, first, days=30)
    other = team.run(now=NOW + timedelta(minutes=1))
    with pytest.raises(TrustError, match="it is of other evidence"):
        deployed(team, other)


def test_one_person_under_two_spellings_fills_one_role(team: Team) -> None:
    team.run()
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8")
    trust.write_text(text.replace("bo@acme.example", "Ana@Acme.example"), encoding="utf-8")
    team.keys["Ana@Acme.example"] = team.keys["bo@acme.example"]
    sign(team, "owner", "ana@acme.example")
    sign(team, "validator", "Ana@Acme.example")
    assert "each person fills one role" in missing(team.run())
