"""What people do about documents, by real keys, commits and files: what counts, and what never."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.attest.envelope import sign
from aims_gate.attest.keys import Scheme, generate
from aims_gate.attest.signers.file import LocalSigner, open_signer
from aims_gate.attest.statement import encode
from aims_gate.errors import PolicyError, UsageError
from aims_gate.evidence.signed_policy import sign_policy
from aims_gate.governance.acts import approval_id, commits
from aims_gate.governance.approval import ApprovalStanding, standing
from aims_gate.governance.contract import ProblemKind, Records, Strength
from aims_gate.governance.reviews import SCHEMA, read_reviews, written
from aims_gate.operations.aims.approve import ApprovedDocument, approve
from aims_gate.oversight import Oversight
from aims_gate.policy.base import open_base
from aims_gate.policy.resolve import check, load
from aims_gate.regular import itself
from aims_gate.signoffs import kinds
from aims_gate.signoffs.committed import CommitHistory
from aims_gate.system_records import approved_records, open_records
from tests.support.git_server import GitServer, git, git_server
from tests.support.records import FILES, edit, write_records

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TODAY = date(2026, 11, 30)
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1", owner: ada@acme.example}
rules: [{id: DATA-01, check: data.missing}]
"""
RISKS = "aims/risks.yaml"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A folder with a policy, a trust file and records, and the keys of its people."""

    folder: Path
    keys: Path

    def signer(self, person: str) -> LocalSigner:
        return open_signer(str(self.keys / f"{person}.key"), environ={})

    def approve(self, person: str, path: str = RISKS, now: datetime = NOW) -> ApprovedDocument:
        return approve(
            self.folder / path,
            signer=self.signer(person),
            trust=self.folder / "trust.yaml",
            evidence=None,
            now=now,
            org=self.folder / "org",
        )

    def records(self, *, base: str | None = None, now: datetime = NOW) -> Records:
        file = str(self.folder / "policy.yaml")
        with open_base(base, {}) as opened:
            policy, problems = check(file, environ={}, base=opened)
            assert policy is not None, problems
            people = Oversight.beside(
                policy, None, trust=None, base=opened, believing=False, now=now, environ={}
            )
            found = open_records(policy, people, private=self.keys, environ={})
        assert found is not None
        return found

    def weighed(self, kind: str = "risks", *, base: str | None = None) -> ApprovalStanding:
        records = self.records(base=base)
        (document,) = records.of(kind)
        return standing(document, records, today=TODAY)


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    folder, keys = tmp_path / "repo", tmp_path / "keys"
    keys.mkdir()
    write_records(folder)
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
    for person in ("ada", "bo", "cy", "eve", "zoe"):
        generate(keys / f"{person}.key", password=None, scheme=Scheme.ED25519)
        public = (keys / f"{person}.key.pub").read_text(encoding="utf-8").strip()
        block = "\n      ".join(public.splitlines())
        if person != "eve":
            trust += f"  - person: {person}@acme.example\n    roles: [approver]\n"
            trust += f"    public_key: |-\n      {block}\n"
    (folder / "trust.yaml").write_text(trust, encoding="utf-8")
    return Repository(folder=folder, keys=keys)


def forged(team: Repository, person: str, **said: str) -> Path:
    """Sign what `aims approve` refuses."""
    (document,) = team.records().of("risks")
    predicate = {
        "kind": "RecordApproval",
        "id": approval_id(document.human_digest),
        "record": document.id,
        "sha256": document.human_digest,
        "approvedBy": f"{person}@acme.example",
        "issued": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        **said,
    }
    payload = encode(kinds.statement_of(kinds.RECORD, predicate))
    path = team.folder / "aims/approvals" / f"{predicate['id']}.{person}.dsse.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(sign(payload, team.signer(person)))
    return path


def test_a_signature_counts_and_is_of_those_bytes_only(team: Repository) -> None:
    done = team.approve("bo")
    assert done.signed is not None
    assert done.signed.parent == team.folder / "aims/approvals"
    found = team.weighed()
    assert (found.strength, found.by, found.day) == (Strength.SIGNED, ("bo@acme.example",), TODAY)
    edit(team.folder / RISKS, "effective: 2026-11-03", "effective: 2026-11-29")  # a date-only bump
    bumped = team.weighed()
    assert bumped.strength is Strength.DECLARED
    assert "bo@acme.example approved other bytes, on 2026-11-30" in bumped.faults[0]


def test_documents_of_the_organisation_are_signed_beside_them(team: Repository) -> None:
    done = team.approve("bo", "org/policy.md")
    assert done.signed is not None
    assert done.signed.parent == team.folder / "org/approvals"
    assert team.weighed("policy").by == ("bo@acme.example",)


def test_the_list_of_people_takes_two(team: Repository) -> None:
    """The first is told so, and the second's signature makes both count."""
    assert "ada@acme.example alone approved it" in team.approve("ada", "org/people.yaml").against
    assert team.weighed("people").strength is Strength.DECLARED
    assert not team.approve("cy", "org/people.yaml").against
    assert team.weighed("people").strength is Strength.SIGNED


