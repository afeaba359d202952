"""Sandboxing: did a model's code run where it could read the key that signs its verdict?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.facts import Isolation, NoValue, Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Subject

_NAME = "unisolated_predictions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """Whether predictions were computed by the model's own code, without isolation."""

    about: ClassVar[About] = About(
        name="integrity.isolation",
        summary="Whether the model's own code predicted, run by the user who holds the key.",
        definition=(
            "Per role: 1 if the policy had the model predict the data (predictions: model) and "
            "nothing but the gate's own user kept its code apart, so that it could read the "
            "signing key and sign its own verdict (SLSA build L3 asks that no build can reach the "
            "signing secret); 0 if the predictions came with the data, or the kind of isolation "
            "is accepted. In {0, 1}. No interval: nothing is sampled."
        ),
        controls=("iso42001:A.6.2.4", "iso42001:A.7.6"),
        undecided=("there are no data of any role", "data that were named cannot be read"),
    )

    accept: tuple[Isolation, ...] = ()
    """Kinds of isolation that count as enough: `same-user`, where no key lies in reach."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: 1 for each role that was predicted without isolation."""
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
        """No invalid parameters: their types say all."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Check where each role's predictions came from."""
        subject = inputs.subject
        roles = sorted({*subject.data, *subject.unread, *subject.isolation})
        if not roles:
            reason = "there are no data of any role"
            yield lacking(_NAME, NoValue.MISSING, reason)
        for role in roles:
            yield self._cell(subject, role)

    def _cell(self, subject: Subject, role: Role) -> Statistic:
        kind = subject.isolation.get(role)
        if kind is not None:
            value = 0.0 if kind in self.accept else 1.0
            reason = f"the model's own code predicted the {role} data, with isolation: {kind}"
        elif role in subject.unread:
            return lacking(_NAME, NoValue.UNDEFINED, str(subject.unread[role]), where=role)
        elif subject.data[role].spec.predictions is not None:
            value, reason = 1.0, f"the model is to predict the {role} data, isolated by nothing"
        else:
            value = 0.0
            reason = f"no model was run: the {role} data hold the answers that their author claims"
        return Statistic(name=_NAME, slice=role, value=value, judged=True, reason=reason)
