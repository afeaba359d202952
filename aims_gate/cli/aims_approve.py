"""`aims-gate aims approve`: a person's signed yes to a document."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.cli.org_option import org_option
from aims_gate.cli.waiver import key_option, trust_option


@click.command()
@click.argument(
    "files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@key_option
@trust_option
@click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write into FILE first what is material of the model that this evidence is about.",
)
@org_option
def approve(
    *, files: tuple[Path, ...], key: str | None, trust: Path, evidence: Path | None, org: Path
) -> int:
    """Sign documents, such as aims/risks.yaml, as the person whose key it is.

    Only a document without a TODO or any other fault is signed, and neither by its owner nor by
    whom git names as the author of what it says: the refusal names who may. With --evidence and
    without a key, what it is assessed for is written into it and nobody signs: commit it, and let
    another person approve the pull request.
    """
    from aims_gate.attest.signers import load_signer
    from aims_gate.errors import UsageError
    from aims_gate.operations.aims.approve import approve as sign

    signing = key is not None or "AIMS_GATE_SIGNING_KEY" in os.environ
    if not signing and evidence is None:
        raise UsageError("no key signs", hint="--key KEY; or --evidence DIR to have it reviewed")
    signer = load_signer(key, os.environ) if signing else None
    for file in files:
        done = sign(
            file,
            signer=signer,
            trust=trust,
            evidence=evidence,
            now=datetime.now(UTC),
            org=org,
            environ=os.environ,
        )
        if done.assessed:
            click.echo(f"assessed for the model of {evidence}: {file}")
        if done.signed is None:
            click.echo("nobody signed; commit it, and let another person approve the pull request")
            continue
        told = f"{done.document.id} sha256:{done.document.human_digest}"
        click.echo(f"approved by {done.person}: {told}")
        click.echo(f"{'signed before' if done.before else 'signed'}: {done.signed}")
        if done.against:
            click.echo(done.against)
    return 0
