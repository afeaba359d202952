"""Column roles in the metadata of a Parquet schema, which travel with the data.

The author of a run writes them, so they are read as hostile input, and they complete a policy's
description without ever replacing what it states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import pyarrow as pa
from pydantic import ValidationError

from aims_gate import canonical
from aims_gate.documents.keys import Keys, Text, optional, pattern
from aims_gate.documents.messages import problems
from aims_gate.documents.strict_yaml import Document
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.policy.vocabulary import Columns, Label, Score, TaskWord

KEY = b"aims_gate.roles"
"""Where the roles are kept: canonical JSON under this key of the schema's metadata."""

_MOST = 1 << 16
"""Bytes; no honest description of columns is longer."""
_MODEL = "model"
_MODEL_ID = r"[0-9A-Za-z][0-9A-Za-z-]{0,99}"
_WHERE = "the roles logged with the data"
_NOTHING = DataSpec()


class _AuthoredRoles(Keys):
    """What the author of a run says of the columns, in the words that a policy has for it."""

    label: Text = optional()
    prediction: Text = optional()
    key: Text = optional()
    query: Text = optional()
    weight: Text = optional()
    time: Text = optional()
    score: Score = optional()
    positive: Label = optional()
    task: TaskWord = optional()
    sensitive: Columns = optional()
    model: Annotated[str, pattern(_MODEL_ID, "must be the id of a logged model", "")] = ""


_FIELDS = tuple(name for name in _AuthoredRoles.model_fields if name != _MODEL)


def write_roles(table: pa.Table, spec: DataSpec, *, model: str = "") -> pa.Table:
    """The table with the roles of *spec* in its schema's metadata, replacing earlier ones.

    Args:
        table: The data.
        spec: What their columns mean.
        model: Id of the logged model whose answers they hold; empty if there are none.

    Raises:
        DataError: A role cannot be written, such as a positive class of NaN.
        MissingColumnError: A role names a column that is not in *table*.
    """
    found: dict[str, Any] = {name: getattr(spec, name) for name in _FIELDS}
    if isinstance(spec.score, Mapping):
        found["score"] = dict(spec.score)
    found["sensitive"] = {name: edges and list(edges) for name, edges in spec.sensitive.items()}
    found[_MODEL] = model or None
    stated = {name: value for name, value in found.items() if value is not None and value != {}}
    try:
        text = canonical.encode(stated)
    except (ValueError, TypeError) as error:
        raise DataError(f"the column roles cannot be written: {error}") from error
    written = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: text})
    read_roles(written)  # what is written is what can be read
    return written


def refuse_shared(spec: DataSpec, *, where: str) -> None:
    """Refuse labels that are also the model's answer: every statistic would be perfect.

    Raises:
        DataError: The label's column is named as prediction, score or weight too.
    """
    scores = (spec.score,) if isinstance(spec.score, str) else tuple((spec.score or {}).values())
    others = {"prediction": (spec.prediction,), "score": scores, "weight": (spec.weight,)}
    for role, columns in others.items():
        if spec.label is not None and spec.label in columns:
            raise DataError(
                f"{spec.label!r} is named both as label and as {role}",
                where=where,
                hint="the label is what really happened, and the model never saw it",
            )


def read_roles(table: pa.Table) -> DataSpec | None:
    """Read the roles logged with a table; None if there are none.

    Raises:
        DataError: They are not JSON, have unknown or duplicate keys, or values of a wrong type.
        MissingColumnError: A role names a column that is not in *table*.
    """
    logged = _logged(table)
    if logged is None:
        return None
    stated = logged.model_dump(exclude_unset=True, exclude={_MODEL})
    task = {"task": TaskKind(logged.task)} if logged.task else {}
    spec = DataSpec(**stated | task)
    for _, column in spec.columns():
        if column not in table.column_names:
            raise MissingColumnError.from_columns(column, table.column_names, where=_WHERE)
    return spec


