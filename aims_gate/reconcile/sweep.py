"""Sweep: mark every model dirty, and look whether the server's webhook still tells of moves.

With deliveries it finds what they missed; where none can arrive, polling alone gives the same
result, later.
"""

from __future__ import annotations

from aims_gate.errors import UsageError
from aims_gate.inbox.contract import Action, Inbox, ModelKey
from aims_gate.reconcile import notify
from aims_gate.reconcile.case import Act, action_id
from aims_gate.reconcile.controller import Controller
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.http import RefusedError
from aims_gate.registry.webhooks import NAME, Webhook, Webhooks


def sweep(controller: Controller, inbox: Inbox) -> tuple[ModelKey, ...]:
    """Mark every guarded model, those too that MLflow has no more; SourceError as MLflow raises.

    Returns:
        The models that are to be judged.
    """
    here = controller.model_key("")
    known = (one.key for one in inbox.waiting() if one.key.model)
    keys = {
        *controller.model_keys(),
        *(key for key in known if (key.server, key.workspace) == (here.server, here.workspace)),
    }
    inbox.mark(keys)
    _look_at_webhook(here, controller, inbox)
    notify.deliver(here, controller, inbox)
    return tuple(sorted(keys))


def _look_at_webhook(here: ModelKey, controller: Controller, inbox: Inbox) -> None:
    """Alert when the gate's webhook was there, and is deleted, disabled or tells of less."""
    try:
        found = next((one for one in Webhooks(controller.environ).all() if one.name == NAME), None)
    except (UsageError, RefusedError, NotFoundError):
        return  # no server, an old one, or none that lets us look: then sweeps alone tell
    seen = [one for one in inbox.actions(here) if one.kind == Act.SEEN]
    if found is not None and found.complete:
        _enter(here, controller, inbox, Act.SEEN, found, f"the webhook {NAME} is active")
    elif found is not None or seen:
        what = "was deleted" if found is None else "is disabled, or not sent for every event"
        reason = f"the webhook {NAME} {what}: only sweeps tell of moves until it is installed again"
        _enter(here, controller, inbox, Act.ALERT, found, reason, len(seen))


def _enter(  # noqa: PLR0917
    here: ModelKey,
    controller: Controller,
    inbox: Inbox,
    kind: Act,
    found: Webhook | None,
    reason: str,
    *about: object,
) -> None:
    which = (found.id, found.changed) if found is not None else ()
    inbox.act(
        Action(
            id=action_id(here, kind, *which, *about),
            key=here,
            alias="",
            kind=kind,
            from_version="",
            to_version="",
            reason=reason,
            at=controller.now().timestamp(),
        )
    )
