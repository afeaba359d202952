"""Command groups with "did you mean" for a misspelt command."""

from __future__ import annotations

import click

from aims_gate.errors import near


class CommandGroup(click.Group):
    """Click's group; groups in it are of the same kind."""

    group_class = type

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; UsageError with the near names if there is none."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no command {name!r}; {near(name, known)}", ctx)
        return super().resolve_command(ctx, args)
