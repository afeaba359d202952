"""Options that several commands have; importing them imports no command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from aims_gate.cli.expectations import digest_option


def pairs(kind: str) -> Callable[..., dict[str, str]]:
    """Read NAME=VALUE options; a name given twice is refused, never silently the last."""

    def read(
        _ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for value in values:
            name, equals, rest = value.partition("=")
            if not (equals and name and rest):
                raise click.BadParameter(f"{value!r} is not {kind}")
            if name in found:
                raise click.BadParameter(f"{name!r} is given twice")
            found[name] = rest
        return found

    return read


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The registry file; AIMS_GATE_REGISTRY, or registry.yaml here, if left out.",
)
policy_base_option = click.option(
    "--policy-base",
    metavar="REF",
    help="Take the policy, its parents, waivers, approvals, trust file and pyproject.toml from "
    "this branch, tag or commit, not from the files of the change that is judged.",
)
policy_digest_option = click.option(
    "--policy-digest",
    callback=digest_option,
    metavar="SHA256",
    help="Digest that the resolved policy must have.",
)
signed_policy_option = click.option(
    "--require-signed-policy",
    is_flag=True,
    help="Refuse a policy that no key with the role policy has signed (policy sign).",
)


def known_options(command: Callable[..., int]) -> Callable[..., int]:
    """Options of commands that read what is known of a model: itself, its policy, its records."""
    options = (
        click.option(
            "--model",
            required=True,
            help="models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-…, runs:/ID[/PATH] or "
            "file:DIR.",
        ),
        click.option(
            "--policy",
            callback=_there("policy.yaml"),
            type=click.Path(path_type=Path),
            help="The policy that it is judged by; policy.yaml here, if it is there.",
        ),
        click.option(
            "--trust",
            callback=_there("trust.yaml"),
            type=click.Path(path_type=Path),
            help="Whose signatures count; trust.yaml here, if it is there.",
        ),
        click.option(
            "--dir",
            "folder",
            type=click.Path(path_type=Path),
            default=Path("aims"),
            show_default=True,
            help="The folder of the system's records.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _there(name: str) -> Callable[..., Path | None]:
    """Take a file of the working directory where no other is named."""

    def choose(_ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
        usual = Path(name)
        return value if value is not None or not usual.exists() else usual

    return choose
