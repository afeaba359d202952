"""Segregation of duties: has each role that must approve a model done so, by another person?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.cells import lacking as no_value
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import DecideOn
from aims_gate.signoffs.approvals import assigned, lacking

_NAME = "missing_approvals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Whether every role approved these very bytes, by a signature that is valid today."""

    about: ClassVar[About] = About(
        name="oversight.approvals",
        summary="Whether each role that must approve the model has done so, by another person.",
        definition=(
            "Per role: 0 if a person whom the trust file knows as approver has signed an approval "
            "of the model's very bytes in that role, which has not ended, and fills no other role; "
            "MISSING otherwise. Nobody approves what they asked for or made, and the gate's own "
            "key approves nothing. No interval: nothing is sampled."
        ),
        controls=("iso42001:A.3.2", "iso42001:A.9.2"),
        beside=True,
        undecided=("a role's approval is missing, over, forged, of other bytes, or self-made",),
    )

    roles: tuple[str, ...] = ()
    """Roles that must approve, such as `model-owner` and `validator`."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: 0 for each role that approved."""
        return StatisticSpec(
            name=_NAME,
            low=0.0,
            high=1.0,
            higher_is_better=False,
            neutral=0.0,
            limit=0.0,
            has_interval=False,
            decide_on=DecideOn.ESTIMATE,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse no roles, and one that is named twice."""
        if not self.roles:
            yield "roles", "no role must approve", "such as [validator]"
        if len(set(self.roles)) < len(self.roles):
            yield "roles", "a role is named twice", "a person each for different roles"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Look for an approval of each role."""
        approvals = inputs.subject.approvals
        found = assigned(self.roles, approvals)
        for role in self.roles:
            if role not in found:
                yield no_value(_NAME, NoValue.MISSING, lacking(role, approvals), where=role)
                continue
            reason = f"{found[role].person} approved as {role}"
            yield Statistic(name=_NAME, slice=role, value=0.0, judged=True, reason=reason)
