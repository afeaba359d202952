"""`aims-gate aims`: the AI management system in daily work, a file for each command."""

from __future__ import annotations

import click

from aims_gate.cli.group import CommandGroup
from aims_gate.plugin_table import Table

_COMMANDS: Table[click.Command] = Table(
    "command",
    {
        "init": "aims_gate.cli.aims_init:init",
        "docs": "aims_gate.cli.aims_docs:docs",
        "log": "aims_gate.cli.aims_log:log",
        "status": "aims_gate.cli.aims_status:status",
        "todo": "aims_gate.cli.aims_todo:todo",
        "gap": "aims_gate.cli.aims_gap:gap",
        "soa": "aims_gate.cli.aims_soa:soa",
        "review": "aims_gate.cli.aims_review:review",
        "audit": "aims_gate.cli.aims_audit:audit",
        "audit-pack": "aims_gate.cli.aims_audit_pack:audit_pack",
        "sample": "aims_gate.cli.aims_sample:sample",
        "export": "aims_gate.cli.aims_export:export",
        "approve": "aims_gate.cli.aims_approve:approve",
        "schema": "aims_gate.cli.aims_schema:schema",
    },
)


class _LazyGroup(CommandGroup):
    """A group that imports a command's module only when that command is called or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = cmd_name in _COMMANDS  # a look-up of an unknown one is an error of the table
        return _COMMANDS[cmd_name] if known else None


@click.group(cls=_LazyGroup)
def aims() -> None:
    """Records of the AI management system: written from what ran, approved, kept up to date."""
