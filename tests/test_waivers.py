"""What a waiver in force admits, and which are in force, cell by cell and term by term."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.attest.envelope import sign
from aims_gate.attest.manifest import scan
from aims_gate.errors import SourceError
from aims_gate.facts import ModelIdentity
from aims_gate.operations import signoff
from aims_gate.plan import plan
from aims_gate.policy.model import Threshold, WaiverTerms
from aims_gate.policy.resolve import load
from aims_gate.signoffs import folder, kinds, people
from aims_gate.signoffs.approvals import Approved, given
from aims_gate.verdict import Outcome
from aims_gate.waiver_terms import WaiverContext, in_force
from aims_gate.waivers import Waiver
from tests.support.waiving import NOW, Team

WAIVER = Waiver(
    id="WVR-1",
    rule="PERF-01",
    covers=frozenset({Outcome.FAIL}),
    limit=Threshold(at_least=0.8, at_most=0.9),
    expires=NOW,
    approved_by=("ana",),
    requested_by="jo",
    justification="",
    where="w",
    by_name=False,
    files={},
)


@pytest.mark.parametrize(
    ("outcome", "value", "admitted"),
    [
        (Outcome.FAIL, 0.8, True),
        (Outcome.FAIL, 0.9, True),
        (Outcome.FAIL, 0.7999, False),
        (Outcome.FAIL, 0.9001, False),
        (Outcome.FAIL, float("nan"), False),
        (Outcome.FAIL, None, False),
        (Outcome.INSUFFICIENT, 0.85, False),
        (Outcome.MISSING, None, False),
        (Outcome.ERROR, None, False),
    ],
)
def test_a_limit_holds_on_both_sides_and_nothing_else_is_covered(
    outcome: Outcome, value: float | None, admitted: bool
) -> None:
    assert WAIVER.admits(outcome, value) is admitted


def test_a_limit_is_about_values_and_not_about_ages_or_what_is_missing() -> None:
    """Data of 40 days are let through where STALE is covered, however the value is limited."""
    both = replace(WAIVER, covers=frozenset({Outcome.FAIL, Outcome.STALE, Outcome.INSUFFICIENT}))
    assert both.admits(Outcome.STALE, 40.0)
    assert not both.admits(Outcome.INSUFFICIENT, None)
    assert not both.admits(Outcome.INSUFFICIENT, 0.5)
    assert not both.admits(Outcome.FAIL, 0.5)
    missing = replace(WAIVER, covers=frozenset({Outcome.MISSING}), limit=None)
    assert missing.admits(Outcome.MISSING, None)
    assert not missing.admits(Outcome.FAIL, 0.85)


@pytest.mark.parametrize(
    ("scope", "used", "registered", "told"),
    [
        ("model", 2, "credit", ""),
        ("model", 3, "credit", "it was used 3 times, and 3 are allowed"),
        ("model", None, "credit", "nobody can say how often it was used"),
        ("version", 0, "credit", "the policy says waivers.scope: version"),
        ("model", 0, "", "passed over"),
        ("model", 0, "other", "passed over"),
    ],
)
def test_a_waiver_of_later_versions_counts_its_uses_and_needs_a_registered_name(
    tmp_path: Path, scope: str, used: int | None, registered: str, told: str
) -> None:
    team = Team.make(tmp_path)
    refused = team.run()
    assert refused.evidence is not None
    team.approve(
        team.draft(
            refused.evidence.directory, pattern="credit*", uses=3, expires=NOW + timedelta(days=14)
        )
    )
    policy = load(tmp_path / "policy.yaml")

    def uses(_name: str) -> int:
        if used is None:
            raise SourceError("the server is down")
        return used

    about = WaiverContext(
        model=ModelIdentity(uri="m", name="credit", registered=registered, digest="0" * 64),
        policy=replace(policy, waivers=WaiverTerms(scope=scope)),
        tasks={task.rule.id: task for task in plan(policy).sound()},
        authors=[],
        gate=None,
        uses=uses,
        now=NOW,
    )
    trust = team.trust()
    found = folder.load(tmp_path / "waivers", kinds.WAIVER, trust=trust, now=NOW)
    held, faulty = in_force(found, about)
    assert bool(held) is (told == "")
    assert [told in one.reason for one in faulty] == (
        [True] if told not in {"", "passed over"} else []
    )


def test_whoever_made_the_model_approves_no_exception(tmp_path: Path) -> None:
    """Under any of the names that the trust file gives them."""
    team = Team.make(tmp_path)
    (ana,) = (key for key in team.trust().keys if key.person == "ana@acme.example")
    ana = replace(ana, known_as=("anna.k",))
    for author, told in (("Anna.K", True), ("Ana Kaya <ana@acme.example>", True), ("bo", False)):
        found = people.problems([ana], "jo", WaiverTerms(), gate=None, authors=[author])
        assert any("made the model" in problem for problem in found) is told, author


def test_the_subject_must_be_what_the_predicate_is_about(tmp_path: Path) -> None:
    """Else tools that match subjects would see a waiver for other bytes than the gate does."""
    team = Team.make(tmp_path)
    refused = team.run()
    assert refused.evidence is not None
    path = team.approve(team.draft(refused.evidence.directory))
    envelope = canonical.parse(path.read_bytes())
    statement = canonical.parse(base64.b64decode(envelope["payload"]))
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    path.write_bytes(sign(canonical.encode(statement), team.keys["ana@acme.example"]))
    (one,) = folder.load(tmp_path / "waivers", kinds.WAIVER, trust=team.trust(), now=NOW)
    assert isinstance(one, folder.Unsound)
    assert "subject is not what its predicate is about" in one.what


@pytest.mark.parametrize(
    ("name", "minutes", "told"),
    [("model", 0, ""), ("other", 0, "it is for the model 'model'"), ("model", -6, "in the future")],
)
def test_an_approval_is_of_one_name_and_of_no_future(
    tmp_path: Path, name: str, minutes: int, told: str
) -> None:
    team = Team.make(tmp_path)
    refused = team.run()
    assert refused.evidence is not None
    asked = signoff.Asked(
        evidence=Path(refused.evidence.directory),
        requested_by="jo@acme.example",
        why="read the report and the errors of the smallest groups",
        now=NOW,
    )
    draft = signoff.save(signoff.draft_approval("owner", asked), None, tmp_path / "approvals")
    team.approve(draft)
    now = NOW + timedelta(minutes=minutes)
    found = folder.load(tmp_path / "approvals", kinds.APPROVAL, trust=team.trust(), now=now)
    digest = scan(tmp_path / "model").digest
    about = Approved(name=name, digest=digest, gate=None, now=now)
    (one,) = given(found, about)
    assert told in one.problem
    assert bool(one.problem) is bool(told)
