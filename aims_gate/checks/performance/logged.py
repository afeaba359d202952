"""Logged metrics: compared with the recomputed value, or judged against a minimum alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.performance.claims import MOST_RUNS, Claim, Wanted, find_claim
from aims_gate.checks.performance.score import Plain, Score
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import Role
from aims_gate.policy.scalars import SCORER_HINT, is_scorer_digest

TOLERANCE = 1e-6
"""The conventional limit: what float32 scores and another order of summing may differ by."""
_CLAIM = "claimed_metric"
_DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One metric as the run's author logged it."""

    about: ClassVar[About] = About(
        name="performance.logged",
        summary="A logged metric: against its recomputed value, or alone, which proves little.",
        definition=(
            "With against: the judged statistic is disagreement, |logged - recomputed| divided by "
            "the recomputed value's size where that is above 1, in [0, inf); 0 is agreement, and "
            "the conventional limit is 1e-6. The recomputed value is that of performance.score on "
            "the evaluation data.\n\n"
            "Without against: the judged statistic is claimed_metric, the logged value itself, in "
            "(-inf, inf), whose good direction the rule states. Nothing is recomputed: evidence "
            "carries it as claimed by the run's author, with the run, data set and, for LLM "
            "evaluations, the digest of the scorers. It is low assurance.\n\n"
            "Metrics of the logged model (MLflow 3) come first, whichever run logged them; the "
            "training run's count where the model has none of that key. No interval: nothing says "
            "what a logged value was taken from."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.6.2.4",),
        undecided=(
            "the metric was not logged, or not for the named data set",
            "it has more than one distinct value, or one that is NaN or infinite",
            "MLflow linked it to the model by step, and other values could be the model's as well",
            "it is 0 for a logged model and not in its run's history: MLflow keeps NaN so",
            "it was logged after its run's end, or its run did not finish",
            "it comes from a run that made several models and does not name one",
            f"more than {MOST_RUNS} runs logged it for the model",
            "the evaluation used other scorers than the rule names",
            "with against: the metric cannot be recomputed from the evaluation data",
        ),
    )

    metric: str
    """The key under which it was logged, such as `roc_auc` or `exact/mean`."""
    against: Plain | None = None
    """The metric of performance.score that is recomputed and compared."""
    dataset: str | None = None
    """The data set that it must have been logged for, by its name in MLflow."""
    digest: str | None = None
    """That data set's digest in MLflow, which covers 10,000 rows at most."""
    scorers: str | None = None
    """The digest that the scorers of an LLM evaluation must have: `sha256:…`, from the tag
    `mlflow.genaiEvaluate.scorersDigest` of its run."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: a distance with `against`, else the value itself."""
        if self.against is None:
            return StatisticSpec(
                name=_CLAIM,
                low=-math.inf,
                high=math.inf,
                higher_is_better=None,
                has_interval=False,
                roles=(),
            )
        return StatisticSpec(
            name=_DISAGREEMENT,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            limit=TOLERANCE,
            has_interval=False,
            needs=metric_needs(self.against),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters: empty names, and scorers of a metric that is recomputed."""
        for name in ("metric", "dataset", "digest"):
            value = getattr(self, name)
            if value is not None and not value.strip():
                yield name, f"{name} is empty", "leave it out, or name one as MLflow shows it"
        if self.scorers is not None and not is_scorer_digest(self.scorers):
            yield "scorers", f"{self.scorers!r} is no digest of scorers", SCORER_HINT
        if self.scorers is not None and self.against is not None:
            yield (
                "scorers",
                "what scorers gave cannot be recomputed",
                "leave against or scorers out",
            )

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Find the claim, and recompute its value if the rule says so.

        Raises:
            NoDataError: It was not logged, or there are no evaluation data to recompute it from.
            DataError: The claim is ambiguous, late or not finite, or the data cannot be used.
        """
        wanted = Wanted(
            metric=self.metric, dataset=self.dataset, digest=self.digest, scorers=self.scorers
        )
        claim = find_claim(inputs.subject, wanted)
        claimed = Statistic(
            name=_CLAIM,
            slice=self.metric,
            value=claim.value,
            judged=self.against is None,
            reason=claim.told,
        )
        yield claimed
        if self.against is not None:
            yield from self._compared(claim, tuple(Score(metric=self.against).measure(inputs)))

    def _compared(self, claim: Claim, measured: tuple[Statistic, ...]) -> Iterator[Statistic]:
        # too few rows for an interval are enough for arithmetic: only a value is needed
        values = [
            (s, s.value) for s in measured if s.judged and s.lack is None and s.value is not None
        ]
        lacks = [s for s in measured if s.judged and s.lack is not None]
        refused = [s for s in lacks if s.lack is not NoValue.INSUFFICIENT or not values]
        yield from (replace(s, judged=False) for s in measured if s.lack is None)
        for statistic in refused:
            yield replace(statistic, name=_DISAGREEMENT, slice=self.metric)
        for statistic, value in values:
            yield replace(
                statistic,
                name=_DISAGREEMENT,
                slice=self.metric,
                value=distance(claim.value, value),
                interval=None,
                design=None,
                reason=f"logged {claim.value:.12g}, recomputed {value:.12g}",
            )


def distance(logged: float, recomputed: float) -> float:
    """Relative error |logged - recomputed| / max(1, |recomputed|), in [0, inf): 0 is agreement.

    Absolute for shares and small errors, relative for amounts, whose last digits mean nothing.
    """
    return abs(logged - recomputed) / max(1.0, abs(recomputed))
