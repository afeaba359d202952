"""Group commit: deliveries that come together are stored in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aims_gate.inbox.contract import Delivery, InboxError

_MOST = 256
"""Deliveries of one transaction."""
_QUEUED = 2048
"""Deliveries that may wait for theirs; more are refused, and their sender tries again."""

Store = Callable[[Sequence[Delivery]], frozenset[str]]


class Batches:
    """Stores deliveries by the batch: while one is written to the disk, the next one gathers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: asyncio.Queue[tuple[Delivery, asyncio.Future[bool]]] = asyncio.Queue(_QUEUED)

    async def put(self, delivery: Delivery) -> bool:
        """Wait until a delivery is stored; whether it was new. InboxError if it is not stored."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((delivery, stored))
        except asyncio.QueueFull:
            raise InboxError("too many deliveries wait to be stored", where="inbox") from None
        return await stored

    async def run(self) -> None:
        """Store what is put, until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < _MOST and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                new = await asyncio.to_thread(self._store, [each for each, _ in batch])
            except InboxError as error:
                self._answer(batch, error)
            except Exception as error:  # noqa: BLE001 - its senders hear of it, the next batch is tried
                self._answer(batch, InboxError(f"crashed: {type(error).__name__}", where="inbox"))
            else:
                self._answer(batch, new)

    @staticmethod
    def _answer(
        batch: Sequence[tuple[Delivery, asyncio.Future[bool]]], outcome: frozenset[str] | InboxError
    ) -> None:
        for delivery, stored in batch:
            if stored.cancelled():  # its sender hung up
                continue
            if isinstance(outcome, InboxError):
                stored.set_exception(outcome)
            else:
                stored.set_result(delivery.id in outcome)
