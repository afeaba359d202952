"""Inbox interface: deliveries, dirty models with leases, what is live, and an append-only log.

Two databases are held to it by `tests/conformance/test_inbox.py`. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aims_gate.errors import UndecidedError

MOST_ATTEMPTS = 8
"""Failures in a row after which a model is dead until something new is heard of it."""
LONGEST_DELAY = 3600.0
"""Seconds. A time due that lies further ahead is of a clock that was set back, and is due now."""
LONGEST_LEASE = 300.0
"""Seconds. A lease that ends later is of a clock that was set back, and is over."""

STATES = ("clean", "waiting", "delayed", "judging", "dead")


class InboxError(UndecidedError):
    """The inbox's database could not be read or written; nothing of the call was kept."""


class LeaseLostError(UndecidedError):
    """The model is another worker's now, or this one is stopping: do nothing more to it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ModelKey:
    """A registered model, by names from the configuration and never from a delivery."""

    server: str
    workspace: str
    """MLflow's workspace; empty where the server has none."""
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A webhook delivery whose signature held."""

    id: str
    workspace: str
    """As the body claims; nothing follows from it."""
    model: str
    body: bytes
    received: float
    marks: tuple[ModelKey, ...]
    """Models that it makes dirty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A model that one worker may judge until a time, and the generation that it judges."""

    key: ModelKey
    generation: int
    owner: str
    """Fencing token: of this lease and no other."""
    attempts: int
    """Failures since the last judgement that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVersion:
    """What a guarded alias pointed at when it was last judged."""

    key: ModelKey
    alias: str
    version: str
    sha256: str
    """Digest of the model's manifest; empty if it was not read."""
    evidence: str
    """URI of the evidence that was verified for these bytes; empty if there was none."""
    source: str = ""
    """What the version was registered from: one that was deleted and made anew has another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that was seen or done; its id follows from what it is, so that it happens once."""

    id: str
    key: ModelKey
    alias: str
    kind: str
    from_version: str
    to_version: str
    reason: str
    at: float
    evidence: str = ""
    """URI of the evidence that it rests on; empty if it is unproven."""
    who: str = ""
    """Who did it, as far as a signed statement tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A model as `registry status` shows it."""

    key: ModelKey
    state: str
    """One of `STATES`."""
    since: float
    """When it became dirty or was due, or when its lease ends."""
    attempts: int
    error: str
    """Why the last attempt failed."""


Hold = Callable[[], None]
"""Renews the lease that a judgement runs under; LeaseLostError if it is lost.

Called just before each effect, it keeps a worker that was asleep from doing what another one did.
"""
Judge = Callable[[ModelKey, "Inbox", Hold], float | None]
"""Judges a model from its state; tells after how many seconds it wants to look again, or None.

An exception is a failed attempt; the model is tried again, later and later, until it is dead.
"""


class Inbox(Protocol):
    """Every method is one transaction and raises InboxError if it failed."""

    def receive(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries and mark their models dirty.

        Returns:
            Ids of those that were not there before; the others change nothing.
        """
        ...

    def mark(self, keys: Iterable[ModelKey]) -> None:
        """Mark models dirty: each gets a new generation, is due now, and is not dead."""
        ...

    def claim(self, worker: str, seconds: float) -> Lease | None:
        """Lease the model that is due longest to a *worker*; None if none is."""
        ...

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Prolong a lease; whether it still held."""
        ...

    def finish(self, lease: Lease, again: float | None = None) -> bool:
        """End a lease whose generation is judged, due *again* in seconds; whether it still held."""
        ...

    def fail(self, lease: Lease, error: str, delay: float) -> bool:
        """End a lease after a failed attempt, due in *delay* seconds; whether it still held."""
        ...

    def release(self, lease: Lease) -> bool:
        """End a lease as if it had never been; whether it still held."""
        ...

    def live(self, key: ModelKey) -> tuple[LiveVersion, ...]:
        """What a model's guarded aliases pointed at when they were last judged, by alias."""
        ...

    def set_live(self, live: LiveVersion) -> None:
        """Replace what is known of one alias."""
        ...

    def drop_live(self, key: ModelKey, alias: str) -> None:
        """Forget an alias that is not there any more."""
        ...

    def act(self, action: Action) -> bool:
        """Append to the log; whether its id was new."""
        ...

    def actions(self, key: ModelKey | None = None, *, since: float = 0) -> tuple[Action, ...]:
        """The log of a model, or of all, from a time on, in the order in which it was written."""
        ...

    def waiting(self) -> tuple[Waiting, ...]:
        """Every model that was ever dirty, with its state."""
        ...

    def forget(self, before: float) -> int:
        """Delete deliveries received before a time; how many."""
        ...

    def now(self) -> float:
        """The time by the clock that leases are kept by."""
        ...
