"""Move an alias: write-ahead intent, one atomic move, a look at what came of it, then the record.

Only the alias deploys, and setting it is one request of MLflow's, so that there is no half of it.
MLflow has no compare-and-swap, so each promoter first raises a flag of its own, a tag `intent` on
its version that points at its signed statement, and only then looks where the alias is:

1. the intent; 2. a look: the alias must be where it was when all was verified; 3. the alias;
4. a look at the alias and at the flags of others; 5. a tag `promotion` that points at the
statement, which makes it history, and the intent is taken away.

Killed before 3 the alias has not moved, and an old intent is taken away by the next promoter.
Killed after 3 it is where a signed statement says, and the next promoter writes the history. Of two
at once each raises its flag before it looks (2), so that none misses the other: who finds the alias
elsewhere (2, 4) has lost and leaves its flag marked so, and the winner waits until the other's flag
is down or marked, and is told, too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aims_gate.errors import SourceError
from aims_gate.registry.contract import Registry

LAST = 1000
"""Versions that are looked at, the newest."""
LEASE = timedelta(minutes=5)
"""Age from which on an intent is one of a promoter that was killed."""
POLL, POLLS = 0.25, 20
"""Seconds between looks at another promoter's flag, and how many there are."""
LOST = "lost "
"""What the flag of a promoter begins with whose move was overwritten."""
PROMOTE, ROLLBACK = "promote", "rollback"
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(rf".*/([0-9]{{8}}T[0-9]{{6}}Z)-({PROMOTE}|{ROLLBACK})-[0-9a-f]{{8}}")


class CollisionError(SourceError):
    """Another promoter moved the alias at the same time."""


def statement_name(at: datetime, action: str, random: str) -> str:
    """Name a statement so that a pointer to it tells when and what for it was written."""
    return f"{at:{_STAMP}}-{action}-{random}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an alias is, and what the tags of the versions say about it."""

    current: str | None
    """The version that it points at; None where there is no such alias."""
    intents: Mapping[str, str]
    """Version to a pointer to the statement of a move that is not finished."""
    promotions: Mapping[str, str]
    """Version to a pointer to the statement of the move that brought the alias there."""

    def newest(self) -> list[str]:
        """Versions that the alias was moved to, the last moved first."""
        return sorted(
            self.promotions, key=lambda v: (written(self.promotions[v]), int(v)), reverse=True
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An alias of a registered model, and the only way of moving it here."""

    registry: Registry
    name: str
    alias: str
    sleep: Callable[[float], None] = field(default=time.sleep)

    @property
    def intent(self) -> str:
        """The tag of a move that is not finished."""
        return f"aims_gate.alias.{self.alias}.intent"

    @property
    def promotion(self) -> str:
        """The tag of a move that is history."""
        return f"aims_gate.alias.{self.alias}.promotion"

    def look(self) -> Standing:
        """Read where the alias is, and every version's tags about it."""
        versions = self.registry.versions(self.name, last=LAST)
        return Standing(
            # after the tags: an alias that moved in between is found with its flag still up
            current=self.registry.aliases(self.name).get(self.alias),
            intents={v.version: v.tags[self.intent] for v in versions if self.intent in v.tags},
            promotions={
                v.version: v.tags[self.promotion] for v in versions if self.promotion in v.tags
            },
        )

    def mend(self, standing: Standing, to: str, *, now: datetime, dry: bool) -> list[str]:
        """Finish or take away what killed promoters of other versions than *to* left; say what."""
        told = []
        for version, pointer in sorted(standing.intents.items()):
            if version == to:
                continue
            name = f"an unfinished move of {self.alias!a} to version {version}"
            if version == standing.current:
                told.append(f"{name} had moved it: finished")
                if not dry:
                    self.finish(version, pointer)
            elif pointer.startswith(LOST) or now - written(pointer) > LEASE:
                told.append(f"{name} had not moved it: taken away")
                if not dry:
                    self.drop(version)
            else:
                told.append(f"{name} stands open: another promoter is at work, or was killed")
        return told

    def move(self, to: str, seen: Standing, pointer: str) -> list[str]:
        """Point the alias at version *to*, unless it is elsewhere than *seen*; say who else did.

        It is not finished then: `finish` or `back` comes next.

        Raises:
            CollisionError: Another promoter was faster, before or after; this move is undone.
            SourceError: MLflow failed, and whether the alias moved is told by its next look.
        """
        self.registry.set_version_tag(self.name, to, self.intent, pointer)
        self._still(to, seen)
        try:
            self.registry.set_alias(self.name, self.alias, to)
        except SourceError:
            if self.look().current != to:  # it may have been done all the same
                self._still(to, seen)
                self.drop(to)
                raise
        return self._settled(to, seen, pointer)

    def _still(self, to: str, seen: Standing) -> None:
        """Refuse to go on if the alias is no more where it was."""
        now = self.look().current
        if now != seen.current:
            self.drop(to)
            raise self._collision(seen.current, now)

    def _settled(self, to: str, seen: Standing, pointer: str) -> list[str]:
        """Wait for the flags of others, and say which versions they were for."""
        others: set[str] = set()
        for _poll in range(POLLS):
            standing = self.look()
            if standing.current != to:
                self.registry.set_version_tag(self.name, to, self.intent, f"{LOST}{pointer}")
                raise self._collision(to, standing.current)
            flags = {v: text for v, text in standing.intents.items() if v != to}
            past = {v for v, text in standing.promotions.items() if seen.promotions.get(v) != text}
            others |= flags.keys() | past - {to}
            if all(text.startswith(LOST) for text in flags.values()):
                break
            self.sleep(POLL)
        return [
            f"another promoter had {self.alias!a} for version {version} at the same time; it now "
            f"points at version {to}"
            for version in sorted(others)
        ]

    def finish(self, to: str, pointer: str, *, left: str | None = None) -> None:
        """Make a move history: of a rollback the version that was *left* has none any more."""
        if _action(pointer) != ROLLBACK:
            self.registry.set_version_tag(self.name, to, self.promotion, pointer)
        elif left is not None:
            self.registry.delete_version_tag(self.name, left, self.promotion)
        self.drop(to)

    def back(self, to: str, seen: Standing) -> None:
        """Take a move back, unless somebody else has moved the alias since."""
        if self.look().current == to:
            if seen.current is None:
                self.registry.delete_alias(self.name, self.alias)
            else:
                self.registry.set_alias(self.name, self.alias, seen.current)
        self.drop(to)

    def drop(self, version: str) -> None:
        """Take the flag of a version down."""
        self.registry.delete_version_tag(self.name, version, self.intent)

    def _collision(self, was: str | None, now: str | None) -> CollisionError:
        told = f"moved from {_version(was)} to {_version(now)}"
        return CollisionError(
            f"another promoter was at work: alias {self.alias!a} {told} meanwhile",
            where=f"models:/{self.name}",
            hint="nothing of this promotion stays; look which version is right, and run it again",
        )


def written(pointer: str) -> datetime:
    """Read when a statement was written off its pointer; the beginning of time if it says none."""
    found = _NAME.fullmatch(pointer)
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC) if found else _NEVER
    except ValueError:
        return _NEVER


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def _action(pointer: str) -> str:
    found = _NAME.fullmatch(pointer)
    return found[2] if found else PROMOTE


def _version(version: str | None) -> str:
    return "nothing" if version is None else f"version {version}"
