"""Residual risk against the organisation's appetite, with the acceptance that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, NoDataError, StatisticSpec
from aims_gate.checks.record_cells import counted, missing, records_of, wrong_below
from aims_gate.checks.risks.register import CATEGORIES, MOST, Risk, registers, risks
from aims_gate.facts import Statistic
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordDocument, Records, Strength
from aims_gate.governance.people import People

_NAME = "above_appetite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """How far each risk that is left lies above what the organisation bears."""

    about: ClassVar[About] = About(
        name="risks.residual",
        summary="How far each residual risk lies above what the organisation bears.",
        definition=(
            "Per risk: likelihood times severity after treatment, 1 to 25, less the level that the "
            "organisation accepts (appetite.accept), in [0, 24]; 0 is within it. From there up to "
            "below appetite.refuse it is 0 once the system's risk owner, another person than its "
            "owner, reviewed or signed the register's bytes within accepted_days, and MISSING "
            "until then; from appetite.refuse on no acceptance counts. A level above the inherent "
            "one counts in full. A cell per category, privacy, bias, failure and security: 0 if it "
            "holds a risk, or the register says why none. No interval: nothing is sampled."
        ),
        controls=("iso42001:6.1.2", "iso42001:6.1.3", "iso42001:8.2", "iso42001:8.3"),
        beside=True,
        undecided=(
            "a risk has no level, or nobody has accepted one above the appetite",
            "a category holds no risk, and nothing says why",
            "the register or the appetite is not there",
        ),
    )

    accepted_days: float = 180.0
    """For how many days an acceptance holds."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: levels above the appetite."""
        return counted(_NAME)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Nothing beyond the range of its number."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hold each risk's level against the appetite, and the register against the categories."""
        records = records_of(inputs)
        borne = appetite(records)
        for register in registers(records, _NAME):
            if isinstance(register, Statistic):
                yield register
                continue
            fresh = self.accepted(register, records, inputs.now.date())
            found = list(risks(register, _NAME))
            for risk in found:
                yield risk if isinstance(risk, Statistic) else weighed(risk, borne, accepted=fresh)
            yield from _covered(register, [one for one in found if isinstance(one, Risk)])

    def accepted(self, register: RecordDocument, records: Records, today: date) -> bool:
        """Whether the risk owner's acceptance of a register holds today."""
        day = acceptance(register, records, today)
        return day is not None and (today - day).days <= self.accepted_days


def acceptance(register: RecordDocument, records: Records, today: date) -> date | None:
    """Day on which the system's risk owner last reviewed or signed the register; None for never.

    Whoever owns the system accepts none of its risks.
    """
    people = People.of(records)
    systems = records.of("system")
    if people is None or len(systems) != 1:
        return None
    owner, mine = people.find([str(systems[0].values.get("risk_owner"))]), systems[0].owner
    if owner is None or owner.is_called(mine) or owner == people.find([mine]):
        return None
    acts = tuple(act for act in records.approvals if people.find(act.names) == owner)
    stood = standing(register, replace(records, approvals=acts), today=today)
    return stood.day if stood.strength >= Strength.REVIEWED else None


def weighed(risk: Risk, borne: tuple[int, int], *, accepted: bool) -> Statistic:
    """Level of a risk above the appetite, by which it is 0 or has the reason why not."""
    level, before = risk.level("residual"), risk.level("inherent")
    if level is None or before is None:
        return missing(risk.id, "no likelihood and severity from 1 to 5", name=_NAME)
    accept, refuse = borne
    if accept < level < refuse and level <= before and not accepted:
        what = f"level {level} is above {accept}, and the risk owner has not accepted it lately"
        return missing(risk.id, f"{what}: aims-gate aims approve", name=_NAME)
    above, reason = 0, f"level {level}, of {before} before treatment"
    if level >= refuse:
        above, reason = level - accept, f"{reason}; from {refuse} on nobody bears it"
    if level > before:
        above, reason = level, f"level {level} is more than the {before} before any treatment"
    return Statistic(name=_NAME, slice=risk.id, value=float(above), judged=True, reason=reason)


def _covered(register: RecordDocument, found: list[Risk]) -> Iterator[Statistic]:
    """Each category holds a risk, or the register says why it holds none."""
    told = register.values.get("none")
    without = told if isinstance(told, Mapping) else {}
    for category in CATEGORIES:
        if any(risk.values.get("category") == category for risk in found):
            yield Statistic(name=_NAME, slice=category, value=0.0, judged=True, reason="has risks")
        elif without.get(category) and not wrong_below(register, f"none.{category}"):
            reason = "the register says why it holds no risk"
            yield Statistic(name=_NAME, slice=category, value=0.0, judged=True, reason=reason)
        else:
            what = f"no risk of the category {category}, and nothing says why"
            yield missing(category, what, name=_NAME)


def appetite(records: Records) -> tuple[int, int]:
    """Risk appetite: levels of accept and refuse; NoDataError if nobody set them."""
    for organisation in records.of("organisation"):
        said = organisation.values.get("appetite")
        if isinstance(said, Mapping):
            accept, refuse = said.get("accept"), said.get("refuse")
            if type(accept) is int and type(refuse) is int and 0 < accept < refuse <= MOST:
                return accept, refuse
    hint = "appetite: {accept: 9, refuse: 15} in organisation.yaml"
    raise NoDataError("the organisation has set no appetite for risk", hint=hint)
