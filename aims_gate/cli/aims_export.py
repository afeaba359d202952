"""`aims-gate aims export`: what was found, in the formats of other people's tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_survey import survey_options, surveyed
from aims_gate.operations.aims.exports import EXPORTS


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice([*EXPORTS]))
@survey_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="A folder that is not there yet, or is empty.",
)
def export(*, format_: str, out: Path, **options: Any) -> int:
    """Write files that FORMAT's tool reads; docs/aims-exports.md says what is done with each.

    An export tells what was found and concludes nothing. Exits 0 if all of it is in the files, and
    1 if a record or evidence could not go into them, which is then named.
    """
    from aims_gate.operations.aims.exports.folder import write
    from aims_gate.operations.aims.gap import assess

    found = surveyed(**options)
    exported = EXPORTS[format_](assess(found), found)
    write(exported, out)
    click.echo(f"{len(exported.files):,} files: {out}")
    for one in exported.left_out:
        click.echo(f"left out: {one}", err=True)
    return 1 if exported.left_out else 0
