"""`aims-gate aims audit`: audits of the management system by people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_period import known_requirement, period_options, seed_options
from aims_gate.cli.aims_survey import survey_options, surveyed
from aims_gate.cli.group import CommandGroup


@click.group(cls=CommandGroup)
def audit() -> None:
    """Audits by people: the checklist and the samples are prepared, findings are theirs."""


@audit.command()
@click.option("--auditor", required=True, metavar="PERSON", help="Who audits, and owns nothing.")
@click.option("--by", type=click.Choice(["internal", "external"]), default="internal")
@click.option("--control", "controls", multiple=True, metavar="ID", help="What to sample.")
@period_options
@seed_options(3)
@survey_options
def start(
    *,
    auditor: str,
    by: str,
    controls: tuple[str, ...],
    begins: datetime | None,
    ends: datetime | None,
    n: int,
    seed: str,
    org: Path,
    **options: Any,
) -> int:
    """Open an audit in the log of the organisation: checklist from the clauses, samples drawn.

    Refuses (exit 2) an auditor who owns a record, a risk or a control in scope, and an internal one
    whom org/people.yaml does not name, or without competence that holds today.
    """
    from aims_gate.operations.audit.internal_audit import MEASURED, AuditPlan, start_audit
    from aims_gate.operations.audit.period import period

    found = surveyed(org=org, **options)
    plan = AuditPlan(
        auditor=auditor,
        by=by,
        when=period(begins, ends, today=found.today),
        sampled=tuple(map(known_requirement, controls)) or MEASURED,
        n=n,
        seed=seed,
        folder=org,
    )
    path = start_audit(found, plan)
    click.echo(f"opened {path}\nwrite the findings, then: aims-gate aims log close {path}")
    return 0
