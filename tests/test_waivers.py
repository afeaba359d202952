"""What a waiver in force admits, and which are in force, cell by cell and term by term."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate.errors import SourceError
from aims_gate.facts import ModelIdentity
from aims_gate.plan import plan
from aims_gate.policy.model import Threshold, WaiverTerms
from aims_gate.policy.resolve import load
from aims_gate.signoffs import folder, kinds
from aims_gate.verdict import Outcome
from aims_gate.waiver_terms import About, in_force
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

    about = About(
        model=ModelIdentity(uri="m", name="credit", registered=registered, digest="0" * 64),
        terms=WaiverTerms(scope=scope),
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
