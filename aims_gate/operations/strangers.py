"""Strangers: names that people type for somebody here, and that are nobody's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from aims_gate.errors import UsageError, near
from aims_gate.governance.people import People
from aims_gate.governance.reader import read


def refuse_stranger(name: str, org: Path | None, *days: date) -> None:
    """Refuse a name that a sound list of people does not have; a draft of one refuses nobody.

    Raises:
        UsageError: *org* has a sound people.yaml, and nobody in it has this name, or who has it is
            not in the organisation on one of these days.
    """
    people = People.of(read(None, org))
    if name and people is not None and (what := people.objection(name, *days)):
        raise UsageError(what, hint=near(name, [one.id for one in people.persons]))
