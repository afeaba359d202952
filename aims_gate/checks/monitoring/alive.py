"""Continuous monitoring is alive: its last signed run is recent, and there was no long silence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import ClassVar, Literal

from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import About, Inputs, NoDataError, StatisticSpec
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import DecideOn
from aims_gate.sources.subject import PastEvaluation

_NAME = "days_late"
_HOLE = 2
"""Cadences that may pass from one run to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """Days by which the monitoring of what is in service is late, now and in the past."""

    about: ClassVar[About] = About(
        name="monitoring.alive",
        summary="Days by which monitoring is late: since its last run, and in its longest hole.",
        definition=(
            "last run: days since the newest signed evaluation of the registered model by a "
            "monitoring policy, less cadence_days. longest hole: the most days between two such "
            f"runs of which the later is of the last period_days, less {_HOLE} cadences. Both in "
            "[0, inf), 0 is in time.\n\n"
            "A run counts if a key that the trust file knows as gate signed it, and it decided: a "
            "refusal is monitoring at work, a run that could not decide is silence. Runs of "
            "whatever version count, as the alias named them. Evidence of before the first run is "
            "not asked for. No interval: nothing is sampled."
        ),
        controls=("iso42001:A.6.2.6", "iso42001:9.1"),
        beside=True,
        history=True,
        undecided=(
            "no run is signed by a key that the trust file knows",
            "the model has no registered name, or its registry does not answer",
            "nothing is in service yet, unless when_none and reason say otherwise",
        ),
    )

    policies: str = "*monitoring*"
    """Pattern of the ids of monitoring policies."""
    alias: str = "champion"
    """The alias of what is in service."""
    cadence_days: float = 7.0
    """How often it must run."""
    period_days: float = 92.0
    """How far back holes are looked for."""
    when_none: Literal["missing", "not_applicable"] = "missing"
    """What it means that the alias names no version."""
    reason: str = ""
    """Why it is in order that nothing is in service; needed for when_none: not_applicable."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: days past the day on which a run was due."""
        return StatisticSpec(
            name=_NAME,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            neutral=0.0,
            limit=0.0,
            has_interval=False,
            decide_on=DecideOn.ESTIMATE,
            unit="days",
            overdue=True,
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if not self.policies.strip("*?"):
            yield "policies", "fits every policy", "such as credit-monitoring"
        if not self.alias.strip():
            yield "alias", "is empty", "such as champion"
        excused = self.when_none == "not_applicable"
        if excused is not bool(self.reason.strip()):
            yield "reason", "is stated with when_none: not_applicable, and only then", ""

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Look at the signed runs; NoDataError if there is nowhere to look."""
        subject, now = inputs.subject, inputs.now
        if subject.models is None or subject.evaluations is None:
            hint = "gate models:/NAME/VERSION"
            raise NoDataError("no registry keeps the monitoring runs of this model", hint=hint)
        own = next((one for one in subject.models() if one.name == subject.model.registered), None)
        serving = own.aliases.get(self.alias) if own is not None else None
        if serving is None:
            excused = self.when_none == "not_applicable"
            lack = NoValue.NOT_APPLICABLE if excused else NoValue.MISSING
            told = f": {self.reason}" if excused else ""
            yield lacking(_NAME, lack, f"no version is @{self.alias} yet{told}")
            return
        found = subject.evaluations(self.policies)
        runs = sorted((one.when, one.version) for one in found if one.when and one.decided)
        if not runs:
            told = f"no monitoring run of {subject.model.registered} counts{_why_not(found)}"
            yield lacking(_NAME, NoValue.MISSING, told)
            return
        last, version = runs[-1]
        told = f"version {version} was monitored on {last:%Y-%m-%d}"
        told += f"; @{self.alias} is version {serving}" if version != serving else ""
        yield _late("last run", now - last - timedelta(days=self.cadence_days), told)
        yield self._hole([when for when, _version in runs], now)

    def _hole(self, times: list[datetime], now: datetime) -> Statistic:
        since = now - timedelta(days=self.period_days)
        holes = [(later - one, one) for one, later in pairwise(times) if later >= since]
        if not holes:
            return _late("longest hole", timedelta(0), "one run: no hole yet")
        longest, began = max(holes)
        told = f"{longest / timedelta(days=1):.1f} days without a run from {began:%Y-%m-%d} on"
        return _late("longest hole", longest - _HOLE * timedelta(days=self.cadence_days), told)


def _late(where: str, late: timedelta, reason: str) -> Statistic:
    days = max(late / timedelta(days=1), 0.0)
    return Statistic(name=_NAME, slice=where, value=days, judged=True, reason=reason)


def _why_not(found: tuple[PastEvaluation, ...]) -> str:
    """Say what was found that does not count."""
    told = dict.fromkeys(one.problem or "it could not decide" for one in found)
    return f": {'; '.join(told)}" if told else ""
