"""The receiver as one process: HTTP, workers, a sweep on schedule, and a graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from aims_gate.errors import GateError, UsageError, stack
from aims_gate.inbox.contract import Inbox, Judge, ModelKey
from aims_gate.inbox.worker import LEASE, Workers
from aims_gate.webhook.app import Receiver
from aims_gate.webhook.logs import log_as_json
from aims_gate.webhook.metrics import Metrics

KEPT = 7 * 86_400.0
"""Seconds for which deliveries are kept: a replay is stale long before."""
_SOON = 60.0
"""Seconds after which a sweep that failed is tried again."""
_CONNECTIONS = 512
"""At once, each with a body of at most `MAX_BODY`: more are answered 503."""
_REQUESTS_END = 5
"""Seconds that requests get when the receiver stops; its workers get theirs after that."""
_log = logging.getLogger("aims_gate.receiver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the receiver runs with."""

    inbox: Inbox
    secrets: Sequence[bytes]
    keys: Callable[[str], Sequence[ModelKey]]
    """Models of the configuration that a name in an event may mean."""
    judge: Judge
    sweep: Callable[[Inbox], object]
    """Marks every guarded model dirty."""
    interval: float
    """Seconds between sweeps."""
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 2
    lease: float = LEASE
    patience: float = 20.0
    """Seconds that judgements get when the receiver stops."""


def serve(service: Service) -> None:
    """Run until SIGTERM or SIGINT; then end what runs, or give it back, and return.

    Raises:
        UsageError: The address cannot be listened on.
    """
    metrics = Metrics()

    def ended(outcome: str, seconds: float) -> None:
        metrics.judgements.labels(outcome).inc()
        metrics.judging.observe(seconds)

    workers = Workers(
        service.inbox, service.judge, count=service.workers, lease=service.lease, ended=ended
    )
    receiver = Receiver(
        inbox=service.inbox,
        secrets=service.secrets,
        keys=service.keys,
        stored=workers.wake,
        alive=lambda: workers.alive,
        metrics=metrics,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        storing = asyncio.create_task(receiver.batches.run())
        workers.start()
        with _sweeping(service, metrics, workers.wake):
            address = "{}:{}".format(*listener.getsockname()[:2])
            _log.info("listening", extra={"address": address, "workers": service.workers})
            yield
        storing.cancel()
        await asyncio.to_thread(workers.stop, service.patience)
        _log.info("stopped")

    config = uvicorn.Config(
        receiver.app(lifespan),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_REQUESTS_END,
    )
    with _listening(service.host, service.port) as listener, _once_stopped_return():
        log_as_json(sys.stderr)
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_CONNECTIONS)
    except OSError as error:
        what = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise UsageError(what, hint="name another --port, or see who has this one") from error


@contextlib.contextmanager
def _once_stopped_return() -> Iterator[None]:
    """Let a signal that uvicorn has obeyed, and raises again at its end, end nothing more."""
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(each, signal.SIG_IGN) for each in signals]
    try:
        yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


@contextlib.contextmanager
def _sweeping(service: Service, metrics: Metrics, wake: Callable[[], None]) -> Iterator[None]:
    """Sweep now and on schedule, by a clock that does not jump."""
    stopping = threading.Event()

    def loop() -> None:
        while True:
            swept = _swept(service, metrics)
            wake()
            if stopping.wait(service.interval if swept else min(service.interval, _SOON)):
                return

    thread = threading.Thread(target=loop, name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()


def _swept(service: Service, metrics: Metrics) -> bool:
    try:
        service.sweep(service.inbox)
        service.inbox.forget(time.time() - KEPT)
    except Exception as error:  # noqa: BLE001 - the next sweep is tried, whatever this one met
        known = isinstance(error, GateError)
        told = {"error": str(error)} if known else {"error": type(error).__name__}
        _log.warning("sweep failed", extra=told if known else {**told, "stack": stack(error)})
        metrics.sweeps.labels("failed").inc()
        return False
    metrics.sweeps.labels("done").inc()
    metrics.swept.set_to_current_time()
    return True
