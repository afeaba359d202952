"""Webhooks of an MLflow server (3.3 and newer): which there are, setting one up, testing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.http import Connection, RefusedError
from aims_gate.registry.uris import bare

EVENTS = (
    ("MODEL_VERSION", "CREATED"),
    ("MODEL_VERSION_ALIAS", "CREATED"),
    ("MODEL_VERSION_ALIAS", "DELETED"),
    ("MODEL_VERSION_TAG", "SET"),
)
"""What can change what is live, or ask for an evaluation."""
NAME = "aims-gate"
SCHEMES = "MLFLOW_WEBHOOK_ALLOWED_SCHEMES"
"""The server's variable: schemes that it sends to, https if it is not set."""
_ACTIVE = "ACTIVE"
_MAX_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook as MLflow lists it; its secret is never told."""

    id: str
    name: str
    url: str
    """Without user, password and query."""
    active: bool
    events: frozenset[tuple[str, str]]
    changed: str
    """When it was last changed, in MLflow's milliseconds."""

    @property
    def complete(self) -> bool:
        """Whether it is sent for everything that matters."""
        return self.active and frozenset(EVENTS) <= self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTest:
    """What came of a test delivery, which carries MLflow's example data."""

    taken: bool
    what: str


class Webhooks:
    """The webhooks of one server; every method raises SourceError as the registry's do."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        uri = environ.get("MLFLOW_REGISTRY_URI", "") or environ.get("MLFLOW_TRACKING_URI", "")
        if not uri.startswith(("http://", "https://")):
            hint = "set MLFLOW_TRACKING_URI to the server; a database or a folder sends none"
            raise UsageError("webhooks are of an MLflow server", hint=hint)
        self._connection = Connection(uri, environ)

    def all(self) -> tuple[Webhook, ...]:
        """Every webhook of the server."""
        found: list[Webhook] = []
        token = ""
        for _page in range(_MAX_PAGES):
            params = {"max_results": "100"} | ({"page_token": token} if token else {})
            answer = self._connection.json("GET", "mlflow/webhooks", params=params)
            found += map(self._read, answer.get("webhooks", []))
            token = answer.get("next_page_token", "")
            if not token:
                return tuple(found)
        raise SourceError("the listing of webhooks does not end", where=self._connection.server)

    def install(self, url: str, secret: str) -> Webhook:
        """Set up the gate's webhook, or bring the one that is there up to date, secret included."""
        body = {
            "name": NAME,
            "url": url,
            "secret": secret,
            "status": _ACTIVE,
            "events": [{"entity": entity, "action": action} for entity, action in EVENTS],
        }
        known = next((one for one in self.all() if one.name == NAME), None)
        method, path = ("POST", "mlflow/webhooks") if known is None else ("PATCH", _path(known.id))
        try:
            answer = self._connection.json(method, path, body=body, read=False)
        except RefusedError as error:
            scheme = urlsplit(url).scheme
            if error.status != 400 or scheme == "https":  # Bad Request
                raise
            hint = f"put TLS before the receiver, or start MLflow with {SCHEMES}=https,{scheme}"
            raise RefusedError(error.what, status=400, where=error.where, hint=hint) from error
        return self._read(answer.get("webhook", {}))

    def test(self, webhook: Webhook) -> DeliveryTest:
        """Let the server send its example event, now."""
        path = f"{_path(webhook.id)}/test"
        event = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
        answer = self._connection.json("POST", path, body={"event": event}, read=False)
        result = answer.get("result", {})
        status = result.get("response_status")
        told = f"HTTP {status}" if status else str(result.get("error_message", "no answer"))
        return DeliveryTest(taken=result.get("success") is True, what=told)

    def _read(self, value: Mapping[str, Any]) -> Webhook:
        try:
            return Webhook(
                id=str(value["webhook_id"]),
                name=str(value["name"]),
                url=bare(str(value["url"])),
                active=value.get("status") == _ACTIVE,
                events=frozenset((e["entity"], e["action"]) for e in value.get("events", [])),
                changed=str(value.get("last_updated_timestamp", "")),
            )
        except (KeyError, TypeError) as error:
            what = "MLflow's answer about a webhook cannot be understood"
            raise SourceError(what, where=self._connection.server) from error


def _path(webhook_id: str) -> str:
    return f"mlflow/webhooks/{quote(webhook_id, safe='')}"
