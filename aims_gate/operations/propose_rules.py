"""Propose the rules of a first policy, with limits from what is measured today.

Floors of performance lie a margin below today's value. Limits on bias, drift and missing values
are the customary ones, with today's value beside them: a limit taken from today's bias would
declare it acceptable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aims_gate.checks.contract import StatisticSpec
from aims_gate.checks.metrics import task_of
from aims_gate.facts import Statistic
from aims_gate.limits import conventional
from aims_gate.plan import build
from aims_gate.policy.model import Role, Rule, Severity, TaskKind, Threshold
from aims_gate.sources.subject import Subject

MARGIN = 0.02
"""Least distance of a proposed floor from today's value, for metrics with finite ends."""
RELATIVE_MARGIN = 0.10
"""The same as a share of the value, for errors without an upper end."""
MOST_MISSING = 0.05
_METRICS: Mapping[TaskKind, tuple[str, ...]] = {
    TaskKind.BINARY: ("roc_auc", "balanced_accuracy"),
    TaskKind.MULTICLASS: ("macro_f1",),
    TaskKind.REGRESSION: ("mae",),
    TaskKind.RANKING: ("ndcg",),
}
_RANKED = frozenset({"roc_auc", "ndcg"})
"""Metrics that need a score; the others need a prediction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule to propose."""

    id: str
    title: str
    check: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    require: Threshold | None = None
    """None is the check's customary limit."""
    firm: bool = False
    """Whether it blocks once today's model meets it: facts, where nothing is to be weighed."""
    lacking: str = ""
    """Why it cannot be proposed here; empty where it can."""

    @property
    def words(self) -> str:
        """Name the check with its parameters."""
        given = ", ".join(f"{name} {_listed(value)}" for name, value in self.parameters.items())
        return f"{self.check} ({given})" if given else self.check

    def rule(self) -> Rule:
        """The rule, with a provisional limit if none is known yet."""
        require = self.require or _provisional(self.judged())
        return Rule(
            id=self.id,
            check=self.check,
            parameters=self.parameters,
            require=require,
            severity=Severity.BLOCK,
        )

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic of the rule."""
        return build(self.check, self.parameters).judged()


_FAIRNESS: Mapping[TaskKind, tuple[Draft, ...]] = {
    TaskKind.BINARY: (
        Draft(
            id="BIAS-02",
            title="Groups are selected at similar rates",
            check="fairness.impact_ratio",
        ),
        Draft(
            id="BIAS-03",
            title="Those who deserve a yes get it at similar rates in every group",
            check="fairness.odds",
            parameters={"rates": ["tpr"]},
        ),
    ),
    TaskKind.MULTICLASS: (
        Draft(
            id="BIAS-04",
            title="No group gets wrong answers much more often than all do",
            check="fairness.group_performance",
            parameters={"metric": "accuracy", "relative_to": "overall"},
        ),
    ),
    TaskKind.REGRESSION: (
        Draft(
            id="BIAS-08",
            title="No group is over- or underestimated against another",
            check="fairness.score_gap",
            parameters={"of": "error"},
        ),
    ),
}
"""What asks about groups without a positive class being named, where several are possible."""


def drafts(subject: Subject) -> Iterator[Draft]:
    """Draft rules that fit the subject, and those that lack something; evaluation data exist."""
    yield Draft(
        id="INTEG-01", title="The model's files are whole", check="integrity.model", firm=True
    )
    yield Draft(
        id="INTEG-02",
        title="The data stay as they were, and serve one purpose each",
        check="integrity.data",
        firm=True,
    )
    title = "The training run ended, and nothing was logged after its end"
    lacking = "" if subject.run is not None else "the model comes from no training run"
    yield Draft(id="GOV-02", title=title, check="integrity.run", firm=True, lacking=lacking)
    yield Draft(id="DATA-02", title="Few values are missing", check="data.missing")
    title = "Evaluation data look like the training data"
    lacking = _absent(subject, Role.REFERENCE)
    yield Draft(id="DATA-05", title=title, check="data.schema", lacking=lacking)
    yield from _performance(subject)
    yield from _bias(subject)
    title = "Production still looks like the training data"
    lacking = _absent(subject, Role.REFERENCE, Role.CURRENT)
    yield Draft(id="MON-01", title=title, check="drift.columns", lacking=lacking)


def _absent(subject: Subject, *roles: Role) -> str:
    lost = [str(role) for role in roles if role not in subject.data]
    return f"there are no {' and no '.join(lost)} data" if lost else ""


def settled(draft: Draft, statistics: Sequence[Statistic]) -> Draft | None:
    """The draft with its limit from what was measured; None if there is none to propose."""
    judged = draft.judged()
    values = [s for s in statistics if s.judged and s.value is not None]
    if draft.check == "data.missing":
        worst = max((s.value for s in values if s.value is not None), default=0.0)
        most = max(MOST_MISSING, _up(worst + MARGIN))
        return replace(draft, require=Threshold(at_most=most)) if most < judged.high else None
    customary = conventional(judged)
    if customary is not None:
        return replace(draft, require=customary)
    if not values:
        return None
    require = _floor(values[0], judged) if judged.higher_is_better else _ceiling(values[0])
    return replace(draft, require=require) if require is not None else None


def worst(draft: Draft, statistics: Sequence[Statistic]) -> Statistic | None:
    """The worst judged statistic; None if none has a value."""
    values = [s for s in statistics if s.judged and s.value is not None]
    sign = 1 if draft.judged().higher_is_better else -1
    return min(values, key=lambda s: sign * (s.value or 0.0), default=None)


def _performance(subject: Subject) -> Iterator[Draft]:
    data = subject.data[Role.EVALUATION]
    number = 0
    for metric in _METRICS[task_of(data)]:
        kind = "score" if metric in _RANKED else "prediction"
        lacking = "" if isinstance(getattr(data.spec, kind), str) else f"no column is the {kind}"
        number += not lacking
        yield Draft(
            id=f"PERF-{number:02}",
            title=f"The model keeps its {metric.replace('_', ' ')}",
            check="performance.score",
            parameters={"metric": metric},
            lacking=lacking,
        )


def _bias(subject: Subject) -> Iterator[Draft]:
    data = subject.data[Role.EVALUATION]
    lacking = "" if data.spec.prediction else "no column is the prediction"
    if not data.spec.sensitive:
        lacking = "no column is known to be a protected attribute"
    for draft in _FAIRNESS.get(task_of(data), ()):
        yield replace(draft, lacking=lacking)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _provisional(judged: StatisticSpec) -> Threshold | None:
    if judged.limit is not None:
        return None
    middle = (judged.low + judged.high) / 2
    limit = middle if math.isfinite(middle) else 1.0
    return Threshold(at_least=limit) if judged.higher_is_better else Threshold(at_most=limit)


def _floor(statistic: Statistic, judged: StatisticSpec) -> Threshold | None:
    value = statistic.value or 0.0
    low = value - MARGIN
    if statistic.interval is not None:
        low = min(low, statistic.interval.low)
    limit = math.floor(low * 100) / 100
    return Threshold(at_least=limit) if limit > judged.low else None


def _ceiling(statistic: Statistic) -> Threshold | None:
    value = statistic.value or 0.0
    high = value * (1 + RELATIVE_MARGIN)
    if statistic.interval is not None and math.isfinite(statistic.interval.high):
        high = max(high, statistic.interval.high)
    if high == 0:
        return Threshold(at_most=0.0)
    scale = 10.0 ** (2 - math.floor(math.log10(high)))
    return Threshold(at_most=math.ceil(high * scale) / scale)


def _up(value: float) -> float:
    return math.ceil(value * 100) / 100
