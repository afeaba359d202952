"""`aims-gate aims soa`: the Statement of Applicability beside what was found of each control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_survey import answer, format_options, survey_options, surveyed


@click.command()
@survey_options
@format_options()
def soa(*, name: str, out: Path | None, **options: Any) -> int:
    """Show the Statement of Applicability: all 38 controls, decided by people in org/soa.yaml.

    Beside each decision stands what ran or is attested, and where both contradict each other.
    """
    from aims_gate.operations.aims.gap import assess
    from aims_gate.operations.aims.soa import soa_sheet

    found = surveyed(**options)
    answer(soa_sheet(assess(found), found), name, out)
    return 0
