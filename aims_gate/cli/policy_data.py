"""`aims-gate policy simulate` and `power`: a policy over past runs, and what data can decide."""

from __future__ import annotations

import os

import click

from aims_gate.cli.options import pairs


def _groups(
    _ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    """Read ATTRIBUTE=GROUP:ROWS options."""
    found: dict[str, dict[str, int]] = {}
    for value in values:
        attribute, _, rest = value.partition("=")
        group, _, rows = rest.rpartition(":")
        if not (attribute and group and rows.isdecimal()):
            raise click.BadParameter(f"{value!r} is not ATTRIBUTE=GROUP:ROWS, such as sex=F:300")
        if found.setdefault(attribute, {}).setdefault(group, int(rows)) != int(rows):
            raise click.BadParameter(f"{attribute}={group} is given twice")
    return found


@click.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
@click.option("--model", help="Judge the versions of this registered model.")
@click.option("--experiment", help="Judge the runs of this experiment.")
@click.option("--as", "name", metavar="NAME", help="The model that runs are taken for.")
@click.option("--last", type=int, default=20, show_default=True, help="How many, newest first.")
@click.option("--stage", help="The stage to decide for; the policy's last if left out.")
def simulate(
    path: str,
    *,
    model: str | None,
    experiment: str | None,
    name: str | None,
    last: int,
    stage: str | None,
) -> None:
    """Say what POLICY would have refused of past versions or runs, by the data that they logged.

    Every rule counts as in force. Nothing is written, and no model is downloaded. Exits 3 if
    nothing could be read.
    """
    from aims_gate.errors import SourceError
    from aims_gate.operations.simulate import SimulationRequest, told
    from aims_gate.operations.simulate import simulate as judge_past
    from aims_gate.policy.resolve import load

    asked = SimulationRequest(model=model, experiment=experiment, name=name, last=last, stage=stage)
    simulation = judge_past(load(path, environ=os.environ), asked, environ=os.environ)
    for line in told(simulation):
        click.echo(line)
    if not simulation.readable:
        raise SourceError(
            "none of them could be read", hint="runs leave their data with aims_gate.log_evaluation"
        )


@click.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
@click.option(
    "--data",
    multiple=True,
    callback=pairs("ROLE=URI"),
    metavar="ROLE=URI",
    help="Data of a role to plan with. Repeatable.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    callback=_groups,
    metavar="ATTRIBUTE=GROUP:ROWS",
    help="A group that is only planned, in place of data. Repeatable.",
)
@click.option("--rate", type=float, default=0.5, show_default=True, help="Base rate of groups.")
@click.option("--html", metavar="FILE", help="Write it as a page with a picture, too.")
def power(
    path: str,
    *,
    data: dict[str, str],
    groups: dict[str, dict[str, int]],
    rate: float,
    html: str | None,
) -> None:
    """Say what data can decide of POLICY, and how many rows to collect for each rule.

    With --data of data that are there, or before there are any with --group and --rate:

        aims-gate policy power --group sex=F:300 --group sex=M:700 --rate 0.3
    """
    from aims_gate.cli.reporting import write
    from aims_gate.errors import UsageError
    from aims_gate.operations import planned_groups, policy_power, power_shown
    from aims_gate.policy.resolve import load

    if bool(data) == bool(groups):
        hint = "--data evaluation=FILE, or --group sex=F:300 --group sex=M:700"
        raise UsageError("power is that of data or of planned groups", hint=hint)
    resolved = load(path, environ=os.environ)
    if data:
        found = policy_power.power_of_data(resolved, data)
    else:
        found = policy_power.power_of_groups(
            resolved, planned_groups.PlannedGroups(rows=groups, rate=rate)
        )
    for line in power_shown.table(found):
        click.echo(line)
    if html is not None:
        title = f"{resolved.id} {resolved.version}"
        write(html, power_shown.page(found, title=title))
