"""Interface of a check: its inputs, its description and the statistics that it yields.

A check is a frozen dataclass whose fields are its parameters (the `with:` of a rule). `plan` builds
it, so a misspelt parameter is a policy error before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from aims_gate.engines import Engine
from aims_gate.errors import DataError
from aims_gate.facts import Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data, Subject
from aims_gate.verdict import Result

IN_MEMORY = "in_memory"
"""Among `StatisticSpec.needs`: rows that this process holds, as two data are matched row by row."""
BRACKETS = "brackets"
"""Among `StatisticSpec.needs`: counts of cells, and every value only where these leave it open."""
VALUES = "values"
"""Among `StatisticSpec.needs`: every value of a column, to be searched or matched by a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticSpec:
    """The one statistic of a check that is compared with a threshold."""

    name: str
    low: float
    """Least value it can take."""
    high: float
    """Greatest value it can take; may be infinite."""
    higher_is_better: bool | None
    """None where both directions make sense."""
    neutral: float | None = None
    """The value of "no effect": 0 for distances and gaps, 1 for ratios; None for performance."""
    limit: float | None = None
    """The conventional limit, where there is one; used when a rule has no `require`."""
    line: float | None = None
    """The conventional line, that goes with the conventional limit; None for half way."""
    rooted: bool = False
    """The value is a square root of what adds up, as a distance whose square is a sum. Twice the
    effect then is the root of 2 times the value."""
    has_interval: bool = True
    decide_on: DecideOn = DecideOn.ESTIMATE
    """Which bound is compared with the limit, so who bears the burden of proof, by default."""
    unit: str = ""
    alias: str = ""
    """The alias of the registry whose model is compared with, or `NAME@ALIAS`; empty for none."""
    roles: tuple[Role, ...] | None = None
    """The data that are read under these parameters; None where `About.roles` says it."""
    overdue: bool = False
    """It counts days past a day that somebody set: past its limit a cell is STALE, not FAIL."""
    needs: tuple[str, ...] = ()
    """Members of `Frame` that it asks under these parameters, with the native engine, besides those
    that count rows or leave some out; and `VALUES`, `BRACKETS`, `IN_MEMORY`."""
    sorts: bool = False
    """It goes through all columns of numbers, one by one, under these parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a check is, for `policy checks`, `explain` and the evidence."""

    name: str
    """`family.name`."""
    summary: str
    """One sentence: what is measured."""
    definition: str
    """The formula, its range, what 0 and 1 mean, the interval and its source, in plain text."""
    roles: tuple[Role, ...] = ()
    """The data it reads unless the rule says `on:`."""
    asks: str = ""
    """The library that `engine: reference` and `both` ask for it; empty where no engine is."""
    engine: str = ""
    """The only engine that can measure it, whatever the policy says; empty where all can."""
    controls: tuple[str, ...] = ()
    """The controls it supports, such as `iso42001:A.6.2.4`."""
    undecided: tuple[str, ...] = ()
    """Situations in which it refuses to give a value, each in words."""
    beside: bool = False
    """It looks at what people wrote or signed beside the policy, which is there to be looked at
    once more where another job's measurements are signed."""
    history: bool = False
    """It reads evidence of the past, which counts by the signatures that the trust file knows."""
    after: Literal["", "judge"] = ""
    """`judge` where it looks at what became of other rules, and so is measured once more after
    they were judged. Two passes, never more: it sees no result of its own kind."""


_ENOUGH = 8
"""Rounds after which floats at different places have cells of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """How closely a check looks at rows that it counts in cells."""

    rounds: int | None = None
    """How often the cells that matter are counted again in smaller ones; None to look at every
    value, and be exact."""
    finer: Mapping[str, int | None] = field(default_factory=dict)
    """The same for some cells of the rule, by slice: those that were undecided before."""
    cells: int = 1 << 10
    """Cells of a column at first."""
    room: int = 1 << 16
    """Cells that a round asks for: an answer has so many rows, whatever the table."""

    def of(self, where: str) -> int | None:
        """The rounds of one cell of the rule, by its slice."""
        return self.finer.get(where, self.rounds)

    def to_the_end(self) -> Resolution:
        """A look in which cells are counted closer as long as any keeps a bracket open."""
        return self if self.rounds is None else replace(self, rounds=_ENOUGH)

    def closest(self) -> Resolution:
        """The closest look at any cell, for all of them."""
        asked = [self.rounds, *self.finer.values()]
        most = max((one for one in asked if one is not None), default=0)
        return replace(self, rounds=None if None in asked else most, finer={})


EXACT = Resolution()
"""Every value is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a check may look at."""

    subject: Subject
    engine: Engine
    alpha: float
    """Error rate of the whole rule; a check divides it by its own cells."""
    alpha_alone: float
    """Error rate of each cell's own bounds, divided by nothing."""
    now: datetime
    on: Role | None = None
    """The role that the rule names with `on:`."""
    named: frozenset[str] = frozenset()
    """Columns that the rule's parameters name."""
    results: tuple[Result, ...] = ()
    """What became of the rules of the first pass; empty unless `About.after` is `judge`."""
    resolution: Resolution = EXACT
    """How closely to look; a check that knows no brackets always looks at every value."""

    def data(self, role: Role) -> Data:
        """Data of *role*; NoDataError if there are none, DataError if they are unusable."""
        if role in self.subject.unread:
            raise self.subject.unread[role]
        if role not in self.subject.data:
            raise NoDataError(
                f"there are no {role} data",
                hint=f"log them with aims_gate.log_evaluation(role={role.value!r}) "
                f"or hand them over with --data {role}=URI",
            )
        found = self.subject.data[role]
        return replace(found, declared=found.declared | self.named) if self.named else found


class NoDataError(DataError):
    """A role that a check needs has no data: the outcome is MISSING, not ERROR."""


class Check(Protocol):
    """One kind of measurement: a dataclass whose fields are its parameters."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    about: ClassVar[About]

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic under these parameters."""
        ...

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Parameters that are invalid together, each as (field, what is wrong, hint)."""
        ...

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure; DataError, with its reason, if the data do not allow it."""
        ...
