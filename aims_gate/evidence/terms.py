"""Until when a decision stands: its policy expires, and so does what let a blocking rule through.

A rule warns in place of refusing before its `effective_from` and within its `baseline`; evidence
that passed so is worth nothing from that day on. Evidence of version 0.1 does not say when: there
the policy's own text does, whose digest is signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aims_gate.documents import strict_yaml
from aims_gate.errors import PolicyError, TrustError
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.evidence.predicates import FORM, Evaluation, ResultSaid

_SOFTENED = ("FAIL", "STALE", "MISSING", "INSUFFICIENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Something that a decision rests on until it ends."""

    what: str
    """A clause that `until` continues."""
    end: datetime
    """Exclusive."""


def terms(evaluation: Evaluation, policy: bytes) -> tuple[Term, ...]:
    """List what an evaluation rests on and what ends, the first end first.

    Raises:
        TrustError: It is of version 0.1, and the policy's text says a time that is none.
    """
    blocking = [one for one in evaluation.results if one.severity == "block"]
    if "expires" in evaluation.policy.model_fields_set:
        ends = {one.rule: one.expires for one in blocking}
        found = _listed(evaluation.policy.expires, ends)
    else:
        found = _listed(*_of_text(blocking, policy, evaluation.finished_on))
    return tuple(sorted(found, key=lambda term: term.end))


def _listed(expires: datetime | None, ends: Mapping[str, datetime | None]) -> Iterator[Term]:
    if expires is not None:
        yield Term(what="the policy holds", end=expires)
    for rule, end in ends.items():
        if end is not None:
            yield Term(what=f"{rule!a} is let through", end=end)


def _of_text(
    blocking: list[ResultSaid], policy: bytes, finished: datetime
) -> tuple[datetime | None, Mapping[str, datetime | None]]:
    """Expiry of the policy and of what softened its rules, as the resolved policy says."""
    try:
        tree = strict_yaml.parse(policy, POLICY_FILE).tree
    except PolicyError as error:
        raise TrustError(f"a statement lacks policy.expires, and {error}") from error
    rules = _of(tree, "rules")
    known = {_of(rule, "id"): rule for rule in rules} if isinstance(rules, list) else {}
    ends: dict[str, datetime | None] = {}
    for one in blocking:
        if one.outcome == "WARN" and one.raw_outcome in _SOFTENED:
            rule = known.get(one.rule)
            start = _of(rule, "effective_from")
            # both are written alike, so that the later one is the greater text
            later = isinstance(start, str) and start > finished.strftime(FORM)
            end = start if later else _of(_of(rule, "baseline"), "expires")
            ends[one.rule] = _end(end, f"{one.rule}.expires")
    return _end(_of(_of(tree, "metadata"), "expires"), "policy.expires"), ends


def _of(tree: object, key: str) -> object:
    return tree.get(key) if isinstance(tree, dict) else None


def _end(written: object, where: str) -> datetime | None:
    if written is None:
        return None
    try:
        return datetime.strptime(str(written), FORM).replace(tzinfo=UTC)
    except ValueError:
        raise TrustError(f"{str(written)[:40]!a} is not a UTC time", where=where) from None
