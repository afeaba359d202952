"""Judge one registered model: what MLflow says now, against what is remembered and proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aims_gate.errors import message
from aims_gate.inbox.contract import Hold, Inbox, InboxError, LeaseLostError, ModelKey
from aims_gate.reconcile import notify, requests
from aims_gate.reconcile.aliases import judge_alias
from aims_gate.reconcile.case import Act, Case
from aims_gate.reconcile.controller import Controller
from aims_gate.registry.contract import NotFoundError
from aims_gate.sinks.alias import LAST

LOOKED = "looked at"
"""What is entered of a model once it was looked at: from then on, what is new is a move."""


def judge(key: ModelKey, controller: Controller, inbox: Inbox, hold: Hold) -> float | None:
    """Judge a model, and do what is to be done about it; the same again changes nothing.

    Returns:
        After how many seconds to look again; None if all is done.

    Raises:
        UsageError: The set-up is wrong.
        SourceError: MLflow does not answer; nothing was moved for it.
        UndecidedError: An evaluation could not decide, and may another time; or the lease is lost.
    """
    guarded = controller.file.guarded(key.model)
    if guarded is None:
        return None
    case = Case.open(key, guarded, controller, inbox, hold)
    try:
        waits = _judged(case)
    except Exception:
        notify.deliver(key, controller, inbox)
        raise
    waits.append(notify.deliver(key, controller, inbox))
    return min((wait for wait in waits if wait is not None), default=None)


def _judged(case: Case) -> list[float | None]:
    try:
        versions = case.registry.versions(case.key.model, last=LAST)
        aliases = dict(case.registry.aliases(case.key.model))
    except NotFoundError:
        versions, aliases = (), {}
    known = case.known()
    first = not any(one.kind == Act.SEEN for one in case.past(""))
    guarded = known.keys() | {one for one in aliases if case.guarded.guards_alias(one)}
    steps = Steps(case=case)
    # what is only guarded for its likeness comes last: an evaluation may take an hour
    for alias in sorted(guarded, key=lambda one: (one not in case.guarded.aliases, one)):
        was, now = known.get(alias), aliases.get(alias)
        steps.take(partial(judge_alias, case, alias, was, now, first=first), alias, now)
    case.act(Act.SEEN, reason=LOOKED)
    for one in requests.requested(case, versions, aliases):
        steps.take(partial(requests.answer, case, one))
    return steps.ended()


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps of a judgement: one that fails keeps no other from being taken."""

    case: Case
    waits: list[float | None] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def take(
        self, step: Callable[[], float | None], alias: str = "", number: str | None = None
    ) -> None:
        """Take a step; where it fails for an alias, a person is told."""
        try:
            self.waits.append(step())
        except (InboxError, LeaseLostError):
            raise
        except Exception as error:  # noqa: BLE001 - a crash hides no other alias; it is raised at the end
            self.failures.append(error)
            if alias:
                reason = f"{alias} cannot be judged: {message(error)}"
                about = ("judge", self.case.moves(alias))
                self.case.alert(*about, alias=alias, to=number or "", reason=reason)

    def ended(self) -> list[float | None]:
        """When to look again; the first failure is raised."""
        if self.failures:
            raise self.failures[0]
        return self.waits
