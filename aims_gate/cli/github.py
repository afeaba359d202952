"""`aims-gate github`: what a workflow step of GitHub Actions shows of a verdict."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from aims_gate.absent import stand_in
from aims_gate.cli.group import CommandGroup
from aims_gate.cli.options import pairs, policy_base_option


@click.group(cls=CommandGroup)
def github() -> None:
    """Summary, comment, annotations, outputs and approvals in GitHub Actions."""


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
    "--issue",
    is_flag=True,
    help="Outside of pull requests, let a refusal open an issue and the next pass close it.",
)
@click.option(
    "--policy-diff",
    type=click.Path(path_type=Path),
    help="What `policy diff` printed, to be shown.",
)
@click.option("--because", default="", help="Why no verdict counts; shown in place of the run's.")
def publish_verdict(
    *,
    report: Path,
    exit_code: int,
    mode: str,
    also: dict[str, str],
    comment: bool,
    comment_id: str,
    issue: bool,
    policy_diff: Path | None,
    because: str,
) -> int:
    """Show reviewers and later steps what a run decided, on every exit code.

    Writes outputs, summary, annotations and, if asked, the comment or the issue; what cannot be
    written there is a warning and changes no verdict. Exits as the run did, but 3 where the run
    exited 0 and its report does not say passed.
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
        issue=issue,
        observe=mode == "observe",
        policy_diff=policy_diff,
        because=because,
    )
    return publish(step, os.environ, datetime.now(UTC), lambda text: click.echo(text, nl=False))


@github.command()
@click.argument("path")
@click.option(
    "--codeowners",
    required=True,
    type=click.File(encoding="utf-8", errors="replace"),
    help="CODEOWNERS of the base branch; - is standard input.",
)
@click.option("--number", required=True, type=click.IntRange(1), help="The pull request.")
@click.option("--head", help="The commit that must have been approved; its head if left out.")
@click.option("--author", help="Who opened it, and so cannot approve it; asked for if left out.")
def approved(
    path: str, *, codeowners: TextIO, number: int, head: str | None, author: str | None
) -> int:
    """Tell whether an owner of PATH approved this commit of a pull request; exit 1 if not.

    An approval counts if it is the last word of a person whom CODEOWNERS names. Teams are not
    looked up: the token of a workflow may not read them.
    """
    from aims_gate.github.approval import approvers, owners, proposed
    from aims_gate.github.rest import PullRequest

    pull = PullRequest(
        api=os.environ.get("GITHUB_API_URL", ""),
        repository=os.environ.get("GITHUB_REPOSITORY", ""),
        number=number,
        token=os.environ.get("GITHUB_TOKEN", ""),
    )
    if head is None or author is None:
        now = proposed(pull)
        head, author = head or now[0], author or now[1]
    people = owners(codeowners.read(), path) - {author.lower()}
    found = approvers(pull, head) & people if people else set()
    if found:
        click.echo(f"approved by {' and '.join(sorted(found))}")
        return 0
    asked = " or ".join(sorted(people)) or "a person other than the author, and names none"
    click.echo(f"not approved: CODEOWNERS of the base asks for {asked}")
    return 1


@github.command()
@click.argument("policy", default="policy.yaml")
@policy_base_option
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The file for run --reviews."
)
def reviews(*, policy: str, policy_base: str | None, out: Path) -> int:
    """Write who approved the records beside POLICY, and POLICY itself, in merged pull requests.

    Each approval is of the head of the merged pull request that brought the bytes which are there
    now, by somebody who wrote nothing of it. The token in GITHUB_TOKEN must read contents and pull
    requests.
    """
    stand_in(installed=True)
    from aims_gate.errors import RecordError
    from aims_gate.github.record_reviews import reviews_file
    from aims_gate.github.rest import Repository
    from aims_gate.policy.base import open_base
    from aims_gate.regular import write_regular

    repository = Repository(
        api=os.environ.get("GITHUB_API_URL", ""),
        repository=os.environ.get("GITHUB_REPOSITORY", ""),
        token=os.environ.get("GITHUB_TOKEN", ""),
    )
    with open_base(policy_base, os.environ) as base:
        data = reviews_file(policy, base, repository, os.environ)
    try:
        write_regular(out, data)
    except OSError as error:
        raise RecordError(f"cannot be written: {error.strerror}", where=str(out)) from error
    return 0