def test_who_owns_it_may_not_approve_it(team: Repository) -> None:
    with pytest.raises(
        UsageError, match="owns, drafted or wrote it, and may not approve it; who may: bo@"
    ):
        team.approve("ada")
    forged(team, "ada")
    found = team.weighed()
    assert found.strength is Strength.DECLARED
    assert "owns or wrote it" in found.faults[0]


def test_whom_nobody_here_knows_approves_nothing(team: Repository) -> None:
    """Zoe's key is trusted, and she is not among the people; Eve's key is not trusted."""
    team.approve("zoe")
    assert "names nobody" in team.weighed().faults[0]
    with pytest.raises(UsageError, match=r"is not in trust\.yaml"):
        team.approve("eve")
    forged(team, "eve")
    found = team.weighed()
    assert found.strength is Strength.DECLARED
    assert any("eve.dsse.json" in fault for fault in found.faults)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"approvedBy": "cy@acme.example"}, "the key is bo@acme.example's"),
        ({"issued": "2026-11-30T13:00:00Z"}, "in the future"),
    ],
)
def test_a_statement_that_claims_another_person_or_time(
    team: Repository, said: dict[str, str], fault: str
) -> None:
    forged(team, "bo", **said)
    found = team.weighed()
    assert found.strength is Strength.DECLARED
    assert fault in found.faults[0]


def test_without_a_trust_file_no_signature_counts(team: Repository) -> None:
    team.approve("bo")
    (team.folder / "trust.yaml").unlink()
    found = team.weighed()
    assert found.strength is Strength.DECLARED
    assert "no trust file" in found.faults[0]


