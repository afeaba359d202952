"""`aims-gate verify`: does this evidence hold for this model?"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from aims_gate.cli.defaults import choose, no_defaults, tell
from aims_gate.cli.expectations import expectations, trust_option


@click.command()
@click.argument("evidence")
@click.option(
    "--model", help="The model to be used: a folder, file:DIR, or a URI that is downloaded anew."
)
@trust_option
@expectations
@click.option(
    "--resource-uri",
    metavar="PURL",
    help="The place it must be for, pkg:mlflow/NAME@VERSION?repository_url=SERVER; a model URI "
    "brings its own.",
)
@click.option(
    "--signature-only", is_flag=True, help="Look at no model: proves who said it, nothing more."
)
@no_defaults
def verify(
    *,
    evidence: str,
    model: str | None,
    trust: Path | None,
    stage: str | None,
    policy_digest: str | None,
    floor: str | None,
    resource_uri: str | None,
    max_age: timedelta | None,
    approvals: Path | None,
    revocations: Path | None,
    signature_only: bool,
    no_defaults: bool,
) -> int:
    """Prove that signed EVIDENCE holds for a model's bytes.

    EVIDENCE is a directory, runs:/RUN_ID/aims_gate/ID, or models:/NAME/VERSION for the evidence
    that the version's tags name, and for the model in one.

    Exits 0 if it is authentic and the policy was met, 1 if it is an authentic refusal, 2 without a
    model, a trust file or evidence in MLflow, 4 if it is not authentic, was revoked, or is about
    other bytes, another server, stage or policy. Of [tool.aims-gate] in pyproject.toml only
    `trust` is read.
    """
    from aims_gate.operations.verify import Expectation, prove

    chosen = choose(no_defaults=no_defaults)
    trusted = chosen.value("trust", None if trust is None else str(trust))
    tell(chosen)
    question = Expectation(
        evidence=evidence,
        trust=Path(trusted or "trust.yaml"),
        model=model,
        signature_only=signature_only,
        stage=stage,
        policy_digest=policy_digest,
        floor=floor,
        resource_uri=resource_uri,
        max_age=max_age,
        approvals=approvals,
        revocations=revocations,
        environ=os.environ,
    )
    verified = prove(question, now=datetime.now(UTC))
    click.echo(f"authentic: signed by {verified.person} with {verified.fingerprint}")
    click.echo(f"at:        {verified.at:%Y-%m-%dT%H:%M:%SZ} (claimed by the signer)")
    click.echo(f"verifier:  {_plain(verified.verifier_id)}")
    if verified.measured_by:
        click.echo(f"measured:  by an {_plain(verified.measured_by)} job, and judged anew here")
    bytes_seen = "its bytes are these" if verified.bytes_verified else "NO bytes were looked at"
    click.echo(f"model:     sha256:{verified.model_digest}, {bytes_seen}")
    click.echo(f"for:       {_plain(verified.resource_uri)}")
    click.echo(f"stage:     {_plain(verified.stage)}")
    click.echo(f"policy:    {_plain(verified.policy)} sha256:{verified.policy_digest}")
    for term in verified.terms:
        click.echo(f"until:     {term.end:%Y-%m-%dT%H:%M:%SZ}, {_plain(term.what)}")
    for line in verified.waived:
        click.echo(f"waived:    {_plain(line)}")
    for ancestor in verified.extends:
        click.echo(f"extends:   {_plain(ancestor.name)} sha256:{_plain(ancestor.digest)}")
    if verified.passed:
        click.echo("policy met")
    else:
        rules = f": {_plain(', '.join(verified.failed))}" if verified.failed else ""
        click.echo(f"policy not met ({verified.decision}){rules}")
    return verified.exit_code


def _plain(text: str) -> str:
    """Escape a signer's text: one line, without control characters."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
