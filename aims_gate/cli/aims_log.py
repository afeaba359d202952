"""`aims-gate aims log`: what happened, opened and closed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_survey import survey_options, surveyed
from aims_gate.cli.group import CommandGroup
from aims_gate.cli.org_option import org_option


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
@org_option
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
    org: Path,
) -> int:
    """Open an entry of TYPE: TITLE says in a sentence what was seen.

    TYPE is incident, nonconformity, audit, review, concern, decision, training, certificate or
    exercise. What was not said stays a line with TODO. Names that are nowhere are refused with the
    near ones: an owner whom a sound people.yaml does not list, a rule that no policy of the system
    has, a link to no record, risk, rule or requirement (a URL is free), and in --detected-by a word
    that is no evidence, rule or person (a sentence is free).
    """
    from aims_gate.operations.aims.log import Opening, open_entry
    from aims_gate.operations.aims.log_names import refuse_unknown

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
    refuse_unknown(how, org)
    path = open_entry(how)
    click.echo(f"opened {path}\nclose it when it is whole: aims-gate aims log close {path}")
    return 0


@log.command()
@click.argument("entry", metavar="FILE", type=click.Path(path_type=Path))
@org_option
def close(*, entry: Path, org: Path) -> int:
    """Close an entry today, if nothing in it waits any more.

    Exits 2 with each line that waits: of an incident or a nonconformity the cause, what was done,
    and whether it worked.
    """
    from aims_gate.operations.aims.log import close_entry

    today = datetime.now(UTC).date()
    close_entry(entry, today=today, org=org)
    click.echo(f"closed {entry} on {today}")
    return 0


@log.command()
@survey_options
def find(*, org: Path, trust: Path | None, **options: Any) -> int:
    """Open a nonconformity for each control that failed in service; a scheduled job runs it.

    That is a champion outside its limits, a deployment without a verdict, or an expired waiver in
    use. A candidate that was refused is none. Nothing is opened twice while it is open.
    """
    from aims_gate.errors import UsageError
    from aims_gate.harmless import plain
    from aims_gate.operations.aims.nonconformities import open_nonconformities

    if trust is None and not Path("trust.yaml").exists():
        hint = "--trust FILE: without one no verdict counts, and all would look undecided"
        raise UsageError("there is no trust file", hint=hint)
    found = surveyed(org=org, trust=trust, **options)
    count = 0
    for one, path in open_nonconformities(found, org):
        count += 1
        click.echo(plain(f"{'open already' if path is None else f'opened {path}'}: {one.told}"))
    for problem in found.history.problems:
        click.echo(plain(f"not read: {problem}"))
    if not count:
        click.echo("no control failed in service")
    return 0
