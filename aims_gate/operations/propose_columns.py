"""Infer the roles of columns from what was logged, their names and their values.

A guess is never more than that: every field that was not logged is named in `Columns.guessed`, so
that a person is asked to confirm it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aims_gate.checks.metrics import task_of
from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Frame, Key, Scalar
from aims_gate.operations.propose_groups import bins_of, is_protected, protected
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.sources.predictions import derived_name, threshold_of
from aims_gate.sources.subject import Data

LABELS = ("label", "labels", "y", "ytrue", "target", "truth", "groundtruth", "actual", "outcome")
PREDICTIONS = (
    *("prediction", "predictions", "predicted", "pred", "yhat", "ypred", "predictedlabel"),
    "decision",
)
SCORES = ("score", "scores", "probability", "proba", "prob", "yscore", "yprob", "yproba", "p")
KEYS = ("id", "rowid", "uuid", "caseid", "customerid", "applicationid")
_POSITIVE = (
    "1",
    "true",
    "yes",
    "y",
    "positive",
    "approved",
    "accepted",
    "granted",
    "hired",
    "good",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedColumns:
    """A role's columns as far as they are known, and which of it is a guess."""

    spec: DataSpec
    guessed: frozenset[str] = frozenset()
    """Fields of `DataSpec` that nobody logged."""
    cut: frozenset[str] = frozenset()
    """Protected columns that were logged, and whose bins are a guess."""
    notes: tuple[str, ...] = ()
    """What a person should look at although nothing was proposed."""


def evaluation_columns(data: Data, features: frozenset[str]) -> ProposedColumns:
    """Complete what was logged with the evaluation data by guesses.

    Args:
        data: The evaluation data, with the roles that were logged with them.
        features: Columns that the model's signature reads, which are no label and no answer.

    Raises:
        DataError: No column looks like the label, or none like a prediction or score.
    """
    logged = logged_spec(data)
    guess = _Guess(frame=data.frame, features=features, spec=logged)
    if logged.label is None:
        guess.take("label", _named(LABELS))
    if logged.prediction is None and logged.score is None:
        guess.take("score", _named(SCORES), (ColumnKind.NUMBER,))
        guess.take("prediction", _named(PREDICTIONS))
    if logged.key is None:
        guess.take("key", _named(KEYS), (ColumnKind.NUMBER, ColumnKind.TEXT), unique=True)
    if guess.spec.label is None:
        guess.last_resort()
    spec = guess.spec
    if spec.label is None or (spec.prediction or spec.score) is None:
        what = "the label" if spec.label is None else "a prediction or score"
        raise DataError(
            f"no column looks like {what}; there are {', '.join(data.frame.columns)}",
            where=data.identity.uri,
            hint="log the data with aims_gate.log_evaluation(label=…, prediction=…), or call the "
            f"columns {LABELS[0]}, {PREDICTIONS[0]} and {SCORES[0]}",
        )
    spec = _with_threshold(data, _with_task(data, spec))
    notes: list[str] = []
    if not logged.sensitive:
        spec = replace(spec, sensitive=dict(protected(data.frame, spec, notes)))
    guessed = {name for name in _FIELDS if getattr(spec, name) != getattr(logged, name)}
    bins = dict(bins_of(data.frame, logged, notes))
    spec = replace(spec, sensitive={**spec.sensitive, **bins})
    return ProposedColumns(
        spec=spec, guessed=frozenset(guessed), cut=frozenset(bins), notes=tuple(notes)
    )


def other_columns(data: Data, evaluation: DataSpec) -> ProposedColumns:
    """Roles of reference or current data: as logged, else those of the evaluation data."""
    logged = logged_spec(data)
    names = ("label", "prediction", "score", "key", "query", "time")
    found: dict[str, Any] = {
        name: value
        for name in names
        if getattr(logged, name) is None
        and isinstance(value := getattr(evaluation, name), str)
        and value in data.frame.columns
    }
    return ProposedColumns(spec=replace(logged, **found), guessed=frozenset(found))


