"""Workers: judge dirty models, at most so many at a time, under leases that a heartbeat renews."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from aims_gate.errors import GateError, message, stack
from aims_gate.harmless import plain
from aims_gate.inbox.contract import Inbox, InboxError, Judge, Lease, LeaseLostError

LEASE = 60.0
"""Seconds after which others take over from a worker that is gone."""
_POLL = 1.0
"""Seconds between looks for what other processes marked, or what became due."""
_FIRST_DELAY = 5.0
_MOST_DELAY = 300.0
_log = logging.getLogger("aims_gate.worker")
_T = TypeVar("_T")

Ended = Callable[[str, float], None]
"""Is told how a judgement ended (`done`, `again`, `failed` or `lost`), and its seconds."""


class Workers:
    """Judges models until stopped: *count* threads, each with one model at a time.

    A model that fails is tried again after 5, 10, 20 … seconds, at most 5 minutes.
    """

    def __init__(
        self,
        inbox: Inbox,
        judge: Judge,
        *,
        count: int = 2,
        lease: float = LEASE,
        ended: Ended = lambda _outcome, _seconds: None,
    ) -> None:
        self._inbox = inbox
        self._judge = judge
        self._seconds = lease
        self._ended = ended
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._held: set[Lease] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._gone = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"judge-{n}", daemon=True)
            for n in range(count)
        ]
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start to judge, in threads."""
        for thread in (self._heart, *self._threads):
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether every thread runs, and none is asked to stop."""
        threads = (self._heart, *self._threads)
        return not self._stopping.is_set() and all(thread.is_alive() for thread in threads)

    def wake(self) -> None:
        """Look at once: a model was marked."""
        self._wake.set()

    def stop(self, patience: float = 20.0) -> None:
        """Take no more models, wait for judgements that run, and give back those that go on.

        What is given back is free for other workers at once, and `Hold` stops its judgement.
        """
        deadline = time.monotonic() + patience
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._gone.set()
        for lease in tuple(self._held):
            self._try(partial(self._inbox.release, lease))
            _log.warning("gave back", extra={"model": lease.key.model})

    def drain(self) -> None:
        """Judge in this thread what is due now, and return when nothing is."""
        self._heart.start()
        try:
            while lease := self._inbox.claim(self._name, self._seconds):
                self._lead(lease)
        finally:
            self._stopping.set()
            self._gone.set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            lease = self._try(partial(self._inbox.claim, self._name, self._seconds))
            if lease is None:
                self._wake.wait(_POLL)
            else:
                self._wake.set()  # there may be more, for other threads
                self._lead(lease)

    def _lead(self, lease: Lease) -> None:
        """Judge one model, and end its lease as the judgement ended."""
        began = time.monotonic()
        self._held.add(lease)
        try:
            outcome = self._outcome(lease)
        finally:
            self._held.discard(lease)
        seconds = time.monotonic() - began
        self._ended(outcome, seconds)
        told = {"model": lease.key.model, "outcome": outcome, "seconds": round(seconds, 3)}
        _log.info("judged", extra=told)

    def _outcome(self, lease: Lease) -> str:
        try:
            again = self._judge(lease.key, self._inbox, partial(self._hold, lease))
        except LeaseLostError:
            self._try(partial(self._inbox.release, lease))
            return "lost"
        except Exception as error:  # noqa: BLE001 - one model's failure is no other's
            self._fail(lease, error)
            return "failed"
        if not self._try(partial(self._inbox.finish, lease, again)):
            return "lost"
        return "done" if again is None else "again"

    def _fail(self, lease: Lease, error: Exception) -> None:
        told = message(error)
        extra = {"model": lease.key.model, "error": plain(told), "attempts": lease.attempts + 1}
        if not isinstance(error, GateError):
            extra["stack"] = stack(error)
        _log.warning("failed", extra=extra)
        delay = min(_FIRST_DELAY * 2.0 ** min(lease.attempts, 20), _MOST_DELAY)
        self._try(partial(self._inbox.fail, lease, told, delay))

    def _hold(self, lease: Lease) -> None:
        if self._gone.is_set() or not self._inbox.renew(lease, self._seconds):
            raise LeaseLostError("the lease is lost", where=lease.key.model)

    def _beat(self) -> None:
        while not self._gone.wait(self._seconds / 3):
            for lease in tuple(self._held):
                self._try(partial(self._inbox.renew, lease, self._seconds))

    @staticmethod
    def _try(call: Callable[[], _T]) -> _T | None:
        """Call the inbox; if it cannot be reached, leases run out by themselves."""
        try:
            return call()
        except InboxError as error:
            _log.warning("inbox", extra={"error": str(error)})
            return None
