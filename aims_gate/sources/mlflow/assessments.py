"""LLM judge scores as data: the feedback of one scorer on each trace of one evaluation.

The traces are the model's own, by its id, else those of its training run. They lie with the run's
author, who may write, change and delete them: scores are a claim, and are called so wherever they
are told. Of what was asked and answered, and why it was scored so, nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from aims_gate.errors import DataError, near
from aims_gate.facts import CLAIMED
from aims_gate.policy.model import DataSpec, Role
from aims_gate.policy.scalars import SCORES, parse_scorer
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import Feedback, RunRecord, Trace
from aims_gate.sources.mlflow.resolve import Resolved
from aims_gate.sources.scored import KEY, SCORER, TAG, VALUE, meant, value_column
from aims_gate.sources.subject import Scores

MOST_TAGS = 200
"""Names of tags that become columns."""
_ID = re.compile(r"[0-9A-Za-z_-]{1,256}")
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerTraces:
    """Finds the scores of the candidate's traces, and of the champion's."""

    registry: Registry
    candidate: Resolved
    champion: Resolved | None = None

    def __call__(self, text: str, role: Role, spec: DataSpec, run_id: str = "") -> Scores:
        """Read the scores that `assessments:SCORER[@sha256:…]` names, of one run if it is named.

        DataError if there are none, or it is not clear which; SourceError if MLflow cannot be read.
        """
        place = self.champion if role is Role.CHAMPION and not run_id else self.candidate
        if place is None:
            hint = "state alias: in the rule, or hand over runs:/RUN_ID/assessments:SCORER"
            raise DataError("there is no champion whose scores these are", where=text, hint=hint)
        return read_scores(self.registry, text, spec, _TracePlace.of(place), run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TracePlace:
    """Model, run and experiments whose traces are searched."""

    model_id: str
    run: RunRecord | None
    experiments: tuple[str, ...]

    @classmethod
    def of(cls, found: Resolved) -> _TracePlace:
        named = (found.experiment, found.run.experiment if found.run else "")
        experiments = tuple(dict.fromkeys(filter(None, named)))
        return cls(model_id=found.model_id, run=found.run, experiments=experiments)


def scores_of_run(registry: Registry, text: str, spec: DataSpec, run_id: str) -> Scores:
    """Read what a scorer said in one evaluation, of whichever model; as `read_scores`."""
    place = _TracePlace(model_id="", run=None, experiments=())
    return read_scores(registry, text, spec, place, run_id)


def read_scores(
    registry: Registry, text: str, spec: DataSpec, place: _TracePlace, run_id: str
) -> Scores:
    """Scores as data: a row for each trace of the evaluation in which the scorer judged it."""
    scorer, pin = parse_scorer(text.removeprefix(f"{SCORES}:"))
    evaluation = _finished(registry, run_id or _evaluation(registry, scorer, place, text))
    where = f"runs:/{evaluation.run_id}/{SCORES}:{_plain(scorer)}"
    traces = _of_model(_of_run(registry, evaluation), place.model_id, where)
    said = [_said(trace, scorer, evaluation.run_id, where) for trace in traces]
    if not any(said):
        raise _nothing(scorer, traces, where)
    digests = _digests(said, pin, where)
    try:
        column = value_column([one and one.value for one in said], where=where)
        roles, passes = meant(spec, column, where=where)
        table = pa.table(
            {
                KEY: pa.array([trace.trace_id for trace in traces], pa.string()),
                VALUE: column,
                **passes,
                SCORER: pa.array([one.digest if one else None for one in said], pa.string()),
                **_tags(traces, where),
            }
        )
    except UnicodeEncodeError as error:
        raise DataError("a score or a tag is no Unicode text", where=where) from error
    model_id = next((trace.model_id for trace in traces), "")
    return Scores(
        table=table,
        roles=roles,
        uri=where,
        claim=f"scores of {_plain(scorer)}, {CLAIMED}",
        notes=tuple(_notes(digests, model_id)),
        model_id=model_id,
        created=evaluation.ended,
    )


def _evaluation(registry: Registry, scorer: str, place: _TracePlace, text: str) -> str:
    """Find the one run in which the scorer judged the model."""
    found: tuple[Trace, ...] = ()
    if place.model_id and place.experiments:
        wanted = f"request_metadata.`mlflow.modelId` = '{_quotable(place.model_id)}'"
        found = registry.traces(place.experiments, wanted)
    if place.run is not None and not _runs(found, scorer):
        others = [
            one for one in _of_run(registry, place.run) if one.model_id in {"", place.model_id}
        ]
        found = (*found, *others)
    runs = _runs(found, scorer)
    if not runs:
        raise _nothing(scorer, found, text)
    if len(runs) > 1:
        named = ", ".join(sorted(runs)[:_SHOWN])
        raise DataError(
            f"{len(runs):,} runs have scores of {_plain(scorer)!r} for the model ({named})",
            where=text,
            hint=f"hand one over: --data evaluation=runs:/RUN_ID/{SCORES}:{_plain(scorer)}",
        )
    return runs.pop()


def _runs(traces: Iterable[Trace], scorer: str) -> set[str]:
    return {
        one.run_id or trace.run_id
        for trace in traces
        for one in trace.feedback
        if one.name == scorer
    }


def _finished(registry: Registry, run_id: str) -> RunRecord:
    where = f"runs:/{_plain(run_id)}"
    if not run_id:
        raise DataError("the scores name no run in which they were given", where=where)
    try:
        run = registry.run(run_id)
    except NotFoundError as error:
        raise DataError("the run of the evaluation is gone", where=where) from error
    if run.deleted or run.status != "FINISHED" or run.ended is None:
        status = "deleted" if run.deleted else run.status or "without status"
        hint = "what it logged can still change; a run counts when it is FINISHED"
        raise DataError(f"the run of the evaluation is {_plain(status)}", where=where, hint=hint)
    return run


def _of_run(registry: Registry, run: RunRecord) -> tuple[Trace, ...]:
    if not run.experiment:
        return ()
    found = registry.traces((run.experiment,), f"attribute.run_id = '{_quotable(run.run_id)}'")
    return tuple(sorted(found, key=lambda trace: trace.trace_id))


def _of_model(traces: Sequence[Trace], model_id: str, where: str) -> list[Trace]:
    """Traces of the model, if traces name models; else all, which then name none or one."""
    named = {trace.model_id for trace in traces}
    own = [trace for trace in traces if model_id and trace.model_id == model_id]
    if not own and len(named) == 1:
        return list(traces)  # `bound` compares the one model, or none, with ours
    if not own or "" in named:
        what = "the traces are of several models" if not own else "some of the traces name no model"
        hint = "evaluate each model in a run of its own, with model_id="
        raise DataError(what, where=where, hint=hint)
    return own


def _said(trace: Trace, scorer: str, run_id: str, where: str) -> Feedback | None:
    """The scorer's final feedback on a trace; None if there is none."""
    gone = {one.overrides for one in trace.feedback}
    said = [
        one
        for one in trace.feedback
        if one.name == scorer
        and one.valid
        and not (one.key and one.key in gone)
        and one.run_id in {"", run_id}
    ]
    if len(said) > 1:
        what = f"the scorer {_plain(scorer)!r} has {len(said):,} valid values for one trace"
        hint = "let it give one value, or each value a name of its own (Feedback(name=…))"
        raise DataError(what, where=where, hint=hint)
    return said[0] if said else None


