"""`python -m aims_gate`, and the one place where an error becomes an exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback

import click

from aims_gate.errors import GateError


def main() -> None:
    """Run the command line and exit with the code of the table in README."""
    sys.exit(guarded(sys.argv[1:]))


def guarded(arguments: list[str]) -> int:
    """Run the command line with *arguments* and give the exit code: every crash is 3.

    Python itself exits 1 on an uncaught exception, which would read as "policy not met".
    """
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    try:
        return _called(arguments)
    except GateError as error:
        click.echo(f"aims-gate: error: {error}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("aims-gate: interrupted; nothing was decided", err=True)
    except BrokenPipeError:
        # the reader is gone: leave nothing for the interpreter to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception:  # noqa: BLE001  # every crash is 3
        traceback.print_exc()
        click.echo(
            "aims-gate: crashed; nothing was decided: please report the lines above", err=True
        )
    except SystemExit as stop:
        # a library that calls sys.exit(0) half-way must not look like a pass
        click.echo(f"aims-gate: something called exit({stop.code}); nothing was decided", err=True)
    return 3


def _called(arguments: list[str]) -> int:
    from aims_gate.cli import cli

    try:
        code = cli.main(arguments, prog_name="aims-gate", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
