"""`python -m aims_gate`, and the one place where an error becomes an exit code."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys

import click

from aims_gate.errors import GateError, stack

COMPLETE = "_AIMS_GATE_COMPLETE"
"""The variable by which click's scripts ask what a word can become."""


def main() -> None:
    """Run the command line and exit with the code of the table in README."""
    code = guarded(sys.argv[1:])
    if "duckdb" not in sys.modules:  # which complains, at length, of whatever is left open
        gc.freeze()  # or Python searches all that was imported for garbage, a sixth of a small run
    sys.exit(code)


def guarded(arguments: list[str]) -> int:
    """Run the command line with *arguments* and return the exit code: every crash is 3.

    Python itself exits 1 on an uncaught exception, which would read as "policy not met".
    """
    log = logging.StreamHandler()
    log.setFormatter(_Harmless("%(name)s: %(message)s"))
    logging.basicConfig(handlers=[log], level=logging.WARNING)
    try:
        return _called(arguments)
    except GateError as error:
        _say(f"aims-gate: error: {error}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("aims-gate: interrupted; nothing was decided")
    except BrokenPipeError:
        # the reader is gone: leave nothing for the interpreter to flush at exit
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001  # every crash is 3
        _say(stack(error))
        _say("aims-gate: crashed; nothing was decided: please report the lines above")
    except SystemExit as stop:
        # a library that calls sys.exit(0) half-way must not look like a pass
        _say(f"aims-gate: something called exit({stop.code}); nothing was decided")
    return 3


class _Harmless(logging.Formatter):
    """Formats log records and tracebacks so that a build log executes none of it as a command."""

    def format(self, record: logging.LogRecord) -> str:
        return _harmless(super().format(record))


def _say(text: str) -> None:
    """Write *text* to standard error; if that is closed, the exit code still says it."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(_harmless(text), err=True)


def _harmless(text: str) -> str:
    """Redact secrets, and escape control sequences and log commands in every line."""
    from aims_gate.harmless import plain

    lines = text.rstrip("\n").split("\n")
    return "\n".join(line[: len(line) - len(line.lstrip(" "))] + plain(line) for line in lines)


def _called(arguments: list[str]) -> int:
    from aims_gate.absent import install_line
    from aims_gate.cli import cli

    # a shell that completes a line gives no arguments; with some, nothing may end as a pass
    if not arguments and (shell := os.environ.get(COMPLETE)):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "aims-gate", COMPLETE, shell)
    streams = sys.stdout, sys.stderr
    try:
        with install_line("this command"):
            code = cli.main(arguments, prog_name="aims-gate", standalone_mode=False)
    except SystemExit:
        if (sys.stdout, sys.stderr) == streams:
            raise
        # click calls exit(1) when a reader is gone, as after `| head`, and wraps both streams
        sys.stdout, sys.stderr = streams
        raise BrokenPipeError from None
    except click.ClickException as error:
        with contextlib.suppress(OSError, ValueError):
            error.show()
        return 2
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
