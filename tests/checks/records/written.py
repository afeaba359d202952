"""Records as values, and the cells that a check over them gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from aims_gate.checks.contract import Check
from aims_gate.facts import UNSEEN, ModelIdentity, Statistic
from aims_gate.governance.contract import (
    LogEntry,
    ProblemKind,
    RecordDocument,
    RecordProblem,
    Records,
    frozen,
)
from aims_gate.policy.model import Severity
from aims_gate.sources.subject import Signature, Subject
from aims_gate.verdict import Outcome, Result
from tests.checks import subjects

ADA, BO = "ada@acme.example", "bo@acme.example"
DIGEST = "d" * 64


def document(kind: str, path: str = "", **values: Any) -> RecordDocument:
    """A sound document of a kind with these keys."""
    return RecordDocument(
        kind=kind,
        id=f"credit/{path or kind}",
        path=path or f"aims/{kind}.yaml",
        owner=ADA,
        effective=date(2026, 10, 1),
        values=frozen(values),
        digest="a" * 64,
        human_digest="a" * 64,
    )


def problem(key: str, kind: ProblemKind, path: str = "aims/card.yaml") -> RecordProblem:
    return RecordProblem(path=path, line=3, key=key, kind=kind, message=f"{key} is {kind}")


def entry(path: str = "aims/log/1.md", **parts: Any) -> LogEntry:
    """An incident that was opened and closed in October, unless *parts* say else."""
    return replace(
        LogEntry(
            type="incident",
            id=path,
            path=path,
            owner=ADA,
            severity="high",
            opened=date(2026, 10, 1),
            closed=date(2026, 10, 9),
        ),
        **parts,
    )


def result(rule: str, outcome: str = "PASS", *cells: Statistic, **parts: Any) -> Result:
    """What became of a rule; of itself it measured the ROC AUC."""
    return replace(
        Result(
            rule=rule,
            check="performance.score",
            severity=Severity.BLOCK,
            outcome=Outcome(outcome),
            raw_outcome=Outcome(outcome),
            reason=f"{rule} is {outcome}",
            statistics=cells or (Statistic(name="roc_auc", value=0.77118, judged=True),),
        ),
        **parts,
    )


def subject(records: Records | None) -> Subject:
    """A registered model `credit` that reads the columns age and income."""
    of = subjects.inputs().subject
    model = ModelIdentity(uri="models:/credit/8", name="credit", registered="credit", digest=DIGEST)
    columns = (("age", "long", True), ("income", "double", True))
    return replace(of, model=model, records=records, signature=Signature(inputs=columns))


def statistics(
    check: Check, records: Records | None, *results: Result, of: Subject | None = None
) -> list[Statistic]:
    """All that a check measures, judged or not."""
    inputs = replace(subjects.inputs(), subject=of or subject(records), results=results)
    return list(check.measure(inputs))


def cells(
    check: Check, records: Records | None, *results: Result, of: Subject | None = None
) -> Mapping[str, Statistic]:
    """The judged cells by slice; each has a value or a lack, and no slice comes twice."""
    found = [one for one in statistics(check, records, *results, of=of) if one.name != UNSEEN]
    assert all(cell.judged and cell.name == check.judged().name for cell in found)
    assert all((cell.value is None) == (cell.lack is not None) for cell in found)
    assert len({cell.slice for cell in found}) == len(found)
    return {cell.slice: cell for cell in found}


def wrong(found: Mapping[str, Statistic]) -> dict[str, str]:
    """What does not pass: `MISSING`, or its count, by slice."""
    return {
        where: "MISSING" if cell.value is None else f"{cell.value:g}"
        for where, cell in found.items()
        if cell.value != 0
    }
