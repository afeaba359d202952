"""What all checks on groups share: which groups there are, and which of them may be judged.

A lone group, a group that is too small and one that must be covered and is not are judged cells
that say so, whoever computes the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aims_gate.checks import attributes
from aims_gate.checks.cells import lack_of, lacking
from aims_gate.checks.column_roles import Labelled, Need, labelled
from aims_gate.checks.contract import Inputs, StatisticSpec
from aims_gate.checks.coverage import too_small
from aims_gate.checks.fairness.group_counts import Cover, GroupFamily, families, is_of
from aims_gate.checks.fairness.rate_definitions import RateOf, RateRequest, ask, asked_of
from aims_gate.checks.levels import recorded, title, written
from aims_gate.errors import DataError, near
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data

CONTROLS = ("iso42001:A.5.4", "iso42001:A.6.2.4")
UNDECIDED = (
    "an attribute's column is missing, or fewer than two groups have min_cell rows",
    "more than max_uncovered of the rows are in groups below min_cell",
    "a group of must_cover is absent or below min_cell",
    "two groups have one name: a value is written like a null or like two others",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Which groups are compared, and how small is too small."""

    by: tuple[str | tuple[str, ...], ...] = ()
    """Columns, or lists of columns for intersections; all `sensitive` columns if empty."""
    min_cell: int = 30
    """Rows below which a group is not judged, never the reference and never the best."""
    max_uncovered: float = 0.05
    """Share of rows, and of those a rate is a share of, in groups below min_cell past which the
    rule is INSUFFICIENT, in [0, 0.5]."""
    must_cover: tuple[str, ...] = ()
    """Groups that must be judged on their own, such as `sex=F`."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        raise NotImplementedError

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        named = attributes.listed(self.by)
        yield from attributes.problems(named)
        for group in self.must_cover:
            if named and not any(is_of(group, columns) for columns in named):
                yield "must_cover", f"{group!r} is a group of no attribute in by", "write sex=F"

    def lack(self, where: str, lack: NoValue, reason: str, *, rows: int = 0) -> Statistic:
        """Judged statistic without a value."""
        return lacking(self.judged().name, lack, reason, where=where, rows=rows)

    def absence(self, columns: tuple[str, ...], error: DataError) -> Statistic:
        """Judged statistic without a value, for an attribute that cannot be grouped by.

        It is reported beside attributes that can be judged, so that their refusal is not lost.
        """
        return self.lack(title(columns), lack_of(error), str(error))

    def uncovered(self, covers: Iterable[Cover]) -> Iterator[Statistic]:
        """Judged statistics for rows and groups that are left out and should not be."""
        found = list(covers)
        for cover in found:
            left_out = sum(group.rows for group in cover.small)
            reason = self._too_small(cover)
            if reason:
                rows = recorded(left_out, self.min_cell)
                yield self.lack(cover.slice, NoValue.INSUFFICIENT, reason, rows=rows)
        for name in self.must_cover:
            yield from self._must_cover(name, found)

    def _too_small(self, cover: Cover) -> str:
        """Say that too much of the data is in groups too small to judge; empty if it is not."""
        # a group of thousands may have no positives, or none predicted: 0/0 is no parity
        reasons = (
            too_small(
                sizes, least=max(self.min_cell, 1), allowed=self.max_uncovered, what=cover.trials
            )
            for sizes in (cover.sizes(), cover.sizes_of_people())
        )
        return next(filter(None, reasons), "")

    def _must_cover(self, name: str, covers: list[Cover]) -> Iterator[Statistic]:
        groups = [(c, g) for c in covers for g in (*c.groups, *c.pooled) if g.name == name]
        if not groups:
            hint = near(name, {g.name for cover in covers for g in cover.groups})
            yield self.lack(name, NoValue.INSUFFICIENT, f"must be covered and is absent; {hint}")
        for cover, group in groups:
            if group in cover.small or group in cover.pooled:
                reason = (
                    f"must be covered and has {written(group.rows, self.min_cell)} {cover.trials}, "
                    f"below min_cell {self.min_cell}"
                )
                where = cover.prefix + name
                yield self.lack(where, NoValue.INSUFFICIENT, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateGroups(Groups):
    """Groups that are compared by rates, all of them from one count."""

    pool_small: bool = False
    """Judge the groups below min_cell together, as `(small groups)`, if they reach it so."""

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Rates that are compared between groups."""
        raise NotImplementedError

    def compared(
        self, counted: list[GroupFamily], inputs: Inputs, total: int
    ) -> Iterable[Statistic]:
        """Compare the groups of each family; *total* is the rows they were counted in."""
        raise NotImplementedError

    def needs(self) -> tuple[Need, ...]:
        """Name the roles of the columns that the rates are made of."""
        return asked_of(self.compared_rates())

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every attribute; DataError if the outcome columns cannot be used."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        found = labelled(data, self.needs())
        asked = ask(data, found)
        yield from found.context()
        counted: list[GroupFamily] = []
        for columns in attributes.chosen(self.by, data):
            try:
                counted += self._count(columns, data, found, asked)
            except DataError as error:
                yield self.absence(columns, error)
        yield from self.uncovered(counted)
        yield from self.compared(counted, inputs, found.frame.rows)

    def _count(
        self, columns: tuple[str, ...], data: Data, found: Labelled, asked: RateRequest
    ) -> tuple[GroupFamily, ...]:
        return families(
            data,
            found.frame,
            asked,
            columns=columns,
            rates=self.compared_rates(),
            min_cell=self.min_cell,
            pool_small=self.pool_small,
        )
