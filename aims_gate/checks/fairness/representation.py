"""Representation: each group's share of the data against its share of the population."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from aims_gate.checks import attributes
from aims_gate.checks.cells import lack_of, lacking
from aims_gate.checks.column_roles import Labelled, positive_class
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.fairness.group_counts import group_rows
from aims_gate.checks.levels import LEAST, recorded, written
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import Key
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import quantile
from aims_gate.stats.intervals import WILSON, proportion_bounds
from aims_gate.stats.representation import ShareDesign, representation

_STATISTIC = "representation"
_SHOWN = 3
"""Groups that are named in a reason at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Each group's share of the data against its share of a declared population."""

    about: ClassVar[About] = About(
        name="fairness.representation",
        summary="Share of each group in the data over its share of the population.",
        definition=(
            "r = (rows of the group / rows of all declared groups) / share of the population; "
            "judged is min(r, 1/r), in [0, 1]: 1 is the population's own share, 0.5 half or twice "
            "of it, 0 a group that is not there. With `side: under` it is min(r, 1).\n\n"
            "Bounds are guarded Wilson ones on the share, Bonferroni-corrected over the "
            "groups; the population's shares are taken as exact.\n\n"
            "Beside it stand each group's share of positive labels and the largest difference of "
            "them, which decide nothing."
        ),
        roles=(Role.REFERENCE,),
        controls=("iso42001:A.7.4", "iso42001:A.7.2"),
        undecided=(
            "an attribute's column is missing, or no row is of a declared group",
            "a group has fewer than min_count rows, or fewer than 30",
            "more than max_uncovered of the rows are of groups without a declared share, or null",
            "so few rows that a group without any could have been missed by chance",
        ),
    )

    population: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Needed: per attribute its groups with their shares of 1, as in {sex: {F: 0.51, M: 0.49}}."""
    side: Literal["both", "under"] = "both"
    """Whether a group that is there too often counts, too."""
    min_count: int = 100
    """Rows that each declared group must have, at least 1; fewer than 30 never do."""
    max_uncovered: float = 0.05
    """Share of rows in undeclared groups past which an attribute is INSUFFICIENT, in [0, 0.5]."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the folded ratio of shares."""
        return StatisticSpec(
            name=_STATISTIC,
            low=0.0,
            high=1.0,
            higher_is_better=True,
            neutral=1.0,
            limit=0.5,
            decide_on=DecideOn.PROVEN_BREACH,
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if not self.population:
            yield "population", "declares no attribute", "write {sex: {F: 0.51, M: 0.49}}"
        for column, shares in self.population.items():
            told = f"{column or 'an empty name'}: "
            total = math.fsum(shares.values())
            if len(shares) < 2:
                yield "population", f"{told}one group alone is no composition", ""
            if not column or abs(total - 1) > 0.005:
                hint = "name every group, the rest as one that the data know, too"
                yield "population", f"{told}the shares add up to {total:g}, not 1", hint

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Count every attribute; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.REFERENCE)
        groups = sum(map(len, self.population.values()))
        for column, shares in self.population.items():
            try:
                (key,) = attributes.keys([column], data, data.frame)
                counts = group_rows(data, data.frame, key)
            except DataError as error:
                # beside attributes that can be judged, so that their refusal is not lost
                yield _lack(column, lack_of(error), str(error))
                continue
            declared = {f"{column}={value}": share for value, share in shares.items()}
            yield from self._attribute(column, counts, declared, (inputs, groups))
            yield from self._labels(key, data)

    def _attribute(
        self,
        column: str,
        counts: Mapping[str, int],
        declared: Mapping[str, float],
        cells: tuple[Inputs, int],
    ) -> Iterator[Statistic]:
        total = sum(counts.values())
        rows = sum(counts.get(group, 0) for group in declared)
        if not rows:
            shown = _some(sorted(counts))
            reason = f"no row is of a declared group ({_some(sorted(declared))}); there are {shown}"
            yield _lack(column, NoValue.MISSING, reason)
            return
        others = sorted(set(counts) - set(declared))
        if total - rows > self.max_uncovered * total:
            reason = (
                f"{(total - rows) / total:.1%} of the rows are of groups without a declared share "
                f"({_some(others)}), more than max_uncovered {self.max_uncovered:.1%}"
            )
            yield _lack(column, NoValue.INSUFFICIENT, reason)
        for group, share in declared.items():
            there = counts.get(group, 0)
            # few people are not counted: at most so many may still prove that they are too few
            at_most = LEAST if 0 < there < LEAST else there
            if at_most == there or at_most < share * rows:
                yield self._group(group, at_most, rows, share, total=total, cells=cells)
            if there < max(self.min_count, LEAST):
                few = written(there, LEAST) if there else "0"
                floor = f"{LEAST}, below which no group is counted, whatever min_count"
                if self.min_count >= LEAST:
                    floor = f"min_count {self.min_count:,}"
                reason = f"{few} rows, fewer than {floor}"
                yield _lack(f"rows of {group}", NoValue.INSUFFICIENT, reason)
        for group in others:
            yield Statistic(
                name="undeclared_group",
                slice=group,
                rows=recorded(counts[group], LEAST),
                total=total,
                reason="the policy declares no share of it",
            )

    def _group(
        self,
        group: str,
        there: int,
        rows: int,
        share: float,
        *,
        total: int,
        cells: tuple[Inputs, int],
    ) -> Statistic:
        inputs, groups = cells
        z, both = quantile(inputs.alpha_alone, 1), self.side == "both"
        corrected = quantile(inputs.alpha, 2 * groups)
        value, (low, high) = representation(there, rows, share, corrected, both=both)
        _, (low_alone, high_alone) = representation(there, rows, share, z, both=both)
        ratio = there / rows / share
        return Statistic(
            name=_STATISTIC,
            slice=group,
            value=value,
            interval=Interval(
                low=low,
                high=high,
                level=1 - inputs.alpha,
                method=f"guarded Wilson on the share, Bonferroni over {groups:,} groups",
            ),
            alone=Interval(
                low=low_alone,
                high=high_alone,
                level=1 - 2 * inputs.alpha_alone,
                method="guarded Wilson on the share, each bound by itself",
            ),
            rows=there,
            total=total,
            judged=True,
            reason=f"{there / rows:.1%} of the data, {share:.1%} of the population: "
            f"{ratio:.2f} times its share",
            design=ShareDesign(population=share, z=z, rows=rows, both=both),
        )

    def _labels(self, key: Key, data: Data) -> Iterator[Statistic]:
        """Tell how labels differ between the groups: data may be complete and still one-sided."""
        label = data.spec.label
        if label is None or label not in data.frame.columns:
            return
        try:
            frame = data.frame.without_nulls([label])
            found = Labelled(frame=frame, total=data.frame.rows, label=label)
            positive = positive_class(data, found)
        except DataError as error:
            reason = str(error)
            yield Statistic(
                name="label_rate", slice=key.column, lack=NoValue.UNDEFINED, reason=reason
            )
            return
        totals = group_rows(data, frame, key)
        hits = group_rows(data, frame, key, label=(label, positive))
        rates = {}
        fewest = max(self.min_count, LEAST)
        for group, rows in totals.items():
            if rows < fewest:
                reason = f"{written(rows, LEAST)} rows, fewer than {fewest:,}: not told"
                yield Statistic(
                    name="label_rate", slice=group, lack=NoValue.INSUFFICIENT, reason=reason
                )
                continue
            low, high = proportion_bounds(hits.get(group, 0), rows, quantile(0.05, 2))
            rates[group] = hits.get(group, 0) / rows
            yield Statistic(
                name="label_rate",
                slice=group,
                value=rates[group],
                interval=Interval(low=low, high=high, level=0.95, method=WILSON),
                rows=rows,
                total=data.frame.rows,
            )
        if len(rates) > 1:
            least, most = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
            yield Statistic(
                name="label_rate_gap",
                slice=key.column,
                value=rates[most] - rates[least],
                rows=data.frame.rows,
                total=data.frame.rows,
                reason=f"{most} over {least}",
            )


def _lack(where: str, lack: NoValue, reason: str) -> Statistic:
    return lacking(_STATISTIC, lack, reason, where=where)


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
