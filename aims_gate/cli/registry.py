"""`aims-gate registry`: the MLflow registry and what stands between it and the gate."""

from __future__ import annotations

import click

from aims_gate.cli.doctor import doctor
from aims_gate.cli.group import CommandGroup


@click.group(cls=CommandGroup)
def registry() -> None:
    """The model registry, and this machine's way to it."""


# administrators of a registry find it here, everybody else as `aims-gate doctor`
registry.add_command(doctor)
