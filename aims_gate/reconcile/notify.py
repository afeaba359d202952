"""Notify: tell addresses of the registry file what was done, signed as Standard Webhooks are.

The file is the list of what may be told: no address comes from a model, a tag or a delivery, and
none is followed elsewhere. A notification that fails is sent again later and changes no decision.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from aims_gate.errors import UsageError
from aims_gate.inbox.contract import Action, Inbox, ModelKey
from aims_gate.reconcile.case import Act, action_id
from aims_gate.reconcile.controller import Controller
from aims_gate.registry_file import Notify
from aims_gate.version import __version__
from aims_gate.webhook_signature import sign

TOLD = frozenset(
    {
        *(
            Act.EVALUATED,
            Act.REVERTED,
            Act.OVERTAKEN,
            Act.REPAIRED,
            Act.ALERT,
        )
    }
)
"""What somebody is told of: what was done, and what a person must look at."""
AGAIN = 60.0
"""Seconds until a notification is sent again."""
DAY = 86400.0
"""Seconds for which it is tried."""
SECONDS = 10.0
_HOME = frozenset({"127.0.0.1", "localhost", "::1"})
_PREFIX = "whsec_"


def deliver(key: ModelKey, controller: Controller, inbox: Inbox) -> float | None:
    """Send what was not sent yet; after how many seconds to try again, if something failed."""
    failed = False
    for target in controller.file.notify:
        for action, entry in tuple(_unsent(key, controller, inbox, target)):
            if _send(controller, target, action):
                inbox.act(entry)
            else:
                failed = True
                break  # the next one would wait for the same address as long
    return AGAIN if failed else None


def _unsent(
    key: ModelKey, controller: Controller, inbox: Inbox, target: Notify
) -> Iterator[tuple[Action, Action]]:
    """Actions of the last day that an address was not told of, each with the entry that it was."""
    now = controller.now().timestamp()
    past = inbox.actions(key, since=now - DAY)
    sent = {one.id for one in past}
    for one in past:
        entry = Action(
            id=action_id(key, Act.NOTIFIED, target.url, one.id),
            key=key,
            alias="",
            kind=Act.NOTIFIED,
            from_version="",
            to_version="",
            reason=f"{one.id} to {target.url}",
            at=now,
        )
        if one.kind in TOLD and entry.id not in sent:
            yield one, entry


def _send(controller: Controller, target: Notify, action: Action) -> bool:
    """Send one notification; whether it was taken. Its id is the action's: receivers know it."""
    body = json.dumps(message(action)).encode()
    moment = str(int(controller.now().timestamp()))
    try:
        signature = sign(secret_of(controller, target), action.id, moment, body)
        with requests.post(
            allowed(target.url),
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": f"aims-gate/{__version__}",
                "webhook-id": action.id,
                "webhook-timestamp": moment,
                "webhook-signature": signature,
            },
            timeout=SECONDS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            return 200 <= answer.status_code < 300
    except (requests.RequestException, UsageError, ValueError):
        return False


def message(action: Action) -> dict[str, object]:
    """Body of a notification: names, versions and reasons, and no row of data."""
    return {
        "type": f"aims_gate.{action.kind}",
        "timestamp": action.at,
        "data": {
            "action": action.id,
            "server": action.key.server,
            "workspace": action.key.workspace,
            "model": action.key.model,
            "alias": action.alias,
            "from": action.from_version,
            "to": action.to_version,
            "reason": action.reason,
            "evidence": action.evidence,
        },
    }


def allowed(url: str) -> str:
    """The address, if what is told may go there: over TLS, or to this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _HOME:
        hint = "use https: anybody on the way could read and change it"
        raise UsageError("a notification would go over http", where=url, hint=hint)
    return url


def secret_of(controller: Controller, target: Notify) -> bytes:
    """The secret of an address, from the variable that the file names; UsageError if none is."""
    text = controller.environ.get(target.secret, "").strip()
    if not text:
        what = f"{target.secret} is not set, and nothing is told unsigned"
        raise UsageError(what, where=target.url, hint="set it to the secret of the address")
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise UsageError("the secret is no base64", where=target.secret) from None
