"""Performance recomputed from labels and predictions, never read from what a run logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.outcomes import Outcomes, outcomes
from aims_gate.facts import Lack, Statistic
from aims_gate.policy.model import Role
from aims_gate.stats import classes, confusion, scores
from aims_gate.stats.auc import LEAST_CLASS
from aims_gate.stats.formulas import FORMULAS
from aims_gate.stats.tables import Classes, Confusion, Ranked

Metric = Literal[
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "mcc",
    "roc_auc",
    "brier",
    "log_loss",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_f1",
    "mae",
    "mse",
    "rmse",
    "r2",
]
_LEAST_SHOWN = 30
"""A class with fewer labelled rows is not named in evidence."""


def _definition() -> str:
    """List every metric with its formula, range and interval."""
    lines = ["The metric of the rule, over all rows, frequency weights included."]
    for formula in FORMULAS:
        bounds = formula.method or "none in closed form, so decide_on: estimate only"
        kind = " (several classes)" if formula.table is Classes else ""
        lines.append(f"{formula.metric}{kind}: {formula.definition}. Interval: {bounds}.")
    lines.append(
        "Intervals are two one-sided bounds, each wrong with probability alpha (0.05: level 0.90)."
    )
    return "\n\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One performance metric of the whole data set."""

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
            f"roc_auc: fewer than {LEAST_CLASS} rows of the rarer class",
            "mean losses: under 30 rows, all losses equal, or a few rows dominate the mean",
            "mcc: not a single error, or nothing but errors",
        ),
    )

    metric: Metric
    """Which metric; there is no default, because each hides another kind of failure."""

    def judged(self) -> Judged:
        """Describe the metric; it has no conventional limit, so the rule must state one."""
        rows = [row for row in FORMULAS if row.metric == self.metric]
        return Judged(
            name=self.metric,
            low=rows[0].low,
            high=rows[0].high,
            higher_is_better=rows[0].higher_is_better,
            has_interval=any(row.bounds is not None for row in rows),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give nothing: one parameter cannot contradict itself."""
        return ()

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Compute the metric; DataError if the data are not usable or it does not fit the task."""
        measured = outcomes(self.metric, inputs.data(inputs.on or Role.EVALUATION))
        yield from measured.found.context()
        yield from _context(measured)
        yield from self._judge_me(measured, inputs)

    def _judge_me(self, measured: Outcomes, inputs: Inputs) -> Iterator[Statistic]:
        table, total = measured.table, measured.found.total
        formula = scores.formula(self.metric, type(table))
        rows = formula.basis(table)
        # our own precondition comes first: an engine that calls 0/0 a zero is not asked
        undefined = scores.undefined(self.metric, table)
        if undefined:
            yield self._lack(Lack.UNDEFINED, undefined, rows=rows, total=total)
            return
        answer = inputs.engine.score(self.metric, table, measured.sample)
        if answer.problem:
            lack = self._lack(Lack.UNDEFINED, answer.problem, rows=rows, total=total)
            yield replace(lack, engine=answer.by)
            return
        yield Statistic(
            name=self.metric,
            value=answer.value,
            interval=scores.interval(self.metric, table, alpha=inputs.alpha),
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            reason="" if formula.bounds else "no interval is known in closed form",
        )
        short = scores.insufficient(self.metric, table)
        if short:
            yield self._lack(Lack.INSUFFICIENT, short, rows=rows, total=total)

    def _lack(self, lack: Lack, reason: str, *, rows: int, total: int) -> Statistic:
        return Statistic(
            name=self.metric, judged=True, lack=lack, reason=reason, rows=rows, total=total
        )


def _context(measured: Outcomes) -> Iterator[Statistic]:
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
    elif isinstance(table, Classes):
        counts["classes"] = len(table.labels)
        yield from _least_recall(table, total)
    for name, count in counts.items():
        yield Statistic(name=name, value=float(count), rows=table.rows, total=total)


def _least_recall(table: Classes, total: int) -> Iterator[Statistic]:
    found = [
        (confusion.ratio(share), share[1], str(label))
        for label, share in zip(table.labels, classes.recalls(table), strict=True)
        if share[1] >= _LEAST_SHOWN
    ]
    if found:
        value, rows, label = min(found)
        yield Statistic(name="least_recall", slice=label, value=value, rows=rows, total=total)
