"""`aims-gate aims review`: management reviews by people, with their inputs filled."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_period import period_options
from aims_gate.cli.aims_survey import answer, format_options, survey_options, surveyed
from aims_gate.cli.group import CommandGroup
from aims_gate.errors import UsageError


@click.group(cls=CommandGroup)
def review() -> None:
    """Management reviews by people: inputs are filled, decisions are theirs."""


@review.command()
@period_options
@click.option("--attendee", "attendees", multiple=True, metavar="PERSON", help="Who decides.")
@click.option("--open", "opened", is_flag=True, help="Open it in the log of the organisation, too.")
@survey_options
@format_options()
def draft(
    *,
    attendees: tuple[str, ...],
    opened: bool,
    begins: datetime | None,
    ends: datetime | None,
    org: Path,
    name: str,
    out: Path | None,
    **options: Any,
) -> int:
    """Fill the inputs of a management review from records, log and signed evidence.

    With --open they become an entry of type review, in which the decisions wait: it cannot be
    closed before people wrote them.
    """
    from aims_gate.operations.audit.period import period
    from aims_gate.operations.audit.review_inputs import open_review, review_sheet

    if opened is not bool(attendees):
        hint = "--open --attendee eve@acme.example --attendee cy@acme.example"
        raise UsageError("an entry needs those who decide, and they an entry", hint=hint)
    found = surveyed(org=org, **options)
    when = period(begins, ends, today=found.today)
    answer(review_sheet(found, when), name, out)
    if opened:
        path = open_review(found, when, attendees=attendees, owner=attendees[0], folder=org)
        click.echo(
            f"opened {path}\nwrite the decisions, then: aims-gate aims log close {path}", err=True
        )
    return 0
