"""Invalid values: the share of a column that is out of range, not listed or not matching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from aims_gate.checks.cells import lacking
from aims_gate.checks.column_roles import role_columns
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.data.own_columns import columns_of, share, unfit
from aims_gate.checks.data.value_limits import LEAST_REFERENCE, Allowed, Bounds, Observed
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.errors import DataError, near
from aims_gate.facts import LEFT_OUT, NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data

_INVALID = "invalid_share"
_OBSERVED = (ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.BOOLEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Share of values that are not allowed."""

    about: ClassVar[About] = About(
        name="data.ranges",
        summary="Share of each column's values that are outside its range, list or pattern.",
        definition=(
            "Values that are not allowed over all values of the column, nulls left out of both "
            "(`data.missing` counts them); in [0, 1], 0 is a column of allowed values.\n\n"
            "What is allowed is declared per column under `allowed:` - at_least and at_most (ends "
            "included, infinity never), one_of, or matches (an RE2 pattern for the whole text) - "
            "or is what the reference data hold: their least to greatest number, their values of "
            "text.\n\n"
            "Bounds are guarded Wilson ones, one-sided and Bonferroni-corrected over the "
            "columns. Values themselves stay out of evidence."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4",),
        undecided=(
            "a column is not there or holds no value",
            "a column holds another kind than its range, pattern or reference",
            "against: reference without reference data, or with under 1,000 values in a column",
        ),
    )

    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    """What the policy declares: names, each with at_least, at_most, one_of or matches."""
    against: Literal["declared", "reference"] | None = None
    """What to compare with; by default `declared` if there is `allowed`, else `reference`."""
    columns: ColumnNames = "all"
    """With against: reference, the columns; `all` are the reference columns without a role."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: a share."""
        roles = None if self.allowed else (Role.REFERENCE, Role.EVALUATION)
        asked = {allowed.needs for allowed in self.allowed.values()} or {"histogram"}
        return StatisticSpec(
            name=_INVALID,
            low=0.0,
            high=1.0,
            higher_is_better=False,
            limit=0.01,
            unit="of values",
            roles=roles,
            needs=tuple(sorted(asked)),
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if self.against == "declared" and not self.allowed:
            yield "against", "nothing is declared", "list the columns under allowed:"
        if self.allowed and self.against == "reference":
            hint = "leave one of them out, or write two rules"
            yield "against", "allowed: and against: reference are two different ranges", hint
        if self.allowed and self.columns != "all":
            yield "columns", "allowed: names the columns already", "leave columns out"
        yield from column_problems(self.columns)
        for column, allowed in self.allowed.items():
            for what, hint in allowed.problems():
                yield "allowed", f"{column or 'an empty name'}: {what}", hint

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Count values that are not allowed; NoDataError if a role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        reference = None if self.allowed else _reference(inputs, data)
        named = tuple(self.allowed)
        if reference is not None:
            every = self.columns == "all"
            named = tuple(_observable(reference, data)) if every else tuple(self.columns)
            yield from _left_out(reference, data, named) if every else ()
        if not named:
            yield lacking(_INVALID, NoValue.MISSING, "no column is left to look at")
        for column in named:
            try:
                yield self._column(column, data, reference, (inputs.alpha, len(named)))
            except DataError as error:
                # beside columns that can be judged, so that their refusal is not lost
                yield lacking(_INVALID, NoValue.UNDEFINED, str(error), where=column)

    def _column(
        self, column: str, data: Data, reference: Data | None, cells: tuple[float, int]
    ) -> Statistic:
        for side in (reference, data):
            if side is not None and column not in columns_of(side):
                hint = near(column, columns_of(side))
                reason = f"no column {column!r} in the {side.role} data; {hint}"
                return lacking(_INVALID, NoValue.MISSING, reason, where=column)
        nulls = data.frame.nulls(column)
        rows = data.frame.rows - nulls
        if not rows:
            reason = f"{column!r} holds no value in the {data.role} data"
            return lacking(_INVALID, NoValue.MISSING, reason, where=column)
        if reference is not None and (few := _few(column, data, reference)):
            return few
        bounds = self.allowed[column] if reference is None else _observed(column, reference)
        bad = bounds.invalid(data.frame, column)
        cell = share(_INVALID, column, bad, data, rows=rows, cells=cells)
        told = f"{bad:,} of {rows:,} values are not allowed"
        if reference is not None:
            told = f"{bad:,} of {rows:,} values are outside of the reference's"
        return replace(cell, reason=told + (f"; {nulls:,} rows are null" if nulls else ""))


def _reference(inputs: Inputs, data: Data) -> Data:
    if data.role is Role.REFERENCE:
        raise DataError("the reference data would be held against themselves")
    return inputs.data(Role.REFERENCE)


def _few(column: str, data: Data, reference: Data) -> Statistic | None:
    """Refuse a column of another kind, or a reference too small to span what there is."""
    before, after = reference.frame.columns[column].kind, data.frame.columns[column].kind
    if before is not after:
        raise DataError(f"{column!r} holds {after}, and {before} in the reference data")
    if before not in _OBSERVED:
        raise DataError(f"{column!r} holds {before}, which has no range")
    known = reference.frame.rows - reference.frame.nulls(column)
    if known >= LEAST_REFERENCE:
        return None
    reason = f"the reference holds {known:,} values, fewer than {LEAST_REFERENCE:,}: what it lacks "
    return lacking(_INVALID, NoValue.INSUFFICIENT, reason + "may be chance", where=column)


def _observed(column: str, reference: Data) -> Bounds:
    return Observed.of(reference.frame, column)


def _observable(reference: Data, data: Data) -> Iterator[str]:
    roles = {*role_columns(reference.spec), *role_columns(data.spec)}
    for column, kind in columns_of(reference).items():
        if column not in roles and kind in _OBSERVED:
            yield column


def _left_out(reference: Data, data: Data, named: tuple[str, ...]) -> Iterator[Statistic]:
    roles = {*role_columns(reference.spec), *role_columns(data.spec)}
    for column in columns_of(reference):
        if column in roles:
            reason = "left out: a role, not an input"
            yield Statistic(name=LEFT_OUT, slice=column, reason=reason)
        elif column not in named:
            yield unfit(column, reference, "has no range")
