"""Draft the records of a system, from what is known of its model; a person decides the rest.

Nothing here counts as approved: each file says who drafted it. A file that is there is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aims_gate.checks.records.data_sources import slug
from aims_gate.errors import RecordError, UsageError
from aims_gate.governance.contract import ProblemKind
from aims_gate.governance.reader import read
from aims_gate.operations.aims.docs import build
from aims_gate.operations.aims.drafts import Drafting, drafts
from aims_gate.operations.aims.known import Known
from aims_gate.operations.aims.org_drafts import org_drafts
from aims_gate.operations.aims.survey import words
from aims_gate.regular import create, refuse_links

_NOBODY = frozenset({"", "nobody", "aims-gate"})
_WAITS = frozenset({ProblemKind.TODO, ProblemKind.TEMPLATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedFile:
    """A record that was drafted, or was there already."""

    path: Path
    questions: int
    """Lines that wait for a person."""
    kept: bool
    """Whether it was there, and is as it was."""


def draft(known: Known, how: Drafting) -> tuple[DraftedFile, ...]:
    """Draft every record that a system needs and that is not there yet.

    Its owner is the policy's where none is named.

    Raises:
        UsageError: (2) Nobody is named who answers for the system, one person bears both roles, or
            the folder holds the records of another system.
        RecordError: (3) A file cannot be written.
    """
    how = answered(known, how)
    _refuse_other(known, how.folder)
    texts = dict(drafts(known, how))
    written = {name for name, text in texts.items() if _created(how.folder / name, text)}
    if any(name == "card.md" or name.startswith("data/") for name in written):
        build(known, how.folder)
    return _drafted(how.folder, texts, written)


def draft_organisation(name: str, known: Known, how: Drafting) -> tuple[DraftedFile, ...]:
    """Draft the records of an organisation that has none yet; raises as `draft`."""
    how = answered(known, how)
    systems = (known.model.registered,) if known.model.registered else ()
    texts = dict(org_drafts(name, systems, how))
    written = {name for name, text in texts.items() if _created(how.folder / name, text)}
    return _drafted(how.folder, texts, written)


def answered(known: Known, how: Drafting) -> Drafting:
    """Who answers for the records, with the policy's owner where nobody is named."""
    policy = "" if known.policy is None else known.policy.owner
    owner = how.owner or ("" if policy in _NOBODY else policy)
    if not owner:
        hint = "--owner PERSON, as org/people.yaml or your mail names that person"
        raise UsageError("nobody is named who answers for this system", hint=hint)
    if owner == how.risk_owner:
        what = f"{owner} would own the system and accept its risks"
        raise UsageError(what, hint="name somebody else with --risk-owner")
    return replace(how, owner=owner)


def _refuse_other(known: Known, folder: Path) -> None:
    """Refuse a folder whose inventory lists other models: two systems would be one there."""
    name = known.model.registered
    listed = [
        one for found in read(folder, None).of("system") for one in words(found.values, "registry")
    ]
    if name and listed and name not in listed:
        what = f"these are the records of {', '.join(listed)}, and not of {name}"
        hint = f"--dir {slug(name)}/aims; or, if both are one system, list {name} there, too"
        raise UsageError(what, where=f"{folder / 'system.yaml'}: registry", hint=hint)


def _drafted(folder: Path, names: Iterable[str], written: set[str]) -> tuple[DraftedFile, ...]:
    waiting = questions(folder)
    return tuple(
        DraftedFile(path=folder / n, questions=waiting.get(n, 0), kept=n not in written)
        for n in names
    )


def questions(folder: Path) -> Mapping[str, int]:
    """Lines that wait for a person, by file below a folder of records."""
    lines: dict[str, set[int]] = {}
    for one in (*read(folder, None).all_problems(), *read(None, folder).all_problems()):
        head, _, name = one.path.partition("/")
        if one.kind in _WAITS and head == folder.name:
            lines.setdefault(name, set()).add(one.line)
    return {name: len(found) for name, found in lines.items()}


def _created(path: Path, text: str) -> bool:
    """Make a file that is not there; whether it was made."""
    try:
        refuse_links(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        create(path, text.encode())
    except FileExistsError:
        return False
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise RecordError(what, where=str(path)) from error
    return True
