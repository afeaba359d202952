"""`aims-gate aims gap`: what ran, is attested, stale, missing or contradicted."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_survey import (
    answer,
    format_options,
    survey_options,
    surveyed,
    trust_or_usual,
)
from aims_gate.errors import UsageError


@click.command()
@click.argument("requirement", required=False)
@survey_options
@format_options()
@click.option("--plan", "planned", is_flag=True, help="Plan what is open, in phases.")
@click.option(
    "--certificate-by",
    "by",
    type=click.DateTime(["%Y-%m-%d"]),
    help="With --plan: the day from which phases are counted back.",
)
@click.option("--key", help="Keep it as signed evidence: a private key with the role records.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    default=Path("aims-gate-evidence/gap"),
    show_default=True,
    help="With --key: the folder that it is kept in.",
)
def gap(  # each is an option of the command
    *,
    requirement: str | None,
    name: str,
    out: Path | None,
    planned: bool,
    by: datetime | None,
    key: str | None,
    keep: Path,
    **options: Any,
) -> int:
    """Assess the gap to ISO/IEC 42001: 25 clauses and 38 controls, the worst first.

    With REQUIREMENT, such as A.6.2.6, everything that was looked at for it. There is no percentage
    and no pass: exits 0 whatever is open, and 4 for a --key that the trust file does not let sign
    records.
    """
    from aims_gate.operations.aims.gap import assess
    from aims_gate.operations.aims.gap_plan import plan
    from aims_gate.operations.aims.gap_sheet import gap_sheet, requirement_sheet

    if planned != (by is not None):
        hint = "--plan --certificate-by 2027-09-30"
        raise UsageError("a plan needs the day of the certificate, and it a plan", hint=hint)
    found = surveyed(**options)
    rows = assess(found)
    signer = None
    if key is not None:
        from aims_gate.attest.signers import load_signer
        from aims_gate.operations.records_key import refuse_other_keys

        signer = load_signer(key, os.environ)
        refuse_other_keys(signer, trust_or_usual(options["trust"]), now=datetime.now(UTC))
    if requirement is not None:
        answer(requirement_sheet(requirement, rows), name, out)
        return 0
    wanted = None if by is None else plan(rows, today=found.today, by=by.date())
    answer(gap_sheet(rows, found, wanted), name, out)
    if signer is not None:
        from aims_gate.operations.aims.gap_evidence import keep as keep_gap

        kept = keep_gap(rows, found, wanted, signer, keep)
        click.echo(f"kept: {kept}", err=True)
    return 0
