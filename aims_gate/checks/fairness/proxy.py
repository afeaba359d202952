"""Proxy variables: columns from which a protected attribute can be predicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks import attributes
from aims_gate.checks.cells import lack_of
from aims_gate.checks.column_roles import role_columns
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.coverage import Size, too_small
from aims_gate.checks.fairness.group_counts import group_rows
from aims_gate.checks.fairness.proxy_strength import STATISTIC, USABLE, ProxyRequest, lack
from aims_gate.checks.levels import recorded, title, written
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.errors import DataError
from aims_gate.facts import LEFT_OUT, NoValue, Statistic
from aims_gate.frames import Key
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.stats import auc

_TOLD = 5
"""Proxies that are listed for each attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """How well columns, each alone and all together, tell a protected attribute."""

    about: ClassVar[About] = About(
        name="fairness.proxy",
        summary="How well the input columns tell the groups of a protected attribute.",
        definition=(
            "Area under the ROC curve of the best rule that tells one group from everybody else "
            "by one column, or by all columns together, the largest over the groups; in [0.5, 1]: "
            "0.5 tells nothing, 1 tells a group exactly.\n\n"
            "One column: of numbers the better of a threshold and an order of up to 20 quantile "
            "bins, of categories their order by the group's share, rare ones pooled until chance "
            "adds at most 0.125. Null is a category. The order is taken from the rows themselves, "
            "so the area is a little high on few rows.\n\n"
            "Together: a linear rule (ridge regression) over ranks of numbers, their squares and "
            "the ten most frequent values of other columns, cross-validated in five folds that "
            "follow from the data: neither the order of rows nor the names of categories and "
            "groups change it.\n\n"
            "Bounds are those of `performance.score` with roc_auc (logit DeLong), one-sided, "
            "Bonferroni-corrected over attributes, columns and groups.\n\n"
            "Customary: from 0.75 on a column is looked at, from 0.90 on it needs a written reason."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4", "iso42001:A.5.4"),
        undecided=(
            "a column or an attribute's column is missing, or no column is left",
            "an attribute has no group of min_cell rows, or nobody else",
            "more than max_uncovered of the rows are in groups below min_cell",
            "a column has so many categories that chance alone could tell the groups",
        ),
    )

    by: tuple[str, ...] = ()
    """The attributes; all `sensitive` columns if empty."""
    columns: ColumnNames = "all"
    """The inputs; `all` are the columns without a role that are no sensitive attribute."""
    min_cell: int = 30
    """Rows below which a group is not judged, and everybody else is too few, at least 20."""
    together: bool = True
    """Whether all columns are judged together, beside each one."""
    max_uncovered: float = 0.05
    """Share of rows in groups below min_cell past which the rule is INSUFFICIENT, in [0, 0.5]."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: an area."""
        return StatisticSpec(
            name=STATISTIC,
            low=0.5,
            high=1.0,
            higher_is_better=False,
            limit=0.90,
            line=0.75,
            needs=("distribution", *(("gather",) if self.together else ())),
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if not all(self.by) or len(set(self.by)) != len(self.by):
            yield "by", "names an attribute twice, or an empty one", ""
        yield from column_problems(self.columns)
        if self.columns != "all":
            for column in set(self.columns) & set(self.by):
                yield "columns", f"{column!r} is the attribute itself", "it tells itself exactly"
        if self.min_cell < auc.LEAST_CLASS:
            yield "min_cell", f"{self.min_cell} is below {auc.LEAST_CLASS}", "30 is usual"

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column against every attribute; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        chosen = attributes.chosen(self.by, data)
        columns = self._columns(data)
        yield from self._left_out(columns, data)
        if not columns:
            yield lack("", NoValue.MISSING, f"the {data.role} data have no input column")
            return
        tasks: list[tuple[Key, list[str]]] = []
        for attribute in chosen:
            try:
                (key,) = attributes.keys(attribute, data, data.frame)
                groups = group_rows(data, data.frame, key)
            except DataError as error:
                # beside attributes that can be judged, so that their refusal is not lost
                yield lack(title(attribute), lack_of(error), str(error))
                continue
            told, judged = self._groups(key.column, groups)
            yield from told
            tasks += [(key, judged)] if judged else []
        joint = self._joint(columns, data)
        cells = (len(columns) + bool(joint)) * sum(len(groups) for _key, groups in tasks)
        for key, judged in tasks:
            asked = ProxyRequest(key=key, groups=tuple(judged), alpha=inputs.alpha, cells=cells)
            found = [asked.cell(column, data) for column in columns]
            yield from found
            if joint:
                yield from asked.together(joint, data)
            yield from _strongest(key.column, found)

    def _columns(self, data: Data) -> tuple[str, ...]:
        if self.columns != "all":
            return self.columns
        apart = {*role_columns(data.spec), *data.spec.sensitive, *self.by}
        return tuple(c for c in _usable(data.frame.columns, data) if c not in apart)

    def _left_out(self, columns: tuple[str, ...], data: Data) -> Iterator[Statistic]:
        """Name the columns that were not tested, so that nobody takes them for harmless."""
        if self.columns != "all":
            return
        for column, held in data.frame.columns.items():
            if column not in columns:
                fit = held.kind in USABLE
                told = "a role or an attribute, not an input" if fit else ""
                told = told or f"it holds {held.type}, which tells nothing here"
                lack = None if fit else NoValue.UNDEFINED
                reason = f"left out: {told}"
                yield Statistic(name=LEFT_OUT, slice=column, lack=lack, reason=reason)

    def _joint(self, columns: tuple[str, ...], data: Data) -> list[str]:
        """Name the columns that are judged together; one alone is judged already."""
        usable = _usable(columns, data)
        return usable if self.together and len(usable) > 1 else []

    def _groups(self, attribute: str, groups: dict[str, int]) -> tuple[list[Statistic], list[str]]:
        """Groups large enough to predict, and the statistics that report the others."""
        total = sum(groups.values())
        small = {group: rows for group, rows in groups.items() if rows < self.min_cell}
        told = [
            Statistic(
                name="group_rows",
                slice=group,
                rows=recorded(rows, self.min_cell),
                total=total,
                lack=NoValue.INSUFFICIENT,
                reason=f"{written(rows, self.min_cell)} rows, below min_cell {self.min_cell}: "
                "not judged",
            )
            for group, rows in small.items()
        ]
        sizes = [Size(name=group, rows=rows) for group, rows in groups.items()]
        reason = too_small(sizes, least=self.min_cell, allowed=self.max_uncovered)
        if reason:
            told.append(lack(attribute, NoValue.INSUFFICIENT, reason))
        judged = [g for g in groups if g not in small and total - groups[g] >= self.min_cell]
        if not judged:
            reason = f"no group has {self.min_cell} rows beside as many of others"
            told.append(
                lack(attribute, NoValue.INSUFFICIENT, f"{reason}: there is nothing to tell")
            )
        # of two groups each tells as much as the other
        return told, judged[:1] if len(groups) == 2 else judged


def _strongest(attribute: str, found: list[Statistic]) -> Iterator[Statistic]:
    """List the strongest proxies of an attribute, for people."""
    known = [(cell.value, cell.slice) for cell in found if cell.value is not None]
    if known:
        told = sorted(known, reverse=True)[:_TOLD]
        names = ", ".join(
            f"{where.removeprefix(f'{attribute} by ')} {area:.2f}" for area, where in told
        )
        yield Statistic(name="strongest_proxies", slice=attribute, reason=names)


def _usable(columns: Iterable[str], data: Data) -> list[str]:
    """Those of *columns* that are there and can tell something."""
    there = data.frame.columns
    return [column for column in columns if column in there and there[column].kind in USABLE]
