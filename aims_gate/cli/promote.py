"""`aims-gate promote`: the one door to production."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.cli.defaults import choose, no_defaults, tell
from aims_gate.cli.expectations import expectations, trust_option

if TYPE_CHECKING:
    from aims_gate.operations.promotion import Promoted


@click.command()
@click.option(
    "--model",
    required=True,
    help="models:/NAME/VERSION or models:/NAME@ALIAS; models:/NAME for a rollback.",
)
@click.option("--alias", required=True, help="The alias that is to point at it, such as champion.")
@click.option("--why", required=True, help="The reason, which is signed: a release, a ticket.")
@click.option(
    "--key", help="The gate's key, which signs the promotion. Or set AIMS_GATE_SIGNING_KEY."
)
@trust_option
@expectations
@click.option("--evidence", metavar="URI", help="Evidence in MLflow, where no tag points at it.")
@click.option(
    "--rollback",
    is_flag=True,
    help="Back to the last version before the present one whose evidence holds today, of any age.",
)
@click.option(
    "--copy-to",
    metavar="URI",
    help="Another MLflow server, to which model and evidence are carried and promoted there.",
)
@click.option("--as", "name", metavar="NAME", help="What the model is called on that server.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and exit as it would.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the statement is kept, too.",
)
@no_defaults
def promote(
    *,
    model: str,
    alias: str,
    why: str,
    key: str | None,
    stage: str | None,
    trust: Path | None,
    max_age: timedelta | None,
    evidence: str | None,
    policy_digest: str | None,
    floor: str | None,
    approvals: Path | None,
    revocations: Path | None,
    rollback: bool,
    copy_to: str | None,
    name: str | None,
    dry_run: bool,
    out: Path | None,
    no_defaults: bool,
) -> int:
    """Let an alias point at a model version whose evidence holds.

    Hashes the bytes in the registry, verifies their evidence as verify does, signs who moves the
    alias why, moves it, and verifies again. Exits 0 if the alias is there, 1 if the evidence is an
    authentic refusal, 2 if an argument or evidence is missing, 3 if MLflow failed or another
    promoter was at work, 4 if evidence or trust does not hold. Of [tool.aims-gate] in
    pyproject.toml only `trust` is read.
    """
    from aims_gate.attest.signers import load_signer, without_keys
    from aims_gate.operations.promote import promote as move
    from aims_gate.operations.promote_copy import promote_copy
    from aims_gate.operations.promotion import Promoting

    if (copy_to is None) != (name is None):
        raise click.UsageError("--copy-to URI and --as NAME belong together")
    chosen = choose(no_defaults=no_defaults)
    trusted = chosen.value("trust", None if trust is None else str(trust))
    tell(chosen)
    how = Promoting(
        model=model,
        alias=alias,
        signer=load_signer(key, os.environ),
        why=why,
        trust=Path(trusted or "trust.yaml"),
        evidence=evidence,
        stage=stage,
        max_age=max_age,
        floor=floor,
        policy_digest=policy_digest,
        approvals=approvals,
        revocations=revocations,
        rollback=rollback,
        dry_run=dry_run,
        out=out,
        environ=without_keys(os.environ, key),
    )
    now = partial(datetime.now, UTC)
    done = promote_copy(how, copy_to, name, now=now) if copy_to and name else move(how, now=now)
    _show(done, alias, dry_run=dry_run)
    return done.exit_code


def _show(done: Promoted, alias: str, *, dry_run: bool) -> None:
    from aims_gate.harmless import plain

    verified = done.verified
    for one in done.told:
        click.echo(f"aims-gate: note: {plain(one)}", err=True)
    was = "nothing" if done.previous is None else f"version {done.previous}"
    click.echo(
        f"verified:  {done.version}, sha256:{verified.model_digest}, signed by {verified.person}"
    )
    click.echo(f"policy:    {plain(verified.policy)} at stage {plain(verified.stage)}")
    if not verified.passed:
        rules = f": {plain(', '.join(verified.failed))}" if verified.failed else ""
        click.echo(
            f"refused:   policy not met ({verified.decision}){rules}; {alias} stays at {was}"
        )
    elif done.moved:
        click.echo(f"promoted:  {alias} points at {done.version}, before at {was}")
    elif dry_run:
        click.echo(f"dry run:   {alias} would point at {done.version}, now at {was}")
    else:
        click.echo(f"promoted:  {alias} points at {done.version} already")
    if done.statement is not None:
        click.echo(f"statement: {done.statement}")
