"""Refusals as commands of a build log, which show them at the policy's line: annotations.

| log | what it has |
| --- | --- |
| github | `::error file=…,line=…,title=…::…`, of which a step shows 10 |
| azure | `##vso[task.logissue type=error;sourcepath=…;linenumber=…]…` |
| gitlab | sections that fold, and no annotations: those are the report `codequality` |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from aims_gate.harmless import azure_value, github_message, github_property, plain
from aims_gate.reports import headline, line_of, needs_alert, to_look_at
from aims_gate.verdict import Result, Verdict

_MOST = 10
"""Annotations of a step, which is GitHub's own limit; the last counts the rest."""
_CHARACTERS = 1_000
_START, _END = "\x1b[0Ksection_{}:{}:aims_gate\r\x1b[0K", "\n"


class LogFormat(Protocol):
    """Writes a verdict as commands of one kind of build log."""

    def __call__(self, verdict: Verdict, folder: str = "") -> str:
        """Render lines; *folder* is where the policy's path begins in the repository."""
        ...


def github(verdict: Verdict, folder: str = "") -> str:
    """Workflow commands of GitHub Actions."""
    return "".join(
        f"::{level} {_properties(place, line, title)}::{github_message(told)}\n"
        for level, place, line, title, told in _shown(verdict, folder)
    )


def azure(verdict: Verdict, folder: str = "") -> str:
    """Logging commands of Azure Pipelines."""
    return "".join(
        f"##vso[task.logissue type={level};{_source(place, line)}]"
        f"{azure_value(f'{title}: {told}')}\n"
        for level, place, line, title, told in _shown(verdict, folder)
    )


def gitlab(verdict: Verdict, folder: str = "") -> str:
    """A section of GitLab's log with a line for each refusal, which can be folded."""
    seconds = int(verdict.finished.timestamp())
    lines = [
        f"{level.upper()} {f'{plain(place)}:{line} ' if place else ''}{plain(f'{title}: {told}')}"
        for level, place, line, title, told in _shown(verdict, folder)
    ]
    head = f"{_START.format('start', seconds)}aims-gate: {headline(verdict)}\n"
    return head + "".join(f"{one}\n" for one in lines) + _START.format("end", seconds) + _END


LOG_FORMATS: dict[str, LogFormat] = {"github": github, "gitlab": gitlab, "azure": azure}


def _shown(verdict: Verdict, folder: str) -> Iterator[tuple[str, str, int, str, str]]:
    """Level, file, line, title and message of each annotation."""
    seen = to_look_at(verdict)
    kept = seen if len(seen) <= _MOST else seen[: _MOST - 1]
    for result in kept:
        file, line = line_of(result.place, verdict)
        level = "error" if result.blocking else "warning"
        title = f"{result.rule} {result.outcome}"
        yield level, f"{folder}{file}" if file else "", line, title, _told(result)
    if more := seen[len(kept) :]:
        level = "error" if any(r.blocking for r in more) else "warning"
        yield level, "", 1, "aims-gate", f"{len(more):,} more rules: see the summary or the reports"
    if needs_alert(verdict, seen):
        yield "error", "", 1, "aims-gate", headline(verdict)


def _told(result: Result) -> str:
    return plain("; ".join(filter(None, (result.reason, result.title))), most=_CHARACTERS)


def _properties(place: str, line: int, title: str) -> str:
    where = f"file={github_property(place)},line={line}," if place else ""
    return f"{where}title={github_property(title)}"


def _source(place: str, line: int) -> str:
    return f"sourcepath={azure_value(place)};linenumber={line};" if place else ""
