"""Defaults of command line options, from `[tool.aims-gate]` of the repository's pyproject.toml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from aims_gate.operations.defaults import Chosen, Defaults, load
from aims_gate.regular import itself

no_defaults = click.option(
    "--no-defaults",
    is_flag=True,
    help="Take nothing from [tool.aims-gate] of pyproject.toml.",
)


def choose(*, no_defaults: bool, at: Callable[[Path], Path] = itself) -> Chosen:
    """Read the defaults for the current working directory; *at* says where a file is read."""
    return Chosen(defaults=Defaults() if no_defaults else load(Path.cwd(), at))


def tell(chosen: Chosen) -> None:
    """Say on standard error what was taken from which file; --quiet does not hide it."""
    if told := chosen.told():
        click.echo(f"aims-gate: {told}", err=True)
