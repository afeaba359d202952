"""Exceptions that must not count: each forged, ended, foreign or self-made waiver refuses."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.manifest import scan
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.verdict import Decision, Outcome, Verdict
from tests.support.waiving import NOW, POLICY, Team, outcomes


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team.make(tmp_path)


@pytest.fixture
def draft(team: Team) -> Path:
    refused = team.run()
    assert refused.decision is Decision.REFUSED
    assert refused.evidence is not None
    return team.draft(refused.evidence.directory)


def reason(verdict: Verdict) -> str:
    """The line of the waiver that does not count."""
    (one,) = (r for r in verdict.results if r.check == "waivers.valid")
    assert one.outcome is Outcome.ERROR
    assert one.blocking
    return one.reason


def test_a_signed_waiver_lets_the_refused_rule_through_and_verifies(
    team: Team, draft: Path
) -> None:
    team.approve(draft)
    verdict = team.run()
    assert outcomes(verdict) == {"PERF-01": "WAIVED", "DATA-01": "PASS"}
    assert verdict.passed
    (waived,) = (r for r in verdict.results if r.waiver)
    assert "ana@acme.example" in waived.reason
    assert waived.expires == NOW + timedelta(days=20)
    found = verify(team, verdict)
    assert found.passed
    assert [term.end for term in found.terms] == [NOW + timedelta(days=20)]
    (line,) = found.waived
    assert line.startswith(f"PERF-01 by {waived.waiver} of ana@acme.example for jo@acme.example, ")
    assert "until 2026-12-20T12:00:00Z: retraining on the new labels" in line


def verify(team: Team, verdict: Verdict, *, days: float = 0) -> Verified:
    assert verdict.evidence is not None
    return verify_evidence(
        Path(verdict.evidence.directory),
        trust=trust_file.load(team.folder / "trust.yaml"),
        expected=Expected(model=scan(team.folder / "model")),
        now=NOW + timedelta(days=days),
    )


def test_a_draft_lets_nothing_through(team: Team, draft: Path) -> None:
    assert draft.exists()
    assert outcomes(team.run()) == {"PERF-01": "FAIL", "DATA-01": "PASS"}


def test_it_ends_to_the_second(team: Team, draft: Path) -> None:
    team.approve(draft)
    end = NOW + timedelta(days=20)
    assert team.run(now=end - timedelta(seconds=1)).passed
    verdict = team.run(now=end)
    assert verdict.decision is Decision.REFUSED
    assert "expired at 2026-12-20T12:00:00Z" in reason(verdict)


def test_its_evidence_does_not_verify_after_its_end(team: Team, draft: Path) -> None:
    team.approve(draft)
    verdict = team.run()
    with pytest.raises(TrustError, match=r"which is over|ended"):
        verify(team, verdict, days=20)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expires": "2027-03-01T12:00:01Z"}, "lasts 91 days, and 90 are allowed"),
        ({"ruleSha256": "0" * 64}, "PERF-01, or what the policy says of its data, has changed"),
        ({"rule": "PERF-99"}, "the policy has no rule PERF-99"),
        ({"requestedBy": "ana@acme.example"}, "ana@acme.example asked for it and approved it"),
        ({"requestedBy": "ANA"}, "ana@acme.example asked for it and approved it"),
        ({"approvedBy": "bo@acme.example"}, "says that 'bo@acme.example' approved it"),
        ({"issued": "2026-11-30T12:05:01Z"}, "signed in the future"),
        ({"limit": {"atLeast": "0"}}, "its limit is none"),
        ({"limit": {"atMost": "0.9"}}, "its limit has at_most, and the rule at_least"),
        ({"limit": {"atLeast": "NaN"}}, "limit.at_least must be a number"),
        ({"justification": "because I say so"}, "justification says too little"),
        ({"covers": ["ERROR"]}, "covers must be one of"),
        ({"unknown": 1}, "'unknown', which is not known"),
        ({"rule_sha256": "0" * 64}, "not spelled as in in-toto"),
        ({"model": {"name": "model", "sha256": "0" * 64, "scope": "model"}}, "model must be bound"),
    ],
)
def test_what_a_person_signs_must_hold(
    team: Team, draft: Path, changes: dict[str, Any], said: str
) -> None:
    team.forge(draft, **changes)
    verdict = team.run()
    assert verdict.decision is Decision.REFUSED
    assert said in reason(verdict)


def test_a_waiver_of_other_bytes_lets_nothing_through(team: Team, draft: Path) -> None:
    team.approve(draft)
    (team.folder / "model" / "weights.json").write_text("[2]", encoding="utf-8")
    assert outcomes(team.run()) == {"PERF-01": "FAIL", "DATA-01": "PASS"}


def test_a_waiver_of_another_name_does_not_count(team: Team, draft: Path) -> None:
    digest = scan(team.folder / "model").digest
    team.forge(draft, model={"name": "other", "sha256": digest})
    assert "it is for the model 'other'" in reason(team.run())


@pytest.mark.parametrize("person", ["gate@acme.example", "jo@acme.example"])
def test_who_may_not_approve_cannot_sign(team: Team, draft: Path, person: str) -> None:
    with pytest.raises(UsageError, match="may not"):
        team.approve(draft, by=person)


def test_the_gates_own_key_approves_nothing(team: Team, draft: Path) -> None:
    team.forge(draft, by="gate@acme.example")
    assert "may not sign as approver" in reason(team.run())


def test_whoever_holds_the_gates_key_approves_nothing(team: Team, draft: Path) -> None:
    team.approve(draft)
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8").replace("gate@acme.example", "ana@acme.example")
    trust.write_text(text.replace("roles: [gate]", "roles: [gate, approver]"), encoding="utf-8")
    assert "holds the gate's key" in reason(team.run())


def test_a_key_outside_trust_approves_nothing(team: Team, draft: Path) -> None:
    team.approve(draft)
    trust = team.folder / "trust.yaml"
    lines = trust.read_text(encoding="utf-8")
    trust.write_text(re.sub(r"  - person: ana.*?\n(?=  - )", "", lines, flags=re.DOTALL), "utf-8")
    assert "a key that is not trusted" in reason(team.run())
    trust.unlink()
    assert "there is no trust file" in reason(team.run())


def test_who_has_left_approves_nothing(team: Team, draft: Path) -> None:
    team.approve(draft)
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8").replace(
        "    public_key: ana.key.pub\n",
        "    public_key: ana.key.pub\n    valid_until: 2026-11-30T12:00:00Z\n",
    )
    trust.write_text(text, encoding="utf-8")
    assert "expired at 2026-11-30T12:00Z" in reason(team.run())


def test_every_byte_of_payload_and_signature_counts(team: Team, draft: Path) -> None:
    """The key id beside them is a hint, as DSSE has it."""
    path = team.approve(draft)
    whole = path.read_bytes()
    tree = json.loads(whole)
    for text in (tree["payload"], tree["signatures"][0]["sig"]):
        start = whole.index(text.encode())
        for place in range(start, start + len(text), 211):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert not team.run().passed, place


def test_a_value_past_the_limit_refuses(team: Team) -> None:
    refused = team.run()
    assert refused.evidence is not None
    draft = team.draft(refused.evidence.directory, limit=0.85)
    team.approve(draft)
    verdict = team.run()
    assert verdict.decision is Decision.REFUSED
    assert "PERF-01 ended FAIL, beyond its limit" in reason(verdict)


def test_a_limit_met_exactly_lets_it_through(team: Team) -> None:
    refused = team.run()
    assert refused.evidence is not None
    team.approve(team.draft(refused.evidence.directory, limit=0.8))
    assert team.run().passed


def test_a_waiver_of_a_bad_value_covers_no_missing_one(team: Team, draft: Path) -> None:
    team.approve(draft)
    (team.folder / "evaluation.parquet").unlink()
    verdict = team.run()
    assert outcomes(verdict)["PERF-01"] in {"MISSING", "ERROR"}
    assert not verdict.passed


def test_one_that_nothing_needs_is_an_error(team: Team, draft: Path) -> None:
    team.approve(draft)
    policy = (team.folder / "policy.yaml").read_text(encoding="utf-8")
    (team.folder / "policy.yaml").write_text(policy.replace("0.9", "0.7"), encoding="utf-8")
    verdict = team.run()
    assert verdict.decision is Decision.UNDECIDED
    assert "PERF-01, or what the policy says of its data, has changed" in reason(verdict)


def test_a_waiver_ends_with_what_the_policy_says_of_its_data(team: Team, draft: Path) -> None:
    """Label and prediction exchanged would be judged by the same rule, on other questions."""
    team.approve(draft)
    text = POLICY.replace("label: y, prediction: p", "label: p, prediction: y")
    (team.folder / "policy.yaml").write_text(text, encoding="utf-8")
    assert "what the policy says of its data, has changed" in reason(team.run())


def rewritten(team: Team, **terms: str) -> None:
    said = ", ".join(f"{key}: {value}" for key, value in terms.items())
    (team.folder / "policy.yaml").write_text(f"{POLICY}waivers: {{{said}}}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"max_days": "19"}, "lasts 20 days, and 19 are allowed"),
        ({"max_active": "0"}, "1 waivers are in force, and the policy admits 0"),
        ({"approvals": "2"}, "approvals by 2 are needed"),
        ({"approvers": "[bo@acme.example]"}, "approvals of bo@acme.example by 1 are needed"),
        ({"not_waivable": "[PERF-01]"}, "PERF-01 is not waivable"),
    ],
)
def test_a_policy_bounds_its_exceptions(
    team: Team, draft: Path, terms: dict[str, str], said: str
) -> None:
    team.approve(draft)
    rewritten(team, **terms)
    verdict = team.run()
    assert verdict.decision is Decision.REFUSED
    assert said in reason(verdict)


def test_two_of_three_must_be_two_persons_and_one_wording(team: Team, draft: Path) -> None:
    rewritten(team, approvals="2")
    first = team.approve(draft)
    shutil.copy(first, first.with_name("again.dsse.json"))
    assert "approvals by 2" in reason(team.run())
    first.with_name("again.dsse.json").unlink()
    other = draft.with_name("other.yaml")
    other.write_text(draft.read_text(encoding="utf-8").replace("0.8", "0.7"), encoding="utf-8")
    worded = team.forge(other, by="bo@acme.example")
    verdict = team.run()
    assert "signed in two different wordings" in str([r.reason for r in verdict.results])
    assert not verdict.passed
    worded.unlink()
    team.approve(draft, by="bo@acme.example", at=NOW + timedelta(minutes=1))
    assert team.run(now=NOW + timedelta(minutes=1)).passed


def test_a_pattern_is_for_registered_names_only(team: Team) -> None:
    refused = team.run()
    assert refused.evidence is not None
    rewritten(team, scope="model")
    team.approve(team.draft(refused.evidence.directory, pattern="*", uses=3))
    assert outcomes(team.run()) == {"PERF-01": "FAIL", "DATA-01": "PASS"}


@pytest.mark.parametrize("name", ["evil.dsse.json", "WVR-1.dsse.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"payload": 1}'])
def test_rubbish_in_the_folder_is_shown_and_stands_in_the_way(
    team: Team, name: str, content: bytes
) -> None:
    (team.folder / "waivers").mkdir()
    (team.folder / "waivers" / name).write_bytes(content)
    verdict = team.run()
    assert name in reason(verdict)


@pytest.mark.parametrize("make", [lambda p: p.mkdir(), lambda p: p.symlink_to("/etc/passwd")])
def test_no_file_of_another_kind_is_read(team: Team, make: Callable[[Path], None]) -> None:
    (team.folder / "waivers").mkdir()
    make(team.folder / "waivers" / "x.dsse.json")
    assert not team.run().passed


def test_evidence_that_was_waived_needs_its_waiver_beside_it(team: Team, draft: Path) -> None:
    team.approve(draft)
    verdict = team.run()
    assert verdict.evidence is not None
    folder = Path(verdict.evidence.directory)
    (beside,) = folder.glob("waiver.*.dsse.json")
    whole = beside.read_bytes()
    beside.write_bytes(whole + b" ")
    with pytest.raises(TrustError, match="not the waiver that was signed for"):
        verify(team, verdict)
    beside.unlink()
    with pytest.raises(TrustError, match="missing"):
        verify(team, verdict)


def test_the_deploying_side_says_whose_waivers_count(team: Team, draft: Path) -> None:
    team.approve(draft)
    verdict = team.run()
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8")
    trust.write_text(
        text.replace("ana.key.pub\n    roles: [approver]", "ana.key.pub\n    roles: [records]"),
        encoding="utf-8",
    )
    with pytest.raises(TrustError, match="may not sign as approver"):
        verify(team, verdict)


def test_an_untouched_draft_cannot_be_signed(team: Team) -> None:
    refused = team.run()
    assert refused.evidence is not None
    draft = team.draft(refused.evidence.directory)
    text = draft.read_text(encoding="utf-8")
    draft.write_text(re.sub("justification:.*", 'justification: "TODO: why this may be"', text))
    with pytest.raises(UsageError, match="says too little"):
        team.approve(draft)


def test_the_report_names_the_waiver(team: Team, draft: Path) -> None:
    team.approve(draft)
    verdict = team.run()
    assert verdict.evidence is not None
    report = json.loads((Path(verdict.evidence.directory) / "report.json").read_bytes())
    (waived,) = (one for one in report["results"] if one["outcome"] == "WAIVED")
    assert waived["waiver"].startswith("WVR-20261130")


@pytest.mark.parametrize("name", ["PERF-01.dsse.json", ".dsse.json"])
def test_no_file_takes_the_id_of_a_rule_or_none(team: Team, draft: Path, name: str) -> None:
    """Else the line of the rule is hidden behind it, and the refusal does not verify."""
    team.approve(draft)
    (team.folder / "waivers" / name).write_text("rubbish", encoding="utf-8")
    verdict = team.run()
    assert outcomes(verdict) == {"PERF-01": "WAIVED", "DATA-01": "PASS", name: "ERROR"}
    assert not verify(team, verdict).passed
