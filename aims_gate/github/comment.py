"""The sticky comment: one comment of a pull request, found by its marker and updated in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from aims_gate import canonical
from aims_gate.errors import UndecidedError, UsageError

MOST = 60_000
"""Bytes of a comment; GitHub refuses one of more than 65,536 characters."""
API_VERSION = "2026-03-10"
AUTHOR = "github-actions[bot]"
"""Whose comments the default token writes, and may change."""
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_SECONDS = 20
_PAGE, _PAGES = 100, 50


class CommentRefusedError(UndecidedError):
    """The comment could not be written, as on pull requests of forks; the verdict stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """Where a comment goes, and with which token."""

    api: str
    """Such as https://api.github.com."""
    repository: str
    number: int
    token: str

    def __post_init__(self) -> None:
        """Refuse what is no address of an API, or no name of a repository."""
        if urlsplit(self.api).scheme not in {"http", "https"}:
            raise UsageError("GITHUB_API_URL is no address")
        if not _REPOSITORY.fullmatch(self.repository):
            raise UsageError("GITHUB_REPOSITORY is no owner/name")


def marker(identity: str) -> str:
    """First line of the comment; whatever *identity* is, it is 16 hexadecimal digits there."""
    return f"<!-- aims-gate:{canonical.sha256(identity.encode('utf-8', 'replace'))[:16]} -->"


def keep_comment(pull: PullRequest, mark: str, text: str) -> None:
    """Write *text* under the marker: into the comment that has it, or as a new one.

    Only a comment of the workflow's own token counts: anybody can write the marker.

    Raises:
        CommentRefusedError: GitHub refused it or could not be reached.
    """
    issues = f"{pull.api.rstrip('/')}/repos/{pull.repository}/issues"
    with requests.Session() as session:
        session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {pull.token}",
                "User-Agent": "aims-gate",
                "X-GitHub-Api-Version": API_VERSION,
            }
        )
        body = {"body": f"{mark}\n{text}"}
        for comment in _comments(session, f"{issues}/{pull.number}/comments"):
            if _is_ours(comment, mark):
                _ask(session, "PATCH", f"{issues}/comments/{int(comment['id'])}", json=body)
                return
        _ask(session, "POST", f"{issues}/{pull.number}/comments", json=body)


def _comments(session: requests.Session, url: str) -> Iterator[dict[str, Any]]:
    for page in range(1, _PAGES + 1):
        found = _ask(session, "GET", url, params={"per_page": _PAGE, "page": page})
        if not isinstance(found, list):
            raise CommentRefusedError("GitHub's answer is no list of comments")
        yield from (one for one in found if isinstance(one, dict))
        if len(found) < _PAGE:
            return
    raise CommentRefusedError(f"the pull request has more than {_PAGES * _PAGE:,} comments")


def _is_ours(comment: dict[str, Any], mark: str) -> bool:
    author, body = comment.get("user"), comment.get("body")
    return (
        isinstance(author, dict)
        and author.get("login") == AUTHOR
        and author.get("type") == "Bot"
        and isinstance(body, str)
        and body.startswith(mark)
        and isinstance(comment.get("id"), int)
    )


def _ask(session: requests.Session, method: str, url: str, **more: Any) -> Any:
    """Ask GitHub; a redirect is a refusal, so that no token goes where it was not sent."""
    try:
        answer = session.request(method, url, timeout=_SECONDS, allow_redirects=False, **more)
        if answer.status_code not in {200, 201}:
            hint = "it needs permission pull-requests: write, which forks and Dependabot never have"
            what = f"GitHub answered {answer.status_code} to {method}"
            raise CommentRefusedError(
                what, hint=hint if answer.status_code in {401, 403, 404} else ""
            )
        return answer.json()
    except requests.RequestException as error:
        raise CommentRefusedError(f"GitHub did not answer: {type(error).__name__}") from error
