"""Approvals by signed commits: what git itself signs counts, and whatever only looks like it never.

Git and ssh-keygen make every signature here; author and committer are whatever a line says.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aims_gate.attest.keys import load_public
from aims_gate.errors import TrustError
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.operations.verify import Expectation, prove
from aims_gate.oversight import Oversight
from aims_gate.policy.base import PolicyBase, open_base
from aims_gate.policy.model import Policy
from aims_gate.policy.resolve import load
from aims_gate.sources import SOURCES
from aims_gate.sources.subject import RunFacts, Workspace
from tests.attacks.test_approval_attacks import BOTH, RULED, missing
from tests.support.git_server import git
from tests.support.waiving import NOW, Team, outcomes

pytestmark = [pytest.mark.tool("git"), pytest.mark.tool("ssh-keygen")]
SIGNED = ("-c", "gpg.format=ssh", "-c", "commit.gpgsign=true")
ONE = RULED.replace(BOTH, BOTH.replace("[owner, validator]", "[owner]"))
OWNER = "approvals/owner.yaml"
"""The draft."""


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A repository in which a model waits for its owner's approval, drafted by jo."""
    folder = tmp_path / "repo"
    folder.mkdir()
    team = Team.make(folder, ONE)
    lines = (folder / "trust.yaml").read_text(encoding="utf-8")
    for name in ("ana", "bo", "jo", "eve"):
        kind = "ecdsa" if name == "bo" else "ed25519"
        path = str(folder.parent / name)
        words = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        if name != "eve":
            public = Path(f"{path}.pub").read_text(encoding="utf-8").strip()
            lines += f"  - person: {name}@acme.example\n    public_key: {public}\n"
            lines += "    roles: [approver]\n"
    (folder / "trust.yaml").write_text(lines, encoding="utf-8")
    (folder / ".gitignore").write_text("evidence\n*.key\n", encoding="utf-8")
    git(folder, "init", "-q", "-b", "main")
    commit(team, "")
    draft(team)
    return team


def draft(team: Team, why: str = "read the report and the errors of the smallest groups") -> None:
    digest = team.run().model.digest
    path = team.folder / OWNER
    path.parent.mkdir(exist_ok=True)
    text = f"""\
apiVersion: aims-gate/v1
kind: Approval
id: APR-1
role: owner
model: {{name: model, sha256: {digest}}}
requested_by: jo@acme.example
justification: {why}
expires: {NOW + timedelta(days=20):%Y-%m-%dT%H:%M:%SZ}
"""
    path.write_text(text, encoding="utf-8")


def commit(team: Team, by: str, *words: str) -> str:
    """Commit all there is; *by* names the key, and no key leaves it unsigned."""
    key = ("-c", f"user.signingkey={team.folder.parent / by}") if by else ()
    git(team.folder, "add", "-A")
    signing = (*SIGNED, *key) if by else ()
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    done = ("commit", "-q", "--allow-empty", "-m", "Approve", *words)
    git(team.folder, *signing, *done, **dates)
    return git(team.folder, "rev-parse", "HEAD")


def stored(team: Team, raw: bytes) -> None:
    """Store a commit as it is given, and check it out."""
    words = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
    done = subprocess.run(words, cwd=team.folder, input=raw, capture_output=True, check=True)
    git(team.folder, "reset", "-q", "--hard", done.stdout.decode().strip())


def raw(team: Team, name: str = "HEAD") -> bytes:
    words = ["git", "cat-file", "commit", name]
    return subprocess.run(words, cwd=team.folder, capture_output=True, check=True).stdout


def beside(policy: Policy, base: PolicyBase | None = None) -> Oversight:
    return Oversight.beside(
        policy, None, trust=None, base=base, believing=False, now=NOW, environ={}
    )


def approved(team: Team) -> bool:
    return outcomes(team.run())["OVER-01"] == "PASS"


def why(team: Team, *, now: datetime = NOW) -> str:
    return missing(team.run(now=now))


