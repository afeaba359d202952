"""GitHub's REST API, as far as a gate asks it: one repository, with the token of the workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from aims_gate.errors import UndecidedError, UsageError

API_VERSION = "2026-03-10"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_SECONDS = 20
_PAGE, _PAGES = 100, 50
_AGAIN = Retry(
    total=3,
    status_forcelist={429, 502, 503, 504},
    allowed_methods={"GET"},
    backoff_factor=0.5,
    raise_on_status=False,
    respect_retry_after_header=False,
)
"""GitHub is busy now and then; what writes is never sent twice, and no header makes a job wait."""


class GitHubRefusedError(UndecidedError):
    """GitHub refused a request, as it does to pull requests of forks, or did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository, and the token with which its issues are read and written."""

    api: str
    """Such as https://api.github.com."""
    repository: str
    token: str

    def __post_init__(self) -> None:
        """Refuse what is no address of an API, or no name of a repository."""
        if urlsplit(self.api).scheme not in {"http", "https"}:
            raise UsageError("GITHUB_API_URL is no address")
        if not _REPOSITORY.fullmatch(self.repository):
            raise UsageError("GITHUB_REPOSITORY is no owner/name")

    def under(self, kind: str) -> str:
        """Address of the repository's `issues` or `pulls`."""
        return f"{self.api.rstrip('/')}/repos/{self.repository}/{kind}"

    @contextmanager
    def session(self) -> Iterator[requests.Session]:
        """A session with the token and the one version of the API."""
        with requests.Session() as session:
            session.auth = lambda asked: asked  # or .netrc would take the token's place
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=_AGAIN))
            session.headers.update(
                {
                    "Accept": "application/vnd.github+json",
                    "Authorization": f"Bearer {self.token}",
                    "User-Agent": "aims-gate",
                    "X-GitHub-Api-Version": API_VERSION,
                }
            )
            yield session


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest(Repository):
    """A pull request, which is read and commented."""

    number: int


def pages(session: requests.Session, url: str, needs: str) -> Iterator[dict[str, Any]]:
    """Read a list from its first page to its last; GitHubRefusedError if it has no end."""
    for page in range(1, _PAGES + 1):
        found = ask(session, "GET", url, needs, params={"per_page": _PAGE, "page": page})
        if not isinstance(found, list):
            raise GitHubRefusedError("GitHub's answer is no list")
        yield from (one for one in found if isinstance(one, dict))
        if len(found) < _PAGE:
            return
    raise GitHubRefusedError(f"there are more than {_PAGES * _PAGE:,} of them")


def ask(session: requests.Session, method: str, url: str, needs: str, **more: Any) -> Any:
    """Ask GitHub; a redirect is a refusal, so that no token goes where it was not sent."""
    try:
        answer = session.request(method, url, timeout=_SECONDS, allow_redirects=False, **more)
        if answer.status_code not in {200, 201}:
            what = f"GitHub answered {answer.status_code} to {method}"
            hint = f"it needs permission {needs}"
            if needs.endswith("write"):
                hint += ", which forks and Dependabot never have"
            raise GitHubRefusedError(
                what, hint=hint if answer.status_code in {401, 403, 404} else ""
            )
        return answer.json()
    except (requests.RequestException, ValueError) as error:  # a token of other letters, too
        raise GitHubRefusedError(f"GitHub did not answer: {type(error).__name__}") from error