def test_something_unfinished_is_refused(team: Repository) -> None:
    edit(team.folder / RISKS, "title: Income", "title: TODO Income")
    with pytest.raises(UsageError, match=r"(?s)not whole.*risks.yaml:\d+: R-2: title still"):
        team.approve("bo")
    with pytest.raises(UsageError, match="no document of the management system"):
        team.approve("bo", "policy.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        team.approve("bo", "aims/data/nothing.md")


def test_nothing_is_read_where_nothing_lies_beside_the_policy(team: Repository) -> None:
    policy = load(str(team.folder / "policy.yaml"))
    for name in ("aims", "org"):
        (team.folder / name).rename(team.folder / f"not-{name}")
    people = Oversight.beside(
        policy, None, trust=None, base=None, believing=False, now=NOW, environ={}
    )
    assert open_records(policy, people, private=team.keys, environ={}) is None
    pack = load("pack:release@1.2.0")
    assert open_records(pack, people, private=team.keys, environ={}) is None


def test_a_folder_that_the_policy_names_and_that_is_not_there_is_missing(team: Repository) -> None:
    with (team.folder / "policy.yaml").open("a", encoding="utf-8") as file:
        file.write("records: {system: nowhere/, org: ./org/}\n")
    records = team.records()
    assert records.org == team.folder / "org"
    (risks,) = records.of("risks")
    assert [one.kind for one in risks.problems] == [ProblemKind.MISSING]
    assert risks.path == "nowhere/risks.yaml"
    assert not records.of("people")[0].problems


def committed(team: Repository, key: str = "", author: str = "Ada <ada@acme.example>") -> None:
    signing: tuple[str, ...] = ()
    if key:
        path = team.keys / f"{key}-ssh"
        if not path.exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        signing = ("-c", "gpg.format=ssh", "-c", "commit.gpgsign=true")
        signing += ("-c", f"user.signingkey={path}")
    git(team.folder, "add", "-A")
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    git(team.folder, *signing, "commit", "-q", "-m", "Records", "--author", author, **dates)


def trusting(team: Repository, person: str) -> None:
    public = (team.keys / f"{person}-ssh.pub").read_text(encoding="utf-8").strip()
    with (team.folder / "trust.yaml").open("a", encoding="utf-8") as file:
        file.write(f"  - person: {person}@acme.example\n    roles: [approver]\n")
        file.write(f"    public_key: {public}\n")


@pytest.mark.tool("git")
@pytest.mark.tool("ssh-keygen")
def test_a_signed_commit_counts_by_its_key_and_an_author_s_name_for_nothing(
    team: Repository,
) -> None:
    git(team.folder, "init", "-q", "-b", "main")
    committed(team, author="Bo <bo@acme.example>")
    found = team.weighed()
    assert found.strength is Strength.DECLARED, "anybody may write Bo's name"
    assert "it is not signed" in found.faults[0]
    edit(team.folder / RISKS, "severity: 3}\n", "severity: 2}\n")
    assert "the change is not committed" in team.weighed().faults[0]
    committed(team, "bo", author="Ada <ada@acme.example>")
    assert "the trust file does not list" in team.weighed().faults[0]
    trusting(team, "bo")
    found = team.weighed()
    assert (found.strength, found.by) == (Strength.SIGNED, ("bo@acme.example",))
    assert team.weighed("impact").strength is Strength.DECLARED, "that commit did not touch it"


@pytest.mark.tool("git")
@pytest.mark.tool("ssh-keygen")
def test_whoever_wrote_the_bytes_by_git_approves_them_by_no_signature(team: Repository) -> None:
    """Neither by the commit nor by a file; lines that the author's job generated are no bytes."""
    git(team.folder, "init", "-q", "-b", "main")
    committed(team, "bo", author="Bo <someone@acme.example>")
    trusting(team, "bo")
    with pytest.raises(UsageError, match=r"wrote it, and may not approve it; who may: cy@"):
        team.approve("bo")
    assert not (team.folder / "aims/approvals").exists()
    forged(team, "bo")
    found = team.weighed()
    assert found.strength is Strength.DECLARED
    assert ["owns or wrote it" in fault for fault in found.faults] == [True, True]
    card = team.folder / "aims/card.md"
    edit(card, "under 20", "under 25")
    committed(team)
    block = "license: other\n# aims-gate:generated\n# aims-gate:end\n"
    edit(card, "license: other\n", block)
    committed(team, author="Bo <bo@acme.example>")
    team.approve("bo", "aims/card.md")
    assert team.weighed("card").by == ("bo@acme.example",), "Ada wrote what people wrote"
    edit(card, "kind: card\n", f"kind: card\nmaterial:\n  use: {'0a' * 32}\n")
    team.approve("bo", "aims/card.md")
    committed(team, author="Bo <bo@acme.example>")
    assert team.weighed("card").by == ("bo@acme.example",), "approve wrote what it is assessed for"


@pytest.mark.tool("git")
def test_whoever_moves_a_file_or_merges_something_else_wrote_nothing(team: Repository) -> None:
    """A whole folder, as it was; and in a clone without its history nobody knows who wrote it."""
    git(team.folder, "init", "-q", "-b", "main")
    (team.folder / "aims").rename(team.folder / "old")
    committed(team)
    git(team.folder, "mv", "old", "aims")
    team.approve("bo")
    committed(team, author="Bo <bo@acme.example>")
    assert team.weighed().by == ("bo@acme.example",)
    shallow = team.keys / "clone"
    git(team.keys, "clone", "-q", "--depth", "1", f"file://{team.folder}", str(shallow))
    assert replace(team, folder=shallow).weighed().by == ("bo@acme.example",)
    edit(team.folder / RISKS, "Income shifts", "Income drifts")
    committed(team, author="B. <17+bo-b@users.noreply.github.com>")
    forged(team, "bo")
    assert "owns or wrote it" in team.weighed().faults[0], "GitHub writes a login as an address"


@pytest.mark.tool("git")
@pytest.mark.tool("ssh-keygen")
def test_what_the_folders_are_called_changes_no_approval(team: Repository) -> None:
    git(team.folder, "init", "-q", "-b", "main")
    for name, place in (("aims", "credit"), ("org", "house")):
        (team.folder / place).mkdir()
        (team.folder / name).rename(team.folder / place / "records")
    with (team.folder / "policy.yaml").open("a", encoding="utf-8") as file:
        file.write("records: {system: credit/records, org: house/records}\n")
    committed(team, "bo")
    trusting(team, "bo")
    assert team.weighed().by == team.weighed("policy").by == ("bo@acme.example",)
    edit(team.folder / "credit/records/risks.yaml", "Income shifts", "Income drifts")
    committed(team, "bo", author="Bo <bo@acme.example>")
    assert "owns or wrote it" in team.weighed().faults[0]


@pytest.mark.tool("git")
@pytest.mark.tool("ssh-keygen")
def test_line_ends_of_a_work_tree_change_no_approval(team: Repository) -> None:
    """Git for Windows writes them otherwise than CI reads them."""
    git(team.folder, "init", "-q", "-b", "main")
    committed(team, "bo")
    trusting(team, "bo")
    texts = {path: path.read_bytes() for path in (team.folder / "aims").glob("*.*")}
    for path, text in texts.items():
        path.write_bytes(text.replace(b"\n", b"\r\n"))
    assert team.weighed("impact").by == ("bo@acme.example",)
    edited = team.folder / RISKS
    edited.write_bytes(edited.read_bytes().replace(b"Income shifts", b"Income drifts"))
    assert team.weighed().strength is Strength.DECLARED
    team.approve("bo")
    edited.write_bytes(texts[edited].replace(b"Income shifts", b"Income drifts"))
    assert team.weighed().by == ("bo@acme.example",)


@pytest.mark.tool("git")
@pytest.mark.tool("ssh-keygen")
def test_outside_of_a_run_the_same_counts(team: Repository) -> None:
    """Of the organisation in another repository, its signatures alone."""
    org = team.keys / "org"
    (team.folder / "org").rename(org)
    team.approve("bo")
    approve(
        org / "policy.md",
        signer=team.signer("bo"),
        trust=team.folder / "trust.yaml",
        evidence=None,
        now=NOW,
    )
    git(team.folder, "init", "-q", "-b", "main")
    committed(team, "bo")
    trusting(team, "bo")
    places = team.folder / "aims", org
    found = approved_records(*places, trust=team.folder / "trust.yaml", now=NOW, environ={})
    assert standing(found.of("impact")[0], found, today=TODAY).strength is Strength.SIGNED
    assert standing(found.of("risks")[0], found, today=TODAY).by == ("bo@acme.example",)
    policy = standing(found.of("policy")[0], found, today=TODAY)
    assert (policy.strength, policy.faults) == (Strength.SIGNED, ())
    assert found.material["tier"] == ("high",)
    nobody = approved_records(*places, trust=None, now=NOW, environ={})
    assert standing(nobody.of("risks")[0], nobody, today=TODAY).strength is Strength.DECLARED
    history = CommitHistory.around(team.folder, {})
    assert history is not None
    (risks,) = found.of("risks")
    (act,) = commits(
        [(replace(risks, digest="0" * 64), places[0] / "risks.yaml")],
        history,
        trust=trust_file.load(team.folder / "trust.yaml"),
        at=itself,
        now=NOW,
    )
    assert act.problem == "it changed while it was read"


@pytest.mark.tool("git")
@pytest.mark.tool("ssh-keygen")
def test_commits_of_generated_lines_take_no_approval_back(team: Repository) -> None:
    """A nightly job writes them, and signs nothing; what people wrote is as it was."""
    git(team.folder, "init", "-q", "-b", "main")
    committed(team, "bo")
    trusting(team, "bo")
    committed(team)
    card, block = team.folder / "aims/card.md", "# aims-gate:generated\n{}# aims-gate:end\n"
    edit(card, "license: other\n", "license: other\n" + block.format("library_name: a\n"))
    committed(team)
    edit(card, "library_name: a", "library_name: b")
    committed(team)
    assert team.weighed("card").by == ("bo@acme.example",)
    edit(card, "under 20", "under 25")
    committed(team)
    edit(card, "library_name: b", "library_name: c")
    committed(team)
    assert team.weighed("card").strength is Strength.DECLARED
    edit(card, "under 25", "under 20")
    committed(team)
    changed_back = team.weighed("card")
    assert changed_back.strength is Strength.DECLARED, "nobody signed that it was changed back"
    edit(
        team.folder / RISKS,
        "effective: 2026-11-03",
        "# aims-gate:generated\n# aims-gate:end\neffective: 2026-11-03",
    )
    committed(team)
    assert team.weighed().strength is Strength.DECLARED, "nothing of it is generated"


@pytest.mark.tool("git")
def test_approvals_that_are_a_link_at_the_base_count_for_nothing(
    team: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(team.folder, "init", "-q", "-b", "main")
    (team.keys / "approvals").mkdir()
    (team.folder / "aims/approvals").symlink_to(team.keys / "approvals")
    team.approve("bo")
    committed(team)
    monkeypatch.chdir(team.folder)
    assert team.weighed(base="main") == ApprovalStanding(strength=Strength.NONE)
    acts = team.records(base="main").approvals
    assert any("is a symbolic link" in act.problem for act in acts)


@pytest.mark.tool("git")
def test_with_a_base_records_and_signatures_of_the_change_do_not_count(
    team: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(team.folder, "init", "-q", "-b", "main")
    team.approve("bo")
    committed(team)
    monkeypatch.chdir(team.folder)
    edit(team.folder / RISKS, "Income shifts", "Nothing shifts")
    team.approve("bo")
    edit(team.folder / "org/people.yaml", "name: Bo", "nmae: Bo")
    found = team.weighed(base="main")
    assert found.strength is Strength.SIGNED
    assert "Income shifts" in str(team.records(base="main").of("risks")[0].values)
    git(team.folder, "rm", "-q", "-r", "--cached", "aims")
    git(team.folder, "commit", "-q", "-m", "Without records")
    records = team.records(base="main")
    assert records.system is None
    assert {one.kind for one in records.of("risks")[0].problems} == {ProblemKind.MISSING}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.mark.tool("git")
def test_the_organisation_may_lie_in_a_repository_at_a_commit(
    team: Repository, server: GitServer
) -> None:
    ours = {path: text for path, text in FILES.items() if path.startswith("org/")}
    commit = server.publish("acme", ours)
    server.publish("acme", {"org/people.yaml": "changed later"})
    policy = team.folder / "policy.yaml"
    (team.folder / "org").rename(team.folder / "elsewhere")

    def read(place: str) -> Records:
        policy.write_text(f"{POLICY}records: {{org: {place}}}\n", encoding="utf-8")
        resolved = load(str(policy))
        people = Oversight.beside(
            resolved, None, trust=None, base=None, believing=False, now=NOW, environ={}
        )
        found = open_records(resolved, people, private=team.keys, environ=server.environ)
        assert found is not None
        return found

    records = read(f"git+{server.url}/acme.git@{commit}#org/")
    assert not list(records.all_problems())
    assert records.of("people")[0].path == "org/people.yaml"
    lost = read(f"git+{server.url}/acme.git@{commit}#nowhere")
    assert ProblemKind.UNREADABLE in {one.kind for one in lost.problems}
    assert lost.of("people")[0].problems
    with pytest.raises(PolicyError, match="is not pinned to a commit"):
        read(f"git+{server.url}/acme.git@main#org")


def reviewed(team: Repository, **said: object) -> Path:
    (document,) = team.records().of("risks")
    review = {
        "record": document.id,
        "digest": document.human_digest,
        "pull_request": 12,
        "head": "1" * 40,
        "author": "ada-l",
        "approved_by": "bo-b",
        "when": "2026-11-28T10:00:00Z",
        **said,
    }
    path = team.keys / "reviews.json"
    path.write_bytes(written("acme/credit", [review]))
    return path


@pytest.mark.parametrize(
    ("said", "strength", "fault"),
    [
        ({}, Strength.REVIEWED, ""),
        ({"approved_by": "ada-l", "author": "bo-b"}, Strength.DECLARED, "owns or wrote it"),
        ({"author": "bo-b"}, Strength.DECLARED, "owns or wrote it"),
        ({"approved_by": "bo"}, Strength.DECLARED, "names nobody"),
        ({"digest": "0" * 64}, Strength.DECLARED, "approved other bytes"),
        ({"when": f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%MZ}"}, Strength.DECLARED, "the future"),
    ],
)
def test_a_review_counts_by_another_person_at_the_forge(
    team: Repository, said: dict[str, object], strength: Strength, fault: str
) -> None:
    acts = read_reviews(reviewed(team, **said), now=NOW)
    records = replace(team.records(), approvals=acts)
    found = standing(records.of("risks")[0], records, today=TODAY)
    assert found.strength is strength
    assert fault in "".join(found.faults)


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "x"}', "[]", f'{{"schema": "{SCHEMA}"}}'])
def test_a_file_that_holds_no_reviews_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="no reviews: it has another form; aims-gate github"):
        read_reviews(path, now=NOW)
    with pytest.raises(UsageError, match="No such file"):
        read_reviews(tmp_path / "nothing", now=NOW)
    assert read_reviews(None, now=NOW) == ()


def test_the_signed_policy_is_an_act_on_the_policy_s_file(team: Repository) -> None:
    path = team.folder / "trust.yaml"
    path.write_text(path.read_text("utf-8").replace("[approver]", "[approver, policy]"), "utf-8")
    policy = load(str(team.folder / "policy.yaml"))
    sign_policy(policy, team.signer("bo"), trust=trust_file.load(path), now=NOW)
    records = team.records()
    assert records.policy is not None
    assert (records.policy.kind, records.policy.digest) == ("release-policy", policy.source_digest)
    assert standing(records.policy, records, today=TODAY).by == ("bo@acme.example",)
    edit(team.folder / "policy.yaml", 'version: "1"', 'version: "2"')
    changed = team.records()
    assert changed.policy is not None
    assert standing(changed.policy, changed, today=TODAY).strength is Strength.NONE


def test_several_documents_are_signed_at_once_and_a_signature_in_vain_says_why(
    team: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second time the earlier signatures stand; without sound people none counts."""
    monkeypatch.chdir(team.folder)
    key = ("--key", str(team.keys / "bo.key"))
    edit(team.folder / "org" / "people.yaml", "kind: people", "kind: people\nwhat: ever")
    assert guarded(["aims", "approve", RISKS, "aims/impact.md", *key]) == 0
    told = capsys.readouterr().out
    assert told.count("\nsigned: aims/approvals/REC-") == 2
    why = "it counts for nothing yet: bo@acme.example approved it, and org/people.yaml, which says"
    assert told.count(f"\n{why} who that is, is not sound\n") == 2
    edit(team.folder / "org" / "people.yaml", "\nwhat: ever", "")
    assert guarded(["aims", "approve", RISKS, *key]) == 0
    told = capsys.readouterr().out
    assert "\nsigned before: aims/approvals/REC-" in told
    assert "counts for nothing" not in told
    (signed,) = (team.folder / "aims" / "approvals").glob(f"*{told.rpartition('/')[2].strip()}")
    signed.write_text("{}", encoding="utf-8")
    assert guarded(["aims", "approve", RISKS, *key]) == 2
    assert "is not overwritten" in capsys.readouterr().err


def test_the_command_signs_and_prints_schemas(
    team: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.folder)
    monkeypatch.delenv("AIMS_GATE_SIGNING_KEY", raising=False)
    assert guarded(["aims", "approve", RISKS]) == 2
    assert "no key signs; --key KEY" in capsys.readouterr().err
    assert guarded(["aims", "approve", RISKS, "--evidence", "nowhere"]) == 2
    assert "this is no evidence directory" in capsys.readouterr().err
    assert guarded(["aims", "approve", RISKS, "--key", str(team.keys / "bo.key")]) == 0
    told = capsys.readouterr().out
    assert "approved by bo@acme.example: credit/risks sha256:" in told
    assert "counts for nothing" not in told
    assert guarded(["aims", "schema", "risks"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["kind"] == {"const": "risks"}
    assert guarded(["aims", "schema", "risk"]) == 2
    assert "did you mean 'risks'?" in capsys.readouterr().err
