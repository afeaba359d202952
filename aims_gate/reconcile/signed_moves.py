"""Who moved an alias, and where it was before, as far as signed promotions tell."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aims_gate.operations.promotion_history import History
from aims_gate.reconcile.case import Case
from aims_gate.sinks.alias import Alias


def signer_of(case: Case, alias: str, version: str, *, since: float) -> str:
    """Who signed that the alias is to be at a version; empty if nobody did *since*.

    MLflow does not tell who moves an alias, and an old statement says nothing about a new move.
    """
    with _history(case, alias) as history:
        standing = history.standing
        pointer = standing.promotions.get(version) or standing.intents.get(version)
        found = None if pointer is None else history.signed(version, pointer)
        # statements count whole seconds
        if found is None or found.said.promoted_on.timestamp() + 1 < since:
            return ""
        return found.signer.person


def promoted(case: Case, alias: str) -> tuple[tuple[float, str], ...]:
    """When signed promotions brought the alias to which versions."""
    with _history(case, alias) as history:
        signed = (
            (history.signed(version, pointer), version)
            for version, pointer in history.standing.promotions.items()
        )
        return tuple((one.said.promoted_on.timestamp(), of) for one, of in signed if one)


@contextmanager
def _history(case: Case, alias: str) -> Iterator[History]:
    mover = Alias(registry=case.registry, name=case.key.model, alias=alias)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        yield History(
            standing=mover.look(),
            alias=mover,
            trust=case.trust,
            environ=case.controller.environ,
            now=case.now,
            private=Path(private),
            told=[],
        )
