"""`aims-gate policy`: check, test and describe policies."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click


@click.group()
def policy() -> None:
    """Check, test and describe policies."""


@policy.command()
@click.argument("path", default="policy.yaml", metavar="POLICY")
def check(path: str) -> None:
    """Prove that POLICY is sound; print every problem at once, each with its line."""
    from aims_gate.errors import PolicyError
    from aims_gate.plan import plan
    from aims_gate.policy.resolve import check as read

    resolved, problems = read(path)
    planned = plan(resolved, now=datetime.now(UTC)) if resolved is not None else None
    if planned is not None:
        problems += planned.problems
    if resolved is None or planned is None or problems:
        raise PolicyError(problems)
    counted = f"{len(planned.tasks)} rule{'s' if len(planned.tasks) != 1 else ''}"
    click.echo(
        f"{resolved.uri}: sound: {counted}, {resolved.id} {resolved.version}, "
        f"sha256:{resolved.digest}"
    )


@policy.command()
@click.argument("path", default="policy.yaml", metavar="POLICY")
def test(path: str) -> int:
    """Run the tests that stand in POLICY; exit 1 if one is red."""
    from aims_gate.operations.policy_tests import run_tests
    from aims_gate.policy.resolve import load

    tested = run_tests(load(path), now=datetime.now(UTC))
    red = 0
    for one in tested:
        click.echo(f"{'not ok' if one.differences else 'ok'}  {one.test.name}")
        for difference in one.differences:
            click.echo(f"        {difference} ({one.test.place})")
        red += bool(one.differences)
    click.echo(f"{len(tested) - red} of {len(tested)} policy tests hold")
    return 1 if red else 0


@policy.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from aims_gate.policy.grammar import schema as generate

    click.echo(json.dumps(generate(), indent=2))


@policy.command()
@click.argument("name", required=False)
def checks(name: str | None) -> None:
    """List the checks, or print the page of the check NAME."""
    from aims_gate.checks import CHECKS
    from aims_gate.operations.explain import explain_check

    if name is not None:
        click.echo(explain_check(name), nl=False)
        return
    width = max(map(len, CHECKS))
    for known in CHECKS:
        click.echo(f"{known:<{width}}  {CHECKS[known].about.summary}")