@pytest.mark.parametrize("by", ["ana", "bo"])
def test_a_signed_commit_approves(team: Team, by: str) -> None:
    """Whatever the author is said to be, the key is whose approval it is."""
    commit(team, by, "--author", "Jo <jo@acme.example>")
    verdict = team.run()
    assert outcomes(verdict)["OVER-01"] == "PASS"
    assert f"{by}@acme.example" in str([one.statistics for one in verdict.results])
    (team.folder / "notes.md").write_text("later\n", encoding="utf-8")
    commit(team, "")
    assert approved(team), "a later commit that leaves the draft alone takes nothing back"


def test_a_draft_that_is_not_committed_approves_nothing(team: Team) -> None:
    assert "owner.yaml: nobody signed it: it is not committed" in why(team)
    commit(team, "ana")
    draft(team, "read something else, and found it good enough for me")
    assert "the change is not committed" in why(team)


def test_an_author_is_written_in_one_line_and_never_counts(team: Team) -> None:
    commit(team, "", "--author", "Ana <ana@acme.example>")
    assert "it is not signed" in why(team)


def test_a_key_that_is_not_trusted(team: Team) -> None:
    commit(team, "eve", "--author", "Ana <ana@acme.example>")
    assert "which the trust file does not list" in why(team)


def test_who_asked_does_not_approve(team: Team) -> None:
    commit(team, "jo")
    assert "jo@acme.example asked for it and approved it" in why(team)


def test_an_approval_in_a_role_that_is_not_theirs_and_a_key_that_has_expired(team: Team) -> None:
    commit(team, "ana")
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8")
    line = "    roles: [approver]\n"
    for more, told in {
        "approves: [validator]": "may approve as validator",
        f"valid_until: {NOW:%Y-%m-%d}": "expired at",
        f"revoked_at: {NOW:%Y-%m-%d}": "was revoked at",
        f"valid_from: {NOW + timedelta(days=1):%Y-%m-%d}": "is not valid before",
    }.items():
        trust.write_text(text.replace(line, f"{line}    {more}\n"), encoding="utf-8")
        assert told in why(team)
    trust.write_text(text.replace(line, "    roles: [records]\n"), encoding="utf-8")
    assert "may not sign as approver" in why(team)


def test_the_gate_does_not_approve(team: Team) -> None:
    """Even with a second key that may."""
    trust = team.folder / "trust.yaml"
    text = trust.read_text(encoding="utf-8")
    trust.write_text(text.replace("person: gate@", "person: ana@"), encoding="utf-8")
    commit(team, "ana")
    assert "holds the gate's key" in why(team)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\n\nApprove", b"\n\nApprove!"),
        (b"author a <a@example.org>", b"author b <a@example.org>"),
        (b"committer a <a@example.org>", b"committer a <b@example.org>"),
        (b"\nauthor ", b"\nencoding x\nauthor "),
        (b"\n\nApprove", b"\nencoding x\n\nApprove"),
    ],
)
def test_an_amended_commit_is_not_signed(team: Team, before: bytes, after: bytes) -> None:
    commit(team, "ana")
    assert before in raw(team)
    stored(team, raw(team).replace(before, after, 1))
    assert "its SSH signature is of something else" in why(team)


def test_a_signature_of_another_tree(team: Team) -> None:
    """The signature of ana's commit, on a commit with another draft."""
    commit(team, "ana")
    honest = raw(team)
    draft(team, "the errors of the smallest groups do not matter at all")
    commit(team, "", "--amend")
    lines = honest.split(b"\n")
    tree = raw(team).split(b"\n")[0]
    stored(team, b"\n".join([tree, *lines[1:]]))
    assert "its SSH signature is of something else" in why(team)


def test_a_signature_for_another_purpose(team: Team) -> None:
    """What ana signed as a file, as `ssh-keygen -Y sign -n file` does."""
    commit(team, "")
    plain = raw(team)
    key = str(team.folder.parent / "ana")
    words = ["ssh-keygen", "-Y", "sign", "-q", "-n", "file", "-f", key]
    armored = subprocess.run(words, input=plain, capture_output=True, check=True).stdout
    header = b"gpgsig " + armored.strip().replace(b"\n", b"\n ")
    stored(team, plain.replace(b"\n\n", b"\n" + header + b"\n\n", 1))
    assert "is for 'file'" in why(team)


