"""`aims-gate doctor`: what still stands between this machine and a verdict."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.absent import stand_in
from aims_gate.cli.defaults import choose, no_defaults, tell

if TYPE_CHECKING:
    from aims_gate.operations.doctor.finding import Finding


@click.command()
@click.argument("policy", required=False)
@click.option("--model", help="A model to find, without reading its files.")
@click.option("--key", help="The private key that run would sign with.")
@click.option(
    "--trust", type=click.Path(path_type=Path), help="The trust file; trust.yaml if left out."
)
@no_defaults
def doctor(
    *, policy: str | None, model: str | None, key: str | None, trust: Path | None, no_defaults: bool
) -> int:
    """Check everything that a run needs, and say what to do next; nothing is changed.

    Server, credentials (which variables are set, never their values), proxies, certificates,
    stores, permission to publish, versions and extras, key, trust file and POLICY. Exits 3 if
    something fails, 0 if not.
    """
    stand_in()
    from aims_gate.attest.signers import KEY_VARIABLE
    from aims_gate.operations.doctor.examine import examine
    from aims_gate.operations.doctor.finding import Setup

    chosen = choose(no_defaults=no_defaults)
    named = chosen.value("policy", policy)
    if not os.environ.get(KEY_VARIABLE, "").strip():
        key = chosen.value("key", key)
    setup = Setup(
        environ=os.environ,
        now=datetime.now(UTC),
        policy=named or "policy.yaml",
        policy_named=named is not None,
        model=chosen.value("model", model),
        key=key,
        trust=Path(chosen.value("trust", None if trust is None else str(trust)) or "trust.yaml"),
        defaults=chosen.defaults.file,
    )
    tell(chosen)
    return show(examine(setup))


def show(findings: Sequence[Finding]) -> int:
    """Print what was found; 3 if something fails, 0 if not."""
    from aims_gate.operations.doctor.finding import State

    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.state:<4}  {finding.name:<{width}}  {finding.what}")
        if finding.todo:
            click.echo(f"{'':<4}  {'':<{width}}  -> {finding.todo}")
    failed = sum(finding.state is State.FAIL for finding in findings)
    warned = sum(finding.state is State.WARN for finding in findings)
    click.echo(f"{len(findings)} looked at: {failed} fail, {warned} warn")
    return 3 if failed else 0
