"""The command line: one file per command group, loaded when it is named.

A command returns its exit code; errors are `GateError`s and become exit codes in `__main__`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from aims_gate.cli.group import CommandGroup
from aims_gate.plugin_table import Table
from aims_gate.version import __version__

_EVERYDAY: Table[click.Command] = Table(
    "command",
    {
        "init": "aims_gate.cli.init:init",
        "run": "aims_gate.cli.run:run",
        "explain": "aims_gate.cli.explain:explain",
        "verify": "aims_gate.cli.verify:verify",
        "promote": "aims_gate.cli.promote:promote",
        "doctor": "aims_gate.cli.doctor:doctor",
        "demo": "aims_gate.cli.demo:demo",
    },
)
_GROUPS: Table[click.Command] = Table(
    "command",
    {
        "aims": "aims_gate.cli.aims:aims",
        "policy": "aims_gate.cli.policy:policy",
        "evidence": "aims_gate.cli.evidence:evidence",
        "waiver": "aims_gate.cli.waiver:waiver",
        "approval": "aims_gate.cli.waiver:approval",
        "break-glass": "aims_gate.cli.break_glass:break_glass",
        "github": "aims_gate.cli.github:github",
        "registry": "aims_gate.cli.registry:registry",
    },
)


class _LazyGroup(CommandGroup):
    """A group that imports a command's module only when that command is called or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_EVERYDAY, *_GROUPS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for table in (_EVERYDAY, _GROUPS):
            if cmd_name in table:
                return table[cmd_name]
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _section(ctx, self, formatter, "Everyday commands", list(_EVERYDAY))
        _section(ctx, self, formatter, "Groups", list(_GROUPS))


def _section(
    ctx: click.Context,
    group: click.Group,
    formatter: click.HelpFormatter,
    title: str,
    names: Sequence[str],
) -> None:
    rows = []
    for name in names:
        command = group.get_command(ctx, name)
        rows.append((name, command.get_short_help_str(80) if command else ""))
    with formatter.section(title):
        formatter.write_dl(rows)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="aims-gate %(version)s")
def cli() -> None:
    """Evaluate an ML model against a policy, sign the evidence, and pass or fail the stage.

    Exit codes: 0 policy met, 1 policy not met, 2 usage or policy refused, 3 could not decide or
    record, 4 evidence or trust does not hold.
    """
    # MLflow's client would draw a bar for every file that it reads
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