def read_model(table: pa.Table) -> str:
    """Read which logged model's answers a table says that it holds; empty if it says nothing."""
    logged = _logged(table)
    return logged.model if logged is not None else ""


def _logged(table: pa.Table) -> _AuthoredRoles | None:
    text = (table.schema.metadata or {}).get(KEY)
    if text is None:
        return None
    if len(text) > _MOST:
        raise DataError(f"more than {_MOST:,} bytes", where=_WHERE)
    try:
        logged = canonical.parse(text)
    except ValueError as error:
        raise DataError(f"not JSON: {error}", where=_WHERE) from error
    try:
        return _AuthoredRoles.model_validate(logged)
    except ValidationError as error:
        read = Document(file=_WHERE, tree=logged)
        problem = next(problems(read, error, _AuthoredRoles, {}))
        raise DataError(problem.what, where=_WHERE, hint=problem.hint) from None


def merge(policy: DataSpec, logged: DataSpec | None) -> DataSpec:
    """Complete the policy's description of a role by what was logged with the data.

    The policy wins field by field, and an author cannot turn what it states around:

    - `positive` and `task` say how label and prediction are read, so a policy that names either is
      not completed by them: with label `y` in {0, 1}, positive is 1 whatever was logged, and no
      rate of rejection takes the place of the rate of selection.
    - A policy that lets the model predict reads no answer that its author logged.
    - A policy that names one score column and no prediction wants predictions derived from that
      score at its threshold, so a logged prediction column is not used.
    - `sensitive` is the policy's if it names any: more attributes mean more comparisons, wider
      simultaneous intervals, and a breach that is no longer proven.
    - Source, digest, age, least rows, threshold and allowed nulls come from the policy only.
    """
    if logged is None:
        return policy
    asks = policy.predictions is not None
    derives = asks or (isinstance(policy.score, str) and policy.prediction is None)
    reads_label = asks or policy.label is not None or policy.prediction is not None
    return replace(
        policy,
        label=policy.label or logged.label,
        prediction=policy.prediction if derives else policy.prediction or logged.prediction,
        score=policy.score or (None if asks else logged.score),
        key=policy.key or logged.key,
        query=policy.query or logged.query,
        weight=policy.weight or logged.weight,
        time=policy.time or logged.time,
        positive=policy.positive if reads_label else _first(policy.positive, logged.positive),
        task=policy.task if reads_label else policy.task or logged.task,
        sensitive=policy.sensitive or logged.sensitive,
    )


def withheld(
    logged: DataSpec | None,
    policy: DataSpec,
    known: DataSpec,
    declare: Iterable[str],
    *,
    where: str,
) -> DataSpec | None:
    """Leave out of what was logged what the policy declares itself, and says nothing of.

    A check then finds no such role, as if nobody had named one. What repeats the policy's own word
    on the evaluation data, *known*, is no choice of the author.

    Raises:
        DataError: The author names a weight: without it every number would be another.
    """
    if logged is None:
        return None
    changes: dict[str, Any] = {}
    for name in declare:
        value, nothing = getattr(logged, name), getattr(_NOTHING, name)
        if value == nothing or getattr(policy, name) != nothing or value == getattr(known, name):
            continue
        if name == "weight":
            role = where.split(maxsplit=1)[0]
            hint = f"write weight: {value} under data.{role}, or log a row for each case"
            what = f"the run names the weight {value!r}, and the policy declares weights itself"
            raise DataError(what, where=where, hint=hint)
        changes[name] = nothing
    return replace(logged, **changes)


def from_run(policy: DataSpec, merged: DataSpec, known: DataSpec) -> frozenset[str]:
    """Name the roles that `merge` took from the run's author, unless they are *known* already.

    Args:
        policy: What the policy says of this role's data.
        merged: The same, completed.
        known: What it says of the evaluation data.
    """
    return frozenset(
        name
        for name in _FIELDS
        if getattr(merged, name) not in (getattr(policy, name), getattr(known, name))
    )


def _first(stated: Any, logged: Any) -> Any:
    return logged if stated is None else stated
