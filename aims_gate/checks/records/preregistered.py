"""Pre-registration: people approved the policy's limits before the evaluation began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import COUNTS, counted, faults, missing, records_of
from aims_gate.checks.records.strengths import StrengthName, strength_of
from aims_gate.facts import Statistic
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordDocument, Records, Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Preregistered:
    """Whether the plan of verification was there, and approved, before there was a result."""

    about: ClassVar[About] = About(
        name="records.preregistered",
        summary="Whether people approved the policy's very bytes before the training run began.",
        definition=COUNTS
        + (
            "0 if a person who may reviewed or signed the bytes of the policy file before the "
            "model's run began; 1 if that was later, when limits could be chosen by the results; "
            "MISSING if nobody did, or no run says when it began. The time of a review is the "
            "forge's, that of a signature the signer's claim, and that of the run MLflow's."
        ),
        controls=("iso42001:A.6.2.4", "iso42001:6.2"),
        beside=True,
        undecided=(
            "nobody approved the policy's bytes, or the policy is a pack",
            "the model has no run, or it says not when it began",
        ),
    )

    strength: StrengthName = "reviewed"
    """The least strength of the approval."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: 0 for a policy that was approved in time."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a strength that is no act."""
        if self.strength == "declared":
            yield "strength", "declared is no act of a person, and has no time", "reviewed, signed"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compare the first approval of the policy's bytes with the beginning of the run."""
        records, run = records_of(inputs), inputs.subject.run
        policy = records.policy
        if policy is None:
            yield missing("policy", "the policy has no file of its own that people can approve")
            return
        if run is None or run.started is None:
            yield missing(policy.path, "no run says when the evaluation began")
            return
        first = _first(policy, records, strength_of(self.strength), inputs.now)
        if first is None:
            yield missing(policy.path, f"nobody has {self.strength} these bytes of the policy")
            return
        late = first >= run.started
        told = f"approved on {first:%Y-%m-%d %H:%M}, the run began on {run.started:%Y-%m-%d %H:%M}"
        yield faults(policy.path, [told] if late else [], sound=told)


def _first(
    policy: RecordDocument, records: Records, least: Strength, now: datetime
) -> datetime | None:
    """Time of the first act of these bytes that counts."""
    return min(
        (
            act.when
            for act in records.approvals
            if act.strength >= least
            and standing(policy, replace(records, approvals=(act,)), today=now.date()).day
        ),
        default=None,
    )
