"""History of an alias: every move, whoever made it, when, and on what evidence.

Moves are what the receiver saw, and what promotions signed; a promotion that it never saw, because
something came between two looks, is there by its own statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aims_gate.errors import UsageError
from aims_gate.inbox.contract import Action, Inbox
from aims_gate.reconcile.case import PLACES, Act, Case
from aims_gate.reconcile.controller import Controller
from aims_gate.reconcile.signed_moves import SignedMove, signed_moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of an alias."""

    alias: str
    at: datetime
    """When it was signed for; else when it was seen, which may be later than it was made."""
    frm: str
    """Empty for none."""
    to: str
    """Empty: the alias was taken away."""
    who: str
    """Whose signature says so; empty where nobody signed, for MLflow does not tell."""
    by_gate: bool = False
    """The receiver itself made it, to put the alias back or to repair."""
    evidence: str
    """What proved the version then; empty: unproven."""
    reason: str
    first: bool = False
    """It was there when the receiver first looked; since when is not known."""


def history(name: str, controller: Controller, inbox: Inbox) -> tuple[Move, ...]:
    """Moves of the guarded aliases of a model, oldest first.

    Raises:
        UsageError: No pattern of the registry file fits the name.
        SourceError: MLflow does not answer; NotFoundError if it has no such model.
    """
    guarded = controller.file.guarded(name)
    if guarded is None:
        hint = "write a pattern that fits it under models"
        raise UsageError(f"{name!a} is not guarded", where=str(controller.file.path), hint=hint)
    case = Case.open(controller.model_key(name), guarded, controller, inbox, lambda: None)
    seen = [one for one in inbox.actions(case.key) if one.alias]
    aliases = {one.alias for one in seen} | set(guarded.aliases)
    moves = [move for alias in sorted(aliases) for move in _moves(case, alias)]
    return tuple(sorted(moves, key=lambda move: move.at))


def standing_at(moves: tuple[Move, ...], at: datetime) -> dict[str, Move]:
    """The last move of each alias up to a time: where it was then."""
    return {move.alias: move for move in moves if move.at <= at}


def _moves(case: Case, alias: str) -> Iterator[Move]:
    unseen = list(signed_moves(case, alias))
    for one in _seen(case.past(alias)):
        signed = next((move for move in unseen if _is(move, one)), None)
        if signed is not None:
            unseen.remove(signed)
        yield Move(
            alias=alias,
            at=datetime.fromtimestamp(one.at, UTC) if signed is None else signed.at,
            frm=one.from_version if signed is None or one.kind != Act.SEEN else signed.previous,
            to=one.to_version,
            who=one.who,
            by_gate=one.kind in {Act.REVERTED, Act.REPAIRED},
            evidence=one.evidence,
            reason=_reason(one, signed),
            first=one.kind == Act.SEEN and signed is None,
        )
    for move in unseen:
        yield Move(
            alias=alias,
            at=move.at,
            frm=move.previous,
            to=move.version,
            who=move.who,
            evidence=move.evidence,
            reason=move.why,
        )


def _seen(past: tuple[Action, ...]) -> Iterator[Action]:
    """Moves by what was entered, with each that was to be put back: what it rested on failed."""
    at, overtaken = "", False
    for one in past:
        if one.kind == Act.REVERT and one.from_version != at:
            yield replace(one, from_version=at, to_version=one.from_version, evidence="")
            at, overtaken = one.from_version, True
        elif one.kind in PLACES:
            # who overtook the receiver moved on from there, and not from the last place
            yield replace(one, from_version=at) if overtaken else one
            at, overtaken = one.to_version, False


def _reason(seen: Action, signed: SignedMove | None) -> str:
    if seen.kind == Act.REVERTED:
        return f"put back by the gate: {seen.reason}"
    return seen.reason if signed is None else f"{signed.why}; {seen.reason}"


def _is(signed: SignedMove, seen: Action) -> bool:
    """Whether a promotion is the move that was seen: it is signed shortly before."""
    return (
        signed.version == seen.to_version
        and signed.who == seen.who
        and signed.at.timestamp() <= seen.at + 1
    )
