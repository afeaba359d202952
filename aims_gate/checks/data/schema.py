"""Schema validation: whether columns are there and have the right type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import About, Inputs, NoDataError, StatisticSpec
from aims_gate.checks.data.own_columns import columns_of
from aims_gate.errors import DataError
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data

_VIOLATIONS = "schema_violations"
_MLFLOW = {
    "double": ColumnKind.NUMBER,
    "float": ColumnKind.NUMBER,
    "integer": ColumnKind.NUMBER,
    "long": ColumnKind.NUMBER,
    "boolean": ColumnKind.BOOLEAN,
    "string": ColumnKind.TEXT,
    "datetime": ColumnKind.TIME,
}
"""MLflow's column types; a column of another type has to be there and may hold anything."""

TypeName = Literal["number", "boolean", "text", "time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WantedColumn:
    """What a column should be."""

    kind: ColumnKind | None
    """None where it may hold anything."""
    type: str = ""
    """The exact type, where only that tells: lists, structs and bytes."""
    required: bool = True
    nulls: bool = True
    """Whether values may be null: MLflow's whole numbers may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Columns that are not there, or hold another kind of value than they should."""

    about: ClassVar[About] = About(
        name="data.schema",
        summary="Columns that are missing, hold another kind of value, or should not be there.",
        definition=(
            "Per column 0 if it is as it should be and 1 if not; in [0, 1], no interval, because "
            "nothing is sampled. Kinds are number, boolean, text and time; widths of numbers and "
            "encodings do not count.\n\n"
            "Null is a violation only in whole numbers of a signature: the model refuses it. "
            "What should be is declared by the policy, found in the reference data, or declared "
            "by the model's own MLflow signature. Labels may be absent from current data, because "
            "they come late."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4",),
        undecided=(
            "there is nothing to compare with: no reference data, or a model without a signature",
            "the data would be compared with themselves",
        ),
    )

    columns: Mapping[str, TypeName | None] = field(default_factory=dict)
    """What the policy declares: names, each with its kind or null for any."""
    against: Literal["declared", "reference", "signature"] | None = None
    """What to compare with; by default `declared` if there are *columns*, else `reference`."""
    extra: Literal["allow", "refuse"] = "allow"
    """Whether columns that are not named may be there."""

    @property
    def _standard(self) -> str:
        return self.against or ("declared" if self.columns else "reference")

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: 0 or 1 per column."""
        compared = (Role.REFERENCE, Role.EVALUATION)
        return StatisticSpec(
            name=_VIOLATIONS,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            limit=0.0,
            has_interval=False,
            unit="violations",
            roles=compared if self._standard == "reference" else None,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if self.against == "declared" and not self.columns:
            yield "against", "nothing is declared", "list the columns under columns:"
        if self.columns and self.against not in {None, "declared"}:
            hint = "leave one of them out, or write two rules"
            yield "against", f"columns: and against: {self.against} are two different schemas", hint
        if not all(self.columns):
            yield "columns", "an empty name", ""

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Compare every column; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        try:
            wanted = self._wanted(inputs, data)
        except NoDataError as error:
            yield lacking(_VIOLATIONS, NoValue.MISSING, str(error))
            return
        there = columns_of(data)
        found = [_compare(name, want, there, data) for name, want in wanted.items()]
        if self.extra == "refuse":
            found += [(n, f"{n!r} should not be there") for n in there if n not in wanted]
        for column, wrong in found:
            yield Statistic(
                name=_VIOLATIONS,
                slice=column,
                value=float(bool(wrong)),
                rows=data.frame.rows,
                total=data.frame.rows,
                judged=True,
                reason=wrong,
            )
        if not found:
            yield lacking(_VIOLATIONS, NoValue.MISSING, "the schema to compare with is empty")

    def _wanted(self, inputs: Inputs, data: Data) -> dict[str, _WantedColumn]:
        if self._standard == "declared":
            return {
                name: _WantedColumn(kind=None if kind is None else ColumnKind(kind))
                for name, kind in self.columns.items()
            }
        if self._standard == "signature":
            return _of_signature(inputs)
        if data.role is Role.REFERENCE:
            raise DataError(
                "the reference data would be compared with themselves",
                hint="state on: evaluation or current, or declare columns",
            )
        return _of_reference(inputs.data(Role.REFERENCE), data)


def _of_reference(reference: Data, data: Data) -> dict[str, _WantedColumn]:
    late = {reference.spec.label, data.spec.label} if data.role is Role.CURRENT else set()
    there = columns_of(data)
    return {
        name: _WantedColumn(
            kind=None if there.get(name) is not kind and _is_empty(reference, name) else kind,
            type=reference.frame.columns[name].type,
            required=name not in late,
        )
        for name, kind in columns_of(reference).items()
    }


def _of_signature(inputs: Inputs) -> dict[str, _WantedColumn]:
    signature = inputs.subject.signature
    if signature is None:
        raise NoDataError("the model declares no columns", hint="log it with a signature")
    return {
        name: _WantedColumn(
            kind=_MLFLOW.get(kind), required=required, nulls=kind not in {"integer", "long"}
        )
        for name, kind, required in signature.inputs
    }


def _is_empty(data: Data, name: str) -> bool:
    return 0 < data.frame.rows == data.frame.nulls(name)


def _compare(
    name: str, want: _WantedColumn, there: Mapping[str, ColumnKind], data: Data
) -> tuple[str, str]:
    """A column and what is wrong with it; an empty reason if it is valid."""
    if name not in there:
        return name, f"{name!r} is not there" if want.required else ""
    kind, stored = there[name], data.frame.columns[name].type
    if want.kind is not None and kind is not want.kind and _is_empty(data, name):
        return name, ""  # without a value there is no kind; data.missing counts the nulls
    if want.kind is ColumnKind.OTHER and kind is ColumnKind.OTHER:
        return name, "" if stored == want.type else f"{name!r} is {stored}, not {want.type}"
    if want.kind is not None and kind is not want.kind:
        return name, f"{name!r} holds {kind} ({stored}), not {want.kind}"
    nulls = 0 if want.nulls else data.frame.nulls(name)
    return name, f"{name!r} has {nulls:,} nulls, and the signature none" if nulls else ""
