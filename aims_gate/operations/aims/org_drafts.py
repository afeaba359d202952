"""Drafts of the organisation's records: what an organisation decides is never filled in for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from aims_gate.catalogue.iso42001 import REQUIREMENTS
from aims_gate.checks.records.data_sources import slug
from aims_gate.governance.kinds import KINDS, Area
from aims_gate.operations.aims.drafts import Drafting
from aims_gate.operations.aims.filled import filled
from aims_gate.policy.resolved_yaml import inline


def org_drafts(name: str, systems: tuple[str, ...], how: Drafting) -> Iterator[tuple[str, str]]:
    """Every record of an organisation: its place below the folder, and its text.

    Args:
        name: What the organisation is called.
        systems: Registered names of the models in scope.
        how: The owner answers for the records until somebody else is named.
    """
    people = [(how.owner, "model-owner", "machine-learning")]
    people.append((how.risk_owner or "TODO: who accepts residual risk", "risk-owner", "risk"))
    blocks = {
        "people": {"people": "".join(line for one in people for line in _person(*one))},
        "soa": {"controls": "".join(_control(how.owner))},
    }
    more = {"organisation": {"systems": list(systems)}} if systems else {}
    for kind in KINDS.values():
        if kind.area is Area.ORG:
            yield (
                str(PurePosixPath(kind.place)),
                filled(
                    kind.name,
                    marks={"org": slug(name), "today": f"{how.today:%Y-%m-%d}"},
                    keys={"owner": how.owner, **more.get(kind.name, {})},
                    blocks=blocks.get(kind.name, {}),
                ),
            )


def _person(who: str, role: str, subject: str) -> Iterator[str]:
    yield f"  - id: {inline(who)}\n"
    yield '    name: "TODO: the name of this person"\n'
    yield f"    roles: [{role}]\n"
    yield '    deputy: "TODO: the id of a deputy"\n'
    yield "    competence:\n"
    yield f"      - subject: {subject}\n"
    yield '        proof: "TODO: an entry of the log, or a certificate"\n'
    yield '        since: "TODO: the day of the proof"\n'
    yield '        until: "TODO: the day on which it ends"\n'


def _control(owner: str) -> Iterator[str]:
    """A row a control: whether it applies, and why, is for people to say."""
    for one in REQUIREMENTS:
        if one.is_control:
            yield f"  - id: {one.id} # {one.title}\n"
            yield "    applicable: true\n"
            yield '    justification: "TODO: the risk, law, contract or aim that asks for it"\n'
            yield "    status: planned # implemented, partial, planned, excluded\n"
            yield f"    owner: {inline(owner)}\n"
