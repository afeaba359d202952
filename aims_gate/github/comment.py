"""The sticky comment: one comment of a pull request, found by its marker and updated in place."""

from __future__ import annotations

from typing import Any

from aims_gate import canonical
from aims_gate.github.rest import PullRequest, ask, pages

MOST = 60_000
"""Bytes of a comment; GitHub refuses one of more than 65,536 characters."""
AUTHOR = "github-actions[bot]"
"""Whose comments and issues the default token writes, and may change."""
_NEEDS = "pull-requests: write"


def marker(identity: str) -> str:
    """First line of the comment; whatever *identity* is, it is 16 hexadecimal digits there."""
    return f"<!-- aims-gate:{canonical.sha256(identity.encode('utf-8', 'replace'))[:16]} -->"


def keep_comment(pull: PullRequest, mark: str, text: str) -> None:
    """Write *text* under the marker: into the comment that has it, or as a new one.

    Only a comment of the workflow's own token counts: anybody can write the marker.

    Raises:
        GitHubRefusedError: GitHub refused it or could not be reached.
    """
    issues = pull.under("issues")
    body = {"body": f"{mark}\n{text}"}
    with pull.session() as session:
        for comment in pages(session, f"{issues}/{pull.number}/comments", _NEEDS):
            if is_ours(comment, mark):
                place = f"{issues}/comments/{int(comment['id'])}"
                ask(session, "PATCH", place, _NEEDS, json=body)
                return
        ask(session, "POST", f"{issues}/{pull.number}/comments", _NEEDS, json=body)


def is_ours(comment: dict[str, Any], mark: str) -> bool:
    """Tell whether a comment or an issue has the marker, and its author is the workflow."""
    author, body = comment.get("user"), comment.get("body")
    return (
        isinstance(author, dict)
        and author.get("login") == AUTHOR
        and author.get("type") == "Bot"
        and isinstance(body, str)
        and body.startswith(mark)
        and isinstance(comment.get("id"), int)
    )
