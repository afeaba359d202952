"""`aims-gate init`: a first policy from what there is."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.cli.options import pairs


@click.command()
@click.option(
    "--model",
    required=True,
    help="models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-…, runs:/ID[/PATH] or file:DIR.",
)
@click.option(
    "--data",
    multiple=True,
    callback=pairs("ROLE=URI"),
    metavar="ROLE=URI",
    help="Data of a role, where the training run did not log them. Repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("policy.yaml"),
    show_default=True,
    help="The policy to write; a file that is there is never overwritten.",
)
def init(*, model: str, data: dict[str, str], out: Path) -> int:
    """Write a first policy for a model from its data, to be confirmed by a person.

    Columns, positive class, protected attributes and thresholds are proposed from what is found;
    each line that a person must confirm says so. What depends on judgement only warns until
    somebody raises its severity. Exits 2 if the file is there already.
    """
    from aims_gate.operations.init import propose
    from aims_gate.sentences import power_sentence

    written = propose(model=model, data=data, out=out, environ=os.environ, now=datetime.now(UTC))
    click.echo(f"{out}: {len(written.rules)} rules for {written.model}")
    for rule in written.rules:
        click.echo(f"  {rule.rule:<8} {rule.severity:<5} today {rule.outcome}: {rule.reason}")
        if rule.power is not None:
            click.echo(f"  {'':<8} {'':<5} these rows: {power_sentence(rule.power)}")
    for left_out in written.left_out:
        click.echo(f"  left out: {left_out}")
    for note in written.notes:
        click.echo(f"  note: {note}")
    click.echo(
        f"{written.to_confirm} lines say CONFIRM: read them, then\n"
        f"  aims-gate policy check {out}\n  aims-gate run {out} --model {model} --unsigned"
    )
    return 0
