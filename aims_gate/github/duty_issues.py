"""Issues of duties: one an open duty, never two, closed once its cause is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aims_gate.github.comment import is_ours, marker
from aims_gate.github.rest import Repository, ask, pages
from aims_gate.harmless import code, prose
from aims_gate.operations.aims.todo import Duty

_NEEDS = "issues: write"
_ALL = "<!-- aims-gate:duty -->"
"""Second line of every such issue, by which one is found whose duty is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIssues:
    """How many issues were opened, changed and closed."""

    opened: int
    updated: int
    closed: int


def keep_issues(place: Repository, wanted: Sequence[Duty]) -> KeptIssues:
    """Let the open issues be these duties.

    Raises:
        GitHubRefusedError: GitHub refused it or could not be reached; what is done stays done, and
            doing it again completes it.
    """
    issues = place.under("issues")
    left = {f"{marker(f'duty:{one.key}')}\n{_ALL}": one for one in wanted}
    opened = updated = closed = 0
    with place.session() as session:
        for issue in list(pages(session, f"{issues}?state=open", _NEEDS)):
            mark = "\n".join(str(issue.get("body") or "").splitlines()[:2])
            if not mark.endswith(_ALL) or not is_ours(issue, mark) or "pull_request" in issue:
                continue
            where = f"{issues}/{int(issue['number'])}"
            duty = left.pop(mark, None)
            if duty is None:
                told = {"body": issue["body"], "state": "closed", "state_reason": "completed"}
                ask(session, "PATCH", where, _NEEDS, json=told)
                closed += 1
            elif (issue.get("title"), issue.get("body")) != (_title(duty), _body(mark, duty)):
                told = {"title": _title(duty), "body": _body(mark, duty)}
                ask(session, "PATCH", where, _NEEDS, json=told)
                updated += 1
        for mark, duty in left.items():
            told = {"title": _title(duty), "body": _body(mark, duty)}
            ask(session, "POST", issues, _NEEDS, json=told)
            opened += 1
    return KeptIssues(opened=opened, updated=updated, closed=closed)


def _title(duty: Duty) -> str:
    about = f"{duty.system}: " if duty.system else ""
    return f"{about}{duty.what}"[:200]


def _body(mark: str, duty: Duty) -> str:
    return f"{mark}\nDue {duty.due:%Y-%m-%d}, {prose(duty.person)}, {code(duty.where)}\n"
