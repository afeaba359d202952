"""Gaps between the mean scores, predictions or errors of groups: for models that give a number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks import attributes
from aims_gate.checks.column_roles import Labelled, Need, labelled
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.fairness.group_counts import Cover
from aims_gate.checks.fairness.groups import CONTROLS, UNDECIDED, Groups
from aims_gate.checks.fairness.means import MeanTerms, Scored, answered, compare, scored
from aims_gate.checks.metrics import score_column
from aims_gate.errors import DataError
from aims_gate.facts import Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import ordered_pairs, quantile

_NEEDS: dict[str, tuple[Need, ...]] = {
    "score": ("score",),
    "prediction": ("prediction",),
    "error": ("label", "prediction"),
}
_GAP = "score_gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGap(Groups):
    """The difference of the mean scores of two groups."""

    about: ClassVar[About] = About(
        name="fairness.score_gap",
        summary="Mean score of every other group minus that of each group.",
        definition=(
            "m_j - m_i, with m the mean score of a group, of its predictions or of its errors "
            "(prediction - label, whose mean is the bias of a regression), in [0, inf); 0 is "
            "parity. With unit: sd it is divided by the pooled standard deviation inside groups, "
            "so that 0.2 is small and 0.8 large (Cohen 1988), and the conventional limit is 0.20; "
            "with unit: absolute it is in the numbers' own unit, and the rule states the limit. "
            "The group with the lower mean is named first.\n\n"
            "Intervals are MOVER over skewness-corrected bounds of each mean (Hall 1992), which "
            "lets groups differ in spread as Welch's does, Bonferroni-corrected over all ordered "
            "pairs of the rule.\n\n"
            "Beside it stand each group's mean, the differences and ratios of the means between "
            "groups and to all rows, and the largest Kolmogorov-Smirnov distance between two "
            "groups, in [0, 1], which sees other differences than those of means."
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=(
            *UNDECIDED,
            "a score, prediction or label is null or not finite",
            "a group has under 30 rows, is of one value, or one row dominates its mean",
            "a group is so small that a serious gap could have been missed",
        ),
    )

    of: Literal["score", "prediction", "error"] = "score"
    """Which number; errors are predictions less labels."""
    unit: Literal["sd", "absolute"] = "sd"
    """Pooled standard deviations, or the numbers' own unit."""
    small_share: float = 0.02
    """Share of rows under which a group that cannot show an effect warns only, in [0, 0.1]."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        return StatisticSpec(
            name=_GAP,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            neutral=0.0,
            limit=0.20 if self.unit == "sd" else None,
            decide_on=DecideOn.PROVEN_BREACH,
            unit="sd" if self.unit == "sd" else "",
            needs=("distribution", *(("moments",) if self.of == "error" else ())),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from Groups.problems(self)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Measure every attribute; DataError if the numbers cannot be used."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        if self.of == "score" and data.spec.score is None and data.spec.prediction is not None:
            hint = "state score: in the policy, or with: {of: prediction} where it is an amount"
            raise DataError("no column is named as score", where=f"{data.role} data", hint=hint)
        found = labelled(data, _NEEDS[self.of])
        columns = self._columns(data, found)
        whole = scored("", found.frame, columns)
        yield from found.context()
        counted: list[tuple[Cover, list[Scored]]] = []
        for attribute in attributes.chosen(self.by, data):
            try:
                parts = attributes.parts(attribute, data, found.frame, columns)
            except DataError as error:
                yield self.absence(attribute, error)
                continue
            measured = [scored(name, part, columns) for name, part in sorted(parts.items())]
            groups = tuple(one.group for one in measured)
            cover = Cover(columns=attribute, groups=groups, min_cell=self.min_cell)
            counted.append((cover, measured))
        yield from self.uncovered(cover for cover, _ in counted)
        pairs = sum(len(ordered_pairs(cover.eligible)) for cover, _ in counted)
        terms = MeanTerms(
            statistic=_GAP,
            mean=f"mean_{self.of}",
            in_deviations=self.unit == "sd",
            z=quantile(inputs.alpha, pairs),
            alone=quantile(inputs.alpha_alone, 1),
            pairs=pairs,
            alpha=inputs.alpha,
            alpha_alone=inputs.alpha_alone,
            small_share=self.small_share,
            total=found.frame.rows,
        )
        for cover, measured in counted:
            *groups_, all_rows = answered([*measured, whole], inputs.engine)
            yield from compare(cover, groups_, all_rows, terms)

    def _columns(self, data: Data, found: Labelled) -> list[str]:
        """Name the column whose values are compared, and the one that is subtracted from it."""
        if self.of == "score":
            return [score_column(data, found, data.spec.positive)]
        named = [found.prediction] if self.of == "prediction" else [found.prediction, found.label]
        return [column for column in named if column is not None]
