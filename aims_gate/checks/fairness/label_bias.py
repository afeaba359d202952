"""Pre-training label bias: labels that differ between a group and everybody else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from aims_gate.checks import attributes
from aims_gate.checks.column_roles import labelled, positive_class, require
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.fairness.group_counts import Cover
from aims_gate.checks.fairness.groups import UNDECIDED, Groups
from aims_gate.checks.levels import levels, recorded, written
from aims_gate.checks.metrics.table import named
from aims_gate.errors import DataError
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind, Frame, Key, Scalar
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import Group
from aims_gate.stats.labels import METRICS, Sides

MOST_STRATA = 1_000
"""A column with more values than this is no reason that people differ, but an identifier."""
_Cells = dict[str, dict[Scalar | None, dict[Scalar, int]]]
"""Rows by group, stratum and label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBias(Groups):
    """One metric of how labels fall on each group and on everybody else."""

    about: ClassVar[About] = About(
        name="fairness.label_bias",
        summary="How differently labels fall on each group and on everybody else.",
        definition=(
            "Pre-training metrics of Das et al. (2021), as Amazon SageMaker Clarify has them: the "
            "group is the facet d, everybody else a, P the distribution of labels and q the share "
            "of the positive one. The metric of the rule is judged, for each group in turn; the "
            "others stand beside it.\n\n"
            + "\n\n".join(f"{short}: {metric.definition}." for short, metric in METRICS.items())
            + "\n\nci, dpl and cddl have a sign, so that a rule gives them both limits (between). "
            "No interval, so decide_on: estimate only; fairness.parity with of: label has one. "
            "With of: prediction the same is asked of the model's answers (DPPL, CDDPL)."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4", "iso42001:A.5.4"),
        undecided=(
            *UNDECIDED,
            "everybody else are fewer than min_cell rows",
            "kl: the group lacks a label that others have",
            "cddl: a stratum has only one kind of label",
        ),
    )

    metric: Literal["ci", "dpl", "kl", "js", "lp", "tvd", "ks", "cddl"]
    """The metric that is judged."""
    of: Literal["label", "prediction"] = "label"
    """Whose distribution: the labels', or the predictions'."""
    strata: str = ""
    """The column whose values cddl compares inside of; needed for cddl."""

    def judged(self) -> StatisticSpec:
        """Describe the metric."""
        found = METRICS[self.metric]
        return StatisticSpec(
            name=found.name,
            low=found.low,
            high=found.high,
            higher_is_better=None if found.low < 0 else False,
            has_interval=False,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from Groups.problems(self)
        if self.metric == "cddl" and not self.strata:
            hint = "name the column that may explain a difference"
            yield "metric", "cddl needs strata", hint

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Measure every group; DataError if the labels or who is positive cannot be used."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        found = labelled(data, [self.of])
        positive = positive_class(data, found)
        column = named(found.label if self.of == "label" else found.prediction)
        yield from found.context()
        for columns in attributes.chosen(self.by, data):
            try:
                cells = self._cells(data, found.frame, columns, column)
            except DataError as error:
                yield self.absence(columns, error)
                continue
            yield from self._attribute(columns, cells, positive, found.total)

    def _cells(self, data: Data, frame: Frame, columns: tuple[str, ...], label: str) -> _Cells:
        """Count an attribute once, by group, stratum and label."""
        strata = [self.strata] if self.strata else []
        require([*columns, *strata], data)
        if strata and frame.columns[self.strata].kind is ColumnKind.OTHER:
            raise DataError(
                f"{self.strata} holds {frame.columns[self.strata].type}, which are no strata"
            )
        keys = attributes.keys(columns, data, frame)
        within = [Key(column=column) for column in strata]
        if within and len(frame.count(*within).values) > MOST_STRATA:
            raise DataError(f"{self.strata} has more than {MOST_STRATA:,} values, so is no strata")
        counted = frame.count(*keys, *within, Key(column=label))
        names = levels(keys, data)
        attributes.refuse_alike(names, (values[: len(keys)] for values in counted.values))
        found: _Cells = {}
        for values, rows in zip(counted.values, counted.counts.tolist(), strict=True):
            name, stratum = names.name(values[: len(keys)]), values[len(keys)]
            outcome = values[-1]
            if outcome is None:
                raise DataError("a label is null although nulls were left out")
            labels = found.setdefault(name, {}).setdefault(stratum if within else None, {})
            labels[outcome] = labels.get(outcome, 0) + rows
        attributes.refuse_many(columns, len(found))
        return dict(sorted(found.items()))

    def _attribute(
        self, columns: tuple[str, ...], cells: _Cells, positive: Scalar, total: int
    ) -> Iterator[Statistic]:
        labels = _labels(cells, positive)
        sizes = {name: _rows(strata) for name, strata in cells.items()}
        groups = tuple(Group(name=n, rows=rows, successes=0) for n, rows in sizes.items())
        cover = Cover(columns=columns, groups=groups, min_cell=self.min_cell)
        yield from self.uncovered([cover])
        for group in cover.small:
            few, rows = written(group.rows, self.min_cell), recorded(group.rows, self.min_cell)
            reason = f"{few} rows, below min_cell {self.min_cell}: not judged"
            cell = self.lack(group.name, NoValue.INSUFFICIENT, reason, rows=rows)
            yield replace(cell, judged=False)
        if not cover.eligible:
            reason = f"no group has {self.min_cell} rows"
            yield self.lack(cover.slice, NoValue.INSUFFICIENT, reason, rows=cover.rows)
        for group in cover.eligible:
            others = cover.rows - group.rows
            if others < max(self.min_cell, 1):
                few = f"everybody else are {written(others, self.min_cell)} rows"
                reason = few if others else "there is nobody else"
                yield self.lack(group.name, NoValue.INSUFFICIENT, reason)
            else:
                yield from self._group(group, _sides(group.name, cells, labels), total)

    def _group(self, group: Group, sides: Sides, total: int) -> Iterator[Statistic]:
        """Label metrics of a group; the judged one has a value or a reason."""
        for short, metric in METRICS.items():
            value, mine = metric.value(sides), short == self.metric
            if math.isfinite(value):
                yield Statistic(
                    name=metric.name,
                    slice=group.name,
                    value=value,
                    rows=group.rows,
                    total=total,
                    judged=mine,
                    reason=f"{group.rows:,} rows against everybody else",
                )
            elif mine:
                reason = (
                    "the group lacks a label that others have"
                    if math.isinf(value)
                    else f"a stratum of {self.strata} has only one kind of label"
                )
                yield self.lack(group.name, NoValue.UNDEFINED, reason, rows=group.rows)


def _labels(cells: _Cells, positive: Scalar) -> list[Scalar]:
    """Distinct labels, the positive one first."""
    found = {label for strata in cells.values() for labels in strata.values() for label in labels}
    return [positive, *sorted(found - {positive}, key=str)]


def _rows(strata: Mapping[Scalar | None, Mapping[Scalar, int]]) -> int:
    return sum(sum(labels.values()) for labels in strata.values())


def _sides(name: str, cells: _Cells, labels: list[Scalar]) -> Sides:
    """Counts of a group and of everybody else by label, overall and in each stratum."""
    strata = list(dict.fromkeys(stratum for found in cells.values() for stratum in found))
    counts = {
        group: np.array(
            [[found.get(stratum, {}).get(label, 0) for label in labels] for stratum in strata],
            dtype=np.int64,
        )
        for group, found in cells.items()
    }
    mine = counts[name]
    rest = sum(counts.values()) - mine
    given = strata != [None]
    return Sides(
        group=mine.sum(axis=0),
        rest=rest.sum(axis=0),
        strata=tuple(zip(mine, rest, strict=True)) if given else (),
    )
