"""Proxy strength: how well one column, or all of them, predict the groups of an attribute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aims_gate.checks.cells import lack_of, lacking
from aims_gate.checks.column_roles import require
from aims_gate.checks.levels import levels
from aims_gate.checks.row_statistics import discriminant_scores
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import ColumnKind, Counts, Frame, Key
from aims_gate.sources.subject import Data
from aims_gate.stats import auc
from aims_gate.stats.proxy import Proxy, cuts, of_categories, of_numbers
from aims_gate.stats.tables import Ranked

STATISTIC = "proxy_auc"
USABLE = (ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.BOOLEAN)
"""Kinds that can tell something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRequest:
    """An attribute, the groups to predict against everybody else, and their error rate."""

    key: Key
    groups: tuple[str, ...]
    alpha: float
    cells: int

    def cell(self, column: str, data: Data) -> Statistic:
        """Judged statistic of a column: the area for the group that it predicts best."""
        where = f"{self.key.column} by {column}"
        try:
            found = dict(self._proxies(column, data))
        except DataError as error:
            return lack(where, lack_of(error), str(error))
        known = {group: proxy for group, proxy in found.items() if proxy is not None}
        if len(known) < len(found):
            reason = f"{column!r} has so many categories that chance alone could tell the groups"
            return lack(where, NoValue.INSUFFICIENT, reason)
        group, best = max(known.items(), key=lambda item: item[1].area)
        told = f"{group} against everybody else; chance alone gives {0.5 + best.noise:.2f}"
        return self._statistic(where, best.table, told, data)

    def together(self, columns: list[str], data: Data) -> Iterator[Statistic]:
        """Judged statistic of all columns together: the group that they predict best."""
        where = f"{self.key.column} by all columns together"
        try:
            sides = discriminant_scores(data.frame, self.key, columns, where=f"{data.role} data")
        except DataError as error:
            yield lack(where, NoValue.UNDEFINED, str(error))
            return
        named = levels([self.key], data)
        tables = {
            name: Ranked.merge((ours.values, ours.counts), (rest.values, rest.counts))
            for value, (ours, rest) in sides.items()
            if (name := named.name([value])) in self.groups
            and min(ours.rows, rest.rows) >= auc.LEAST_CLASS
        }
        if not tables:
            # rows without an attribute are a group, but no rule is fitted to tell them
            reason = f"no two groups have a value in {self.key.column}: no rule can tell them"
            yield lack(where, NoValue.INSUFFICIENT, reason)
            return
        group = max(tables, key=lambda name: auc.area(tables[name]))
        told = f"{group} against everybody else, by {len(columns):,} columns"
        yield self._statistic(where, tables[group], f"{told}, cross-validated", data)

    def _statistic(self, where: str, table: Ranked, told: str, data: Data) -> Statistic:
        low, high = auc.bounds(table, self.alpha / self.cells)
        return Statistic(
            name=STATISTIC,
            slice=where,
            value=max(auc.area(table), 0.5),
            interval=Interval(
                low=max(low, 0.5),
                high=max(high, 0.5),
                level=1 - 2 * self.alpha,
                method=f"logit DeLong, one-sided, Bonferroni over {self.cells:,} comparisons",
            ),
            rows=table.rows,
            total=data.frame.rows,
            judged=True,
            reason=told,
        )

    def _proxies(self, column: str, data: Data) -> Iterator[tuple[str, Proxy | None]]:
        """Proxy strength of *column* for each group; None where chance could reach as much.

        Raises:
            MissingColumnError: There is no such column.
            DataError: It is no number, text or truth value.
        """
        require([column], data)
        frame = data.frame
        if frame.columns[column].kind not in USABLE:
            raise DataError(f"{column!r} holds {frame.columns[column].type}, which tells nothing")
        edges = _edges(frame, column)
        table = self._counted(data, Key(column=column, edges=edges))
        everybody = sum(table.groups.values())
        for group in self.groups:
            ours = table.groups[group]
            rest = everybody - ours
            if edges:
                nulls = int(ours[table.null].sum()), int(rest[table.null].sum())
                yield group, of_numbers(ours[~table.null], rest[~table.null], nulls)
            else:
                yield group, of_categories(ours, rest)

    def _counted(self, data: Data, of: Key) -> _Counted:
        """Count the groups by the bins or values of a column, bins in ascending order."""
        cells, named = data.frame.count(of, self.key), levels([self.key], data)
        places = {
            value: place for place, value in enumerate(dict.fromkeys(v for v, _g in cells.values))
        }
        groups: dict[str, Counts] = {}
        for (value, group), rows in zip(cells.values, cells.counts.tolist(), strict=True):
            name = named.name([group])
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
    if frame.columns[column].kind is not ColumnKind.NUMBER:
        return ()
    found = frame.distribution(column)
    return cuts(found.values, found.counts)


def lack(where: str, lack: NoValue, reason: str) -> Statistic:
    """Judged statistic without a value."""
    return lacking(STATISTIC, lack, reason, where=where)
