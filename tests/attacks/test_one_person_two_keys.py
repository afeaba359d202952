"""One person with two keys, or under two spellings, is one person: who asks does not approve."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.errors import UsageError
from tests.support.waiving import POLICY, Team, outcomes

TWO = f"{POLICY}waivers: {{approvals: 2}}\n"


def renamed(team: Team, old: str, new: str, **more: str) -> None:
    """Give the entry of *old* another person, and other names."""
    trust = team.folder / "trust.yaml"
    said = "".join(f"\n    {key}: {value}" for key, value in more.items())
    text = trust.read_text(encoding="utf-8")
    trust.write_text(text.replace(f"person: {old}", f"person: {new}{said}"), encoding="utf-8")
    team.keys.setdefault(new, team.keys[old])


def drafted(team: Team, by: str = "jo@acme.example") -> Path:
    refused = team.run()
    assert refused.evidence is not None
    return team.draft(refused.evidence.directory, by=by)


@pytest.mark.parametrize(
    "asked", ["jdoe", "JDoe", "J. Doe <jdoe@lists.example>", "jo", "\uff4a\uff4f"]
)
def test_a_name_that_stands_at_another_key_of_the_person(tmp_path: Path, asked: str) -> None:
    team = Team.make(tmp_path)
    renamed(team, "jo@acme.example", "jo@acme.example", known_as="[jdoe]")
    renamed(team, "bo@acme.example", "Jo@ACME.example")
    draft = drafted(team, by=asked)
    with pytest.raises(UsageError, match="may not approve it"):
        team.approve(draft, by="Jo@ACME.example")
    team.forge(draft, by="bo@acme.example", approvedBy="Jo@ACME.example")
    verdict = team.run()
    assert not verdict.passed
    assert "asked for it and approved it" in str([one.reason for one in verdict.results])


@pytest.mark.parametrize("known_as", ["[ana]", "[ANA@acme.example]"])
def test_the_gate_is_known_as_the_approver(tmp_path: Path, known_as: str) -> None:
    team = Team.make(tmp_path)
    renamed(team, "gate@acme.example", "gate@acme.example", known_as=known_as)
    team.approve(drafted(team))
    verdict = team.run()
    assert not verdict.passed
    assert "holds the gate's key" in str([one.reason for one in verdict.results])


@pytest.mark.parametrize("name", ["Ana@acme.example", "ana", "a.smith@acme.example"])
def test_two_spellings_are_not_two_approvals(tmp_path: Path, name: str) -> None:
    team = Team.make(tmp_path, TWO)
    renamed(team, "bo@acme.example", name, known_as="[ana@acme.example]")
    draft = drafted(team)
    team.approve(draft)
    team.approve(draft, by=name)
    verdict = team.run()
    assert not verdict.passed
    assert "approvals by 2 are needed" in str([one.reason for one in verdict.results])


def test_two_keys_of_one_person_are_not_in_the_way_of_a_second(tmp_path: Path) -> None:
    team = Team.make(tmp_path, TWO)
    renamed(team, "jo@acme.example", "ana@acme.example")
    second = team.keys["jo@acme.example"]
    draft = drafted(team, by="kim@acme.example")
    team.approve(draft)
    team.approve(draft, by="bo@acme.example")
    assert outcomes(team.run())["PERF-01"] == "WAIVED"
    team.forge(draft, by="jo@acme.example", approvedBy="ana@acme.example")
    assert second.key != team.keys["ana@acme.example"].key
    assert outcomes(team.run())["PERF-01"] == "WAIVED"


@pytest.mark.parametrize(
    "asked",
    [
        "an\u200ba@acme.example",
        "ana @acme.example",
        "ana@acme.example.",
        '"ana@acme.example"',
        "ANA",
    ],
)
def test_marks_that_nobody_reads_make_no_other_person(tmp_path: Path, asked: str) -> None:
    team = Team.make(tmp_path)
    draft = drafted(team, by=asked)
    with pytest.raises(UsageError, match="may not approve it"):
        team.approve(draft)
    team.forge(draft)
    assert not team.run().passed
