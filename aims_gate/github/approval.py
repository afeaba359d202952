"""Approval of a change by an owner: CODEOWNERS of the base branch, and reviews of the commit."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aims_gate.github.rest import GitHubRefusedError, PullRequest, ask, pages

_PERSON = re.compile(r"@([A-Za-z0-9-]+)")
_WILDCARDS = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
_NEEDS = "pull-requests: read"
_SAID = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


def owners(text: str, path: str) -> set[str]:
    """People who own a path: those of the last line whose pattern matches, in small letters."""
    found: list[str] = []
    for line in text.splitlines():
        pattern, *names = line.partition("#")[0].split() or [""]
        if pattern and expression(pattern).fullmatch(path):
            found = names
    return {name[1:].lower() for name in found if _PERSON.fullmatch(name)}


def expression(pattern: str) -> re.Pattern[str]:
    """The paths that a pattern of CODEOWNERS matches: a file, or a folder with all below it."""
    body = pattern.strip("/")
    parts = re.split(r"(\*\*/|/\*\*$|\*|\?)", body)
    text = "".join(_WILDCARDS.get(part, re.escape(part)) for part in parts)
    if pattern.endswith("/"):
        text += "/.*"
    elif not body.endswith("*") or "/" not in body:
        text += "(?:/.*)?"
    anchored = "/" in pattern.rstrip("/")
    return re.compile(text if anchored else f"(?:.*/)?{text}", re.DOTALL)


def approvers(pull: PullRequest, head: str) -> set[str]:
    """People whose last word on the pull request approves the commit *head*.

    Raises:
        GitHubRefusedError: The reviews cannot be read.
    """
    return set(approvals(pull, head))


def approvals(pull: PullRequest, head: str) -> Mapping[str, str]:
    """When each person whose last word approves the commit *head* said so, as GitHub writes it.

    Raises:
        GitHubRefusedError: The reviews cannot be read.
    """
    said: dict[str, tuple[object, object]] = {}
    when: dict[str, str] = {}
    with pull.session() as session:
        for review in pages(session, f"{pull.under('pulls')}/{pull.number}/reviews", _NEEDS):
            person = review.get("user")
            if isinstance(person, dict) and review.get("state") in _SAID:
                login = str(person.get("login")).lower()
                said[login] = review["state"], review.get("commit_id")
                when[login] = str(review.get("submitted_at"))
    return {person: when[person] for person, last in said.items() if last == ("APPROVED", head)}


def proposed(pull: PullRequest) -> tuple[str, str]:
    """Head commit and author of a pull request, which the event of a merge queue does not say.

    Raises:
        GitHubRefusedError: The pull request cannot be read.
    """
    with pull.session() as session:
        found = ask(session, "GET", f"{pull.under('pulls')}/{pull.number}", _NEEDS)
    try:
        return str(found["head"]["sha"]), str(found["user"]["login"])
    except (KeyError, TypeError) as error:
        raise GitHubRefusedError("GitHub's answer is no pull request") from error