def test_two_signatures(team: Team) -> None:
    commit(team, "ana")
    honest = raw(team)
    start = honest.index(b"gpgsig ")
    header = honest[start : honest.index(b"-----END SSH SIGNATURE-----", start)]
    header += b"-----END SSH SIGNATURE-----\n"
    for more in (header, header.replace(b"gpgsig ", b"gpgsig-sha256 ")):
        stored(team, honest[:start] + more + honest[start:])
        assert "more than one signature" in why(team)


def test_a_signature_by_another_program(team: Team) -> None:
    commit(team, "ana")
    pgp = raw(team).replace(b"SSH SIGNATURE", b"PGP SIGNATURE")
    stored(team, pgp)
    assert "it has no SSH signature" in why(team)


def test_the_last_change_must_be_signed(team: Team) -> None:
    commit(team, "ana")
    first = (team.folder / OWNER).read_bytes()
    draft(team, "the errors of the smallest groups do not matter at all")
    commit(team, "")
    assert "it is not signed" in why(team)
    # nor does it help to write the first text again
    (team.folder / OWNER).write_bytes(first)
    commit(team, "")
    assert "it is not signed" in why(team)
    commit(team, "ana", "--amend")
    assert approved(team)


def test_a_merge_that_brings_an_approval_need_not_be_signed_and_one_that_changes_it_must(
    team: Team,
) -> None:
    git(team.folder, "switch", "-q", "-c", "approve")
    commit(team, "ana")
    git(team.folder, "switch", "-q", "main")
    (team.folder / "notes.md").write_text("meanwhile\n", encoding="utf-8")
    commit(team, "")
    git(team.folder, "merge", "-q", "--no-ff", "--no-commit", "approve")
    commit(team, "")
    assert approved(team)
    git(team.folder, "reset", "-q", "--hard", "HEAD~1")
    git(team.folder, "merge", "-q", "--no-ff", "--no-commit", "approve")
    draft(team, "the errors of the smallest groups do not matter at all")
    commit(team, "")
    assert "it is not signed" in why(team)


def test_a_signed_commit_that_left_the_draft_alone_approves_nothing(team: Team) -> None:
    commit(team, "")
    commit(team, "ana")
    assert "it is not signed" in why(team)


def test_the_first_commit_of_a_shallow_clone_did_not_make_every_file(team: Team) -> None:
    commit(team, "")
    (team.folder / "notes.md").write_text("looks fine\n", encoding="utf-8")
    commit(team, "ana")
    clone = team.folder.parent / "clone"
    git(team.folder.parent, "clone", "-q", "--depth=1", team.folder.as_uri(), "clone")
    team.folder = clone
    told = why(team)
    assert "the clone has not its history" in told
    assert "git fetch --unshallow" in told
    git(clone, "fetch", "-q", "--unshallow")
    assert "it is not signed" in why(team)


def test_a_commit_that_is_only_said_to_be_the_oldest(team: Team) -> None:
    """The history is all there, and `.git/shallow` says that it begins with ana's commit."""
    commit(team, "")
    signed = commit(team, "ana")
    (team.folder / ".git" / "shallow").write_text(f"{signed}\n", encoding="utf-8")
    assert "did not change it" in why(team)


def test_a_graft_and_a_replaced_commit_are_not_believed(team: Team) -> None:
    unsigned = commit(team, "")
    signed = commit(team, "ana")
    (team.folder / ".git" / "info").mkdir(exist_ok=True)
    (team.folder / ".git" / "info" / "grafts").write_text(f"{signed}\n", encoding="utf-8")
    assert "it is not signed" in why(team)
    (team.folder / ".git" / "info" / "grafts").unlink()
    git(team.folder, "replace", "--graft", signed)
    assert "it is not signed" in why(team)
    git(team.folder, "replace", "-d", signed)
    git(team.folder, "replace", unsigned, signed)
    assert "it is not signed" in why(team)


def test_a_link_to_a_draft_approves_nothing(team: Team) -> None:
    commit(team, "")
    (team.folder / OWNER).rename(team.folder / "elsewhere.yaml")
    (team.folder / OWNER).symlink_to("../elsewhere.yaml")
    commit(team, "ana")
    assert "is a symbolic link" in why(team)