def logged_spec(data: Data) -> DataSpec:
    """Roles logged with the data, without a prediction that was derived from scores."""
    derived = derived_name(data.spec)
    if derived is not None and data.spec.prediction == derived:
        return replace(data.spec, prediction=None)
    return data.spec


_FIELDS = (
    *("label", "prediction", "score", "positive", "task", "key", "query", "weight", "time"),
    "sensitive",
)


@dataclass(slots=True, kw_only=True)
class _Guess:
    """Assigns columns to roles, each column to at most one."""

    frame: Frame
    features: frozenset[str]
    spec: DataSpec
    _taken: set[str] = field(default_factory=set)

    def take(
        self,
        role: str,
        fits: Callable[[str], int],
        kinds: tuple[ColumnKind, ...] = (ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.TEXT),
        *,
        unique: bool = False,
    ) -> None:
        """Assign *role* to the free column whose name fits best."""
        free = [
            name
            for name in self._free()
            if self.frame.columns[name].kind in kinds and fits(name) >= 0
        ]
        if unique:
            free = [name for name in free if _is_unique(self.frame, name)]
        if free:
            self._give(role, min(free, key=fits))

    def last_resort(self) -> None:
        """Take the one column that is neither read by the model nor anything else for the label."""
        free = [name for name in self._free() if not is_protected(name)]
        if self.features and len(free) == 1:
            self._give("label", free[0])

    def _give(self, role: str, column: str) -> None:
        given: dict[str, Any] = {role: column}
        self.spec = replace(self.spec, **given)
        self._taken.add(column)

    def _free(self) -> list[str]:
        spec = self.spec
        scores = spec.score.values() if isinstance(spec.score, Mapping) else [spec.score]
        used = {spec.label, spec.prediction, spec.key, spec.query, spec.weight, spec.time, *scores}
        used |= self.features | self._taken | set(spec.sensitive)
        return [name for name in self.frame.columns if name not in used]


def _named(names: tuple[str, ...]) -> Callable[[str], int]:
    """Rank a column's name among *names*, letters and digits only; -1 if it is none of them."""

    def rank(column: str) -> int:
        plain = re.sub(r"[^a-z0-9]", "", column.lower())
        return names.index(plain) if plain in names else -1

    return rank


def _is_unique(frame: Frame, column: str) -> bool:
    if frame.columns[column].kind is ColumnKind.NUMBER:
        return len(frame.distribution(column).values) == frame.rows
    return len(frame.count(Key(column=column)).values) == frame.rows


def _with_task(data: Data, spec: DataSpec) -> DataSpec:
    """State the task where labels do not tell it, and the positive class of a binary one."""
    try:
        task = task_of(replace(data, spec=spec))
    except DataError:
        fractions = isinstance(spec.label, str) and _is_quantity(data.frame, spec.label)
        task = TaskKind.REGRESSION if fractions else TaskKind.MULTICLASS
        spec = replace(spec, task=task)
    if task is not TaskKind.BINARY or spec.positive is not None or spec.label is None:
        return spec
    cells = data.frame.count(Key(column=spec.label))
    found = {v: int(n) for (v,), n in zip(cells.values, cells.counts, strict=True) if v is not None}
    return replace(spec, positive=_positive(found)) if len(found) == 2 else spec


def _with_threshold(data: Data, spec: DataSpec) -> DataSpec:
    """State where scores that can be probabilities are cut; of others nobody can guess it."""
    if spec.prediction is not None or not isinstance(spec.score, str):
        return spec
    scores = data.frame.distribution(spec.score).values
    try:
        return replace(spec, threshold=threshold_of(replace(data, spec=spec), spec.score, scores))
    except DataError:
        return spec


def _is_quantity(frame: Frame, column: str) -> bool:
    return (
        frame.columns[column].kind is ColumnKind.NUMBER
        and len(frame.distribution(column).values) > 2
    )


def _positive(counts: Mapping[Scalar, int]) -> Scalar:
    """Positive class: by its name (`yes`, `1`), else the rarer one, else the last by its text."""
    named = [value for value in counts if str(value).lower().removesuffix(".0") in _POSITIVE]
    if len(named) == 1:
        return named[0]
    return min(sorted(counts, key=str, reverse=True), key=lambda value: counts[value])
