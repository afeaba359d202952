"""People of the organisation: roles, competence with its end, and who left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from aims_gate.attest.trust import may_be, plain_name
from aims_gate.governance.contract import Records, day


@dataclass(frozen=True, slots=True, kw_only=True)
class Competence:
    """What a person is able to do, with its proof, from a day to a day, both included."""

    subject: str
    proof: str
    since: date | None
    until: date | None

    def holds(self, on: date) -> bool:
        """Whether it holds on a day; without both days it never does."""
        return self.since is not None and self.until is not None and self.since <= on <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person of `org/people.yaml`."""

    id: str
    names: tuple[str, ...]
    """The id, other names, and `github:LOGIN`."""
    roles: tuple[str, ...]
    deputy: str = ""
    competence: tuple[Competence, ...] = ()
    joined: date | None = None
    left: date | None = None
    """The first day on which the person approves nothing."""

    def is_here(self, on: date) -> bool:
        """Whether the person belongs to the organisation on a day."""
        return (self.joined is None or self.joined <= on) and (self.left is None or on < self.left)

    def is_called(self, name: str) -> bool:
        """Tell whether a name may be this person's; two may be taken for one, never one for two."""
        return may_be(name, self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody, and the competence that each role asks for."""

    persons: tuple[Person, ...] = ()
    asked: Mapping[str, tuple[str, ...]]
    """Subjects by role; a role without any asks for some competence that holds."""

    @classmethod
    def of(cls, records: Records) -> People | None:
        """People of the organisation; None where `people.yaml` is missing or has a fault."""
        found = records.of("people")
        if len(found) != 1 or found[0].problems:
            return None
        values = found[0].values
        return cls(
            persons=tuple(map(_person, values["people"])),
            asked={one["id"]: tuple(one.get("competence", ())) for one in values["roles"]},
        )

    def find(self, names: Iterable[str]) -> Person | None:
        """The one person who has one of these names; None for nobody, and for two."""
        wanted = set(map(plain_name, names))
        found = [one for one in self.persons if wanted & set(map(plain_name, one.names))]
        return found[0] if len(found) == 1 else None

    def objection(self, name: str, *days: date) -> str:
        """Why a name is nobody's here on these days; empty where it is somebody's."""
        found = self.find([name])
        if found is None:
            return f"people.yaml names nobody, or two people, as {name}"
        away = [one for one in days if not found.is_here(one)]
        return f"{name} is not in the organisation on {away[0]:%Y-%m-%d}" if away else ""

    def lacks(self, person: Person, role: str, on: date) -> Iterator[str]:
        """Competence that a role asks for and that the person has not got on a day."""
        held = {one.subject for one in person.competence if one.holds(on)}
        wanted = self.asked.get(role, ())
        yield from (subject for subject in wanted if subject not in held)
        if not wanted and not held:
            yield "any competence"


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        id=row["id"],
        names=(row["id"], *row.get("known_as", ()), *_login(row)),
        roles=tuple(row["roles"]),
        deputy=row.get("deputy", ""),
        competence=tuple(
            Competence(
                subject=one["subject"],
                proof=one["proof"],
                since=day(one["since"]),
                until=day(one["until"]),
            )
            for one in row.get("competence", ())
        ),
        joined=day(row.get("joined")),
        left=day(row.get("left")),
    )


def _login(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (github(row["github"]),) if "github" in row else ()


def github(login: str) -> str:
    """Name of who has a login at GitHub, where anybody may be called as somebody here is."""
    return f"github:{login}"
