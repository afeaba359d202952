"""Reviews of records at GitHub: who approved the pull request that brought a document's bytes.

For each document the last commit that changed it is asked for, the merged pull request of that
commit, and whose last word approves its head. What counts is that the file at that head holds the
very bytes that people wrote; whoever opened the pull request or wrote a commit of it reviewed
nothing.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aims_gate.errors import PolicyError
from aims_gate.github.approval import approvals
from aims_gate.github.rest import GitHubRefusedError, PullRequest, Repository, ask, pages
from aims_gate.governance.acts import files
from aims_gate.governance.contract import RecordDocument
from aims_gate.governance.kinds import KINDS
from aims_gate.governance.record_text import human_digest
from aims_gate.governance.reviews import written
from aims_gate.policy.base import PolicyBase
from aims_gate.policy.repository import GitRepository
from aims_gate.policy.resolve import check
from aims_gate.regular import itself
from aims_gate.system_records import records_beside

_MOST = 30
"""Commits of generated lines that are gone back through."""
_READ, _PULLS = "contents: read", "pull-requests: read"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPull:
    """A merged pull request, and who may have approved it."""

    number: int
    head: str
    author: str
    approved: Mapping[str, str]
    """Time by login, of people who wrote nothing of it."""


def reviews(
    documents: Iterable[tuple[RecordDocument, str]], repository: Repository, commit: str
) -> Iterator[dict[str, Any]]:
    """Find the reviews of documents, as `governance.reviews` writes them.

    Args:
        documents: Each with its path from the repository's root.
        repository: Where it is asked.
        commit: Up to which changes are looked for.

    Raises:
        GitHubRefusedError: GitHub cannot be asked, or its answer has another form.
    """
    known: dict[str, tuple[MergedPull, ...]] = {}
    try:
        for document, path in documents:
            changes = tuple(_changes(repository, document, path, commit))
            known |= {one: tuple(_merged(repository, one)) for one in changes if one not in known}
            pulls = {pull.number: pull for one in changes for pull in known[one]}
            yield from _approved(repository, document, path, pulls.values())
    except (KeyError, TypeError, ValueError) as error:
        raise GitHubRefusedError("GitHub's answer has another form") from error


def _approved(
    repository: Repository, document: RecordDocument, path: str, pulls: Iterable[MergedPull]
) -> Iterator[dict[str, Any]]:
    for pull in pulls:
        if _digest(repository, document, path, pull.head) == document.human_digest:
            yield from _told(document, pull)


def _told(document: RecordDocument, pull: MergedPull) -> Iterator[dict[str, Any]]:
    for person, when in sorted(pull.approved.items()):
        yield {
            "record": document.id,
            "digest": document.human_digest,
            "pull_request": pull.number,
            "head": pull.head,
            "author": pull.author,
            "approved_by": person,
            "when": when,
        }


def _changes(
    repository: Repository, document: RecordDocument, path: str, commit: str
) -> Iterator[str]:
    """The commit that changed a document last; before it those of generated lines only."""
    kind = KINDS.get(document.kind)
    most = _MOST if kind is not None and kind.generated is not None else 1
    asked = {"path": path, "sha": commit, "per_page": most}
    with repository.session() as session:
        found = ask(session, "GET", repository.under("commits"), _READ, params=asked)
    for number, one in enumerate(found[:most]):
        changed = str(one["sha"])
        if number and _digest(repository, document, path, changed) != document.human_digest:
            return
        yield changed


def _merged(repository: Repository, commit: str) -> Iterator[MergedPull]:
    with repository.session() as session:
        place = f"{repository.under('commits')}/{commit}/pulls"
        found = [one for one in pages(session, place, _PULLS) if one["merged_at"]]
    for one in found:
        number, head, author = int(one["number"]), str(one["head"]["sha"]), one["user"]["login"]
        pull = PullRequest(
            api=repository.api,
            repository=repository.repository,
            token=repository.token,
            number=number,
        )
        wrote = {str(author).lower(), *_writers(pull)}
        said = approvals(pull, head)
        yield MergedPull(
            number=number,
            head=head,
            author=str(author),
            approved={person: when for person, when in said.items() if person not in wrote},
        )


def _writers(pull: PullRequest) -> Iterator[str]:
    """Logins of whoever wrote or committed a commit of a pull request, as far as GitHub knows."""
    with pull.session() as session:
        found = list(pages(session, f"{pull.under('pulls')}/{pull.number}/commits", _PULLS))
    for person in (one.get(role) for one in found for role in ("author", "committer")):
        if isinstance(person, dict):
            yield str(person.get("login")).lower()


def _digest(repository: Repository, document: RecordDocument, path: str, head: str) -> str:
    """SHA-256 of what people wrote in a document at a commit; empty where it is not there."""
    with repository.session() as session:
        place = f"{repository.under('contents')}/{quote(path)}"
        try:
            found = ask(session, "GET", place, _READ, params={"ref": head})
        except GitHubRefusedError:
            return ""  # what cannot be compared was not approved
    try:
        data = base64.b64decode(found["content"])
    except binascii.Error:
        return ""
    return human_digest(KINDS.get(document.kind), data)


def reviews_file(
    policy: str, base: PolicyBase | None, repository: Repository, environ: Mapping[str, str]
) -> bytes:
    """The file of reviews of a policy and of the records beside it.

    Args:
        policy: Path of the policy.
        base: The commit from which they are taken; None is what is checked out.
        repository: Where it is asked.
        environ: The environment, for git.

    Raises:
        UsageError: They lie in no git repository; PolicyError if the policy is wrong.
        GitHubRefusedError: GitHub cannot be asked.
    """
    found, problems = check(policy, environ=environ, base=base)
    if found is None:
        raise PolicyError(problems)
    if not found.folder:
        return written(repository.repository, ())  # a pack is reviewed where it is made
    git = base.repository if base else GitRepository.around(Path(found.folder), environ)
    commit = base.commit if base else git.head()
    with tempfile.TemporaryDirectory(prefix="aims-gate-records-") as private:
        at = base.at if base else itself
        records = records_beside(found, at, private=Path(private), environ=environ)
    if records is None or records.policy is None:
        return written(repository.repository, ())
    places = [*files(records), (records.policy, Path(found.folder) / records.policy.path)]
    inside = [(document, git.inside(path)) for document, path in places]
    asked = [(document, path) for document, path in inside if path is not None]
    return written(repository.repository, reviews(asked, repository, commit))
