"""Until when a decision stands: its policy expires, and so does what let a blocking rule through.

A rule warns in place of refusing before its `effective_from` and within its `baseline`; evidence
that passed so is worth nothing from that day on. Evidence of version 0.1 does not say when: there
the policy's own text does, whose digest is signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aims_gate.documents import strict_yaml
from aims_gate.errors import PolicyError, TrustError
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.evidence.reader import at, text_of

_SOFTENED = ("FAIL", "STALE", "MISSING", "INSUFFICIENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Something that a decision rests on until it ends."""

    what: str
    """A clause that `until` continues."""
    end: datetime
    """Exclusive."""


def terms(evaluation: Mapping[str, Any], policy: bytes) -> tuple[Term, ...]:
    """List what an evaluation rests on and what ends, the first end first.

    Raises:
        TrustError: The evaluation says no results, or a moment that is none.
    """
    stated, results = evaluation.get("policy"), evaluation.get("results")
    if not isinstance(stated, dict) or not isinstance(results, list):
        raise TrustError("a statement lacks policy or results")
    blocking = [one for one in results if at(one, "severity") == "block"]
    if "expires" in stated:
        ends = {text_of(one, "rule"): at(one, "expires") for one in blocking}
        found = _listed(stated["expires"], ends)
    else:
        found = _listed(*_of_text(blocking, policy, text_of(evaluation, "finishedOn")))
    return tuple(sorted(found, key=lambda term: term.end))


def moment(written: object, *, where: str) -> datetime:
    """Read a moment of a statement; TrustError if it is none."""
    try:
        return datetime.strptime(str(written), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise TrustError(f"{str(written)[:40]!a} is not a UTC time", where=where) from None


def _listed(expires: object, ends: Mapping[str, object]) -> Iterator[Term]:
    if expires is not None:
        yield Term(what="the policy holds", end=moment(expires, where="policy.expires"))
    for rule, end in ends.items():
        if end is not None:
            yield Term(what=f"{rule!a} is let through", end=moment(end, where=f"{rule}.expires"))


def _of_text(
    blocking: list[Any], policy: bytes, finished: str
) -> tuple[object, Mapping[str, object]]:
    """Give when the policy and what softened its rules end, as the resolved policy says."""
    try:
        tree = strict_yaml.parse(policy, POLICY_FILE).tree
    except PolicyError as error:
        raise TrustError(f"a statement lacks policy.expires, and {error}") from error
    rules = tree.get("rules") if isinstance(tree, dict) else None
    known = {at(rule, "id"): rule for rule in rules} if isinstance(rules, list) else {}
    ends: dict[str, object] = {}
    for one in blocking:
        if at(one, "outcome") == "WARN" and at(one, "rawOutcome") in _SOFTENED:
            rule = known.get(at(one, "rule"))
            start = at(rule, "effective_from")
            # both are written alike, so that the later one is the greater text
            later = isinstance(start, str) and start > finished
            ends[text_of(one, "rule")] = start if later else at(rule, "baseline", "expires")
    return at(tree, "metadata", "expires"), ends