def _nothing(scorer: str, traces: Iterable[Trace], where: str) -> DataError:
    known = {_plain(one.name) for trace in traces for one in trace.feedback}
    hint = near(_plain(scorer), known)
    if not known:
        hint = (
            "evaluate with mlflow.genai.evaluate(…, model_id=…) in the model's experiment, or hand "
            f"over runs:/RUN_ID/{SCORES}:{_plain(scorer)}"
        )
    return DataError(f"no trace has a score of {_plain(scorer)!r}", where=where, hint=hint)


def _digests(said: Sequence[Feedback | None], pin: str, where: str) -> list[str]:
    """Name the definitions that gave values; DataError for several, or one that is not pinned."""
    found = [one.digest for one in said if one is not None and one.value is not None]
    digests = sorted({_plain(digest) for digest in found if digest})
    if pin and set(found) - {pin}:
        other = sum(digest != pin for digest in found)
        what = f"{other:,} of {len(found):,} values are not of the scorer {pin}"
        hint = (
            f"they are of {', '.join(digests[:_SHOWN])}" if digests else "they name no definition"
        )
        raise DataError(what, where=where, hint=hint)
    if len(digests) > 1:
        what = f"{len(digests):,} definitions of the scorer gave the values"
        hint = "evaluate again with one, or pin it: assessments:SCORER@sha256:…"
        raise DataError(f"{what}: {', '.join(digests[:_SHOWN])}", where=where, hint=hint)
    return digests


def _notes(digests: Sequence[str], model_id: str) -> Iterator[str]:
    yield f"scorer {digests[0]}" if digests else "the scorer's definition has no digest"
    if not model_id:
        yield "the traces name no model"


def _tags(traces: Sequence[Trace], where: str) -> dict[str, pa.Array]:
    """The author's tags as text columns, under names that replace no other column."""
    names = sorted({name for trace in traces for name in trace.tags})
    if len(names) > MOST_TAGS:
        what = f"the traces have {len(names):,} tags, and {MOST_TAGS} at most are read"
        raise DataError(what, where=where, hint="tag with names that are few, and values that vary")
    return {
        f"{TAG}{name}": pa.array([trace.tags.get(name) for trace in traces], pa.string())
        for name in names
    }


def _quotable(word: str) -> str:
    if not _ID.fullmatch(word):
        raise DataError("MLflow gives an id that is none", where=ascii(word[:64]))
    return word


def _plain(text: str) -> str:
    """Write what an author chose so that it fits on one line."""
    return ascii(text[:80])[1:-1]
