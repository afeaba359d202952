"""Deliveries as MLflow's webhooks send them."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from aims_gate.webhook_signature import sign

SECRET = b"a secret of the tests alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Signs and posts deliveries, one connection each."""

    port: int
    secret: bytes = SECRET
    headers: Mapping[str, str] = field(default_factory=dict)

    def event(self, model: str, **more: str) -> Answered:
        """An alias was set."""
        return self.post(body_of(model), **more)

    def post(self, body: bytes, **more: str) -> Answered:
        return self.raw(body, signed(body, self.secret, **more))

    def raw(
        self,
        body: bytes | None,
        headers: Mapping[str, str],
        method: str = "POST",
        path: str = "/webhook",
    ) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {name: value.encode() for name, value in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answered(status=answer.status, body=answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answered:
        return self.raw(None, {}, "GET", path)


def body_of(
    model: str, entity: str = "model_version_alias", action: str = "created", **top: str
) -> bytes:
    data = {"name": model, "alias": "champion", "version": "1"}
    told = {"entity": entity, "action": action, "timestamp": "2026-11-23T08:17:03+00:00"}
    return json.dumps({**told, "data": data, **top}).encode()


def signed(
    body: bytes, secret: bytes = SECRET, *, identity: str = "", timestamp: str = ""
) -> dict[str, str]:
    """Headers of a delivery."""
    identity = identity or str(uuid.uuid4())
    timestamp = timestamp or str(int(time.time()))
    return {
        "Content-Type": "application/json",
        "X-MLflow-Delivery-Id": identity,
        "X-MLflow-Timestamp": timestamp,
        "X-MLflow-Signature": sign(secret, identity, timestamp, body),
    }
