"""Option of commands that look people up among the records of the organisation."""

from __future__ import annotations

from pathlib import Path

import click

org_option = click.option(
    "--org",
    type=click.Path(path_type=Path),
    default=Path("org"),
    show_default=True,
    metavar="DIR",
    help="Records of the organisation, whose list of people says who somebody is.",
)
