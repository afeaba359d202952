"""`aims-gate aims audit-pack`: what an auditor reads, draws from and verifies, in one folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from aims_gate.cli.aims_period import period_options
from aims_gate.cli.aims_survey import survey_options, surveyed, trust_or_usual

_STAGES = ("stage1", "stage2", "surveillance", "recertification")


@click.command("audit-pack")
@click.option("--for", "stage", type=click.Choice(_STAGES), required=True, help="Which audit.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR|ZIP",
    help="A new folder, or an archive if it ends in .zip.",
)
@period_options
@survey_options
def audit_pack(
    *, stage: str, out: Path, begins: datetime | None, ends: datetime | None, **options: Any
) -> int:
    """Write an audit pack: index.html for people, a page and the files of each clause and control.

    It holds no data and no private key; what holds an identifier of a person is left out and said.
    `bash annex/check.sh` verifies digests and signatures with openssl and jq. The digest of the
    manifest is printed: tell it to whoever checks the pack by another way.
    """
    from aims_gate.attest import trust_file
    from aims_gate.operations.audit import pack
    from aims_gate.operations.audit.period import period
    from aims_gate.operations.audit.stages import STAGES

    found = surveyed(**options)
    asked = STAGES[stage]
    when = period(begins, ends, today=found.today, length=asked.length)
    trust = trust_or_usual(options["trust"])
    files = pack.audit_pack(found, asked, when, None if trust is None else trust_file.load(trust))
    digest = pack.write_pack(files, out)
    click.echo(f"{out}: {len(files)} files; open index.html\nsha256 of its manifest: {digest}")
    return 0
