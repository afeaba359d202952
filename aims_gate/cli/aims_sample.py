"""`aims-gate aims sample`: a population counted, and a sample drawn that can be drawn again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_period import known_requirement, period_options, seed_options
from aims_gate.cli.aims_survey import answer, format_options, survey_options, surveyed


@click.command()
@click.option("--control", required=True, metavar="ID", help="A control or clause: A.6.2.4, 10.2.")
@period_options
@seed_options(5)
@survey_options
@format_options()
def sample(
    *,
    control: str,
    begins: datetime | None,
    ends: datetime | None,
    n: int,
    seed: str,
    name: str,
    out: Path | None,
    **options: Any,
) -> int:
    """Draw a sample for a control: evaluations, promotions, entries of the log and documents.

    The population is counted first; where evidence, MLflow (--mlflow) and the log disagree, and
    what no trusted key signed, is listed and settled by nobody. The same seed draws the same.
    """
    from aims_gate.operations.audit.period import period
    from aims_gate.operations.audit.population import disagreements, draw, population
    from aims_gate.operations.audit.sample_sheet import sample_sheet

    row = known_requirement(control)
    found = surveyed(**options)
    of = population(row, found, period(begins, ends, today=found.today))
    drawn = draw(of, n, seed)
    apart = tuple(disagreements(found))
    answer(sample_sheet(drawn, of, n=n, seed=seed, apart=apart), name, out)
    return 0
