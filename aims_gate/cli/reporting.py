"""Report output: writes the verdict, or the error that ended the run, in each format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from aims_gate.cli import terminal
from aims_gate.errors import RecordError, UsageError, near
from aims_gate.regular import is_stream, refuse_links, write_regular
from aims_gate.reports import REPORTS
from aims_gate.verdict import Verdict

_ROOTS = {
    "github": "GITHUB_WORKSPACE",
    "gitlab": "CI_PROJECT_DIR",
    "azure": "BUILD_SOURCESDIRECTORY",
}
"""Build logs with commands, and the variable that has the repository's root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """The requested reports, as format to path; `-` is standard output."""

    paths: dict[str, str]
    taken: bool = False
    """Whether evidence lies where new evidence was to go; reports that are there are of its run."""

    log: str = ""
    """The build log that refusals are annotated in; empty for none."""

    @classmethod
    def of(cls, paths: dict[str, str], out: Path | None, log: str = "") -> Reporting:
        """Validate the paths; UsageError if one cannot be written or would spoil *out*."""
        if log and "-" in paths.values():
            hint = "give the report a file: commands of a log would spoil it"
            raise UsageError("a report and a build log share standard output", hint=hint)
        known_formats(paths)
        if len(set(paths.values())) < len(paths):
            raise UsageError("two reports have one path", hint="one would overwrite the other")
        _refuse_paths(paths, out)
        return cls(paths=paths, taken=out is not None and os.path.lexists(out), log=log)

    def show(self, verdict: Verdict) -> None:
        """Write every report; RecordError if one cannot be written."""
        # files first: what is printed last is the exit code, and it must be the true one
        for name, path in sorted(self.paths.items(), key=lambda report: report[1] == "-"):
            write(path, REPORTS[name](verdict))
        if "-" not in self.paths.values():
            from aims_gate.reports.text import render_text

            out = sys.stdout
            painted = terminal.colour(out)
            text = render_text(verdict, colour=painted, width=terminal.width(out))
            click.echo(text, nl=False, color=painted or None)
        self._annotate(verdict)

    def show_error(self, verdict: Verdict) -> None:
        """Write the reports of a run that an error ended; the error is printed in any case."""
        for name, path in self.paths.items():
            if self.taken and Path(path).is_file():
                continue
            with suppress(RecordError):
                write(path, REPORTS[name](verdict))
        self._annotate(verdict)

    def _annotate(self, verdict: Verdict) -> None:
        """Show refusals as commands of the build log, from the repository's root."""
        if self.log:
            from aims_gate.github.step_files import folder_in
            from aims_gate.reports.log_commands import LOG_FORMATS

            root = os.environ.get(_ROOTS[self.log], "")
            write("-", LOG_FORMATS[self.log](verdict, folder_in(root)))


def known_formats(names: Iterable[str]) -> None:
    """Refuse a format that there is not, with the near ones."""
    for name in names:
        if name not in REPORTS:
            raise UsageError(f"unknown report format {name!r}", hint=near(name, REPORTS))


def _refuse_paths(reports: dict[str, str], out: Path | None) -> None:
    """Refuse report paths that cannot be written, or that would spoil signed evidence."""
    named = (path for path in reports.values() if path != "-" and not is_stream(path))
    for path in map(Path, named):
        if out is not None and out.resolve() in path.resolve().parents:
            hint = "the evidence directory holds a report.json of its own"
            raise UsageError("a report may not lie in the evidence", where=str(path), hint=hint)
        try:
            refuse_links(path)
        except OSError as error:
            hint = "name a file of its own: a checkout could lead a report anywhere"
            raise UsageError(str(error.strerror), where=str(path), hint=hint) from error
        if path.exists() and not path.is_file() and not path.is_dir():
            raise UsageError("a report needs a regular file", where=str(path))
        if not path.parent.is_dir():
            hint = "make the folder first, or name another"
            raise UsageError("there is no folder for the report", where=str(path), hint=hint)


def write(path: str, text: str) -> None:
    """Write a report to a file, or to standard output for `-`; RecordError if it cannot be."""
    if path == "-":
        if sys.stdout is None:  # closed by the caller: click would drop the report in silence
            raise RecordError("the report could not be written: standard output is closed")
        click.echo(text, nl=False)
        return
    try:
        write_regular(Path(path), text.encode())
    except OSError as error:
        raise RecordError(
            f"the report could not be written: {error.strerror}", where=path
        ) from error
