"""What a check needs of its data before it measures: columns by role, nulls and the positive class.

Every check that compares labels with predictions comes through here, so that the same data are
usable, or refused in the same words, for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aims_gate.checks.levels import class_levels, with_classes
from aims_gate.errors import DataError, MissingColumnError, near
from aims_gate.facts import Statistic
from aims_gate.frames import ColumnKind, Frame, Key, Scalar
from aims_gate.frames.widths import stated_as
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.sources.subject import Data

Need = Literal["label", "prediction", "score", "query"]

_LISTED = 6
"""A column with more values than this has none of them named in an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A frame in which every needed column is there and free of nulls."""

    frame: Frame
    """Without the rows that are null in a needed column."""
    total: int
    """Rows of the data, dropped ones included."""
    label: str | None = None
    prediction: str | None = None
    score: str | Mapping[str, str] | None = None
    """The column of scores, or one column per class."""
    query: str | None = None

    @property
    def dropped(self) -> int:
        """Rows left out because a needed column was null; at most the share the policy allows."""
        return self.total - self.frame.rows

    def context(self) -> Iterable[Statistic]:
        """Report the dropped rows, if there are any."""
        if self.dropped:
            yield Statistic(
                name="dropped_rows",
                value=float(self.dropped),
                rows=self.dropped,
                total=self.total,
                reason="null where it must not be; allowed by max_null_labels",
            )


def labelled(data: Data, needs: Sequence[Need]) -> Labelled:
    """Find the columns of the roles in *needs* and leave out the rows that are null in them.

    Raises:
        MissingColumnError: A role's column is not in the data.
        DataError: A role has no column, the label is named as the model's answer, no row is left,
            or more rows are null than the policy's `max_null_labels` allows (none, unless it says
            otherwise).
    """
    spec = data.spec
    roles: dict[Need, str | Mapping[str, str] | None] = {
        "label": spec.label,
        "prediction": spec.prediction,
        "score": spec.score,
        "query": spec.query,
    }
    for role in needs:
        if role in data.failed:
            raise data.failed[role]
    wanted = {role: roles[role] for role in needs}
    _refuse_label_as_answer(data, wanted)
    columns = [c for role, named in wanted.items() for c in _columns(data, role, named)]
    frame = with_classes(data)
    nulls = {column: frame.nulls(column) for column in dict.fromkeys(columns)}
    frame = frame.without_nulls(list(nulls)) if any(nulls.values()) else frame
    _refuse_nulls(data, nulls, kept=frame.rows)
    prediction = wanted.get("prediction")
    return Labelled(
        frame=frame,
        total=data.frame.rows,
        label=spec.label if "label" in wanted else None,
        prediction=prediction if isinstance(prediction, str) else None,
        score=wanted.get("score"),
        query=spec.query if "query" in wanted else None,
    )


def classes_of(data: Data, found: Labelled) -> tuple[Scalar, ...]:
    """Distinct classes in labels or predictions, labels first.

    Raises:
        DataError: Labels and predictions are of different kinds, or of a kind that has no classes.
    """
    columns = _compared(found)
    _refuse_kinds(data, found.frame, columns)
    return _classes(found.frame, columns)


def positive_class(data: Data, found: Labelled) -> Scalar:
    """Positive class, compared strictly with the values that occur.

    1, 1.0 and true are one value; "1" is another. Without `positive:` the class 1 is positive of 0
    and 1, and true of false and true.

    Raises:
        DataError: `positive:` is missing or occurs nowhere, labels and predictions are of
            different kinds, or there are more than two classes in a task that is not multiclass.
    """
    where = f"{data.role} data"
    columns = _compared(found)
    classes = classes_of(data, found)
    if len(classes) > 2 and data.spec.task is not TaskKind.MULTICLASS:
        verb = "hold" if len(columns) > 1 else "holds"
        raise DataError(
            f"{' and '.join(columns)} {verb} more than two classes: {_listed(data, classes)}",
            where=where,
            hint=_hint_on(classes),
        )
    positive = data.spec.positive
    if positive is not None:
        positive = stated_as(positive, min(found.frame.columns[c].bits for c in columns))
    if positive is None and set(classes) <= {0, 1}:
        return True if any(isinstance(value, bool) for value in classes) else 1
    if positive is None:
        raise DataError(
            f"which class is positive is not stated; there are {_listed(data, classes)}",
            where=where,
            hint=f"state positive: under data.{data.role}",
        )
    if not data.is_part and positive not in classes and positive not in _labels(data):
        raise DataError(
            f"the positive class {stated_positive(data)} occurs nowhere in "
            f"{' or '.join(columns)}; there are {_listed(data, classes)}",
            where=where,
            hint="text and numbers differ: '1' is not 1",
        )
    return positive


def stated_positive(data: Data) -> str:
    """Write the positive class that is stated; not where the run's author stated it."""
    return "that the run states" if "positive" in data.from_run else repr(data.spec.positive)


