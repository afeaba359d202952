"""Reviews of pull requests that brought documents, as a file that the forge's job hands over.

`github reviews` writes it: whose approval, of which bytes, proposed by whom. It is as good as the
job that made it, and stands in the evidence that the job signs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from aims_gate import canonical
from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, choice, words
from aims_gate.errors import UsageError
from aims_gate.governance.contract import RecordAct, Strength
from aims_gate.governance.people import github
from aims_gate.regular import read_regular

SCHEMA = "https://aims-gate.dev/reviews/v1"
_MAX_BYTES = 1 << 22
_SKEW = timedelta(minutes=5)
"""How far the forge's clock may be ahead of ours."""
_COMMIT = "[0-9a-f]{40}|[0-9a-f]{64}"


class ReviewText(Keys):
    """A person's approval of the pull request that brought a document."""

    record: k.Text
    digest: k.Digest
    """What people wrote in it, at the commit that was approved."""
    pull_request: int
    head: Annotated[str, k.pattern(_COMMIT, "must be a full commit id", ""), k.string(_COMMIT)]
    author: k.Text
    approved_by: k.Text
    when: k.Instant


class ReviewsText(Keys):
    """The whole file."""

    format: Annotated[str, choice(SCHEMA), words(SCHEMA)] = Field(alias="schema")
    repository: k.Text
    reviews: list[ReviewText]


def read_reviews(path: Path | None, *, now: datetime) -> tuple[RecordAct, ...]:
    """Read the file of reviews; none where there is no file.

    Raises:
        UsageError: It cannot be read, or is none.
    """
    if path is None:
        return ()
    hint = "aims-gate github reviews writes it"
    try:
        said = ReviewsText.model_validate(canonical.parse(read_regular(path, _MAX_BYTES)))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it has another form"
        raise UsageError(f"no reviews: {reason}", where=str(path), hint=hint) from error
    return tuple(_act(one, said.repository, now) for one in said.reviews)


def written(repository: str, reviews: Iterable[dict[str, Any]]) -> bytes:
    """Write the file of reviews."""
    tree = {"schema": SCHEMA, "repository": repository, "reviews": list(reviews)}
    try:
        ReviewsText.model_validate(tree)
    except ValidationError as error:
        raise UsageError("the forge's answer makes no reviews") from error
    return canonical.encode(tree)


def _act(one: ReviewText, repository: str, now: datetime) -> RecordAct:
    where = f"pull request {one.pull_request} of {repository} at {one.head[:12]}"
    return RecordAct(
        record=one.record,
        digest=one.digest,
        names=(github(one.approved_by),),
        strength=Strength.REVIEWED,
        when=one.when,
        where=where,
        authors=(github(one.author),),
        problem="it was approved in the future" if one.when > now + _SKEW else "",
    )
