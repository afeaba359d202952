"""`aims-gate aims status`: a line a model, the quarter's figures, the largest risks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_survey import answer, format_options, survey_options, surveyed


@click.command()
@survey_options
@format_options()
@click.option("--risks", is_flag=True, help="The largest residual risks over all systems, too.")
def status(*, name: str, out: Path | None, risks: bool, **options: Any) -> int:
    """Show what serves, how it was judged, and what is next.

    For this quarter and the last: candidates judged, refused before production, escaped, days to
    resolve, and the time from evaluation to promotion with the share spent waiting for people.
    """
    from aims_gate.operations.aims.status import status_sheet
    from aims_gate.operations.aims.todo import duties

    found = surveyed(**options)
    answer(status_sheet(found, duties(found), risks=risks), name, out)
    return 0
