"""Who may loosen a policy: owners by the base's CODEOWNERS who approved this very commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.github.approval import expression, owners
from tests.support.command_line import call
from tests.support.github_api import TOKEN, GitHub

HEAD = "c" * 40
OWNED = "* @everybody\n/policies/ @Bo @acme/risk bo@acme.example # people\npolicies/free.yaml\n"


@pytest.mark.parametrize(
    ("pattern", "matched", "others"),
    [
        ("*", ["a", "a/b"], []),
        ("*.yaml", ["a.yaml", "x/a.yaml"], ["a.yml", "ayaml"]),
        ("/a.yaml", ["a.yaml"], ["x/a.yaml"]),
        ("policies", ["policies", "policies/a", "x/policies/a/b"], ["policies2/a"]),
        ("/policies/", ["policies/a", "policies/a/b"], ["x/policies/a", "policies"]),
        ("policies/*", ["policies/a"], ["policies/a/b", "x/policies/a"]),
        ("policies/**", ["policies/a", "policies/a/b"], ["policies"]),
        ("**/policies/a", ["policies/a", "x/y/policies/a"], ["policies/b"]),
        ("x/**/a", ["x/a", "x/y/z/a"], ["y/x/a"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_a_pattern_matches_as_on_github(
    pattern: str, matched: list[str], others: list[str]
) -> None:
    found = expression(pattern)
    assert [path for path in matched if not found.fullmatch(path)] == []
    assert [path for path in others if found.fullmatch(path)] == []


def test_the_last_line_that_matches_names_the_owners() -> None:
    assert owners(OWNED, "policies/a.yaml") == {"bo"}
    assert owners(OWNED, "policies/free.yaml") == set()
    assert owners(OWNED, "other.yaml") == {"everybody"}
    assert owners("", "other.yaml") == set()


def code_of(hub: GitHub, folder: Path, author: str = "ada", text: str = OWNED) -> int:
    """Exit code of the command for the reviews that GitHub has; no author: GitHub is asked."""
    (folder / "CODEOWNERS").write_text(text, encoding="utf-8")
    words = ["--codeowners=CODEOWNERS", "--number=7"]
    words += [f"--head={HEAD}", f"--author={author}"] if author else []
    done = call(
        folder,
        *("github", "approved", *words, "policies/a.yaml"),
        GITHUB_API_URL=hub.url,
        GITHUB_REPOSITORY="acme/credit",
        GITHUB_TOKEN=TOKEN,
    )
    return done.code


def review(who: str, state: str = "APPROVED", commit: str = HEAD) -> dict[str, object]:
    return {"user": {"login": who}, "state": state, "commit_id": commit}


def test_an_owners_approval_of_this_commit_counts(hub: GitHub, tmp_path: Path) -> None:
    for reviews in (
        [review("BO")],
        [review("bo"), review("bo", "COMMENTED", "d" * 40)],
        [review("someone", "COMMENTED")] * 100 + [review("bo")],
    ):
        hub.reviews = reviews
        assert code_of(hub, tmp_path) == 0


@pytest.mark.parametrize(
    "reviews",
    [
        [],
        [review("eve")],
        [review("bo", commit="d" * 40)],
        [review("bo", "COMMENTED")],
        [review("bo"), review("bo", "CHANGES_REQUESTED")],
        [review("bo"), review("bo", "DISMISSED")],
        [{"user": None, "state": "APPROVED", "commit_id": HEAD}],
        [review("everybody")],
        [review("risk")],
    ],
)
def test_nothing_else_counts(hub: GitHub, tmp_path: Path, reviews: list[dict[str, object]]) -> None:
    hub.reviews = reviews
    assert code_of(hub, tmp_path) == 1


def test_authors_do_not_approve_their_own_change(hub: GitHub, tmp_path: Path) -> None:
    hub.reviews = [review("bo")]
    assert code_of(hub, tmp_path, author="Bo") == 1


def test_without_owners_or_reviews_that_can_be_read_nobody_approved(
    hub: GitHub, tmp_path: Path
) -> None:
    hub.reviews = [review("bo")]
    assert code_of(hub, tmp_path, text="") == 1
    hub.url += "/elsewhere"
    assert code_of(hub, tmp_path) == 3
    hub.url = "http://127.0.0.1:9"
    assert code_of(hub, tmp_path) == 3


@pytest.mark.parametrize(
    ("pull", "code"),
    [
        ({"head": {"sha": HEAD}, "user": {"login": "ada"}}, 0),
        ({"head": {"sha": "d" * 40}, "user": {"login": "ada"}}, 1),
        ({"head": {"sha": HEAD}, "user": {"login": "Bo"}}, 1),
        ({"head": {"sha": HEAD}, "user": None}, 3),
        ({"message": "none"}, 3),
        ([], 3),
    ],
)
def test_head_and_author_are_asked_of_github_where_the_event_names_none(
    hub: GitHub, tmp_path: Path, pull: object, code: int
) -> None:
    hub.reviews = [review("bo")]
    hub.pull = pull
    assert code_of(hub, tmp_path, author="") == code
