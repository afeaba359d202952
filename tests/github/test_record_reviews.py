"""Reviews of records: of the bytes that a merged pull request brought, by who wrote none of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from aims_gate.__main__ import guarded
from aims_gate.governance import reader
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordAct, Strength
from aims_gate.governance.reviews import read_reviews
from tests.support.git_server import git
from tests.support.github_api import GitHub
from tests.support.records import edit, write_records

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HEAD = "c" * 40
RISKS, CARD = "aims/risks.yaml", "aims/card.md"
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1"}
rules: [{id: DATA-01, check: data.missing}]
"""
pytestmark = pytest.mark.tool("git")


@pytest.fixture
def repository(step: Path, hub: GitHub) -> Path:
    """Records that pull request 7 of Ada brought, approved by Bo, merged and checked out."""
    write_records(step)
    (step / "policy.yaml").write_text(POLICY, encoding="utf-8")
    git(step, "init", "-q", "-b", "main")
    git(step, "add", "-A")
    git(step, "commit", "-q", "-m", "Records")
    hub.changes = {path: [{"sha": "a" * 40}] for path in (RISKS, CARD, "policy.yaml")}
    hub.contents = {(path, HEAD): (step / path).read_bytes() for path in hub.changes}
    hub.merged = [
        {
            "number": 7,
            "merged_at": "2026-11-20T10:00:00Z",
            "head": {"sha": HEAD},
            "user": {"login": "ada-l"},
        }
    ]
    hub.wrote = [{"author": {"login": "Ada-L"}, "committer": {"login": "web-flow"}}]
    hub.reviews = [review("Bo-B")]
    return step


def review(login: str, **more: Any) -> dict[str, Any]:
    when = {"submitted_at": "2026-11-20T09:00:00Z", "commit_id": HEAD, "state": "APPROVED"}
    return {"user": {"login": login}, **when, **more}


def read(repository: Path, *words: str) -> tuple[RecordAct, ...]:
    assert guarded(["github", "reviews", "policy.yaml", "--out", "reviews.json", *words]) == 0
    return read_reviews(repository / "reviews.json", now=NOW)


def test_an_approved_and_merged_pull_request_reviews_what_it_brought(repository: Path) -> None:
    acts = read(repository)
    assert {one.record for one in acts} == {"credit/risks", "credit/card", "credit"}
    records = reader.read(repository / "aims", repository / "org")
    (risks,) = records.of("risks")
    (act,) = (one for one in acts if one.record == risks.id)
    assert act.digest == risks.human_digest
    assert (act.names, act.authors, act.where) == (
        ("github:bo-b",),
        ("github:ada-l",),
        f"pull request 7 of acme/credit at {HEAD[:12]}",
    )
    found = standing(risks, replace(records, approvals=acts), today=date(2026, 11, 30))
    assert (found.strength, found.by) == (Strength.REVIEWED, ("bo@acme.example",))


def test_bytes_that_changed_since_were_not_reviewed_and_generated_lines_are_none(
    repository: Path,
) -> None:
    edit(repository / RISKS, "Income shifts", "Nothing shifts")
    block = "license: other\n# aims-gate:generated\nlibrary_name: sklearn\n# aims-gate:end\n"
    edit(repository / CARD, "license: other\n", block)
    assert {one.record for one in read(repository)} == {"credit/card", "credit"}


def test_a_commit_of_generated_lines_alone_leaves_the_review_before_it(
    repository: Path, hub: GitHub
) -> None:
    """A job committed them, in no pull request; only while people wrote nothing meanwhile."""
    first, nightly = "a" * 40, "b" * 40
    hub.changes[CARD] = [{"sha": nightly}, {"sha": first}]
    hub.contents[CARD, first] = (repository / CARD).read_bytes()
    hub.without_pull = {nightly}
    assert "credit/card" in {one.record for one in read(repository)}
    hub.contents[CARD, first] = b"something else"
    assert "credit/card" not in {one.record for one in read(repository)}
    hub.changes[RISKS] = [{"sha": nightly}, {"sha": first}]
    hub.contents[RISKS, first] = (repository / RISKS).read_bytes()
    assert {one.record for one in read(repository)} == {"credit"}


@pytest.mark.parametrize(
    "change",
    [
        {"reviews": [review("ada-l")]},
        {"reviews": [review("bo-b", commit_id="d" * 40)]},
        {"reviews": [review("bo-b"), review("bo-b", state="DISMISSED")]},
        {"wrote": [{"author": {"login": "bo-b"}, "committer": None}]},
        {"merged": []},
        {"changes": {}},
        {"contents": {}},
    ],
)
def test_what_counts_as_no_review(repository: Path, hub: GitHub, change: dict[str, Any]) -> None:
    """Of oneself, of another commit, taken back, of a co-author, not merged, of other bytes."""
    for name, value in change.items():
        setattr(hub, name, value)
    assert read(repository) == ()


def test_a_pull_request_that_is_open_reviews_nothing(repository: Path, hub: GitHub) -> None:
    hub.merged[0]["merged_at"] = None
    assert read(repository) == ()


def test_with_a_base_its_records_are_asked_for(repository: Path) -> None:
    edit(repository / RISKS, "Income shifts", "Nothing shifts")
    assert len(read(repository, "--policy-base", "main")) == 3


def test_without_records_nobody_is_asked(repository: Path, hub: GitHub) -> None:
    for name in ("aims", "org"):
        (repository / name).rename(repository / f"not-{name}")
    assert read(repository) == ()
    assert hub.seen == []


@pytest.mark.parametrize("answer", [{"merged": [{"number": 7}]}, {"busy": [403]}])
def test_where_github_cannot_be_asked_there_is_no_file(
    repository: Path, hub: GitHub, answer: dict[str, Any]
) -> None:
    for name, value in answer.items():
        setattr(hub, name, value)
    words = ["github", "reviews", "policy.yaml", "--out", "reviews.json"]
    assert guarded(words) == 3
    assert not (repository / "reviews.json").exists()


def test_a_wrong_policy_is_exit_2(repository: Path) -> None:
    (repository / "policy.yaml").write_text("kind: Policy\n", encoding="utf-8")
    assert guarded(["github", "reviews", "policy.yaml", "--out", "reviews.json"]) == 2
