"""Who moved an alias, and where it was before, as far as signed promotions tell."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMove:
    """A promotion of a version that its signed statement tells."""

    at: datetime
    version: str
    previous: str
    """Empty for none."""
    who: str
    why: str
    evidence: str
    """`sha256:DIGEST`, and where it lies."""


def signed_moves(case: Case, alias: str) -> tuple[SignedMove, ...]:
    """Signed promotions of an alias, by the tags of the versions that they brought it to."""
    with _history(case, alias) as history:
        found = [
            (version, history.signed(version, pointer))
            for version, pointer in history.standing.promotions.items()
        ]
    return tuple(
        SignedMove(
            at=one.said.promoted_on,
            version=version,
            previous=one.said.previous or "",
            who=one.signer.person,
            why=one.said.why,
            evidence=f"sha256:{one.said.evidence.digest.sha256} {one.said.evidence.uri}",
        )
        for version, one in found
        if one is not None
    )


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
