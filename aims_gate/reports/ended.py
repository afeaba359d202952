"""An error that ended the run, as a verdict that every report can show in the same fields."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import datetime

from aims_gate.errors import GateError, PolicyError, Problem
from aims_gate.facts import ModelIdentity
from aims_gate.policy.model import Severity
from aims_gate.verdict import Decision, Outcome, PolicyIdentity, Result, Verdict
from aims_gate.version import __version__

CHECK = "aims-gate"
"""The check of a result that is no rule: what ended the run."""


def ended(
    error: Exception, *, policy: str, model: str, stage: str, started: datetime, now: datetime
) -> Verdict:
    """Turn an error into an undecided verdict, with a blocking ERROR for each thing that is wrong.

    Args:
        error: What ended the run; of a crash its type and place are reported, not its message.
        policy: Where the policy was to be read from.
        model: The requested URI.
        stage: The requested stage; empty for the policy's last.
        started: When the run began.
        now: When it ended.
    """
    results = tuple(
        Result(
            rule=f"GATE-{number}",
            check=CHECK,
            severity=Severity.BLOCK,
            outcome=Outcome.ERROR,
            raw_outcome=Outcome.ERROR,
            reason=reason,
            place=place,
            blocking=True,
        )
        for number, (reason, place) in enumerate(_wrong(error), 1)
    )
    return Verdict(
        decision=Decision.UNDECIDED,
        stage=stage or "the last stage",
        model=ModelIdentity(uri=model, name=model),
        policy=PolicyIdentity(id="policy", version="not-read", digest="", uri=policy),
        results=results,
        started=started,
        finished=now,
        versions={"aims-gate": __version__},
        ended_with=error.exit_code if isinstance(error, GateError) else 3,
    )


def _wrong(error: Exception) -> Iterator[tuple[str, str]]:
    """Problems of an error, each as (what, where)."""
    if isinstance(error, PolicyError):
        yield from (_told(problem) for problem in error.problems)
    elif isinstance(error, GateError):
        yield "; ".join(filter(None, (error.what, error.hint))), error.where
    else:
        *_, frame = traceback.extract_tb(error.__traceback__) or [None]
        where = ""
        if frame is not None:
            file = frame.filename.rpartition("/")[2]
            where = f"{file}:{frame.lineno}"
        yield f"the gate crashed ({type(error).__name__}); please report it", where


def _told(problem: Problem) -> tuple[str, str]:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return "; ".join(filter(None, (problem.what, problem.hint))), place
