"""Whether an owner of a file, by the CODEOWNERS of the base branch, approved this very change.

`approved.py PATH < CODEOWNERS` exits 0 if so, 1 if not. An approval counts if it is the person's
last word, of the head that is judged, and by somebody other than the author. Teams are not looked
up: the token of a workflow may not read them.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from collections.abc import Iterator

API_VERSION = "2022-11-28"
PAGE = 100
MAX_PAGES = 50


def owners(text: str, path: str) -> list[str]:
    """Owners of a path: those of the last line whose pattern matches; nobody without one."""
    found: list[str] = []
    for line in text.splitlines():
        pattern, *names = line.split("#", 1)[0].split() or [""]
        if pattern and regular_expression(pattern).fullmatch(path):
            found = names
    return found


def regular_expression(pattern: str) -> re.Pattern[str]:
    """The paths that a pattern of CODEOWNERS matches: a file, a folder with all below it."""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = re.split(r"(\*\*/|/\*\*$|\*|\?)", body)
    known = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(known.get(part, re.escape(part)) for part in parts)
    if pattern.endswith("/"):
        text += "/.*"
    elif not body.endswith("*") or "/" not in body:
        text += "(?:/.*)?"
    return re.compile(text if anchored else f"(?:.*/)?{text}", re.DOTALL)


def last_words(reviews: Iterator[dict[str, object]]) -> dict[str, tuple[str, str]]:
    """State and commit of the last review of each person that is more than a comment."""
    found = {}
    for review in reviews:
        user = review.get("user") or {}
        login = str(user.get("login", "")).lower() if isinstance(user, dict) else ""
        if login and review.get("state") in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            found[login] = (str(review["state"]), str(review.get("commit_id")))
    return found


def reviews_of(environ: dict[str, str]) -> Iterator[dict[str, object]]:
    """Read every review of the pull request, oldest first."""
    place = f"{environ['GITHUB_API_URL']}/repos/{environ['GITHUB_REPOSITORY']}/pulls"
    for page in range(1, MAX_PAGES + 1):
        url = f"{place}/{int(environ['EVENT_NUMBER'])}/reviews?per_page={PAGE}&page={page}"
        request = urllib.request.Request(url)  # noqa: S310  # the forge's own address
        request.add_header("Authorization", f"Bearer {environ['IN_TOKEN']}")
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", API_VERSION)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found = json.load(answer)
        yield from found
        if len(found) < PAGE:
            return
    raise OSError("there are too many reviews to read")


def main(path: str, text: str, environ: dict[str, str]) -> int:
    """Say who owns the file, and whether one of them approved."""
    people = {name[1:].lower() for name in owners(text, path) if re.fullmatch(r"@[\w-]+", name)}
    people.discard(environ["EVENT_AUTHOR"].lower())
    if not people:
        print("aims-gate: CODEOWNERS of the base names no other person as owner of the policy")
        return 1
    try:
        said = last_words(reviews_of(environ))
    except (OSError, ValueError) as error:
        why = type(error).__name__
        print(f"aims-gate: the reviews cannot be read ({why}): needs pull-requests: read")
        return 1
    names = sorted(name for name in people if said.get(name) == ("APPROVED", environ["EVENT_HEAD"]))
    if names:
        print(f"aims-gate: the change of the policy was approved by {', '.join(names)}")
        return 0
    print(f"aims-gate: an approval of this commit is missing, of {' or '.join(sorted(people))}")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.stdin.read(), dict(os.environ)))
