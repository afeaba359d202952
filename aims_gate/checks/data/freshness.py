"""Freshness: the age of the newest row, or the longest gap in time between rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aims_gate.checks.ages import age_of, ahead
from aims_gate.checks.cells import lacking
from aims_gate.checks.column_roles import require
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import Span
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data

_YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Days since the newest row, or the longest time without rows."""

    about: ClassVar[About] = About(
        name="data.freshness",
        summary="Days since the newest row, or the longest time that no row covers.",
        definition=(
            "age: days from the newest row's time to the time of the run, in [0, inf); 0 is data "
            "of this moment. Data that were logged before their newest row count from then, "
            "because logging old rows again does not make them new. Up to a day ahead of the "
            "clock is taken for a time zone.\n\n"
            "gap: the longest time from one row to the next, in days, in [0, inf).\n\n"
            "Times without a zone are taken as UTC, dates as their first second. No interval, "
            "because nothing is sampled.\n\n"
            "`max_age_days` of a rule or of `data:` asks the same age as a condition of other "
            "checks; here it is the value."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4", "iso42001:A.4.3"),
        undecided=(
            "no column of times is named, or it is not there, or holds no time",
            "the newest row, or the time at which the data were logged, is in the future",
            "gap: all rows are of one moment, so that no time is covered",
        ),
    )

    of: Literal["age", "gap"] = "age"
    """What is judged; the other one is shown beside it. A gap has no conventional limit."""
    column: str = ""
    """The column of dates or times; the role `time` unless stated."""

    @property
    def _statistic(self) -> str:
        return "days_since_newest" if self.of == "age" else "longest_gap_days"

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: days."""
        return StatisticSpec(
            name=self._statistic,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            limit=_YEAR if self.of == "age" else None,
            has_interval=False,
            unit="days",
            needs=("span",),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Find nothing wrong: every value of the parameters means something."""
        return ()

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure age and gap; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        column = self.column or data.spec.time
        if not column:
            reason = f"no column of times is named; state time: under data.{data.role}"
            yield self._lack(NoValue.MISSING, reason)
            return
        require([column], data)
        span = data.frame.span(column)
        if span.newest is None or span.oldest is None:
            yield self._lack(NoValue.MISSING, f"no row of the {data.role} data has a {column!r}")
        elif ahead(span.newest, inputs.now):
            reason = f"the newest row is of {span.newest:%Y-%m-%d}, in the future"
            yield self._lack(NoValue.UNDEFINED, reason)
        else:
            yield self._age(data, span, inputs)
            yield self._gap(data, span)

    def _age(self, data: Data, span: Span, inputs: Inputs) -> Statistic:
        age = age_of(replace(data, newest=span.newest), data.role, inputs.now)
        told = age.reason or f"the newest row is of {_text(span.newest)}{_untimed(span)}"
        return Statistic(
            name="days_since_newest",
            value=None if age.days is None else max(age.days, 0.0),
            lack=age.lack,
            rows=data.frame.rows,
            total=data.frame.rows,
            judged=self.of == "age",
            reason=told,
        )

    def _gap(self, data: Data, span: Span) -> Statistic:
        covered = f"rows are from {_text(span.oldest)} to {_text(span.newest)}{_untimed(span)}"
        told = f"{covered}; the longest gap begins {_text(span.gap_after)}"
        alone = span.oldest == span.newest
        return Statistic(
            name="longest_gap_days",
            value=None if alone else span.gap_days,
            lack=NoValue.INSUFFICIENT if alone else None,
            rows=data.frame.rows,
            total=data.frame.rows,
            judged=self.of == "gap",
            reason=f"all rows are of {_text(span.newest)}: no time is covered" if alone else told,
        )

    def _lack(self, lack: NoValue, reason: str) -> Statistic:
        return lacking(self._statistic, lack, reason)


def _untimed(span: Span) -> str:
    return f"; {span.nulls:,} rows have no time" if span.nulls else ""


def _text(moment: object) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"
