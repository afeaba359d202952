"""Logged metrics: the one value that a run's author claims for a metric, and its source.

MLflow keeps a run's metrics writable after its end, over all data sets and models at once. So a
claim counts only if it is unambiguous, finite, and was made before its run ended well. A time can
be dated back, so even then it is a claim and never a proof.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aims_gate import canonical
from aims_gate.checks.contract import NoDataError
from aims_gate.errors import DataError, near
from aims_gate.facts import CLAIMED
from aims_gate.policy.scalars import is_scorer_digest
from aims_gate.registry.entities import MetricPoint
from aims_gate.sources.subject import RunFacts, Subject

SCORERS = "mlflow.genaiEvaluate.scorersDigest"
"""The tag in which an LLM evaluation keeps the digest of its scorers."""
AGENT = "mlflow.genaiEvaluate.agent.digest"
MOST_RUNS = 50
"""Runs that may have logged one metric for one model; each is fetched."""
_SHOWN = 5
_UNKNOWN = "no scorers that MLflow knows of"
_HINT = (
    "log the model with log_model(step=…), the step of its value, or its value under a key of its "
    "own with log_metric(KEY, VALUE, model_id=…); where data sets differ, name one with dataset:"
)
_PLAIN = re.compile(r"[A-Za-z0-9_.:/+@ -]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which claim is looked for."""

    metric: str
    dataset: str | None = None
    digest: str | None = None
    scorers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A logged value, and where it comes from in words."""

    value: float
    told: str


def find_claim(subject: Subject, wanted: Wanted) -> Claim:
    """Find the one value that was logged for a metric.

    What was logged for the model itself comes first, whichever run did it; the training run's own
    metrics count only where the model has none of this name.

    Raises:
        NoDataError: It was not logged, or not for this data set.
        DataError: It has several values, is not finite, was logged after its run's end or by a run
            that did not finish, or with other scorers.
        SourceError: A run that logged it cannot be read.
    """
    points = tuple(_chosen(_logged(subject, wanted.metric), wanted))
    runs = _runs(subject, points)
    for point in points:
        _in_time(point, runs[point.run_id])
        _really_zero(point, runs[point.run_id])
    value = _one_value(points, wanted)
    for point in points:
        _its_own(point, runs[point.run_id], subject)
    _same_scorers(runs, wanted)
    return Claim(value=value, told="; ".join(_told(points, runs)))


def _logged(subject: Subject, metric: str) -> tuple[MetricPoint, ...]:
    """Logged points of the metric for this model; those of other models in the run are not."""
    own = tuple(point for point in subject.logged if point.key == metric)
    if own:
        return own
    run, ours = subject.run, {"", subject.model.model_id}
    if run is None:
        raise NoDataError(
            f"metric {metric!a} was not logged: the model has no training run that is known",
            hint="give a models:/ or runs:/ URI",
        )
    found = [p for p in run.metrics if p.key == metric and p.model_id in ours]
    if not found:
        known = {point.key for point in (*subject.logged, *run.metrics)}
        raise NoDataError(f"metric {metric!a} was not logged", hint=near(metric, known))
    if len(set(run.models)) > 1 and any(not point.model_id for point in found):
        raise DataError(
            f"the run made {len(set(run.models))} models and {metric!a} may be about any of them",
            where=run.run_id,
            hint="log it with model_id=",
        )
    return tuple(replace(point, run_id=run.run_id) for point in found)


def _chosen(points: Sequence[MetricPoint], wanted: Wanted) -> Iterator[MetricPoint]:
    found = [
        point
        for point in points
        if wanted.dataset in {None, point.dataset_name}
        and wanted.digest in {None, point.dataset_digest}
    ]
    if not found:
        asked = " ".join(filter(None, [wanted.dataset, wanted.digest]))
        known = sorted({_dataset(point) for point in points})
        raise NoDataError(
            f"metric {wanted.metric!a} was not logged for data set {asked!a}",
            hint=f"it was logged for {', '.join(known[:_SHOWN])}",
        )
    yield from found


def _runs(subject: Subject, points: Sequence[MetricPoint]) -> Mapping[str, RunFacts]:
    """Ask about every run that logged one of the points."""
    ids = sorted({point.run_id for point in points})
    if "" in ids:
        raise DataError("MLflow does not say which run logged the metric")
    if len(ids) > MOST_RUNS:
        raise DataError(
            f"{len(ids):,} runs logged the metric, more than {MOST_RUNS}",
            hint="name the data set: with dataset: and digest:",
        )
    return {run_id: _run(subject, run_id, points[0].key) for run_id in ids}


def _run(subject: Subject, run_id: str, metric: str) -> RunFacts:
    if subject.run is not None and subject.run.run_id == run_id:
        return subject.run
    if subject.find_run is None:
        raise DataError("the run that logged the metric cannot be looked up", where=run_id)
    return subject.find_run(run_id, metric)


def _in_time(point: MetricPoint, run: RunFacts) -> None:
    if run.deleted:
        raise DataError(f"the run that logged {point.key!a} is deleted", where=run.run_id)
    if run.status != "FINISHED" or run.ended is None:
        raise DataError(
            f"the run that logged {point.key!a} is {run.status or 'without status'}",
            where=run.run_id,
            hint="what it logged can still change; a run counts when it is FINISHED",
        )
    if point.timestamp is None or point.timestamp > run.ended:
        when = "without a time" if point.timestamp is None else f"at {point.timestamp:%F %T}Z"
        raise DataError(
            f"{point.key!a} was logged {when}, after the run's end at {run.ended:%F %T}Z",
            where=run.run_id,
            hint="log it inside the run; for a new evaluation start a new run",
        )


def _really_zero(point: MetricPoint, run: RunFacts) -> None:
    """Refuse a zero that the run's own history does not have: there NaN is kept as NaN.

    MLflow's SQL stores keep what is logged for a model without its mark of NaN, as 0.
    """
    if point.value != 0:
        return
    spot = (point.key, point.timestamp, point.step)
    same = [p.value for p in run.metrics if (p.key, p.timestamp, p.step) == spot]
    if not same or any(value != 0 for value in same):
        raise DataError(
            f"{point.key!a} is 0 for the model, but not in the history of its run: it may be NaN",
            where=run.run_id,
        )


def _its_own(point: MetricPoint, run: RunFacts, subject: Subject) -> None:
    """Refuse a model's value beside others in its run's history that could as well be the model's.

    MLflow links metrics to a model by step, and a model's step is 0 unless its author says another:
    of a loop over epochs it takes the first value. So at step 0 the values of all steps count, at
    another step only its own. What was logged for this model on other data is no rival, and at the
    same step neither is what was logged for another model of the run.
    """
    rivals = {
        _spot(p): p
        for p in run.metrics
        if p.key == point.key and point.step in {0, p.step} and p.value != point.value
    }
    if not point.model_id:
        return
    for p in subject.logged:
        rivals.pop(_spot(p), None)
    if rivals and all(p.step == point.step for p in rivals.values()) and subject.find_model:
        for other in {*run.models} - {point.model_id}:
            for p in subject.find_model(other):
                rivals.pop(_spot(p), None)
    if rivals:
        raise DataError(
            f"which value of {point.key!a} is the model's is not clear: MLflow links "
            f"{point.value!r} to it by step {point.step}, and its run has {_last(rivals.values())}",
            where=run.run_id,
            hint=_HINT,
        )


def _spot(point: MetricPoint) -> tuple[object, ...]:
    return point.key, point.timestamp, point.step, point.value


def _last(points: Iterable[MetricPoint]) -> str:
    """Name values with their steps, the last steps first."""
    found = sorted({(-p.step, f"{p.value!r} (step {p.step})") for p in points})
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return ", ".join(told for _, told in found[:_SHOWN]) + more


def _one_value(points: Sequence[MetricPoint], wanted: Wanted) -> float:
    # SQL stores keep infinity as the largest number that there is
    if any(not abs(point.value) < sys.float_info.max for point in points):
        raise DataError(f"metric {wanted.metric!a} was logged as NaN or infinity")
    values = sorted({point.value for point in points})
    if len(values) > 1:
        places = sorted({f"{p.value!r} ({_dataset(p)}, step {p.step})" for p in points})
        more = f" and {len(places) - _SHOWN:,} more" if len(places) > _SHOWN else ""
        raise DataError(
            f"metric {wanted.metric!a} has {len(values):,} values: "
            f"{', '.join(places[:_SHOWN])}{more}",
            hint=_HINT,
        )
    return values[0]


def _same_scorers(runs: Mapping[str, RunFacts], wanted: Wanted) -> None:
    if wanted.scorers is None:
        return
    for run_id, run in runs.items():
        found = run.tags.get(SCORERS, "")
        digest, counted = _digest(found)
        if digest != wanted.scorers:
            what = f"scorers {_plain(digest or found)}" if found else _UNKNOWN
            raise DataError(
                f"the evaluation used {what}, not {_plain(wanted.scorers)}", where=run_id
            )
        if not counted:
            what = "the digest leaves out scorers that MLflow could not hash"
            raise DataError(what, where=run_id, hint="evaluate with those that it can hash")


def _digest(tag: str) -> tuple[str, bool]:
    """Read the digest that MLflow logs, alone or in JSON, and whether all scorers are in it."""
    if is_scorer_digest(tag):
        return tag, True
    try:
        value = canonical.parse(tag.encode())
    except ValueError:
        return "", False
    if not isinstance(value, dict) or not isinstance(value.get("digest"), str):
        return "", False
    return value["digest"], value.get("hashed") == value.get("total")


def _told(points: Sequence[MetricPoint], runs: Mapping[str, RunFacts]) -> Iterator[str]:
    """Say who claims it, of which model, on which data, and measured with what."""
    yield CLAIMED
    yield from _list("run", runs)
    yield from _list("logged model", (point.model_id for point in points))
    yield from _list("data set", (_dataset(point) for point in points if point.dataset_name))
    tags = [run.tags.get(SCORERS, "") for run in runs.values()]
    yield from _list("scorers", (_digest(tag)[0] or tag for tag in tags))
    yield from _list("agent", (run.tags.get(AGENT, "") for run in runs.values()))


def _list(word: str, found: Iterable[str]) -> Iterator[str]:
    names = sorted(set(filter(None, found)))
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"{word} {', '.join(map(_plain, names[:_SHOWN]))}{more}"


def _dataset(point: MetricPoint) -> str:
    """Name a point's data set with MLflow's digest, which covers 10,000 rows at most."""
    if not point.dataset_name:
        return "no data set"
    return _plain(f"{point.dataset_name}@{point.dataset_digest}")


def _plain(text: str) -> str:
    """Quote what is not plain: a tag or a name is whatever its author wrote."""
    return text if _PLAIN.fullmatch(text) else ascii(text[:128])
