"""`aims-gate demo`: the main job on real census data, from nothing."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("aims-gate-demo"),
    show_default=True,
    help="Where to work; made anew on each run.",
)
def demo(folder: Path) -> None:
    """Train, gate, sign, verify, tamper and refuse, on real census data in a local MLflow."""
    from aims_gate.demo.story import tell

    tell(folder, click.echo)
