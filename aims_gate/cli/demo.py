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
@click.option(
    "--registry",
    is_flag=True,
    help="The same models in a real MLflow server, with the guard and the webhook receiver.",
)
def demo(*, folder: Path, registry: bool) -> None:
    """Train, gate, sign, verify, tamper and refuse, on real census data in a local MLflow."""
    from aims_gate.demo import registry as in_registry
    from aims_gate.demo import story

    (in_registry if registry else story).tell(folder, click.echo)
