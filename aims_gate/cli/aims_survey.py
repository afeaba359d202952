"""Options of commands that survey a management system, and how their answer is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aims_gate.errors import UsageError

if TYPE_CHECKING:
    from aims_gate.operations.aims.survey import Survey
    from aims_gate.pages.sheet import Sheet

_NO_REPORT = {".yaml", ".yml", ".key", ".pub"}
_PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--system",
        "systems",
        multiple=True,
        type=_PATH,
        metavar="DIR",
        help="Records of a system, repeatable; aims and */aims here if left out.",
    ),
    click.option(
        "--org",
        type=_PATH,
        default=Path("org"),
        show_default=True,
        metavar="DIR",
        help="Records of the organisation.",
    ),
    click.option(
        "--evidence",
        "folders",
        multiple=True,
        type=_PATH,
        metavar="DIR",
        help="Where evidence lies, at any depth, repeatable; aims-gate-evidence if left out.",
    ),
    click.option(
        "--trust",
        type=_PATH,
        help="Whose signatures count; trust.yaml if it is there. Without one nothing ran.",
    ),
    click.option(
        "--mlflow",
        is_flag=True,
        help="Ask MLFLOW_TRACKING_URI which versions serve, and for published evidence.",
    ),
    click.option(
        "--reviews",
        type=_PATH,
        help="What reviewers of pull requests approved: the file that `run --reviews` takes.",
    ),
    click.option(
        "--as-of",
        "day",
        type=click.DateTime(["%Y-%m-%d"]),
        help="The day whose end it is; later evidence is left out. Now if left out.",
    ),
)


def survey_options(command: Callable[..., int]) -> Callable[..., int]:
    """Options that say whose records and whose evidence are read."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def format_options(*more: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Options `--format`, `--html` and `--out`; *more* are formats of one command."""
    formats = ("text", "html", "csv", "json", *more)

    def add(command: Callable[..., int]) -> Callable[..., int]:
        command = click.option(
            "--out", type=_PATH, help="Where it goes; standard output if left out."
        )(command)
        command = click.option("--html", "name", flag_value="html", help="As --format html.")(
            command
        )
        choice = click.Choice(formats)
        told = "How it is written."
        return click.option(
            "--format", "name", type=choice, default="text", show_default=True, help=told
        )(command)

    return add


def surveyed(
    *,
    systems: tuple[Path, ...],
    org: Path,
    folders: tuple[Path, ...],
    trust: Path | None,
    mlflow: bool,
    reviews: Path | None,
    day: datetime | None,
    copies: Path | None = None,
    **_others: Any,
) -> Survey:
    """Read what the options name; what is not there is missing, and no error.

    *copies* is a folder of ours where evidence in MLflow stays.
    """
    from aims_gate.evidence.layout import ROOT
    from aims_gate.operations.aims.gate_history import GateHistoryQuestion
    from aims_gate.operations.aims.survey import SurveyQuestion, survey

    found = sorted(one for one in (Path("aims"), *Path().glob("*/aims")) if one.is_dir())
    now = datetime.now(UTC)
    if day is not None:
        now = datetime.combine(day.date(), time(23, 59, 59), UTC)
    history = GateHistoryQuestion(
        folders=folders or ((ROOT,) if ROOT.is_dir() else ()),
        trust=trust_or_usual(trust),
        mlflow=mlflow,
        copies=copies,
        environ=os.environ,
    )
    asked = SurveyQuestion(
        systems=systems or tuple(found),
        org=org if org.is_dir() else None,
        history=history,
        reviews=reviews,
        now=now,
        past=now.date() < datetime.now(UTC).date(),
    )
    return survey(asked)


def trust_or_usual(named: Path | None) -> Path | None:
    """The trust file that is named, else the usual one if it is there."""
    usual = Path("trust.yaml")
    return named or (usual if usual.exists() else None)


def answer(sheet: Sheet, name: str, out: Path | None) -> None:
    """Write a sheet in a format; RecordError if it cannot be written.

    UsageError for a place among the records, or a file that is no report, such as a policy.
    """
    from aims_gate.cli.reporting import write
    from aims_gate.pages.sheet import RENDERERS

    kept = ("system.yaml", "organisation.yaml", "people.yaml")
    above = () if out is None else out.resolve().parents
    among = any((folder / name).exists() for folder in above for name in kept)
    if out is not None and (among or out.suffix.lower() in _NO_REPORT):
        what = "a report is never written among the records, or over a YAML file or a key"
        raise UsageError(what, where=str(out), hint="such as --out gap.txt")
    write("-" if out is None else str(out), RENDERERS[name](sheet))
