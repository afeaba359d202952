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


@docs.command("import")
@click.argument("readme", type=click.Path(path_type=Path))
@click.option("--system", required=True, metavar="ID", help="Whose card it is to be, its id.")
@click.option(
    "--owner", default="", metavar="PERSON", help="Who answers for it; a TODO if left out."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A new file, such as aims/card.md.",
)
def import_(*, readme: Path, system: str, owner: str, out: Path) -> int:
    """Draft a card from README, the model card of another's model as Hugging Face has it.

    Licence, language, data sets and numbers become keys of a draft, which counts for nothing before
    a person completes and approves it; numbers give way to measured ones at the next docs build.
    """
    from aims_gate.operations.aims.foreign_card import draft
    from aims_gate.operations.signoff import create_file

    found = draft(readme, system=system, owner=owner, today=datetime.now(UTC).date())
    create_file(out, found.text.encode())
    click.echo(f"drafted    {out}")
    for one in found.left_out:
        click.echo(f"left out: {one}")
    return 0
