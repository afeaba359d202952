"""`aims-gate registry`: the MLflow registry and what stands between it and the gate."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.cli.doctor import show
from aims_gate.cli.group import CommandGroup
from aims_gate.cli.options import config_option
from aims_gate.cli.receiver import serve, status
from aims_gate.cli.reconcile import history, reconcile
from aims_gate.cli.webhooks import webhook

if TYPE_CHECKING:
    from aims_gate.operations.adopt import Adopted


@click.group(cls=CommandGroup)
def registry() -> None:
    """The model registry, and this machine's way to it."""


@registry.command()
@config_option
@click.option("--key", help="An approver's private key; or set AIMS_GATE_SIGNING_KEY.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day on which the list ends, 00:00 UTC; in 90 days if left out, 180 are the most.",
)
@click.option("--owner", default="", metavar="PERSON", help="Who answers for it; else who signs.")
@click.option("--model", "models", multiple=True, metavar="GLOB", help="Only these models.")
@click.option("--dry-run", is_flag=True, help="Say what would be signed; no key is needed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the list goes; adopted beside the trust file, where the guard reads it, if not.",
)
def adopt(
    *,
    config: Path | None,
    key: str | None,
    until: datetime | None,
    owner: str,
    models: tuple[str, ...],
    dry_run: bool,
    out: Path | None,
) -> int:
    """Sign what guarded aliases and stages serve today, so that the guard lets it stay.

    MLFLOW_TRACKING_URI names the server. The bytes of each version are hashed; the list holds for
    these bytes only, until it ends or is revoked.
    """
    from aims_gate import registry_file
    from aims_gate.attest.signers import load_signer
    from aims_gate.operations import adopt as operation

    how = operation.Adopting(
        file=registry_file.read(registry_file.find(os.environ, config)),
        signer=None if dry_run else load_signer(key, os.environ),
        now=datetime.now(UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
        owner=owner,
        models=models,
        out=out,
        environ=os.environ,
    )
    _show(operation.adopt(how))
    return 0


def _show(done: Adopted) -> None:
    from aims_gate.harmless import plain

    for one in done.found:
        points = ", ".join([*(f"@{alias}" for alias in one.aliases), *one.stages])
        click.echo(plain(f"models:/{one.name}/{one.version} {points} sha256:{one.sha256}"))
    if not done.found:
        click.echo("nothing that is guarded is live: there is nothing to adopt")
        return
    count = f"{len(done.found)} version{'' if len(done.found) == 1 else 's'}"
    owner = f", owner {done.owner}" if done.owner else ""
    click.echo(plain(f"{count} on {done.server}, until {done.until:%Y-%m-%d}{owner}"))
    click.echo("dry run: nothing was signed" if done.file is None else f"list: {done.file}")


@registry.command()
@config_option
def doctor(*, config: Path | None) -> int:
    """Check the registry file, its trust, and the MLflow server's settings; nothing is changed.

    Run it in the server's environment, whose variables it reads; their values are not shown. With
    MLFLOW_TRACKING_URI it asks the server whether strangers are answered. Exits 3 if something
    fails, 0 if not.
    """
    from aims_gate.operations.doctor.examine import REGISTRY, examine
    from aims_gate.operations.doctor.finding import Setup

    setup = Setup(environ=os.environ, now=datetime.now(UTC), policy="", registry=config)
    return show(examine(setup, REGISTRY))


for command in (serve, status, reconcile, history, webhook):
    registry.add_command(command)