def test_a_commit_from_the_future_and_an_approval_that_ended(team: Team) -> None:
    commit(team, "ana")
    later = NOW + timedelta(days=20)
    assert "it ended at" in why(team, now=later)
    assert "it was signed in the future" in why(team, now=NOW - timedelta(days=400))


def test_other_bytes_are_not_approved(team: Team) -> None:
    commit(team, "ana")
    (team.folder / "model" / "weights.json").write_text("[2]", encoding="utf-8")
    assert "nobody approved these bytes as owner" in why(team)


def test_a_signed_file_takes_the_place_of_the_commit(team: Team) -> None:
    commit(team, "jo")
    team.approve(team.folder / OWNER, by="bo@acme.example")
    assert approved(team)


@pytest.mark.parametrize("content", [b"", b"\xff", b"kind: Approval\n", b"[" * 5000])
def test_rubbish_beside_it_is_named_and_harmless(team: Team, content: bytes) -> None:
    (team.folder / "approvals" / "rubbish.yaml").write_bytes(content)
    assert "rubbish.yaml" in why(team)
    commit(team, "ana")
    assert approved(team)


def test_the_author_of_the_training_runs_commit_does_not_approve(
    team: Team, tmp_path: Path
) -> None:
    """MLflow names the commit, and the repository its author; both can only forbid."""
    by_ana = commit(team, "ana", "--author", "Ana <ana@acme.example>")
    by_eve = commit(team, "eve", "--author", "Eve <eve@acme.example>")
    policy = load(team.folder / "policy.yaml")
    people = beside(policy)
    subject = SOURCES["file"].open(
        f"file:{team.folder / 'model'}",
        policy=replace(policy, data={}),
        given={},
        workspace=Workspace(folder=tmp_path),
    )
    made = {
        name: replace(subject, run=RunFacts(run_id="r", status="FINISHED", commit=name))
        for name in (by_ana, by_eve, "0" * 40, "HEAD", "--help", "")
    }
    assert "made the model" in people.approvals(made.pop(by_ana))[0].problem
    assert [one.problem for other in made.values() for one in people.approvals(other)] == [""] * 5


def test_with_a_base_only_its_own_approvals_count(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(team.folder, "switch", "-q", "-c", "change")
    commit(team, "ana")
    subject = SOURCES["file"].open(
        f"file:{team.folder / 'model'}",
        policy=replace(load(team.folder / "policy.yaml"), data={}),
        given={},
        workspace=Workspace(folder=tmp_path),
    )
    monkeypatch.chdir(team.folder)

    def found() -> list[tuple[str, str]]:
        with open_base("main", os.environ) as base:
            policy = load("policy.yaml", base=base)
            people = beside(policy, base)
            return [(one.person, one.problem) for one in people.approvals(subject)]

    assert found() == []
    git(team.folder, "branch", "-q", "-f", "main", "change")
    commit(team, "", "--amend", "-m", "Not signed any more")
    (team.folder / OWNER).unlink()
    assert found() == [("ana@acme.example", "")]


def test_verify_demands_an_approval_and_takes_a_signed_commit(team: Team) -> None:
    commit(team, "ana")
    verdict = team.run()
    assert verdict.evidence is not None
    trust = team.folder / "trust.yaml"
    more = "deploy: [{approvals: [owner]}]\n"
    trust.write_text(trust.read_text(encoding="utf-8") + more, encoding="utf-8")
    question = Expectation(
        evidence=verdict.evidence.directory,
        trust=trust,
        model=str(team.folder / "model"),
        environ=os.environ,
    )
    assert prove(question, now=NOW).passed
    commit(team, "", "--amend", "--no-gpg-sign")
    with pytest.raises(TrustError, match=r"nobody approved these bytes as owner .*is not signed"):
        prove(question, now=NOW)


def test_a_key_that_was_revoked_approves_nothing(team: Team) -> None:
    commit(team, "ana")
    assert approved(team)
    trust = team.folder / "trust.yaml"
    public = load_public((team.folder.parent / "ana.pub").read_bytes(), where="")
    how = Revoking(signer=team.keys["bo@acme.example"], why="the laptop is gone", trust=trust)
    revoke(Frozen(key_fingerprint=public.fingerprint), how, now=NOW)
    assert f"key {public.fingerprint} of ana@acme.example was revoked" in why(team)
