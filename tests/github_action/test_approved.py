"""Who may loosen a policy: owners by the base's CODEOWNERS who approved this very commit."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.support.forge import Forge, forge

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "github-action" / "approved.py"))
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
    expression = SCRIPT["regular_expression"](pattern)
    assert [path for path in matched if not expression.fullmatch(path)] == []
    assert [path for path in others if expression.fullmatch(path)] == []


def test_the_last_line_that_matches_names_the_owners() -> None:
    owners = SCRIPT["owners"]
    assert owners(OWNED, "policies/a.yaml") == ["@Bo", "@acme/risk", "bo@acme.example"]
    assert owners(OWNED, "policies/free.yaml") == []
    assert owners(OWNED, "other.yaml") == ["@everybody"]
    assert owners("", "other.yaml") == []


def judged(reviews: list[dict[str, object]], author: str = "ada", text: str = OWNED) -> int:
    """Exit code for the reviews that the forge has."""
    with forge() as found:
        found.reviews += reviews
        return code_of(found, author, text)


def code_of(found: Forge, author: str = "ada", text: str = OWNED) -> int:
    environ = {"GITHUB_API_URL": found.url, "GITHUB_REPOSITORY": "acme/credit"}
    environ |= {
        "EVENT_NUMBER": "7",
        "EVENT_HEAD": HEAD,
        "EVENT_AUTHOR": author,
        "IN_TOKEN": "t0ken",
    }
    return int(SCRIPT["main"]("policies/a.yaml", text, environ))


def review(who: str, state: str = "APPROVED", commit: str = HEAD) -> dict[str, object]:
    return {"user": {"login": who}, "state": state, "commit_id": commit}


def test_an_owners_approval_of_this_commit_counts() -> None:
    assert judged([review("BO")]) == 0
    assert judged([review("bo"), review("bo", "COMMENTED", "d" * 40)]) == 0
    assert judged([review("someone", "COMMENTED")] * 100 + [review("bo")]) == 0


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
def test_nothing_else_counts(reviews: list[dict[str, object]]) -> None:
    assert judged(reviews) == 1


def test_authors_do_not_approve_their_own_change() -> None:
    assert judged([review("bo")], author="Bo") == 1


def test_without_owners_or_a_readable_forge_nobody_approved() -> None:
    assert judged([review("bo")], text="") == 1
    with forge() as found:
        found.reviews.append(review("bo"))
        found.refuse = 403
        assert code_of(found) == 1
    assert code_of(found) == 1
