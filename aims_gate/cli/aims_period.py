"""Options of commands that look at a period of an audit."""

from __future__ import annotations

from collections.abc import Callable

import click

from aims_gate.catalogue.iso42001 import REQUIREMENTS, Requirement, requirement
from aims_gate.errors import UsageError, near

_DAY = click.DateTime(["%Y-%m-%d"])


def period_options(command: Callable[..., int]) -> Callable[..., int]:
    """Options `--from` and `--to`, both days included."""
    command = click.option(
        "--to", "ends", type=_DAY, metavar="DAY", help="Its last day; today if left out."
    )(command)
    told = "First day of the period; a year before its end if left out."
    return click.option("--from", "begins", type=_DAY, metavar="DAY", help=told)(command)


def seed_options(n: int) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Options `--n` and `--seed` of a sample."""

    def add(command: Callable[..., int]) -> Callable[..., int]:
        told = "What the draw depends on: the auditor says it, not the audited."
        command = click.option("--seed", required=True, help=told)(command)
        how = {"type": click.IntRange(min=1), "default": n, "show_default": True}
        return click.option("--n", **how, help="Items to draw.")(command)  # type: ignore[arg-type]

    return add


def known_requirement(name: str) -> Requirement:
    """Row of an id; UsageError with the near ones if the standard has none such."""
    found = requirement(name)
    if found is None:
        hint = near(name, [one.id for one in REQUIREMENTS])
        raise UsageError(f"ISO/IEC 42001 has no {name!a}", hint=hint)
    return found
