"""Performance recomputed from labels and predictions, never read from what a run logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from aims_gate.checks.cells import lacking
from aims_gate.checks.closer import in_bracket
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.levels import Levels, class_levels, written
from aims_gate.checks.metrics import MetricRequest, Outcomes, each_class, outcomes
from aims_gate.checks.metrics.multiclass import BY_CLASS
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.stats import classes as multiclass
from aims_gate.stats import confusion, fits, scores
from aims_gate.stats.auc import LEAST_CLASS
from aims_gate.stats.formulas import FORMULAS
from aims_gate.stats.tables import Classes, ClassRanked, Confusion, Queries, Ranked

if TYPE_CHECKING:
    Plain = str
    Metric = str
else:
    Plain = Literal[tuple(dict.fromkeys(f.metric for f in FORMULAS if not f.needs))]
    """The metrics that need nothing but data."""
    Metric = Literal[tuple(dict.fromkeys(f.metric for f in FORMULAS))]
    """Every metric of the catalogue."""
_LEAST_SHOWN = 30
"""A class with fewer labelled rows is not named in evidence unless the policy names it."""
_KINDS = {Classes: " (several classes)", ClassRanked: " (several classes)", Queries: " (ranking)"}
_OF_CLASSES = (
    "With classes, each class has a cell: its rows are the positives and all others the negatives."
)
_OF_RANKINGS = (
    "Rankings are of the rows that share the `query` of their data, by falling score. Rows with "
    "one score: ndcg, precision_at_k and recall_at_k are the mean over all their orders, as "
    "scikit-learn's ndcg_score; map and mrr give each the last of their places, as its "
    "label_ranking_average_precision_score. Relevant is a label above 0. A query whose rows are "
    "all worth the same says nothing and is left out, counted as queries_left_out."
)
_OF_INTERVALS = (
    "Intervals are two one-sided bounds, each wrong with probability alpha (0.05: level 0.90). "
    "The guarded Wilson bound of a proportion is Wilson's (1927), or the exact one (Clopper and "
    "Pearson 1934) of 1.1 times that probability where Wilson's is wrong more often."
)
_NEED_K = tuple(f.metric for f in FORMULAS if f.needs == "k")


def _definition() -> str:
    """List every metric with its formula, range and interval."""
    lines = ["The metric of the rule, over all rows, frequency weights included."]
    for formula in FORMULAS:
        kind = _KINDS.get(formula.table, "")
        lines.append(f"{formula.metric}{kind}: {formula.definition}. Interval: {formula.method}.")
    lines.append(f"{_OF_CLASSES} The metrics that have one: {', '.join(BY_CLASS)}.")
    lines += [_OF_RANKINGS, _OF_INTERVALS]
    return "\n\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One performance metric of the whole data set, or of each class."""

    about: ClassVar[About] = About(
        name="performance.score",
        summary="A performance metric, recomputed from labels and predictions or scores.",
        definition=_definition(),
        roles=(Role.EVALUATION,),
        asks="scikit-learn",
        controls=("iso42001:A.6.2.4",),
        undecided=(
            "a column is missing, or labels, predictions or scores are null or not finite",
            "the metric does not fit the task, or the labels do not tell the task",
            "the metric is 0/0: no row is predicted positive, or there is one class only",
            "with classes: a class occurs nowhere, or has fewer than min_cell labelled rows",
            "several classes: a row's scores do not sum to 1, or a class has no column of scores",
            f"roc_auc, average_precision: fewer than {LEAST_CLASS} rows of the rarer class",
            "average_precision: a few rows dominate the ranking",
            "mean losses: under 30 rows, all losses equal, or one row dominates the mean",
            f"r2, explained_variance: under {fits.LEAST_ROWS} rows, or one row decides alone",
            "weighted_precision: under 30 rows, or one row decides alone",
            "mcc, and f1 of several classes: not a single error, or nothing but errors",
            f"macro_f1: fewer than {multiclass.LEAST_CLASS} labelled rows of a class",
            "mape: a label is 0",
            "ranking: under 30 queries, or more than max_uncovered of them left out",
        ),
    )

    metric: Metric
    """Which metric; there is no default, because each hides another kind of failure."""
    beta: float | None = None
    """Of f_beta, which needs it: recall counts so many times as much as precision."""
    k: int | None = None
    """Of rankings: the places that are looked at; precision_at_k and recall_at_k need it, ndcg
    takes all without it."""
    classes: Literal["all"] | tuple[str | int | float | bool, ...] | None = None
    """Each class of a multi-class task in a cell of its own: all, or a list; alpha is divided by
    their number."""
    min_cell: int = 30
    """With classes: labelled rows below which a class is INSUFFICIENT."""
    max_uncovered: float = 0.05
    """Of rankings: share of queries left out past which the rule is INSUFFICIENT, in [0, 0.5]."""

    def judged(self) -> StatisticSpec:
        """Describe the metric; it has no conventional limit, so the rule must state one."""
        scale = scores.scale(self.metric)
        return StatisticSpec(
            name=self.metric,
            low=scale.low,
            high=scale.high,
            higher_is_better=scale.higher_is_better,
            needs=metric_needs(self.metric, in_cells=True),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters: those that the metric lacks, and those that it does not have."""
        if self.metric == "f_beta" and self.beta is None:
            yield "metric", "f_beta needs beta", "2 counts recall twice as much as precision"
        if self.beta is not None and self.metric != "f_beta":
            yield "beta", f"{self.metric} has no beta", "use metric: f_beta"
        if self.metric in _NEED_K and self.k is None:
            yield "metric", f"{self.metric} needs k", "k: 10 looks at the first ten places"
        if self.k is not None and self.metric not in {*_NEED_K, "ndcg"}:
            yield "k", f"{self.metric} has no k", "leave it out"
        yield from self._class_problems()

    def _class_problems(self) -> Iterator[tuple[str, str, str]]:
        if self.classes is not None and self.metric not in BY_CLASS:
            hint = f"these are: {', '.join(BY_CLASS)}"
            yield "classes", f"{self.metric} is not a metric of single classes", hint
        named = () if self.classes is None or self.classes == "all" else self.classes
        if self.classes == () or len(set(named)) != len(named):
            yield "classes", "names no class, or one twice", "list them or write all"
        if self.min_cell < 1:
            yield "min_cell", f"{self.min_cell} is not a number of rows", "30 is usual"

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Compute the metric; DataError if the data are not usable or it does not fit the task."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        asked = MetricRequest(
            metric=self.metric,
            beta=self.beta,
            k=self.k,
            max_uncovered=self.max_uncovered,
            resolution=inputs.resolution.closest(),
        )
        if self.classes is None:
            measured = outcomes(asked, data)
            yield from measured.found.context()
            yield from _context(measured, data)
            yield from self._judge_me(measured, inputs)
            return
        wanted = None if self.classes == "all" else self.classes
        found = tuple(each_class(asked, data, wanted))
        shared = replace(inputs, alpha=inputs.alpha / max(len(found), 1))
        named = class_levels(data)
        for number, (label, rows, measured) in enumerate(found):
            if number == 0:
                yield from measured.found.context()
            name = str(label) if wanted else named.value(label)
            yield from self._judge_class(name, rows, measured, shared)

    def _judge_class(
        self, name: str, rows: int, measured: Outcomes, inputs: Inputs
    ) -> Iterator[Statistic]:
        total = measured.found.total
        if rows < self.min_cell:
            few = f"{written(rows, self.min_cell)} labelled rows, below min_cell {self.min_cell}"
            lack = self._lack(NoValue.INSUFFICIENT, few, rows=0, total=total)
            yield replace(lack, slice=name)
            return
        yield Statistic(name="positives", slice=name, value=float(rows), rows=rows, total=total)
        yield from (replace(s, slice=name) for s in self._judge_me(measured, inputs))

    def _judge_me(self, measured: Outcomes, inputs: Inputs) -> Iterator[Statistic]:
        table, total = measured.table, measured.found.total
        formula = scores.formula(self.metric, type(table))
        rows = formula.basis(table)
        # our own precondition comes first: an engine that calls 0/0 a zero is not asked
        undefined = scores.undefined(self.metric, table)
        if undefined:
            yield self._lack(NoValue.UNDEFINED, undefined, rows=rows, total=total)
            return
        answer = measured.value(self.metric, inputs.engine)
        if answer.problem:
            lack = self._lack(NoValue.UNDEFINED, answer.problem, rows=rows, total=total)
            yield replace(lack, engine=answer.by)
            return
        found = Statistic(
            name=self.metric,
            value=answer.value,
            interval=scores.interval(self.metric, table, alpha=inputs.alpha),
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            curves=measured.curves(),
        )
        proven = measured.bracket
        yield found if proven is None else in_bracket(found, proven, inputs.alpha)
        short = scores.insufficient(self.metric, table)
        if short:
            yield self._lack(NoValue.INSUFFICIENT, short, rows=rows, total=total)

    def _lack(self, lack: NoValue, reason: str, *, rows: int, total: int) -> Statistic:
        return lacking(self.metric, lack, reason, rows=rows, total=total)


def _context(measured: Outcomes, data: Data) -> Iterator[Statistic]:
    """Report the counts behind the metric, and for several classes the one found least often."""
    table, total = measured.table, measured.found.total
    counts: dict[str, int] = {"rows": table.rows}
    if isinstance(table, Confusion):
        counts |= {
            "positives": table.positives,
            "true_positives": table.tp,
            "false_positives": table.fp,
            "false_negatives": table.fn,
            "true_negatives": table.tn,
        }
    elif isinstance(table, Ranked):
        positives = int(table.positives.sum())
        counts |= {"positives": positives, "negatives": table.rows - positives}
    elif isinstance(table, Queries):
        counts |= {"queries": table.values.rows, "queries_left_out": table.left_out}
    elif isinstance(table, ClassRanked):
        counts["classes"] = len(table.labels)
    elif isinstance(table, Classes):
        counts["classes"] = len(table.labels)
        yield from _least_recall(table, class_levels(data), total)
    for name, count in counts.items():
        yield Statistic(name=name, value=float(count), rows=table.rows, total=total)


def _least_recall(table: Classes, named: Levels, total: int) -> Iterator[Statistic]:
    found = [
        (confusion.ratio(share), share[1], named.value(label))
        for label, share in zip(table.labels, multiclass.recalls(table), strict=True)
        if share[1] >= _LEAST_SHOWN
    ]
    if found:
        value, rows, label = min(found)
        yield Statistic(name="least_recall", slice=label, value=value, rows=rows, total=total)
