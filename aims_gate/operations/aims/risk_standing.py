"""Standing of residual risks: the level of each against the appetite, its acceptance and treatment.

Measured as the check `risks.residual` does; a treatment fails if its rule refuses what serves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.risks.register import Risk, risks
from aims_gate.checks.risks.residual import Residual, appetite, weighed
from aims_gate.governance.contract import RecordDocument
from aims_gate.operations.aims.survey import SurveyedSystem, words
from aims_gate.verdict import Outcome

WORST = 25
"""Level of a risk that says none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskStanding:
    """A residual risk of a system, and why it is not borne."""

    id: str
    register: RecordDocument
    values: Mapping[str, Any]
    level: int
    """Likelihood times severity after treatment, in [1, 25]; 25 where it says none."""
    scored: bool
    """Whether somebody wrote a score, right or wrong, before treatment and after."""
    faults: tuple[str, ...]
    """Why it is more than the organisation bears; empty where it is borne."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules that treat it."""
        treatment = self.values.get("treatment")
        return words(treatment, "rules") if isinstance(treatment, Mapping) else ()


def risk_standings(system: SurveyedSystem, today: date) -> Iterator[RiskStanding]:
    """Every risk of a register, in its order; one that is malformed is of the worst level."""
    try:
        borne = appetite(system.records)
    except NoDataError:
        borne = None
    refusing = {
        result.rule
        for verdict in system.verdicts
        if system.live.get(verdict.model.name)
        for result in verdict.results
        if result.blocking or result.outcome is Outcome.FAIL
    }
    for register in system.records.of("risks"):
        accepted = Residual().accepted(register, system.records, today)
        for risk in risks(register, ""):
            if not isinstance(risk, Risk):
                continue
            level, faults = risk.level("residual"), []
            if borne is None:
                faults.append("the organisation has set no appetite for risk")
            elif (held := weighed(risk, borne, accepted=accepted)).value != 0:
                faults.append(held.reason)
            known = RiskStanding(
                id=risk.id,
                register=register,
                values=risk.values,
                level=WORST if level is None else level,
                scored=all(_written(risk.part(key)) for key in ("inherent", "residual")),
                faults=tuple(faults),
            )
            wrong = [
                f"{rule}, which treats it, refuses what serves"
                for rule in known.rules
                if rule in refusing
            ]
            yield replace(known, faults=(*known.faults, *wrong))


def _written(score: Mapping[str, Any]) -> bool:
    """Whether a number stands for likelihood and for severity; a question is a text."""
    return all(isinstance(score.get(key), int | float) for key in ("likelihood", "severity"))
