"""`aims-gate aims audit-pack`: what an auditor reads, draws from and verifies, in one folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
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
@click.option("--key", help="Sign the manifest: a private key with the role records.")
@period_options
@survey_options
def audit_pack(
    *,
    stage: str,
    out: Path,
    key: str | None,
    begins: datetime | None,
    ends: datetime | None,
    **options: Any,
) -> int:
    """Write an audit pack: index.html for people, a page and the files of each clause and control.

    With --mlflow, evidence that only MLflow has is fetched into it. It holds no data and no private
    key; what holds an identifier of a person is left out and said.
    `bash annex/check.sh` verifies digests and signatures with openssl and jq. The digest of the
    manifest is printed: tell it to whoever checks the pack by another way, or sign it with --key
    (exit 4 for one that the trust file does not let sign records).
    """
    from aims_gate.attest import trust_file
    from aims_gate.operations.audit import pack
    from aims_gate.operations.audit.annex import signed_manifest
    from aims_gate.operations.audit.period import period
    from aims_gate.operations.audit.stages import STAGES

    asked = STAGES[stage]
    trust = trust_or_usual(options["trust"])
    signer = None
    if key is not None:
        from aims_gate.attest.signers import load_signer
        from aims_gate.operations.records_key import refuse_other_keys

        signer = load_signer(key, os.environ)
        refuse_other_keys(signer, trust, now=datetime.now(UTC))
    with TemporaryDirectory(prefix="aims-gate-") as copies:
        found = surveyed(copies=Path(copies), **options)
        when = period(begins, ends, today=found.today, length=asked.length)
        keys = None if trust is None else trust_file.load(trust)
        files = pack.audit_pack(found, asked, when, keys)
    if signer is not None:
        manifest = files[pack.MANIFEST]
        files |= signed_manifest(manifest, signer, asked, when, datetime.now(UTC))
    digest = pack.write_pack(files, out)
    click.echo(f"{out}: {len(files)} files; open index.html\nsha256 of its manifest: {digest}")
    return 0
