"""`aims-gate aims docs`: technical documentation from what ran."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.cli.group import CommandGroup
from aims_gate.cli.options import known_options


@click.group(cls=CommandGroup)
def docs() -> None:
    """Documentation that is built from the run, around what people write."""


@docs.command()
@known_options
@click.option(
    "--evidence",
    metavar="DIR|URI",
    help="The verdict that numbers come from; the version's own in MLflow if left out.",
)
def build(
    *, model: str, policy: Path | None, evidence: str | None, trust: Path | None, folder: Path
) -> int:
    """Write the generated parts of card.md and of each data sheet, and the AI bill of materials.

    The card is a model card as Hugging Face has them, bom.cdx.json is CycloneDX 1.7. Numbers come
    from evidence of the very bytes of the model, and from nowhere else. What people wrote outside
    the marked lines is never touched, and the marked lines are not what people approve.
    """
    from aims_gate.operations.aims.docs import build as write
    from aims_gate.operations.aims.known import look

    known = look(
        model,
        policy=policy,
        evidence=evidence,
        trust=trust,
        environ=os.environ,
        now=datetime.now(UTC),
    )
    for one in write(known, folder):
        click.echo(f"{one.change:<10} {one.path}")
    for note in known.found:
        click.echo(f"note: {note}")
    return 0
