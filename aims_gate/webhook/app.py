"""The receiver's HTTP interface (ASGI): deliveries, health, readiness and metrics."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aims_gate.inbox.contract import Delivery, Inbox, InboxError, ModelKey
from aims_gate.webhook.batches import Batches
from aims_gate.webhook.event import MalformedError, parse_event
from aims_gate.webhook.metrics import Metrics
from aims_gate.webhook_signature import is_fresh, is_signed

PATH = "/webhook"
MAX_BODY = 256 * 1024
"""Bytes. MLflow's are below 1 kB, unless a version has very long tags: the sweep sees those."""
_PATIENCE = 10.0
"""Seconds for a body to arrive."""
_TROUBLE = 30.0
"""Seconds for which the receiver is not ready after it could not store a delivery."""
_IDENTITY = re.compile(r"[\x21-\x7e]{1,200}")
_SAID = {
    "accepted": (202, "stored"),
    "duplicate": (200, "known already"),
    "ignored": (200, "nothing to do"),
    "oversized": (413, f"the body has more than {MAX_BODY} bytes"),
    "slow": (408, "the body took too long"),
    "unsigned": (401, "the signature is missing, wrong or stale"),
    "forged": (401, "the signature is missing, wrong or stale"),
    "stale": (401, "the signature is missing, wrong or stale"),
    "malformed": (400, "the body is not what MLflow sends"),
    "unstored": (503, "could not store the delivery: try again"),
}
_log = logging.getLogger("aims_gate.webhook")


class _RefusedError(Exception):
    """A request that is no delivery; its text is the outcome."""


@dataclass(kw_only=True)
class Receiver:
    """Receives deliveries, and says how it is."""

    inbox: Inbox
    secrets: Sequence[bytes]
    keys: Callable[[str], Sequence[ModelKey]]
    """Models of the configuration that a name of an event may mean; none if it guards no such."""
    stored: Callable[[], None]
    """Is called after a delivery was stored."""
    alive: Callable[[], bool]
    """Whether the workers run."""
    clock: Callable[[], float] = time.time
    metrics: Metrics = field(default_factory=Metrics)
    _failed: float = -_TROUBLE

    def __post_init__(self) -> None:
        if not self.secrets:
            raise ValueError("no secret")
        self.batches = Batches(self.inbox.receive)

    def app(
        self, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None
    ) -> Starlette:
        """The ASGI application; `batches.run` has to run beside it."""
        routes = [
            Route(PATH, self._deliver, methods=["POST"]),
            Route("/healthz", self._health),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    async def _deliver(self, request: Request) -> Response:
        began = time.monotonic()
        identity = request.headers.get("x-mlflow-delivery-id", "")
        told = {"delivery": identity[:200]}
        try:
            outcome = await self._received(request, identity, told)
        except _RefusedError as refused:
            outcome = str(refused)
        except InboxError as error:
            self._failed = time.monotonic()
            outcome, told["error"] = "unstored", str(error)
        if outcome == "accepted":
            self.stored()
            self.metrics.accepting.observe(time.monotonic() - began)
        status, text = _SAID[outcome]
        self.metrics.deliveries.labels(outcome).inc()
        level = logging.INFO if status < 300 else logging.WARNING
        _log.log(level, "delivery", extra={**told, "outcome": outcome})
        # MLflow waits as long as it is told to, at most three times
        more = {"Retry-After": "2"} if status == 503 else {}
        return JSONResponse({"outcome": text}, status, more)

    async def _received(self, request: Request, identity: str, told: dict[str, str]) -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await _body(request)
        except TimeoutError:
            raise _RefusedError("slow") from None
        self._check(request, identity, body)
        try:
            event = parse_event(body)
        except MalformedError:
            raise _RefusedError("malformed") from None
        keys = tuple(self.keys(event.model)) if event else ()
        if event is None or not keys:
            return "ignored"
        told["model"] = event.model
        delivery = Delivery(
            id=identity,
            workspace=event.workspace,
            model=event.model,
            body=body,
            received=self.clock(),
            marks=keys,
        )
        return "accepted" if await self.batches.put(delivery) else "duplicate"

    def _check(self, request: Request, identity: str, body: bytes) -> None:
        """Verify the signature over the bytes as they came, before anything reads them."""
        timestamp = request.headers.get("x-mlflow-timestamp", "")
        signature = request.headers.get("x-mlflow-signature", "")
        if not (_IDENTITY.fullmatch(identity) and timestamp and signature):
            raise _RefusedError("unsigned")
        if not is_signed(signature, self.secrets, identity, timestamp, body):
            raise _RefusedError("forged")
        if not is_fresh(timestamp, self.clock()):
            raise _RefusedError("stale")

    async def _health(self, _request: Request) -> Response:
        """Liveness: this process answers."""
        return JSONResponse({"status": "ok"})

    async def _ready(self, _request: Request) -> Response:
        """Readiness: the inbox answers, took the last delivery, and the workers run."""
        try:
            await asyncio.to_thread(self.inbox.now)
        except InboxError as error:
            return JSONResponse({"status": str(error)}, 503)
        if not self.alive():
            return JSONResponse({"status": "the workers do not run"}, 503)
        if time.monotonic() - self._failed < _TROUBLE:
            return JSONResponse({"status": "a delivery could not be stored lately"}, 503)
        return JSONResponse({"status": "ok"})

    async def _metrics(self, _request: Request) -> Response:
        try:
            waiting = await asyncio.to_thread(self.inbox.waiting)
            now = await asyncio.to_thread(self.inbox.now)
        except InboxError as error:
            return JSONResponse({"status": str(error)}, 503)
        return Response(self.metrics.text(waiting, now), media_type="text/plain; version=0.0.4")


async def _body(request: Request) -> bytes:
    """The raw body, of at most `MAX_BODY` bytes, whatever length its header claims."""
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY:
                raise _RefusedError("oversized")
            chunks.append(chunk)
    except ClientDisconnect:
        raise _RefusedError("slow") from None
    return b"".join(chunks)
