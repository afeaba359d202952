"""`aims-gate aims init`: first records, filled from what is known."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.cli.options import known_options

if TYPE_CHECKING:
    from aims_gate.operations.aims.init import DraftedFile


@click.command()
@known_options
@click.option("--evidence", metavar="DIR|URI", help="Its verdict; the version's own if left out.")
@click.option(
    "--owner", default="", metavar="PERSON", help="Who answers; the policy's if left out."
)
@click.option(
    "--risk-owner", default="", metavar="PERSON", help="Who accepts its risks; never the owner."
)
@click.option("--org", default="", metavar="NAME", help="Draft the organisation's records, too.")
@click.option(
    "--org-dir",
    type=click.Path(path_type=Path),
    default=Path("org"),
    show_default=True,
    help="Their folder, which all systems share.",
)
def init(
    *,
    model: str,
    policy: Path | None,
    trust: Path | None,
    folder: Path,
    evidence: str | None,
    owner: str,
    risk_owner: str,
    org: str,
    org_dir: Path,
) -> int:
    """Draft the records of a system; what only a person can say stays a line with TODO.

    What MLflow, the policy and past evidence know is filled in. Risks are proposed from a small
    library, each bound to the rules of the policy that treat it; a person scores them. A file that
    is there is kept as it is, and nothing that is drafted here counts as approved.
    """
    from aims_gate.operations.aims.drafts import Drafting
    from aims_gate.operations.aims.init import draft, draft_organisation
    from aims_gate.operations.aims.known import look

    now = datetime.now(UTC)
    known = look(model, policy=policy, evidence=evidence, trust=trust, environ=os.environ, now=now)
    how = Drafting(folder=folder, owner=owner, risk_owner=risk_owner, today=now.date())
    click.echo(f"{known.model.name} {known.model.version}: {len(known.facts())} facts taken")
    _told("the system", draft(known, how), folder)
    if org:
        decided = draft_organisation(org, known, replace(how, folder=org_dir))
        _told("the organisation", decided, org_dir)
    click.echo("Nothing that was drafted is approved.")
    for note in known.found:
        click.echo(f"found on the way: {note}")
    return 0


def _told(about: str, files: tuple[DraftedFile, ...], folder: Path) -> None:
    width = max(len(str(one.path)) for one in files)
    for one in files:
        wait = f"{one.questions} lines wait for you" if one.questions else "nothing waits"
        click.echo(f"  {'kept ' if one.kept else 'wrote'} {one.path!s:<{width}} {wait}")
    waiting = sum(one.questions for one in files)
    places = f": grep -rn TODO {folder}" if waiting else ""
    click.echo(f"{waiting} questions about {about}{places}")
