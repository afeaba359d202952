"""`aims-gate github`: what a workflow step of GitHub Actions shows of a verdict."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.absent import stand_in
from aims_gate.cli.group import CommandGroup
from aims_gate.cli.run import pairs


@click.group(cls=CommandGroup)
def github() -> None:
    """Summary, comment, annotations and outputs in GitHub Actions."""


@github.command("publish")
@click.option(
    "--report",
    required=True,
    type=click.Path(path_type=Path),
    help="The report.json of the run; it may be missing.",
)
@click.option(
    "--exit-code", required=True, type=click.IntRange(0, 255), help="The exit code of the run."
)
@click.option(
    "--mode",
    type=click.Choice(["enforce", "observe"]),
    default="enforce",
    help="enforce exits with the run's code, the default; observe exits 0.",
)
@click.option(
    "--also",
    multiple=True,
    callback=pairs("FORMAT=PATH"),
    metavar="FORMAT=PATH",
    help="Another report that the run wrote; its path becomes an output. Repeatable.",
)
@click.option(
    "--comment",
    is_flag=True,
    help="Keep one comment on the pull request up to date, with the token in GITHUB_TOKEN.",
)
@click.option(
    "--comment-id",
    default="",
    help="Tells the comments of several gates apart; the workflow and its job if left out.",
)
@click.option(
    "--policy-diff",
    type=click.Path(path_type=Path),
    help="What `policy diff` printed, to be shown.",
)
def publish_verdict(
    *,
    report: Path,
    exit_code: int,
    mode: str,
    also: dict[str, str],
    comment: bool,
    comment_id: str,
    policy_diff: Path | None,
) -> int:
    """Show reviewers and later steps what a run decided, on every exit code.

    Writes outputs, summary, annotations and, if asked, the comment; what cannot be written there
    is a warning and changes no verdict. Exits as the run did, but 3 where the run exited 0 and its
    report does not say passed.
    """
    stand_in()
    from aims_gate.cli.reporting import known_formats
    from aims_gate.github.publish import Step, publish

    known_formats(also)
    step = Step(
        report=report,
        exit_code=exit_code,
        also=also,
        comment=comment,
        comment_id=comment_id,
        observe=mode == "observe",
        policy_diff=policy_diff,
    )
    return publish(step, os.environ, datetime.now(UTC), lambda text: click.echo(text, nl=False))
