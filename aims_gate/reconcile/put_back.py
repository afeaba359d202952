"""Put an alias back to the last version that is proven today: written ahead, budgeted, fenced.

The move itself is that of `promote` (`sinks.alias`): a flag, a look, one request, a look at what
came of it. Whoever moves the alias meanwhile wins, and a proven move that was overwritten all the
same, since MLflow has no compare-and-swap, is done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import itemgetter

from aims_gate.inbox.contract import Action, LiveVersion
from aims_gate.reconcile.case import CLOSED, Act, Case, places
from aims_gate.reconcile.proof import HOLDS, ProofState, VersionProof, prove_version
from aims_gate.reconcile.signed_moves import signed_moves, signer_of
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.entities import Version
from aims_gate.registry_file.grammar import REVERT
from aims_gate.sinks.alias import LOST, ROLLBACK, Alias, CollisionError, Standing, statement_name

HOUR = 3600.0
SOON = 0.5
"""Seconds until a model is looked at again whose alias moved under our hands."""
MOST = 10
"""Earlier versions that are tried though they were not proven when the alias was there: anybody
can make it many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """What became of an attempt to put an alias back."""

    settled: bool
    """Whether it is dealt with; else the alias stays where it is, and *why*."""
    why: str = ""
    again: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """Puts one alias back."""

    case: Case
    alias: str
    known: LiveVersion | None

    def settle(self, number: str | None) -> LiveVersion | None:
        """Finish what a worker began that was killed: the alias says how far it came.

        Returns:
            Where the alias was before whatever is to be judged now.
        """
        begun = self._open()
        if begun is None or number == begun.from_version:
            return self.known
        if number != begun.to_version:
            self._close(Act.OVERTAKEN, begun, "somebody moved it again")
            return self.known
        self._mover.drop(number)
        self._closed(begun)
        return self.case.stands(self.case.version(number), self.alias, evidence=begun.evidence)

    def put_back(self, version: Version, proof: VersionProof, *, occasion: int) -> Back:
        """Put the alias back from *version*, if that may and can be done."""
        to = self._target(version.version)
        if to is None:
            return Back(settled=False, why="it stays: there is no proven version to go back to")
        if not self.case.guarded.enforces or self.case.guarded.on_fail != REVERT:
            how = self.case.guarded.on_fail if self.case.guarded.enforces else "observe"
            return Back(settled=False, why=f"it stays ({how}): it belongs at version {to[0]}")
        if self._spent(occasion, version.version, to[0]):
            most = self.case.controller.file.reverts
            why = f"it stays: it was put back {most} times within an hour, and somebody insists"
            return Back(settled=False, why=why)
        return self._move(version, proof, to, occasion)

    def _move(
        self, version: Version, proof: VersionProof, to: tuple[str, VersionProof], occasion: int
    ) -> Back:
        target, good = to
        since = self.case.since(self.alias)
        who = signer_of(self.case, self.alias, version.version, since=since)
        self.case.hold()
        seen = self._mover.look()
        if seen.current != version.version:
            return Back(settled=True, again=SOON)
        begun = self.case.act(
            Act.REVERT,
            occasion,
            alias=self.alias,
            frm=version.version,
            to=target,
            reason=f"{proof.state}: {proof.reason}",
            evidence=good.evidence,
            who=who,
        )
        pointer = f"registry/{statement_name(self.case.now, ROLLBACK, begun.id[:8])}"
        try:
            self._mover.move(target, seen, pointer)
        except CollisionError as error:
            self._close(Act.OVERTAKEN, begun, error.what)
            return Back(settled=True, again=SOON)
        after = self._mover.look()
        self._mover.finish(target, pointer, left=version.version)
        self._closed(begun)
        self.case.stands(
            self.case.version(target), self.alias, sha256=good.sha256, evidence=good.evidence
        )
        self._repair(seen, after, {target, version.version})
        return Back(settled=True)

    def _closed(self, begun: Action) -> None:
        """Say on the version that was taken back why, and enter that it was."""
        said = f"{self.case.now:%Y-%m-%dT%H:%M:%SZ} back to version {begun.to_version}"
        key = f"aims_gate.alias.{self.alias}.reverted"
        with suppress(NotFoundError):  # the version is gone: nobody is left to be told on it
            self.case.tag(begun.from_version, key, f"{said}: {begun.reason}")
        self._close(Act.REVERTED, begun, begun.reason)

    def _close(self, kind: Act, begun: Action, reason: str) -> None:
        self._afterwards.act(
            kind,
            begun.id,
            alias=self.alias,
            frm=begun.from_version,
            to=begun.to_version,
            reason=reason,
            evidence=begun.evidence,
        )

    def _repair(self, seen: Standing, after: Standing, ours: set[str]) -> None:
        """Do a proven move again that came between the last look and ours, and was overwritten."""
        for version, pointer in _raised(seen, after):
            if version in ours:
                continue
            proof = prove_version(self.case, version)
            if proof.state is not ProofState.PROVEN:
                continue
            now = self._mover.look()
            self.case.hold()
            self._mover.move(version, now, pointer)
            self._mover.finish(version, pointer)
            found, reason = self.case.version(version), "putting back had overwritten this move"
            self._afterwards.act(
                Act.REPAIRED,
                pointer,
                alias=self.alias,
                frm=now.current or "",
                to=version,
                reason=reason,
                evidence=proof.evidence,
            )
            self.case.stands(found, self.alias, sha256=proof.sha256, evidence=proof.evidence)
            return

    def _target(self, moved_to: str) -> tuple[str, VersionProof] | None:
        """Find the last version that the alias was at, and that is proven today."""
        tried, unproven = {moved_to}, 0
        for number, was_proven in self._earlier():
            if number in tried or (unproven == MOST and not was_proven):
                continue
            tried.add(number)
            unproven += not was_proven
            try:
                proof = prove_version(self.case, number, alias=self.alias, deployed_before=True)
            except NotFoundError:
                continue
            if proof.state in HOLDS:
                return number, proof
        return None

    def _earlier(self) -> Iterator[tuple[str, bool]]:
        """Versions that the alias was at, or was promoted to, the last first; if proven then."""
        past = places(self.case.past(self.alias))
        seen = ((one.at, one.to_version, bool(one.evidence)) for one in past)
        signed = signed_moves(self.case, self.alias)
        found = [*seen, *((one.at.timestamp(), one.version, True) for one in signed)]
        found.sort(key=itemgetter(0))
        yield from ((version, proven) for _at, version, proven in reversed(found) if version)

    def _spent(self, occasion: int, frm: str, to: str) -> bool:
        """Whether the budget of the last hour is spent; a clock set back does not refill it."""
        this = self.case.named(Act.REVERT, self.alias, frm, to, occasion)
        since = self.case.now.timestamp() - HOUR
        begun = [
            one
            for one in self.case.past(self.alias)
            if one.kind == Act.REVERT and one.at > since and one.id != this
        ]
        return len(begun) >= self.case.controller.file.reverts

    def _open(self) -> Action | None:
        """The revert that was begun last, unless it has ended."""
        past = self.case.past(self.alias)
        begun = [one for one in past if one.kind == Act.REVERT]
        if not begun:
            return None
        last = begun[-1]
        ends = {
            self.case.named(kind, self.alias, last.from_version, last.to_version, last.id)
            for kind in CLOSED
        }
        return None if any(one.id in ends for one in past) else last

    @property
    def _afterwards(self) -> Case:
        """The case at the present moment: what was done was done later than what was seen."""
        return replace(self.case, now=self.case.controller.now())

    @property
    def _mover(self) -> Alias:
        return Alias(registry=self.case.registry, name=self.case.key.model, alias=self.alias)


def _raised(seen: Standing, after: Standing) -> Iterator[tuple[str, str]]:
    """Versions whose promoters raised a flag, or finished, since *seen*; with their pointers."""
    for flags, before in ((after.promotions, seen.promotions), (after.intents, seen.intents)):
        for version, pointer in flags.items():
            if before.get(version) != pointer:
                yield version, pointer.removeprefix(LOST)
