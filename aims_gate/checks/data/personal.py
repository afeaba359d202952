"""Personal data: direct identifiers (email, IBAN, national numbers) that nobody declared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import VALUES, About, Inputs, StatisticSpec
from aims_gate.checks.data.identifiers import IDENTIFIERS
from aims_gate.checks.data.own_columns import columns_of, unfit
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.errors import DataError, near
from aims_gate.facts import LEFT_OUT, UNSEEN, NoValue, Statistic
from aims_gate.frames import ColumnKind, Key
from aims_gate.frames.patterns import among
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data

_NAME = "undeclared_identifiers"
_LEAST_CHANCE = 100
"""Values of a shape: of fewer, every one whose check digits hold counts."""
_ERRORS = 4.0
"""Standard errors by which more must hold than chance explains."""
_BLIND = (
    "names, addresses, pictures, pseudonyms, and identifiers without a named pattern or written in "
    "another way are not seen"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """Direct identifiers of persons in columns that are not declared to hold them."""

    about: ClassVar[About] = About(
        name="data.personal",
        summary="How many undeclared identifiers of persons each column holds.",
        definition=(
            "Rows in which a named pattern of a direct identifier occurs and its check digits "
            "hold, per column, summed over the patterns that are not declared for it; in "
            "[0, inf), 0 is none. Text is searched, and whole numbers by their decimal digits.\n\n"
            f"Patterns: {', '.join(IDENTIFIERS)}. Check digits: Luhn (ISO/IEC 7812-1) for cards, "
            "mod 97 (ISO 7064) for IBAN, the issuer's for national numbers; email, phone, "
            "uk_nino and us_ssn have none, so that whatever has the shape counts.\n\n"
            "One order number in ten passes Luhn's check by chance. Of a shape that at least "
            f"{_LEAST_CHANCE} different values have, those that pass do not count where they are "
            f"no more than chance explains, by {_ERRORS:g} standard errors of a binomial share.\n\n"
            "No interval: nothing is sampled. No value enters the evidence. It cannot see that "
            f"{_BLIND}."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.2", "iso42001:A.7.3"),
        undecided=(
            "a named column is not there, or holds lists, bytes or structs",
            "no column is left to look at",
        ),
    )

    columns: ColumnNames = "all"
    """Where to look: names, or all columns of text and numbers that came with the data."""
    patterns: tuple[str, ...] = tuple(IDENTIFIERS)
    """What to look for."""
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns, each with the patterns that its data sheet says it holds."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: a count."""
        return StatisticSpec(
            name=_NAME,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            neutral=0.0,
            limit=0.0,
            has_interval=False,
            decide_on=DecideOn.ESTIMATE,
            unit="rows",
            needs=(VALUES,),
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from column_problems(self.columns)
        if not self.patterns:
            yield "patterns", "there is nothing to look for", f"such as [{', '.join(IDENTIFIERS)}]"
        named = [("patterns", name) for name in self.patterns]
        named += [("declared", name) for names in self.declared.values() for name in names]
        for where, name in named:
            if name not in IDENTIFIERS:
                yield where, f"unknown pattern {name!r}", near(name, IDENTIFIERS)
        for column, names in self.declared.items():
            if not names:
                yield "declared", f"{column} is declared to hold nothing", "leave it out"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Search every column; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        there = columns_of(data)
        named: Iterable[str] = self.columns
        if self.columns == "all":
            named = [name for name, kind in there.items() if kind in _SEARCHED]
            yield from _left_out(data, there)
        looked = False
        for column in dict.fromkeys((*named, *self.declared)):
            looked = True
            if column not in there:
                reason = f"no column {column!r} in the {data.role} data; {near(column, there)}"
                yield lacking(_NAME, NoValue.MISSING, reason, where=column)
                continue
            try:
                yield self._column(column, data)
            except DataError as error:  # beside columns that can be searched
                yield lacking(_NAME, NoValue.UNDEFINED, str(error), where=column)
        if not looked:
            yield lacking(_NAME, NoValue.MISSING, "no column is left to look at")
        yield Statistic(name=UNSEEN, slice="what", reason=_BLIND)

    def _column(self, column: str, data: Data) -> Statistic:
        expected = self.declared.get(column, ())
        total, told = 0, list[str]()
        patterns = {name: IDENTIFIERS[name].pattern for name in self.patterns}
        any_of = Key(column=column, contains="|".join(f"(?:{p})" for p in patterns.values()))
        values = data.frame.count(any_of).by_value()
        copies = {text: many for text, many in values.items() if isinstance(text, str)}
        for name, pattern in patterns.items():
            rows, chance = _rows(name, {text: copies[text] for text in among(copies, pattern)})
            if chance:
                told.append(chance)
            elif rows and name in expected:
                told.append(f"{name} in {rows:,} rows, as declared")
            elif rows:
                total += rows
                told.insert(0, f"{name} in {rows:,} rows")
        return Statistic(
            name=_NAME,
            slice=column,
            value=float(total),
            rows=data.frame.rows - data.frame.nulls(column),
            total=data.frame.rows,
            judged=True,
            reason="; ".join(told),
        )


_SEARCHED = (ColumnKind.TEXT, ColumnKind.NUMBER)


def _rows(name: str, values: Mapping[str, int]) -> tuple[int, str]:
    """Rows that hold an identifier, and what is told where chance explains them."""
    identifier = IDENTIFIERS[name]
    rows, shaped = 0, dict[str, bool]()
    for text, copies in values.items():
        found = dict(identifier.found(text))
        shaped |= found
        rows += copies if any(found.values()) else 0
    held, share = sum(shaped.values()), identifier.chance
    most = len(shaped) * share + _ERRORS * math.sqrt(len(shaped) * share * (1 - share))
    if identifier.valid is None or len(shaped) < _LEAST_CHANCE or held > most:
        return rows, ""
    by_chance = f"{held:,} of {len(shaped):,} different numbers shaped as {name} pass its check"
    return rows, f"{by_chance}, as by chance 1 in {1 / share:.0f} does"


def _left_out(data: Data, there: Mapping[str, ColumnKind]) -> Iterator[Statistic]:
    for column, kind in there.items():
        if kind is ColumnKind.OTHER:
            yield unfit(column, data, "cannot be searched")
        elif kind not in _SEARCHED:
            yield Statistic(name=LEFT_OUT, slice=column, reason=f"left out: {kind} is no text")
