"""Policies that must be signed: unsigned, changed, by somebody else, by a key that has ended."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.manifest import scan
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.signed_policy import open_policy, sign_policy, statement_name
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.operations.run import VERIFIER_ID
from aims_gate.operations.sign import sign as sign_measured
from aims_gate.pipeline import run
from aims_gate.policy.data_roles import roles_of
from aims_gate.policy.resolve import load
from aims_gate.request import Recording, Request, World
from aims_gate.verdict import Verdict
from tests.attacks.test_policy_base import commit, write
from tests.support.command_line import call
from tests.support.git_server import git
from tests.support.waiving import NOW, POLICY, Team

EASY = POLICY.replace("0.9", "0.7")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """Bo signs policies, and nothing else; the policy is signed."""
    team = Team.make(tmp_path, EASY)
    trust = tmp_path / "trust.yaml"
    lines = trust.read_text(encoding="utf-8")
    before = "bo.key.pub\n    roles: [approver]"
    assert before in lines
    write(trust, lines.replace(before, "bo.key.pub\n    roles: [policy]"))
    sign(team, "bo@acme.example")
    return team


def sign(team: Team, by: str) -> None:
    trust = trust_file.load(team.folder / "trust.yaml")
    sign_policy(load(team.folder / "policy.yaml"), team.keys[by], trust=trust, now=NOW)


def gate(team: Team, *, policy: str = "policy.yaml", **more: Any) -> Verdict:
    recording = Recording(
        signer=team.keys["gate@acme.example"], verifier_id=VERIFIER_ID, out=team.folder / "out"
    )
    request = Request(
        policy=policy if policy.startswith("pack:") else str(team.folder / policy),
        model=f"file:{team.folder / 'model'}",
        data=roles_of({"evaluation": str(team.folder / "evaluation.parquet")}),
        recording=recording,
        require_signed_policy=True,
    )
    world = World(now=lambda: NOW, new_id=lambda _now: "20261130T120000Z-00000001")
    return run(replace(request, **more), world)


def refused(team: Team, match: str, **more: Any) -> None:
    with pytest.raises(UsageError, match=match):
        gate(team, **more)
    assert not (team.folder / "out").exists(), "nothing was measured"


def verified(team: Team, folder: Path | None = None) -> bool:
    """As whoever deploys demands it."""
    text = (team.folder / "trust.yaml").read_text(encoding="utf-8")
    text += "deploy: [{signed_policy: true}]\n"
    trust = trust_file.parse(text.encode(), file="trust.yaml", folder=team.folder)
    expected = Expected(model=scan(team.folder / "model"))
    return verify_evidence(
        folder or team.folder / "out", trust=trust, expected=expected, now=NOW
    ).passed


def test_a_signed_policy_is_taken_and_the_evidence_proves_it(team: Team) -> None:
    assert gate(team).passed
    assert verified(team)


def test_an_unsigned_policy(team: Team) -> None:
    for path in team.folder.glob("policy.*.json"):
        path.unlink()
    refused(team, "is not signed by somebody who may: .* is missing")
    gate(team, require_signed_policy=False)
    with pytest.raises(TrustError, match=r"trust.yaml:.*: the policy was not signed"):
        verified(team)


def test_a_changed_policy(team: Team) -> None:
    write(team.folder / "policy.yaml", EASY.replace("0.7", "0.5"))
    refused(team, "is missing")
    # the old signature under the name of the new wording
    new = load(team.folder / "policy.yaml").source_digest[:12]
    for path in list(team.folder.glob("policy.*.json")):
        path.rename(path.with_name(f"policy.{new}.{path.name.split('.', 2)[2]}"))
    refused(team, "is the signature of another policy")


def test_a_changed_parent(team: Team) -> None:
    """Its file is the same, and says another thing: a pack of another installation."""
    statement = next(team.folder.glob("policy.*.statement.json"))
    tree = json.loads(statement.read_bytes())
    assert tree["predicate"]["resolved"] == {"sha256": load(team.folder / "policy.yaml").digest}
    for path in team.folder.glob("policy.*.json"):
        path.unlink()
    found = replace(load(team.folder / "policy.yaml"), digest="0" * 64)
    trust = trust_file.load(team.folder / "trust.yaml")
    sign_policy(found, team.keys["bo@acme.example"], trust=trust, now=NOW)
    refused(team, "of another policy, or of other parents")


@pytest.mark.parametrize("by", ["ana@acme.example", "gate@acme.example"])
def test_who_may_not_sign_policies(team: Team, by: str) -> None:
    with pytest.raises(TrustError, match="may not sign as policy"):
        sign(team, by)
    trust = team.folder / "trust.yaml"
    honest = trust.read_text(encoding="utf-8")
    for path in team.folder.glob("policy.*.json"):
        path.unlink()
    name = by.partition("@")[0]
    role = "gate" if name == "gate" else "approver"
    before = f"{name}.key.pub\n    roles: [{role}]"
    assert before in honest
    write(trust, honest.replace(before, f"{name}.key.pub\n    roles: [{role}, policy]"))
    sign(team, by)
    write(trust, honest)
    refused(team, "may not sign as policy")


def test_a_key_that_ended_and_a_person_who_is_another(team: Team) -> None:
    trust = team.folder / "trust.yaml"
    honest = trust.read_text(encoding="utf-8")
    for more, told in {
        f"valid_until: {NOW:%Y-%m-%d}": "expired at",
        f"revoked_at: {NOW:%Y-%m-%d}": "was revoked at",
    }.items():
        write(trust, honest.replace("roles: [policy]", f"roles: [policy]\n    {more}"))
        refused(team, told)
    write(trust, honest.replace("person: bo@", "person: eve@"))
    refused(team, "it says that 'bo@acme.example' signed, not eve@acme.example")


def test_an_altered_statement(team: Team) -> None:
    statement = next(team.folder.glob("policy.*.statement.json"))
    statement.write_bytes(statement.read_bytes().replace(b"bo@acme", b"jo@acme"))
    refused(team, "is not what was signed")


def test_without_a_trust_file_and_with_a_pack(team: Team) -> None:
    (team.folder / "trust.yaml").unlink()
    refused(team, "no trust file says who may sign policies")
    refused(team, "a pack is not signed", policy="pack:sme-starter@1.1.0")


def test_a_pack_is_not_signed(team: Team) -> None:
    """It comes with aims-gate; what a team signs is a policy that extends it."""
    trust = trust_file.load(team.folder / "trust.yaml")
    with pytest.raises(UsageError, match="a pack is not signed"):
        sign_policy(load("pack:release@1.2.0"), team.keys["bo@acme.example"], trust=trust, now=NOW)


def test_whoever_deploys_believes_its_own_trust_file(team: Team) -> None:
    """The gate took a signature that does not count there."""
    gate(team)
    trust = team.folder / "trust.yaml"
    write(trust, trust.read_text(encoding="utf-8").replace("roles: [policy]", "roles: [records]"))
    with pytest.raises(TrustError, match="may not sign as policy"):
        verified(team)


@pytest.mark.parametrize("name", ["policy-signature.dsse.json", "policy-signature.statement.json"])
def test_evidence_without_the_signature_that_it_names(team: Team, name: str) -> None:
    gate(team)
    kept = (team.folder / "out" / name).read_bytes()
    (team.folder / "out" / name).unlink()
    with pytest.raises(TrustError, match="is missing"):
        verified(team)
    (team.folder / "out" / name).write_bytes(kept.replace(b"a", b"b", 1))
    with pytest.raises(TrustError):
        verified(team)


def test_another_signature_than_the_gate_saw(team: Team) -> None:
    """A later one of the same policy, put beside the evidence."""
    gate(team)
    for path in team.folder.glob("policy.*.json"):
        path.unlink()
    trust = trust_file.load(team.folder / "trust.yaml")
    later = NOW + timedelta(hours=1)
    policy = load(team.folder / "policy.yaml")
    name = sign_policy(policy, team.keys["bo@acme.example"], trust=trust, now=later)
    for ending in ("dsse.json", "statement.json"):
        data = (team.folder / f"{name}.{ending}").read_bytes()
        (team.folder / "out" / f"policy-signature.{ending}").write_bytes(data)
    with pytest.raises(TrustError, match="is not the signature that the gate saw"):
        verified(team)


def test_a_job_of_its_own_demands_it_too(team: Team) -> None:
    unsigned = Recording(signer=None, verifier_id=VERIFIER_ID, out=team.folder / "measured")
    gate(team, recording=unsigned)
    signing = Recording(
        signer=team.keys["gate@acme.example"], verifier_id=VERIFIER_ID, out=team.folder / "signed"
    )
    request = Request(
        policy=str(team.folder / "policy.yaml"),
        model=f"file:{team.folder / 'model'}",
        recording=signing,
    )
    world = World(now=lambda: NOW, new_id=lambda _now: "run-2")
    with pytest.raises(TrustError, match="is not what these measurements give: policy"):
        sign_measured(team.folder / "measured", request, world)
    demanding = replace(request, require_signed_policy=True)
    assert sign_measured(team.folder / "measured", demanding, world).passed
    assert verified(team, team.folder / "signed")


def test_on_the_command_line_and_from_a_base(team: Team) -> None:
    for path in team.folder.glob("policy.*.json"):
        path.unlink()
    words = ["--model", "file:model", "--data", "evaluation=evaluation.parquet", "--unsigned"]
    gated = ["run", "policy.yaml", *words, "--require-signed-policy"]
    assert call(team.folder, *gated).code == 2
    assert call(team.folder, "policy", "sign", "policy.yaml", "--key", "ana.key").code == 4
    done = call(team.folder, "policy", "sign", "policy.yaml", "--key", "bo.key")
    assert (done.code, done.err) == (0, "")
    assert call(team.folder, *gated).code == 0
    git(team.folder, "init", "-q", "-b", "main")
    commit(team.folder)
    # a change that signs its own policy with a key that it trusts
    (team.folder / "policy.yaml").unlink()
    (team.folder / "trust.yaml").write_text("", encoding="utf-8")
    for path in team.folder.glob("policy.*.json"):
        path.unlink()
    assert call(team.folder, *gated, "--policy-base", "main").code == 0
    assert call(team.folder, *gated).code == 2


def test_a_key_that_a_signed_statement_revoked(team: Team) -> None:
    policy = load(team.folder / "policy.yaml")
    trust = trust_file.load(team.folder / "trust.yaml")

    def opened(from_then: timedelta) -> str:
        keys = tuple(replace(one, frozen_from=NOW + from_then) for one in trust.keys)
        return open_policy(
            team.folder,
            statement_name(policy),
            source=policy.source_digest,
            resolved=policy.digest,
            trust=replace(trust, keys=keys),
            now=NOW,
        ).said.signed_by

    assert opened(timedelta(seconds=1)) == "bo@acme.example"
    with pytest.raises(TrustError, match="was revoked"):
        opened(timedelta(0))
