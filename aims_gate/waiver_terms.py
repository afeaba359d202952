"""Which signed waivers are in force for this model, by this policy, on this day.

Pure: folders and signatures are read in `signoffs`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from aims_gate.attest.trust import TrustedKey
from aims_gate.errors import GateError
from aims_gate.facts import ModelIdentity
from aims_gate.limits import waived_problems
from aims_gate.plan import Task
from aims_gate.policy.model import Policy
from aims_gate.policy.resolved_yaml import rule_digest
from aims_gate.signoffs import people
from aims_gate.signoffs.folder import Signed, Unsound
from aims_gate.signoffs.grammar import MODEL_DAYS, WaiverSaid
from aims_gate.verdict import Outcome, Result
from aims_gate.waivers import Waiver, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverContext:
    """What waivers must match: one model, one policy, the people who may not sign."""

    model: ModelIdentity
    policy: Policy
    tasks: Mapping[str, Task]
    authors: Collection[str]
    """Whoever made the model, as far as the run and its commit say."""
    gate: TrustedKey | None
    """The key that signs the evidence; None where none does."""
    uses: Callable[[str], int]
    """How many signed evaluations used a waiver; SourceError where the store cannot say."""
    now: datetime


def in_force(
    found: Iterable[Signed[WaiverSaid] | Unsound], about: WaiverContext
) -> tuple[Mapping[str, Waiver], tuple[Result, ...]]:
    """Valid waivers by rule, and a result for each invalid one."""
    held: dict[str, Waiver] = {}
    faulty: list[Result] = []
    for one in found:
        if isinstance(one.said, WaiverSaid) and not _meant(one.said, about):
            continue
        if isinstance(one, Unsound):
            # a file's name may be anybody's choice, and must not take the line of a rule
            name = one.where if one.id in {"", *about.tasks} else one.id
            faulty.append(refused(name, one.what, one.where))
            continue
        problem = next(_problems(one, about), "")
        if not problem and one.said.rule in held:
            problem = f"{held[one.said.rule].id} is in force for {one.said.rule} already"
        if problem:
            faulty.append(refused(one.said.id, problem, one.where))
        else:
            held[one.said.rule] = _waiver(one)
    most = about.policy.waivers.max_active
    if len(held) > most:
        what = f"{len(held)} waivers are in force, and the policy admits {most}"
        faulty += [refused(one.id, what, one.where) for one in held.values()]
        held = {}
    return held, tuple(faulty)


def _meant(text: WaiverSaid, about: WaiverContext) -> bool:
    """Tell whether a waiver is about this model; one for other bytes is nobody's error."""
    if not text.model.by_name:
        return text.model.sha256 == about.model.digest
    # a name that no registry gave is its author's to choose
    known = about.model.registered
    return bool(known) and fnmatchcase(known, text.model.name)


def _problems(one: Signed[WaiverSaid], about: WaiverContext) -> Iterator[str]:
    text, terms, now = one.said, about.policy.waivers, about.now
    issued, ends = one.issued, text.expires
    yield from _rule_problems(text, about)
    if not text.model.by_name and text.model.name != about.model.name:
        yield f"it is for the model {text.model.name!a}, and this one is {about.model.name!a}"
    if text.model.by_name and terms.scope != "model":
        yield "it is for later versions too, and the policy says waivers.scope: version"
    if now >= ends:
        yield f"it expired at {ends:%Y-%m-%dT%H:%M:%SZ}"
    days = min(terms.max_days, MODEL_DAYS) if text.model.by_name else terms.max_days
    if ends - issued > timedelta(days=days):
        yield f"it lasts {(ends - issued) / timedelta(days=1):.4g} days, and {days:g} are allowed"
    yield from people.problems(
        one.keys, text.requested_by, terms, gate=about.gate, authors=about.authors
    )
    if text.model.by_name:
        try:
            used = about.uses(text.id)
        except GateError as error:
            yield f"nobody can say how often it was used: {error}"
            return
        if used >= text.uses:
            yield f"it was used {used} times, and {text.uses} are allowed"


def _rule_problems(text: WaiverSaid, about: WaiverContext) -> Iterator[str]:
    task = about.tasks.get(text.rule)
    if task is None:
        yield f"the policy has no rule {text.rule}"
        return
    if text.rule in about.policy.waivers.not_waivable:
        yield f"the policy says that {text.rule} is not waivable"
    if text.rule_sha256 != rule_digest(task.rule, about.policy):
        yield f"{text.rule}, or what the policy says of its data, has changed since it was drafted"
    limit = text.threshold
    if limit is not None:
        yield from waived_problems(limit, task.threshold, task.judged)


def _waiver(one: Signed[WaiverSaid]) -> Waiver:
    text = one.said
    return Waiver(
        id=text.id,
        rule=text.rule,
        covers=frozenset(map(Outcome, text.covers)),
        limit=text.threshold,
        expires=text.expires,
        approved_by=tuple(sorted({key.person for key in one.keys})),
        requested_by=text.requested_by,
        justification=text.justification,
        by_name=text.model.by_name,
        where=one.where,
        files={
            f"waiver.{text.id}.{number}.dsse.json": data
            for number, data in enumerate(one.files.values(), start=1)
        },
    )
