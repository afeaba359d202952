"""CISO Assistant: its audit sheet and its risk sheet, as its data import reads them.

No result is ever set but `not_applicable`, which people decided: progress and an observation are
written, and whoever audits concludes. Levels carry the names of its matrix "5x5 sensitive".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aims_gate.catalogue.iso42001 import Requirement
from aims_gate.harmless import plain
from aims_gate.operations.aims.exports import Exported
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_finding import Support
from aims_gate.operations.aims.survey import Survey, SurveyedSystem, listed, words
from aims_gate.pages.sheet import csv_text

NODE = "urn:intuitem:risk:req_node:iso42001-2023:"
_AUDIT = (
    *("urn", "assessable", "ref_id", "name", "description"),
    *("compliance_result", "requirement_progress", "score", "observations"),
)
_RISKS = (
    *("ref_id", "name", "description", "inherent_impact", "inherent_proba", "existing_controls"),
    *("current_impact", "current_proba", "additional_controls"),
    *("residual_impact", "residual_proba", "treatment"),
)
_PROGRESS = {
    Support.CONFLICT: "in_progress",
    Support.MISSING: "to_do",
    Support.STALE: "in_progress",
    Support.ATTESTED: "in_review",
    Support.RAN: "in_review",
    Support.EXCLUDED: "in_review",
}
_PROBABILITY = ("rare", "unlikely", "moderate", "likely", "almost certain")
_IMPACT = ("insignificant", "minor", "significant", "major", "severe")
_SPLIT = {"7.5", "9.2", "9.3"}
"""Clauses of which that framework assesses the parts."""


def export(rows: Sequence[GapRow], found: Survey) -> Exported:
    """Both sheets as CSV."""
    unread = [
        f"{whose}: {one.problems[0]}"
        for whose, _, documents in found.documents("risks")
        for one in documents
        if one.problems
    ]
    return Exported(
        files={
            "audit.csv": csv_text((_AUDIT, *_audit(rows, found))),
            "risks.csv": csv_text((_RISKS, *(r for one in found.systems for r in _risks(one)))),
        },
        left_out=tuple(unread),
    )


def _audit(rows: Sequence[GapRow], found: Survey) -> Iterator[tuple[str, ...]]:
    """A row for each node that is assessed there; its 6.1 holds our 6.1.4."""
    nodes: dict[str, list[GapRow]] = {}
    for one in rows:
        for node in _nodes(one.requirement):
            nodes.setdefault(node, []).append(one)
    order = tuple(Support)
    for node, ours in nodes.items():
        worst = min(ours, key=lambda one: order.index(one.support))
        result = "not_applicable" if worst.support is Support.EXCLUDED else "not_assessed"
        yield (
            f"{NODE}{node.lower()}",
            "true",
            node,
            worst.requirement.title,
            "",
            result,
            _PROGRESS[worst.support],
            "",
            "\n".join(_observation(ours, found)),
        )


def _nodes(row: Requirement) -> tuple[str, ...]:
    if row.id in _SPLIT:
        return row.parts
    return ("6.1",) if row.id == "6.1.4" else (row.id,)


def _observation(ours: Sequence[GapRow], found: Survey) -> Iterator[str]:
    yield f"aims-gate, {found.now:%Y-%m-%d}; what was found, and no audit's result:"
    for one in ours:
        for finding in one.counted:
            where = f" ({finding.where})" if finding.where else ""
            yield plain(f"{one.requirement.id} {finding.support}: {finding.what}{where}")


def _risks(system: SurveyedSystem) -> Iterator[tuple[str, ...]]:
    for document in system.records.of("risks"):
        for risk in listed(document.values, "risks"):
            treatment = _part(risk, "treatment")
            how = [f"rule {one}" for one in words(treatment, "rules")]
            how += [str(treatment[key]) for key in ("runbook", "text") if treatment.get(key)]
            told = f"{risk.get('category', '')}; affects {', '.join(words(risk, 'stakeholders'))}"
            yield (
                plain(f"{system.id}/{risk.get('id', '')}"),
                plain(str(risk.get("title", ""))),
                plain(told),
                *_levels(_part(risk, "inherent")),
                "",
                "",
                "",
                "\n".join(plain(f"{system.id}: {one}") for one in how),
                *_levels(_part(risk, "residual")),
                "mitigate" if how else "open",
            )


def _part(risk: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = risk.get(key)
    return found if isinstance(found, Mapping) else {}


def _levels(level: Mapping[str, Any]) -> tuple[str, str]:
    """Impact and probability by name; empty, which is undefined there, for no level of 1 to 5."""
    return _name(_IMPACT, level.get("severity")), _name(_PROBABILITY, level.get("likelihood"))


def _name(scale: Sequence[str], level: object) -> str:
    known = isinstance(level, int) and not isinstance(level, bool) and 1 <= level <= len(scale)
    return scale[level - 1] if known and isinstance(level, int) else ""
