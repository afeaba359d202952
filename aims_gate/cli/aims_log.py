"""`aims-gate aims log`: what happened, opened and closed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.cli.group import CommandGroup


@click.group(cls=CommandGroup)
def log() -> None:
    """Entries of the log: incidents, nonconformities, concerns, audits, reviews and others."""


@log.command()
@click.argument("kind", metavar="TYPE")
@click.argument("title")
@click.option("--owner", default="", metavar="PERSON", help="Who sees to it.")
@click.option("--severity", default="", help="low, medium, high or critical.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), help="The day by which it is closed.")
@click.option("--rule", default="", metavar="ID", help="The rule that is concerned.")
@click.option("--link", "links", multiple=True, metavar="ID", help="A risk or record; repeatable.")
@click.option("--detected-by", default="", metavar="EVIDENCE", help="What showed it.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("aims"),
    show_default=True,
    help="Whose log: a system's, or org for the organisation's.",
)
def new(
    *,
    kind: str,
    title: str,
    owner: str,
    severity: str,
    due: datetime | None,
    rule: str,
    links: tuple[str, ...],
    detected_by: str,
    folder: Path,
) -> int:
    """Open an entry of TYPE: TITLE says in a sentence what was seen.

    TYPE is incident, nonconformity, audit, review, concern, decision, training, certificate or
    exercise. What was not said stays a line with TODO.
    """
    from aims_gate.operations.aims.log import Opening, open_entry

    how = Opening(
        folder=folder,
        type=kind,
        title=title,
        owner=owner,
        severity=severity,
        due=None if due is None else due.date(),
        rule=rule,
        links=links,
        detected_by=detected_by,
        today=datetime.now(UTC).date(),
    )
    path = open_entry(how)
    click.echo(f"opened {path}\nclose it when it is whole: aims-gate aims log close {path}")
    return 0


@log.command()
@click.argument("entry", metavar="FILE", type=click.Path(path_type=Path))
def close(*, entry: Path) -> int:
    """Close an entry today, if nothing in it waits any more.

    Exits 2 with each line that waits: of an incident or a nonconformity the cause, what was done,
    and whether it worked.
    """
    from aims_gate.operations.aims.log import close_entry

    today = datetime.now(UTC).date()
    close_entry(entry, today=today)
    click.echo(f"closed {entry} on {today}")
    return 0
