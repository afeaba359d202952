"""Stages of certification: what each audit looks at first, and over which time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from aims_gate.operations.audit.period import YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStage:
    """An audit of a kind."""

    name: str
    asks: str
    length: timedelta
    """Of its period, where no first day is given."""
    first: frozenset[str]
    """Requirements that it looks at first; empty for all alike."""
    every: bool = True
    """Whether evidence of each verdict goes into the pack, or only the newest on what serves."""


STAGES: Mapping[str, AuditStage] = {
    one.name: one
    for one in (
        AuditStage(
            name="stage1",
            asks="Is it designed, and is the organisation ready? Documents before operation.",
            length=YEAR,
            first=frozenset(
                (
                    *("4.3", "5.2", "5.3", "6.1", "6.1.4", "6.2", "7.5", "9.2", "9.3"),
                    *("A.2.2", "A.3.2", "A.5.2", "A.5.3", "A.9.4"),
                )
            ),
            every=False,
        ),
        AuditStage(
            name="stage2",
            asks="Does it work over time? Populations from which samples are drawn.",
            length=YEAR,
            first=frozenset(),
        ),
        AuditStage(
            name="surveillance",
            asks="Does it still work, and what came of findings, incidents and changes?",
            length=YEAR,
            first=frozenset(
                (
                    *("6.3", "8.1", "8.2", "8.4", "9.1", "9.2", "9.3", "10.1", "10.2"),
                    *("A.6.2.6", "A.10.3"),
                )
            ),
        ),
        AuditStage(
            name="recertification",
            asks="Did it work over the whole cycle of three years?",
            length=3 * YEAR,
            first=frozenset(),
        ),
    )
}
