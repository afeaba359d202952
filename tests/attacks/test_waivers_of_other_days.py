"""A folder of waivers over the years: who has left, clocks ahead, and drafts changed later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.operations.waiver_list import listing
from tests.support.waiving import NOW, POLICY, Team, outcomes

AT_LEAST = "at_least: 0.8\n"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team.make(tmp_path)


def drafted(team: Team) -> Path:
    refused = team.run()
    assert refused.evidence is not None
    return team.draft(refused.evidence.directory)


def gone(team: Team) -> None:
    trust = team.folder / "trust.yaml"
    entry = "    public_key: ana.key.pub\n"
    text = trust.read_text(encoding="utf-8")
    ended = f"{entry}    valid_until: 2026-11-30T12:00:00Z\n"
    trust.write_text(text.replace(entry, ended), encoding="utf-8")


def frozen(team: Team) -> None:
    fingerprint = team.keys["ana@acme.example"].key.fingerprint
    trust = team.folder / "trust.yaml"
    how = Revoking(signer=team.keys["bo@acme.example"], why="the key was in a log", trust=trust)
    revoke(Frozen(key_fingerprint=fingerprint), how, now=NOW)


@pytest.mark.parametrize("left", [gone, frozen])
def test_who_has_left_is_not_in_the_way_of_other_models(
    team: Team, left: Callable[[Team], None]
) -> None:
    """What is known to be about other bytes is ignored; for these bytes it is in the way."""
    team.approve(drafted(team))
    left(team)
    assert "ERROR" in outcomes(team.run()).values()
    (team.folder / "model" / "weights.json").write_text("[2]", encoding="utf-8")
    assert outcomes(team.run()) == {"PERF-01": "FAIL", "DATA-01": "PASS"}


def test_no_signature_of_several_is_from_the_future(team: Team) -> None:
    (team.folder / "policy.yaml").write_text(f"{POLICY}waivers: {{approvals: 2}}\n", "utf-8")
    draft = drafted(team)
    team.approve(draft)
    team.approve(draft, by="bo@acme.example", at=NOW + timedelta(minutes=6))
    verdict = team.run()
    assert not verdict.passed
    assert "signed in the future" in str([one.reason for one in verdict.results])
    assert team.run(now=NOW + timedelta(minutes=6)).passed


def test_a_draft_that_says_something_else_than_was_signed_is_listed(team: Team) -> None:
    draft = drafted(team)
    team.approve(draft)
    trust = team.folder / "trust.yaml"
    (line,) = listing(draft.parent, trust, now=NOW)
    assert line.state == "signed"
    text = draft.read_text(encoding="utf-8")
    for change in (text.replace(AT_LEAST, "at_least: 0.85\n"), text.replace("jo@", "kim@")):
        assert change != text
        draft.write_text(change, encoding="utf-8")
        states = {one.state: one for one in listing(draft.parent, trust, now=NOW)}
        assert set(states) == {"signed", "draft"}
        assert "signed in another wording" in states["draft"].detail


def test_drafts_of_one_second_have_ids_of_their_own(team: Team) -> None:
    """A report prints a command for each refused rule, and they are pasted together."""
    refused = team.run()
    assert refused.evidence is not None
    for milliseconds in (0, 1, 10):
        team.draft(refused.evidence.directory, at=NOW + timedelta(milliseconds=milliseconds))
    assert len(list((team.folder / "waivers").glob("WVR-*.yaml"))) == 3
