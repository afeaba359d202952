"""Training run integrity: it finished, was not deleted, and logged nothing after its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.integrity.counting import COUNTS, JUDGED, cell, lacking
from aims_gate.facts import NoValue, Statistic
from aims_gate.registry.entities import MetricPoint
from aims_gate.sources.subject import RunFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Whether the training run ended well, was kept, and nothing was logged after its end."""

    about: ClassVar[About] = About(
        name="integrity.run",
        summary="Whether the run finished, was kept, and nothing was logged after its end.",
        definition=COUNTS
        + (
            "status: 1 unless MLflow says FINISHED, or if the run lies in MLflow's trash, alone or "
            "with its experiment. late: metric points whose time is after the run's end, or that "
            "have none; a point can be dated back, so 0 is not a proof. commit: 1 if a commit is "
            "required and none was recorded; it is the author's claim."
        ),
        controls=("iso42001:A.4.4", "iso42001:A.7.6"),
        undecided=("there is no training run", "the run is finished and has no end"),
    )

    require_commit: bool = False
    """Whether `mlflow.source.git.commit` must be recorded."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of violations."""
        return JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """No invalid parameters: their types say all."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Check the run's status, its end, its metric points and its commit."""
        run = inputs.subject.run
        if run is None:
            reason = "the model has no training run that MLflow still knows"
            yield lacking("run", NoValue.MISSING, reason)
            return
        yield cell("status", lambda: list(_status(run)), total=1)
        yield _late(run)
        lost = self.require_commit and not run.commit
        yield cell("commit", lambda: ["no commit is recorded"] if lost else [], total=1)


def _status(run: RunFacts) -> Iterator[str]:
    status = run.status or "without status"
    if run.deleted:
        yield (
            f"the run is {status} and deleted, and mlflow gc will remove it with its artifacts; "
            f"restore it with: mlflow runs restore --run-id {run.run_id}"
        )
    elif run.status != "FINISHED":
        yield f"the run is {status}"


def _late(run: RunFacts) -> Statistic:
    total = len(run.metrics)
    if run.ended is None:
        return lacking("late", NoValue.UNDEFINED, f"the run is {run.status} and has no end")
    ended = run.ended
    late = [p for p in run.metrics if p.timestamp is None or p.timestamp > ended]
    return cell("late", lambda: [_point(point) for point in late], total=total)


def _point(point: MetricPoint) -> str:
    when = (
        "without a time" if point.timestamp is None else f"at {point.timestamp:%Y-%m-%d %H:%M:%S}Z"
    )
    return f"metric {point.key!a} {when}"
