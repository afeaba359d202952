"""Subjects for the checks of integrity, and their cells by kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aims_gate.attest.manifest import scan
from aims_gate.checks.contract import Check, Inputs
from aims_gate.engines.native import ENGINE
from aims_gate.facts import UNSEEN, ModelIdentity, Statistic
from aims_gate.sources.subject import Subject

ENDED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def subject_of(folder: Path, **parts: Any) -> Subject:
    model = ModelIdentity(uri="file:m", name="m")
    return Subject(model=model, manifest=scan(folder), folder=folder, **parts)


def measure(check: Check, subject: Subject) -> dict[str, Statistic]:
    """Give the judged cells by kind; every statistic is judged and named as promised."""
    inputs = Inputs(subject=subject, engine=ENGINE, alpha=0.05, alpha_alone=0.05, now=ENDED)
    cells = list(check.measure(inputs))
    judged = [cell for cell in cells if cell.name != UNSEEN]
    assert all(cell.judged and cell.name == check.judged().name for cell in judged)
    assert len({cell.slice for cell in cells}) == len(cells)
    return {cell.slice: cell for cell in cells}


def values(cells: Mapping[str, Statistic]) -> dict[str, float | None]:
    return {kind: cell.value for kind, cell in cells.items()}
