"""The candidate against the champion: one metric, on the same rows, paired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from aims_gate.checks import attributes
from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import IN_MEMORY, About, Inputs, NoDataError, StatisticSpec
from aims_gate.checks.coverage import Size
from aims_gate.checks.levels import title
from aims_gate.checks.metrics import MetricRequest, outcomes
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.performance import pairs, slicing
from aims_gate.checks.performance.paired_intervals import METHODS, bounded_twice, told
from aims_gate.checks.performance.pairs import AnswerPair
from aims_gate.checks.performance.score import Metric, Score
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.pairing import paired
from aims_gate.sources.subject import Data
from aims_gate.stats import scores
from aims_gate.stats.auc import LEAST_CLASS
from aims_gate.stats.paired import quantile
from aims_gate.stats.paired_tables import LEAST_ROWS


def _definition() -> str:
    return (
        "The candidate's metric minus the champion's, both recomputed on the same rows; 0 is no "
        "difference. Above 0 is better, for losses below 0: require at_least: -0.01, or at_most: "
        "0.01. Nothing is divided by the champion's value, so values of 0 or below are no special "
        "case. proven_pass, the default, is the test of non-inferiority: the bound of the interval "
        "has to meet the margin.\n\n"
        f"Intervals: {told()}. Each bound is wrong with probability alpha, over all slices of the "
        "rule together (Bonferroni). The difference of other metrics has no interval in closed "
        "form: decide_on: estimate only.\n\n"
        "The champion's answers are the data of role champion; else what the run behind the alias "
        "logged as its evaluation. Rows are matched by key, never by order: every row has exactly "
        "one partner, and the labels are the same. Columns of one file need no key. Where the "
        "alias points at the candidate itself the difference is 0."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The difference of one metric between two models."""

    about: ClassVar[About] = About(
        name="performance.champion",
        summary="Candidate minus champion: one metric of both on the same rows, paired.",
        definition=_definition(),
        roles=(Role.CHAMPION, Role.EVALUATION),
        asks="scikit-learn",
        controls=("iso42001:A.6.2.4", "iso42001:A.6.2.5"),
        undecided=(
            "there are no champion data, or the alias cannot be looked up",
            "the alias points at nothing yet, unless when_none and reason say otherwise",
            "a key is null, twice, or on one side only, or a label differs",
            "either model has no value: 0/0, one class, answers that are null or not finite",
            f"roc_auc: fewer than {LEAST_CLASS} rows of the rarer class, or of a class",
            f"metrics of counts but plain proportions: under {LEAST_ROWS} rows",
            "macro means: one model predicts a class that neither labels nor the other have",
            "mean losses, rankings: under 30 rows or queries, or a few dominate the difference",
            "rmse: one of the two is never wrong; other mean losses: neither is",
            "more than max_uncovered of the rows are in slices below min_cell",
            "rankings: more than max_uncovered of the queries are left out",
        ),
    )

    metric: Metric
    """A metric of performance.score."""
    beta: float | None = None
    """Of f_beta, which needs it: recall counts so many times as much as precision."""
    k: int | None = None
    """Cut-off k of ranking metrics."""
    alias: str | None = None
    """The alias of the registry that the champion has, such as `champion`."""
    model: str | None = None
    """The registered model with that alias; the candidate's own if left out."""
    when_none: Literal["missing", "not_applicable"] = "missing"
    """What it means that the registered model has no such alias."""
    reason: str = ""
    """Why it is in order that there is no champion; needed for when_none: not_applicable."""
    by: tuple[str | tuple[str, ...], ...] = ()
    """Columns, or lists of columns for intersections, whose slices are judged as well."""
    bins: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Bin edges of numeric columns of by; those of sensitive columns are known."""
    min_cell: int = 30
    """Rows below which a slice is named and not judged."""
    max_uncovered: float = 0.05
    """Share of rows in slices below min_cell, and of queries left out of a ranking, past which
    the rule is INSUFFICIENT, in [0, 0.5]."""

    def judged(self) -> StatisticSpec:
        """Describe the difference; it has no conventional margin, so the rule must state one."""
        scale = scores.scale(self.metric)
        has_interval = self.metric in METHODS
        return StatisticSpec(
            name=f"{self.metric}_difference",
            low=-scale.span,
            high=scale.span,
            higher_is_better=scale.higher_is_better,
            neutral=0.0,
            has_interval=has_interval,
            decide_on=DecideOn.PROVEN_PASS if has_interval else DecideOn.ESTIMATE,
            alias=self._alias,
            needs=(*metric_needs(self.metric, paired=True), IN_MEMORY),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from Score(metric=self.metric, beta=self.beta, k=self.k).problems()
        if self.alias is not None and ("@" in self.alias or not self.alias.strip()):
            yield "alias", f"{self.alias!r} is no alias", "write champion, and model: NAME"
        if self.model is not None and (self.alias is None or not self.model.strip()):
            yield "model", "names whose alias it is, and there is none", "state alias: champion"
        excused = self.when_none == "not_applicable"
        if excused and self.alias is None:
            hint = "state alias: without one nobody can tell that there is no champion"
            yield "when_none", "needs an alias", hint
        if excused and not self.reason.strip():
            yield "reason", "not_applicable needs a reason", "say why no champion is in order"
        if self.reason and not excused:
            yield "reason", "is read with when_none: not_applicable only", "leave it out"
        yield from slicing.problems(attributes.listed(self.by), self.bins)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compare the two.

        Raises:
            NoDataError: There are no evaluation data, or no answers of a champion.
            DataError: The data of either cannot be used, or are not of the same rows.
        """
        ours = inputs.data(inputs.on or Role.EVALUATION)
        found = inputs.subject.champion
        if {Role.CHAMPION} & {*inputs.subject.data, *inputs.subject.unread}:
            theirs = paired(ours, inputs.data(Role.CHAMPION))
            yield from self._compared(ours, theirs, inputs)
        elif self.alias is None:
            raise NoDataError(
                "there are no champion data, and no alias says which model it is",
                hint="state alias: champion, or hand them over with --data champion=URI",
            )
        elif found is None:
            raise NoDataError(
                f"nobody can say which model has the alias {self._alias}",
                hint="gate a registered version, state model:, or hand over --data champion=URI",
            )
        elif found.is_candidate:
            yield from self._itself(ours, found.alias, found.uri, inputs)
        elif not found.uri:
            yield self._none(found.alias)
        else:
            raise NoDataError(
                f"the run of {found.uri} ({found.alias}) logged no evaluation data",
                hint="log them with aims_gate.log_evaluation, or hand over --data champion=URI",
            )

    @property
    def _alias(self) -> str:
        return f"{self.model}@{self.alias}" if self.model and self.alias else self.alias or ""

    @property
    def _asked(self) -> MetricRequest:
        uncovered = self.max_uncovered
        return MetricRequest(metric=self.metric, beta=self.beta, k=self.k, max_uncovered=uncovered)

    def _none(self, alias: str) -> Statistic:
        if self.when_none == "not_applicable":
            reason = f"no version has the alias {alias}: {self.reason}"
            return self._lack(NoValue.NOT_APPLICABLE, reason)
        hint = "set it in the registry, or state when_none: not_applicable with a reason"
        return self._lack(NoValue.MISSING, f"no version has the alias {alias}; {hint}")

    def _itself(self, ours: Data, alias: str, uri: str, inputs: Inputs) -> Iterator[Statistic]:
        """Say that a model is no worse than itself, if it can be measured at all."""
        measured = outcomes(self._asked, ours)
        table, total = measured.table, measured.found.total
        why = scores.undefined(self.metric, table)
        if why:
            yield self._lack(NoValue.UNDEFINED, why, rows=table.rows, total=total)
            return
        level = 1 - 2 * inputs.alpha
        yield Statistic(
            name=self.judged().name,
            value=0.0,
            interval=Interval(low=0.0, high=0.0, level=level, method="one model, not two"),
            rows=table.rows,
            total=total,
            judged=True,
            reason=f"the alias {alias} is on the candidate itself ({uri})",
        )

    def _compared(self, ours: Data, theirs: Data, inputs: Inputs) -> Iterator[Statistic]:
        whole = pairs.pair(self._asked, ours, theirs)
        yield from whole.first.found.context()
        parts: list[tuple[str, AnswerPair]] = []
        for columns in attributes.listed(self.by):
            found = self._parts(columns, whole, theirs)
            sizes = [Size(name=name, rows=rows) for name, rows, _ in found]
            yield from slicing.small(
                sizes,
                where=title(columns),
                statistic=self.judged().name,
                least=self.min_cell,
                allowed=self.max_uncovered,
                total=whole.total,
            )
            parts += [(name, part) for name, rows, part in found if rows >= self.min_cell]
        alpha = inputs.alpha / (1 + len(parts))
        for name, part in [("", whole), *parts]:
            yield from self._cell(name, part, inputs, alpha)

    def _parts(
        self, columns: tuple[str, ...], whole: AnswerPair, theirs: Data
    ) -> list[tuple[str, int, AnswerPair]]:
        """Each slice with the rows that its difference is computed from."""
        kept = pairs.columns(whole)
        frames = attributes.parts(
            columns, theirs, whole.frame, kept, bins=self.bins, called="slices"
        )
        parts = {name: pairs.within(whole, theirs, frame) for name, frame in frames.items()}
        return [(name, pairs.basis(part), part) for name, part in parts.items()]

    def _cell(
        self, name: str, found: AnswerPair, inputs: Inputs, alpha: float
    ) -> Iterator[Statistic]:
        rows, total = pairs.basis(found), found.total
        # our own precondition comes first: an engine that calls 0/0 a zero is not asked
        why = pairs.undefined(found)
        if why:
            lack = NoValue.INSUFFICIENT if name else NoValue.UNDEFINED
            yield self._lack(lack, why, where=name, rows=rows, total=total)
            return
        answer = pairs.difference(found, inputs.engine)
        if answer.problem:
            cell = self._lack(NoValue.UNDEFINED, answer.problem, where=name, rows=rows, total=total)
            yield replace(cell, engine=answer.by)
            return
        known, alone = bounded_twice(found, alpha, inputs.alpha_alone)
        values = [scores.value(self.metric, s.table) for s in (found.first, found.second)]
        reason = f"candidate {values[0]:.4g}, champion {values[1]:.4g}"
        yield Statistic(
            name=self.judged().name,
            slice=name,
            value=answer.value,
            interval=known.interval,
            alone=alone.interval,
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            reason=reason if self.metric in METHODS else f"{reason}; no paired interval is known",
            design=alone.design(quantile(inputs.alpha_alone), total),
            curves=(*found.first.curves("candidate"), *found.second.curves("champion")),
        )
        if known.short:
            yield self._lack(NoValue.INSUFFICIENT, known.short, where=name, rows=rows, total=total)

    def _lack(
        self, lack: NoValue, reason: str, *, where: str = "", rows: int = 0, total: int = 0
    ) -> Statistic:
        name = self.judged().name
        return lacking(name, lack, reason, where=where, rows=rows, total=total)
