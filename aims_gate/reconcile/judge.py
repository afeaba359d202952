"""Judge one registered model: what MLflow says now, against what is remembered and proven."""

from __future__ import annotations

from aims_gate.inbox.contract import Hold, Inbox, ModelKey
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
    guarded = sorted(known.keys() | {one for one in aliases if case.guarded.guards_alias(one)})
    waits = [
        judge_alias(case, alias, known.get(alias), aliases.get(alias), first=first)
        for alias in guarded
    ]
    case.act(Act.SEEN, reason=LOOKED)
    return [*waits, requests.answer(case, versions, aliases)]