def _hint_on(classes: Sequence[Scalar]) -> str:
    """Say what to do about more than two classes; fractions are scores or amounts, not classes."""
    if any(isinstance(value, float) and not value.is_integer() for value in classes):
        return (
            "these are numbers and no classes: name probabilities as score; where the model "
            "predicts an amount, fairness.score_gap with of: prediction compares groups"
        )
    return "state task: multiclass, and positive, to hold one class against the others"


def require(columns: Iterable[str], data: Data) -> None:
    """Raise MissingColumnError unless all *columns* are in the data."""
    for column in columns:
        if column not in data.frame.columns:
            raise absent_column(column, data)


def absent_column(
    column: str, data: Data, *, role: str = "", named_as: str = ""
) -> MissingColumnError:
    """Say which column is not in which file, what it is for, and what columns there are."""
    named = f", which data.{data.role} names as {named_as}" if named_as else ""
    file = f" ({data.identity.name})" if data.identity.name else ""
    return MissingColumnError(
        f"no column {column!r}{named}",
        where=f"{data.role} data{file}" + (f", {role}" if role else ""),
        hint=near(column, data.frame.columns),
    )


def role_columns(spec: DataSpec) -> Iterator[str]:
    """Name the columns that have a role and are no inputs; protected attributes may be inputs."""
    named = (spec.label, spec.prediction, spec.key, spec.query, spec.weight, spec.time)
    yield from filter(None, named)
    if isinstance(spec.score, str):
        yield spec.score
    elif spec.score is not None:
        yield from spec.score.values()


def _labels(data: Data) -> tuple[Scalar, ...]:
    """Classes of the label column, if there is one: a model may never predict the positive."""
    label = data.spec.label
    if label is None or label not in data.frame.columns:
        return ()
    return _classes(with_classes(data), [label])


def _columns(data: Data, role: Need, named: str | Mapping[str, str] | None) -> Iterable[str]:
    where = f"{data.role} data"
    if not named:
        raise DataError(
            f"no column is named as {role}",
            where=where,
            hint=f"state {role}: under data.{data.role} in the policy; a file brings its own roles "
            f"only where aims_gate.log_evaluation({role}=...) wrote it",
        )
    columns = [named] if isinstance(named, str) else list(named.values())
    for column in columns:
        if column not in data.frame.columns:
            raise absent_column(column, data, role=role)
    return columns


def _refuse_label_as_answer(
    data: Data, wanted: Mapping[Need, str | Mapping[str, str] | None]
) -> None:
    """Refuse a label in the place of a prediction: it is always right, and fair to everybody.

    A policy that says so is refused as it is read; roles logged with the data come through here.
    """
    for role in ("prediction", "score"):
        named = wanted.get(role)
        columns = list(named.values()) if isinstance(named, Mapping) else [named]
        if data.spec.label is not None and data.spec.label in columns:
            raise DataError(
                f"{data.spec.label} is named both as label and as {role}",
                where=f"{data.role} data",
                hint=f"name the model's own column as {role}",
            )


def _compared(found: Labelled) -> list[str]:
    return [column for column in (found.label, found.prediction) if column is not None]


def _refuse_nulls(data: Data, nulls: Mapping[str, int], *, kept: int) -> None:
    rows, allowed = data.frame.rows, data.spec.max_null_labels
    dropped = rows - kept
    where = f"{data.role} data"
    if dropped > allowed * rows:
        named = ", ".join(f"{count:,} in {column}" for column, count in nulls.items() if count)
        raise DataError(
            f"{dropped:,} of {rows:,} rows are null where they must not be ({named})",
            where=where,
            hint="fill or remove them, or allow a share with max_null_labels",
        )
    if kept == 0:
        raise DataError("no rows are left to measure", where=where)


def _refuse_kinds(data: Data, frame: Frame, columns: Sequence[str]) -> None:
    plain = {ColumnKind.NUMBER: "numbers", ColumnKind.BOOLEAN: "numbers", ColumnKind.TEXT: "text"}
    kinds = {column: plain.get(frame.columns[column].kind) for column in columns}
    if None in kinds.values():
        column = next(name for name, kind in kinds.items() if kind is None)
        raise DataError(
            f"{column} holds {frame.columns[column].type}, which cannot be classes",
            where=f"{data.role} data",
        )
    if len(set(kinds.values())) > 1:
        raise DataError(
            "labels and predictions are of different kinds: "
            + ", ".join(f"{column} holds {kind}" for column, kind in kinds.items()),
            where=f"{data.role} data",
            hint="store both in one type; '1' is not 1",
        )


def _classes(frame: Frame, columns: Sequence[str]) -> tuple[Scalar, ...]:
    found: dict[Scalar, None] = {}
    for column in columns:
        for (value,) in frame.count(Key(column=column)).values:
            if value is not None:
                found.setdefault(value)
    return tuple(found)


def _listed(data: Data, values: Sequence[Scalar]) -> str:
    """Name a few classes; many are no classes but cells of rows, which stay out of evidence."""
    if len(values) > _LISTED:
        return f"{len(values):,} different values"
    named = class_levels(data)
    return ", ".join(named.value(value, repr) for value in values)
