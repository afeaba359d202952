"""Freshness of documented information: reviewed by a person, or measured, within its cadence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import chosen, counted, kind_problems, missing, records_of
from aims_gate.checks.records.cadence import MEASURED_BY, cadences, due
from aims_gate.checks.records.dated import CALENDAR, DatedPlace, calendar, dated
from aims_gate.checks.records.strengths import StrengthName, strength_of
from aims_gate.checks.rule_outcomes import measured
from aims_gate.facts import Statistic
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordDocument, Records, has_come

_NAME = "days_overdue"
_BESIDE = ("performance", CALENDAR)
"""What `kinds` may name beside kinds of records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """How many days each record is past the day on which it was to be looked at again."""

    about: ClassVar[About] = About(
        name="records.fresh",
        summary="Days that a record is past its review by a person, or its measurement by a rule.",
        definition=(
            "Per document: days past its cadence in [0, inf); 0 is in time. The cadence is the "
            "organisation's (`cadences` with `by: person`), or the document's own review_every "
            "where that is shorter; it counts from the day that the document says, or from the "
            "day on which a person reviewed or signed these very bytes, whichever is earlier. A "
            "new date on bytes that nobody acted on is no review: it is overdue from that day. "
            "Per cadence with `by: measured`: 0 if a rule of that family measured in this very "
            "run. Inside of records: days past a supplier's `until`, and past the cadence of "
            "`exercise` since a runbook and the way back were tried; per line of the "
            "organisation's calendar, days past `every` since the last sound entry of its type. "
            "What is overdue is STALE. No interval: nothing is sampled."
        ),
        controls=("iso42001:7.5.2", "iso42001:9.1", "iso42001:A.2.4", "iso42001:A.6.2.3"),
        beside=True,
        after="judge",
        undecided=(
            "a record is not there, or says no day, or one to come",
            "no rule of this run measured what must be measured",
            "a runbook was never tried, or the log holds no entry that the calendar asks for",
        ),
    )

    kinds: tuple[str, ...] = ()
    """Kinds of records, `performance` for its measurement, and `calendar`; without them all."""
    strength: StrengthName = "reviewed"
    """What counts as a person's look: `declared`, the bare date, `reviewed` or `signed`."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: days past the day."""
        return counted(_NAME, overdue=True)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a kind that there is not."""
        return kind_problems([kind for kind in self.kinds if kind not in _BESIDE])

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Count days since each document's review, and look for what measured the rest."""
        records = records_of(inputs)
        kinds, today = [kind for kind in self.kinds if kind not in _BESIDE], inputs.now.date()
        places: list[DatedPlace] = []
        for found in chosen(records, kinds, _NAME) if kinds or not self.kinds else ():
            if isinstance(found, Statistic):
                yield found
            else:
                yield self._person(found, records, today)
                places += dated(found, records, today)
        if not self.kinds or CALENDAR in self.kinds:
            places += calendar(records, today)
        if CALENDAR in self.kinds and not places:
            yield missing(CALENDAR, "the organisation has no calendar", name=_NAME)
        yield from (_place(place, today) for place in places)
        for of in cadences(records, "measured"):
            if not self.kinds or of in self.kinds:
                yield _measured(of, inputs)

    def _person(self, document: RecordDocument, records: Records, today: date) -> Statistic:
        since = document.effective
        if since is None or not has_come(since, today):
            told = "it says no day" if since is None else f"its day, {since}, has not come"
            return missing(document.path, told, name=_NAME)
        stood = standing(document, records, today=today)
        last = due(document, records, stood.day)
        if stood.strength < strength_of(self.strength) or last is None:
            days = max(1, (today - since).days)
            told = f"of {since}, and nobody has {self.strength} these bytes: a date is no review"
            return _overdue(document.path, days, told)
        return _overdue(document.path, max(0, (today - last).days), f"to be reviewed by {last}")


def _place(place: DatedPlace, today: date) -> Statistic:
    if place.last is None:
        return missing(place.where, f"never {place.what}", name=_NAME)
    days = max(0, (today - place.last).days)
    return _overdue(place.where, days, f"to be {place.what} again by {place.last}")


def _overdue(where: str, days: int, reason: str) -> Statistic:
    return Statistic(name=_NAME, slice=where, value=float(days), judged=True, reason=reason)


def _measured(of: str, inputs: Inputs) -> Statistic:
    families = MEASURED_BY.get(of, (of,))
    for result in inputs.results:
        if result.check.partition(".")[0] in families and measured(result):
            return _overdue(f"{of} (measured)", 0, f"{result.rule} measured it in this run")
    what = f"no rule about {' or '.join(families)} measured anything in this run"
    return missing(f"{of} (measured)", what, name=_NAME)
