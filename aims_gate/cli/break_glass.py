"""`aims-gate break-glass`: serve what is not proven, on a person's word, for a short time."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.cli.group import CommandGroup
from aims_gate.cli.waiver import approved, drafted, key_option, trust_option
from aims_gate.signoffs import BREAK_GLASS

_FOLDER = Path(BREAK_GLASS)


@click.group("break-glass", cls=CommandGroup)
def break_glass() -> None:
    """Let an alias point at one version without evidence, for hours, on two people's word."""


@break_glass.command()
@click.argument("model")
@click.option("--alias", default="", help="The guarded alias that is to point at it.")
@click.option("--stage", default="", help="Or MLflow's stage, such as Production.")
@click.option("--by", required=True, metavar="PERSON", help="Who asks; never who approves.")
@click.option("--why", default="", help="The justification; a TODO is written if left out.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%MZ"]),
    help="When it ends, in UTC: 2027-06-30 or 2027-06-30T18:00Z; after 24 hours if left out.",
)
@click.option(
    "--server", default="", help="The server's name in the trust file; by its address if left out."
)
@trust_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write; breakglass/ID.yaml if left out, - for stdout.",
)
def draft(
    *,
    model: str,
    alias: str,
    stage: str,
    by: str,
    why: str,
    until: datetime | None,
    server: str,
    trust: Path,
    out: Path | None,
) -> int:
    """Write the draft of an order for MODEL, models:/NAME/VERSION, whose bytes are hashed now."""
    from aims_gate.operations.break_glass import Emergency, draft_break_glass

    asked = Emergency(
        model=model,
        alias=alias,
        stage=stage,
        requested_by=by,
        why=why,
        expires=None if until is None else until.replace(tzinfo=UTC),
        now=datetime.now(UTC),
        trust=trust,
        server=server,
        environ=os.environ,
    )
    return drafted(draft_break_glass(asked), out, _FOLDER, "break-glass")


@break_glass.command()
@click.argument("draft", type=click.Path(path_type=Path))
@key_option
@trust_option
def approve(*, draft: Path, key: str | None, trust: Path) -> int:
    """Sign DRAFT as an approver; the person who asked for it cannot, nor who holds the gate's key.

    The guard reads signed orders in the folder breakglass beside its trust file.
    """
    return approved(draft, key, trust)
