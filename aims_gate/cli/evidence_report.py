"""`aims-gate evidence report`: past verdicts in every format, and a page over a registry."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click


@click.command()
@click.argument("evidence", metavar="DIR|URI")
@click.option(
    "--format",
    "name",
    default="text",
    show_default=True,
    help="text, html, markdown, json, junit, sarif or codequality.",
)
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="Whose signatures count; without one the report says that nothing was verified.",
)
@click.option("--stage", help="Whose evidence of a model version.")
@click.option("--out", type=click.Path(path_type=Path), help="Where it goes; stdout if left out.")
def report(
    *, evidence: str, name: str, trust: Path | None, stage: str | None, out: Path | None
) -> int:
    """Write a report of past evidence, of this version or an earlier one.

    DIR|URI is an evidence directory, runs:/RUN_ID/aims_gate/ID, models:/NAME/VERSION or
    models:/NAME@ALIAS.

    Exits 0 if the report was written, whatever it says: whether to deploy is for verify to say.
    Exits 2 if there is no evidence or no trust file, 3 if MLflow could not be read, and 4 if the
    files contradict each other, or no key of the trust file signed them: then nothing is shown.
    """
    from aims_gate.cli.reporting import Reporting, write
    from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
    from aims_gate.reports import REPORTS

    path = "-" if out is None else str(out)
    inside = None if evidence.startswith(("runs:/", "models:/")) else Path(evidence)
    reporting = Reporting.of({name: path}, inside)
    asked = EvidenceQuestion(evidence=evidence, trust=trust, stage=stage, environ=os.environ)
    verdict = read_past(asked, now=datetime.now(UTC))
    if name == "text" and out is None:
        Reporting.of({}, None).show(verdict)
        return 0
    write(reporting.paths[name], REPORTS[name](verdict))
    return 0
