"""`aims-gate aims todo`: what is to be done by whom, and by when."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_survey import answer, format_options, survey_options, surveyed
from aims_gate.errors import UsageError


@click.command()
@survey_options
@format_options("github")
@click.option("--days", default=92, show_default=True, help="How far to look ahead.")
@click.option("--person", default="", help="Only what is this person's.")
def todo(*, name: str, out: Path | None, days: int, person: str, **options: Any) -> int:
    """List what is to be done, by date and person: overdue first.

    Nothing is ticked off: a line goes once what it asks for is there. With --format github each
    becomes an issue of GITHUB_REPOSITORY, written with the token in GITHUB_TOKEN: one that is open
    is brought up to date and not opened twice, and one whose cause is gone is closed.
    """
    from aims_gate.governance.contract import plus_days
    from aims_gate.operations.aims.todo import duties, todo_sheet

    if name == "github" and person:
        raise UsageError(
            "issues are kept of everybody", hint="leave --person out: others' would close"
        )
    found = surveyed(**options)
    wanted = tuple(one for one in duties(found) if person in {"", one.person})
    if name != "github":
        answer(todo_sheet(wanted, today=found.today, days=days), name, out)
        return 0
    from aims_gate.github.duty_issues import keep_issues
    from aims_gate.github.rest import Repository

    place = Repository(
        api=os.environ.get("GITHUB_API_URL", "https://api.github.com"),
        repository=os.environ.get("GITHUB_REPOSITORY", ""),
        token=os.environ.get("GITHUB_TOKEN", ""),
    )
    end = plus_days(found.today, days)
    kept = keep_issues(place, [one for one in wanted if one.due <= end])
    click.echo(f"{kept.opened} opened, {kept.updated} brought up to date, {kept.closed} closed")
    return 0
