"""Columns that stand in for a protected attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.columns import role_columns
from aims_gate.checks.fairness.attributes import group_key, group_rows
from aims_gate.checks.fairness.families import group_name
from aims_gate.checks.named import Named, column_problems
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import Interval, Lack, Statistic
from aims_gate.frames import Counts, Frame, Key, Kind
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.stats import auc
from aims_gate.stats.proxy import Proxy, cuts, of_categories, of_numbers

_STATISTIC = "proxy_auc"
_TOLD = 5
"""Proxies that are listed for each attribute."""
_USABLE = (Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """How well each column tells a protected attribute."""

    about: ClassVar[About] = About(
        name="fairness.proxy",
        summary="How well each input column alone tells the groups of a protected attribute.",
        definition=(
            "Area under the ROC curve of the best rule that tells one group from everybody else "
            "by one column, the largest over the groups; in [0.5, 1]: 0.5 tells nothing, 1 tells "
            "a group exactly.\n\n"
            "Numbers: the better of a threshold and an order of up to 20 quantile bins; "
            "categories: their order by the group's share, rare ones pooled until chance adds at "
            "most 0.125. Null is a category.\n\n"
            "The order is taken from the rows themselves, so the area is a little high on few "
            "rows.\n\n"
            "Bounds are those of `performance.score` with roc_auc (logit DeLong), one-sided, "
            "Bonferroni-corrected over attributes, columns and groups.\n\n"
            "Whether columns tell it together is not asked. Customary: from 0.75 on a column is "
            "looked at, from 0.90 on it needs a written reason."
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
    columns: Named = "all"
    """The inputs; `all` are the columns without a role that are no sensitive attribute."""
    min_cell: int = 30
    """Rows below which a group is not judged, and everybody else is too few, at least 20."""
    max_uncovered: float = 0.05
    """Share of rows in groups below min_cell past which the rule is INSUFFICIENT, in [0, 1)."""

    def judged(self) -> Judged:
        """Describe the judged statistic: an area."""
        return Judged(
            name=_STATISTIC, low=0.5, high=1.0, higher_is_better=False, limit=0.90, line=0.75
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        if not all(self.by) or len(set(self.by)) != len(self.by):
            yield "by", "names an attribute twice, or an empty one", ""
        yield from column_problems(self.columns)
        if self.columns != "all":
            for column in set(self.columns) & set(self.by):
                yield "columns", f"{column!r} is the attribute itself", "it tells itself exactly"
        if self.min_cell < auc.LEAST_CLASS:
            yield "min_cell", f"{self.min_cell} is below {auc.LEAST_CLASS}", "30 is usual"
        if not 0 <= self.max_uncovered < 1:
            yield "max_uncovered", f"{self.max_uncovered:g} is outside [0, 1)", ""

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column against every attribute; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        attributes = self.by or tuple(data.spec.sensitive)
        if not attributes:
            raise DataError(
                "no column is named as sensitive",
                where=f"{data.role} data",
                hint=f"name them in by:, or as sensitive: under data.{data.role}",
            )
        columns = self._columns(data)
        if not columns:
            yield _lack("", Lack.MISSING, f"the {data.role} data have no input column")
            return
        tasks: list[tuple[Key, list[str]]] = []
        for attribute in attributes:
            try:
                key = group_key(data, attribute)
                groups = group_rows(data.frame, key)
            except DataError as error:
                # beside attributes that can be judged, so that their refusal is not lost
                absent = isinstance(error, MissingColumnError)
                yield _lack(attribute, Lack.MISSING if absent else Lack.UNDEFINED, str(error))
                continue
            told, judged = self._groups(attribute, groups)
            yield from told
            tasks += [(key, judged)] if judged else []
        cells = len(columns) * sum(len(groups) for _key, groups in tasks)
        for key, judged in tasks:
            asked = _Asked(key=key, groups=tuple(judged), alpha=inputs.alpha, cells=cells)
            found = [asked.cell(column, data) for column in columns]
            yield from found
            yield from _strongest(key.column, found)

    def _columns(self, data: Data) -> tuple[str, ...]:
        if self.columns != "all":
            return self.columns
        apart = {*role_columns(data.spec), *data.spec.sensitive, *self.by}
        kinds = data.frame.kinds
        return tuple(c for c, kind in kinds.items() if c not in apart and kind in _USABLE)

    def _groups(self, attribute: str, groups: dict[str, int]) -> tuple[list[Statistic], list[str]]:
        """Give the groups that can be told from everybody else, and what is said of the others."""
        total = sum(groups.values())
        small = {group: rows for group, rows in groups.items() if rows < self.min_cell}
        told = [
            Statistic(
                name="group_rows",
                slice=group,
                rows=rows,
                total=total,
                lack=Lack.INSUFFICIENT,
                reason=f"{rows:,} rows, below min_cell {self.min_cell}: not judged",
            )
            for group, rows in small.items()
        ]
        if sum(small.values()) > self.max_uncovered * total:
            reason = (
                f"{sum(small.values()) / total:.1%} of the rows are in groups below min_cell "
                f"{self.min_cell}, more than max_uncovered {self.max_uncovered:.1%}"
            )
            told.append(_lack(attribute, Lack.INSUFFICIENT, reason))
        judged = [g for g in groups if g not in small and total - groups[g] >= self.min_cell]
        if not judged:
            reason = f"no group has {self.min_cell} rows beside as many of others"
            told.append(_lack(attribute, Lack.INSUFFICIENT, f"{reason}: there is nothing to tell"))
        # of two groups each tells as much as the other
        return told, judged[:1] if len(groups) == 2 else judged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An attribute, the groups that are told from everybody else, and what its cells share."""

    key: Key
    groups: tuple[str, ...]
    alpha: float
    cells: int

    def cell(self, column: str, data: Data) -> Statistic:
        """Give the judged cell of a column: the group that it tells best."""
        where = f"{self.key.column} by {column}"
        try:
            found = dict(self._proxies(column, data))
        except DataError as error:
            absent = isinstance(error, MissingColumnError)
            return _lack(where, Lack.MISSING if absent else Lack.UNDEFINED, str(error))
        known = {group: proxy for group, proxy in found.items() if proxy is not None}
        if len(known) < len(found):
            reason = f"{column!r} has so many categories that chance alone could tell the groups"
            return _lack(where, Lack.INSUFFICIENT, reason)
        group, best = max(known.items(), key=lambda item: item[1].area)
        low, high = auc.bounds(best.table, self.alpha / self.cells)
        return Statistic(
            name=_STATISTIC,
            slice=where,
            value=best.area,
            interval=Interval(
                low=max(low, 0.5),
                high=high,
                level=1 - 2 * self.alpha,
                method=f"logit DeLong, one-sided, Bonferroni over {self.cells:,} comparisons",
            ),
            rows=best.table.rows,
            total=data.frame.rows,
            judged=True,
            reason=f"{group} against everybody else; chance alone gives {0.5 + best.noise:.2f}",
        )

    def _proxies(self, column: str, data: Data) -> Iterator[tuple[str, Proxy | None]]:
        """Give what *column* says of each group; None where chance could say as much.

        Raises:
            MissingColumnError: There is no such column.
            DataError: It is no number, text or truth value.
        """
        frame = data.frame
        if column not in frame.kinds:
            raise MissingColumnError.from_columns(column, frame.kinds, where=f"{data.role} data")
        if frame.kinds[column] not in _USABLE:
            raise DataError(f"{column!r} holds {frame.types[column]}, which tells nothing")
        edges = _edges(frame, column)
        table = self._counted(frame, Key(column=column, edges=edges))
        everybody = sum(table.groups.values())
        for group in self.groups:
            ours = table.groups[group]
            rest = everybody - ours
            if edges:
                nulls = int(ours[table.null].sum()), int(rest[table.null].sum())
                yield group, of_numbers(ours[~table.null], rest[~table.null], nulls)
            else:
                yield group, of_categories(ours, rest)

    def _counted(self, frame: Frame, of: Key) -> _Counted:
        """Count the groups by the bins or values of a column, bins in ascending order."""
        cells = frame.count(of, self.key)
        places = {
            value: place for place, value in enumerate(dict.fromkeys(v for v, _g in cells.values))
        }
        groups: dict[str, Counts] = {}
        for (value, group), rows in zip(cells.values, cells.counts.tolist(), strict=True):
            name = group_name([self.key.column], [group])
            counts = groups.setdefault(name, np.zeros(len(places), dtype=np.int64))
            counts[places[value]] += rows
        null = np.array([value is None for value in places], dtype=np.bool_)
        return _Counted(groups=groups, null=null)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counted:
    """Rows of each group by the bins or values of a column."""

    groups: dict[str, Counts]
    """Each of shape (bins,)."""
    null: npt.NDArray[np.bool_]
    """Shape (bins,): the bin of the rows without a value."""


def _edges(frame: Frame, column: str) -> tuple[float, ...]:
    if frame.kinds[column] is not Kind.NUMBER:
        return ()
    found = frame.distribution(column)
    return cuts(found.values, found.counts)


def _strongest(attribute: str, found: list[Statistic]) -> Iterator[Statistic]:
    """List the strongest proxies of an attribute, for people."""
    known = [(cell.value, cell.slice) for cell in found if cell.value is not None]
    if known:
        told = sorted(known, reverse=True)[:_TOLD]
        names = ", ".join(
            f"{where.removeprefix(f'{attribute} by ')} {area:.2f}" for area, where in told
        )
        yield Statistic(name="strongest_proxies", slice=attribute, reason=names)


def _lack(where: str, lack: Lack, reason: str) -> Statistic:
    return Statistic(name=_STATISTIC, slice=where, judged=True, lack=lack, reason=reason)
