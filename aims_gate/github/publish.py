"""Publish a verdict in a workflow step: outputs, summary, annotations, comment and issue."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_PAYLOAD
from aims_gate.attest.statement import statement_file
from aims_gate.errors import GateError
from aims_gate.github.comment import MOST, keep_comment, marker
from aims_gate.github.issue import keep_issue
from aims_gate.github.reading import verdict_of
from aims_gate.github.rest import PullRequest, Repository
from aims_gate.github.review import Around, review, title
from aims_gate.github.step_files import folder_in, room, write_outputs, write_summary
from aims_gate.harmless import github_message
from aims_gate.regular import read_regular
from aims_gate.reports.log_commands import LOG_FORMATS
from aims_gate.verdict import Verdict

_EVENT, _DIFF = 32 << 20, 1 << 20
_PULL_REQUEST = "pull_request"
_TITLE = 200
"""Characters of an issue's title; GitHub takes 256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a workflow step asks to be published."""

    report: Path
    """report.json of the run."""
    exit_code: int
    """The exit code of the run: what its report says counts only if it says the same."""
    also: Mapping[str, str] = field(default_factory=dict)
    """Other reports of the run, by format."""
    comment: bool = False
    comment_id: str = ""
    """Tells the comments and issues of several gates apart; the workflow and its job if empty."""
    issue: bool = False
    """Whether a refusal opens an issue, and the next pass closes it; not for a pull request."""
    observe: bool = False
    """Whether the step ends well whatever the verdict is, which its summary then says."""
    policy_diff: Path | None = None
    because: str = ""
    """Why no verdict counts although the run may have one, such as a loosened policy."""


def publish(
    step: Step, environ: Mapping[str, str], now: datetime, echo: Callable[[str], None]
) -> int:
    """Publish what *step* asks for, and return the exit code of the step.

    That is the run's own, but 3 where it was 0 and no report says passed; 0 if it only observes.
    The outputs come first; a summary or a comment that cannot be written is a warning in the log.

    Raises:
        RecordError: The outputs could not be written.
    """
    verdict = verdict_of(step.report, step.exit_code, now, step.because)
    digest = evidence_digest(verdict)
    if named := environ.get("GITHUB_OUTPUT"):
        write_outputs(Path(named), outputs(step, verdict, digest))
    root = environ.get("GITHUB_WORKSPACE", "")
    echo(LOG_FORMATS["github"](verdict, folder_in(root)))
    around = Around(
        evidence_digest=digest,
        run_url=_run_url(environ),
        observed=step.observe,
        policy_diff=_text_of(step.policy_diff),
    )
    shown: dict[str, Callable[[], None]] = {
        "summary": lambda: _summary(verdict, around, environ),
        "comment": lambda: _comment(step, verdict, around, environ),
        "issue": lambda: _issue(step, verdict, around, environ),
    }
    for what, show in shown.items():
        try:
            show()
        except GateError as error:
            told = f"the {what} was not written, the verdict stands: {error}"
            echo(f"::warning title=aims-gate::{github_message(told)}\n")
    return 0 if step.observe else verdict.exit_code


def outputs(step: Step, verdict: Verdict, digest: str) -> dict[str, str]:
    """The outputs of the step, each of them on every exit code; empty where there is none."""
    paths = {"json": str(step.report), **step.also}
    written = {name: path if Path(path).is_file() else "" for name, path in paths.items()}
    kept, model = verdict.evidence, verdict.model.digest
    return {
        "verdict": verdict.decision.value,
        "exit-code": str(verdict.exit_code),
        "evidence-path": "" if kept is None else kept.directory,
        "evidence-digest": digest,
        "model-digest": f"sha256:{model}" if model else "",
        "report-paths": "\n".join(filter(None, written.values())),
        **{f"report-{name}": path for name, path in written.items()},
    }


def evidence_digest(verdict: Verdict) -> str:
    """`sha256:` of the summary statement in the evidence directory, as MLflow's tag has it."""
    kept = verdict.evidence
    if kept is None or not kept.directory:
        return ""
    try:
        summary = read_regular(Path(kept.directory) / statement_file("vsa"), MAX_PAYLOAD)
    except (OSError, ValueError):  # a path may hold what no file system takes
        return ""
    return f"sha256:{canonical.sha256(summary)}"


def _summary(verdict: Verdict, around: Around, environ: Mapping[str, str]) -> None:
    if named := environ.get("GITHUB_STEP_SUMMARY"):
        path = Path(named)
        write_summary(path, review(verdict, around, most=room(path)))


def _comment(step: Step, verdict: Verdict, around: Around, environ: Mapping[str, str]) -> None:
    """Write the comment on a pull request; on every other event there is none to write."""
    number = _pull_request(environ)
    if not step.comment or number is None:
        return
    mark, text = _marked(step, verdict, around, environ)
    keep_comment(PullRequest(**_repository(environ), number=number), mark, text)


def _issue(step: Step, verdict: Verdict, around: Around, environ: Mapping[str, str]) -> None:
    """Keep the issue of what is in service; a pull request is about what is not yet."""
    if step.issue and environ.get("GITHUB_EVENT_NAME", "") not in {"", _PULL_REQUEST}:
        mark, text = _marked(step, verdict, around, environ)
        named = title(verdict)[:_TITLE]
        keep_issue(Repository(**_repository(environ)), mark, named, text, passed=verdict.passed)


def _repository(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        "api": environ.get("GITHUB_API_URL", ""),
        "repository": environ.get("GITHUB_REPOSITORY", ""),
        "token": environ.get("GITHUB_TOKEN", ""),
    }


def _marked(
    step: Step, verdict: Verdict, around: Around, environ: Mapping[str, str]
) -> tuple[str, str]:
    """The marker, and a review that fits below it."""
    job = f"{environ.get('GITHUB_WORKFLOW', '')}/{environ.get('GITHUB_JOB', '')}"
    mark = marker(step.comment_id or job)
    return mark, review(verdict, around, most=MOST - len(mark) - 1)


def _pull_request(environ: Mapping[str, str]) -> int | None:
    """Number of the pull request that the workflow runs for."""
    if environ.get("GITHUB_EVENT_NAME") != _PULL_REQUEST:
        return None
    try:
        event: Any = json.loads(read_regular(Path(environ["GITHUB_EVENT_PATH"]), _EVENT))
        return int(event["pull_request"]["number"])
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _text_of(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return read_regular(path, _DIFF).decode("utf-8", "replace")
    except OSError as error:
        return f"the difference could not be read: {error.strerror}"


def _run_url(environ: Mapping[str, str]) -> str:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environ.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
