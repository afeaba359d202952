"""The sticky issue of a model in service: opened by a refusal, closed by the next pass."""

from __future__ import annotations

from aims_gate.github.comment import is_ours
from aims_gate.github.rest import Repository, ask, pages

_NEEDS = "issues: write"


def keep_issue(place: Repository, mark: str, title: str, text: str, *, passed: bool) -> None:
    """Keep the one open issue that has the marker; a pass closes it, and opens none.

    Raises:
        GitHubRefusedError: GitHub refused it or could not be reached.
    """
    issues = place.under("issues")
    told = {"title": title, "body": f"{mark}\n{text}"}
    with place.session() as session:
        for issue in pages(session, f"{issues}?state=open", _NEEDS):
            if is_ours(issue, mark) and "pull_request" not in issue:
                closed = {"state": "closed", "state_reason": "completed"} if passed else {}
                number = int(issue["number"])
                ask(session, "PATCH", f"{issues}/{number}", _NEEDS, json={**told, **closed})
                return
        if not passed:
            ask(session, "POST", issues, _NEEDS, json=told)
