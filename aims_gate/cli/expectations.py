"""Options of every command that proves evidence: whose signatures count, for what, how old."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def as_age(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    """Read an age such as 30d, as an option's callback."""
    if value is None:
        return None
    from aims_gate.attest.ages import age

    try:
        return age(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def digest_option(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    """Read a SHA-256, with or without `sha256:`; click.BadParameter if it is none."""
    if value is None:
        return None
    found = _DIGEST.fullmatch(value)
    if found is None:
        raise click.BadParameter("a SHA-256 has 64 hexadecimal digits in lower case")
    return found[1]


trust_option = click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="Whose signatures count; trust.yaml if left out.",
)


def expectations(command: Callable[..., int]) -> Callable[..., int]:
    """Options `--stage` to `--revocations`: what evidence must be for, by and how old."""
    for option in reversed(_EXPECTATIONS):
        command = option(command)
    return command


_EXPECTATIONS = (
    click.option("--stage", help="The stage it must be for; the policy's last if left out."),
    click.option(
        "--policy-digest",
        callback=digest_option,
        metavar="SHA256",
        help="The resolved policy it must be by.",
    ),
    click.option(
        "--floor",
        metavar="PACK@SHA256",
        help="The policy it must descend from: release@1.1.0@SHA256, or a parent's URI and digest.",
    ),
    click.option(
        "--max-age",
        callback=as_age,
        metavar="AGE",
        help="Oldest it may be: 30m, 12h, 7d.",
    ),
    click.option(
        "--approvals",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Signed approvals that the trust file expects; approvals beside it if left out.",
    ),
    click.option(
        "--revocations",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="More signed revocations than those of the folder of that name beside the trust file.",
    ),
)
