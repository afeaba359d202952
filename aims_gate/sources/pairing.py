"""Pair the predictions of two models row by row: joined by a key, never by row order.

Only answers are taken. Labels, weights and groups stay those of the data that are judged, and where
the other data have labels too, they must be the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import ColumnKind
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.column_values import kind_of, numbers, plain, undictionary
from aims_gate.frames.opening import in_memory
from aims_gate.frames.widths import float_bits, narrowed
from aims_gate.policy.model import DataSpec, JoinSpec
from aims_gate.sources.join import join
from aims_gate.sources.predictions import derive_prediction
from aims_gate.sources.subject import Data

_WHOLE = pa.decimal128(20)
"""Holds every whole number of 64 bits, with a sign or without."""
_NUMBERS = (ColumnKind.NUMBER, ColumnKind.BOOLEAN)


def paired(ours: Data, theirs: Data) -> Data:
    """Paired data: the predictions of *theirs* on the rows and roles of *ours*.

    Rows are matched by the key that either names; both data may call it by their own name. Data
    read from the same bytes by the same roles are the same rows, and need none.

    Returns:
        The role and identity of *theirs*. Its frame has all columns of *ours* and, called
        `ROLE: COLUMN`, the prediction and scores of *theirs*, which its spec names.

    Raises:
        MissingColumnError: A key or an answer's column is not there.
        DataError: No key is named; a key is null, twice, or on one side only; the labels differ; or
            *theirs* names neither prediction nor score.
    """
    frame, others = in_memory(ours.frame), in_memory(theirs.frame)
    where = f"{theirs.role} data"
    if frame is None or others is None:
        raise DataError("rows are matched in memory only", where=where)
    spec = _answers(ours.spec, theirs, where)
    wanted = _columns(theirs.spec)
    label = theirs.spec.label or ours.spec.label
    if label in wanted:
        raise DataError(f"{label!r} is named both as label and as answer", where=where)
    names = {_named(theirs, column): column for column in wanted}
    if label is not None and label in others.table.column_names:
        names[_named(theirs, label)] = label
    both = frame.cache.get(
        ("paired", others, tuple(names.items()), ours.spec.key, theirs.spec.key),
        lambda: _beside(ours, frame, theirs, others, names),
        lambda made: sum(made.table.column(_named(theirs, c)).nbytes for c in wanted),
    )
    found = replace(
        theirs,
        frame=both,
        spec=spec,
        from_run=ours.from_run,
        declared=ours.declared,
        unnamed=ours.unnamed,
    )
    return derive_prediction(found)


def _beside(
    ours: Data, frame: ArrowFrame, theirs: Data, others: ArrowFrame, names: Mapping[str, str]
) -> ArrowFrame:
    """Add the columns of *names* to the frame, and compare the label among them with ours."""
    if _same_rows(ours, theirs):
        table = _select(theirs, others.table, names)
    else:
        table = _joined(ours, frame.table, theirs, others.table, names)
    wanted = _columns(theirs.spec)
    for name, column in names.items():
        if column in wanted:
            frame = frame.with_column(name, table.column(name))
        else:
            _refuse_other_labels(ours, frame, table.column(name), f"{theirs.role} data")
    return frame


def _named(theirs: Data, column: str) -> str:
    return f"{theirs.role}: {column}"


def _columns(spec: DataSpec) -> list[str]:
    scores = [spec.score] if isinstance(spec.score, str) else list((spec.score or {}).values())
    found = [spec.prediction, *scores]
    return list(dict.fromkeys(column for column in found if column is not None))


def _answers(ours: DataSpec, theirs: Data, where: str) -> DataSpec:
    """Roles of *ours* with the prediction and scores of *theirs*, under their new names."""
    score = theirs.spec.score
    if theirs.spec.prediction is None and not score:
        if "prediction" in theirs.failed:
            raise theirs.failed["prediction"]
        hint = f"state prediction: or score: under data.{theirs.role}"
        raise DataError("they name neither prediction nor score", where=where, hint=hint)
    prediction = theirs.spec.prediction
    return replace(
        ours,
        prediction=None if prediction is None else _named(theirs, prediction),
        predictions=None,
        score=(
            {name: _named(theirs, column) for name, column in score.items()}
            if isinstance(score, Mapping)
            else None
            if score is None
            else _named(theirs, score)
        ),
        threshold=theirs.spec.threshold,
    )


def _same_rows(ours: Data, theirs: Data) -> bool:
    """Tell whether both are the same bytes, cut to the same rows."""
    one, other = ours.identity, theirs.identity
    cuts = [(s.weight, s.time, s.window_days) for s in (ours.spec, theirs.spec)]
    same = (one.digest, one.digest_kind) == (other.digest, other.digest_kind)
    return same and cuts[0] == cuts[1]


def _joined(
    ours: Data, table: pa.Table, theirs: Data, other: pa.Table, names: Mapping[str, str]
) -> pa.Table:
    key = ours.spec.key or theirs.spec.key
    if key is None:
        raise DataError(
            f"no key says which row of the {theirs.role} data is which of ours",
            where=f"{theirs.role} data",
            hint=f"state key: COLUMN under data.{ours.role}; rows are not matched by their order",
        )
    rows = _select(ours, table, {key: ours.spec.key or key})
    found = _select(theirs, other, {key: theirs.spec.key or key, **names})
    found = _counted(ours, found, key, rows)
    on = JoinSpec(source="", on=key, columns=tuple(names))
    return join(rows, found, on, where=f"{ours.role} data", source=f"{theirs.role} data")


def _counted(ours: Data, found: pa.Table, key: str, rows: pa.Table) -> pa.Table:
    """Leave out the answers to rows of ours that have weight 0: such rows do not exist."""
    frame, weight = in_memory(ours.frame), ours.spec.weight
    if weight is None or frame is None:
        return found
    named = ours.spec.key or key
    if named not in frame.given.column_names or frame.given.num_rows == frame.table.num_rows:
        return found
    nothing = pc.equal(frame.given.column(weight), 0)
    gone = frame.given.column(named).filter(nothing).combine_chunks()
    here = rows.column(key).combine_chunks()
    gone = gone.filter(pc.invert(pc.is_in(gone, value_set=here)))
    if not len(gone) or gone.type != found.column(key).type:
        return found
    return found.filter(pc.invert(pc.is_in(found.column(key), value_set=gone)))


def _select(data: Data, table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    for column in names.values():
        if column not in table.column_names:
            where = f"{data.role} data"
            raise MissingColumnError.from_columns(column, table.column_names, where=where)
    return pa.table({name: table.column(column) for name, column in names.items()})


def _refuse_other_labels(
    ours: Data, frame: ArrowFrame, theirs: pa.ChunkedArray, where: str
) -> None:
    """Refuse a row that has another label there: it is not the same evaluation."""
    label = ours.spec.label
    if label is None or label not in frame.table.column_names:
        return
    differ = _differ(frame.table.column(label), theirs)
    if differ is None or differ.any():
        rows = "their type" if differ is None else f"{int(differ.sum()):,} rows"
        what = f"the labels differ from those of the {ours.role} data in {rows}"
        hint = "both models must be judged on the same rows with the same labels"
        raise DataError(what, where=where, hint=hint)


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> np.typing.NDArray[np.bool_] | None:
    """Say which rows differ, nulls alike being equal; None where the kinds do."""
    kinds = kind_of(one.type), kind_of(other.type)
    first, second = (undictionary(plain(column)) for column in (one, other))
    whole = pa.types.is_integer(first.type) and pa.types.is_integer(second.type)
    if not whole and all(kind in _NUMBERS for kind in kinds):
        bits = min(float_bits(column.type) for column in (first, second))
        first, second = (narrowed(numbers(column), bits) for column in (one, other))
        return np.asarray((first != second) & ~(np.isnan(first) & np.isnan(second)))
    if not whole and kinds != (ColumnKind.TEXT, ColumnKind.TEXT):
        return None
    form = _WHOLE if whole else pa.large_string()
    first, second = first.cast(form), second.cast(form)
    same = pc.fill_null(pc.equal(first, second), fill_value=False)
    same = pc.or_(same, pc.and_(first.is_null(), second.is_null()))
    return np.asarray(pc.invert(same).to_numpy())
