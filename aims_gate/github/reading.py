"""A verdict read back from the report.json that `run` wrote, on any exit code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.errors import GateError, RecordError
from aims_gate.facts import DatasetIdentity, DigestKind, Interval, ModelIdentity, NoValue, Statistic
from aims_gate.policy.model import Severity, Threshold
from aims_gate.regular import read_regular
from aims_gate.reports import refuse_contradiction
from aims_gate.reports.ended import CHECK, ended
from aims_gate.reports.json_report import SCHEMA
from aims_gate.verdict import (
    Decision,
    EvidenceIdentity,
    Outcome,
    PolicyIdentity,
    Result,
    Verdict,
)

_LARGEST = 64 << 20
_HELD = frozenset({Outcome.PASS, Outcome.WARN, Outcome.FAIL})


def verdict_of(report: Path, exit_code: int, now: datetime, because: str = "") -> Verdict:
    """The verdict of a run that ended with *exit_code*; undecided if *because* says why.

    Where the report is missing, cannot be read or says something else than the exit code, the
    verdict is undecided, with that as its reason: no file makes a run that failed look passed.
    """
    told = RecordError(because) if because else None
    try:
        verdict = read(report)
    except GateError as error:
        return _undecided(told or error, exit_code, now)
    if told is not None:
        # nothing that was measured is left out, but none of it decides
        why = _undecided(told, exit_code, now, verdict)
        return replace(
            verdict,
            decision=why.decision,
            results=(*why.results, *verdict.results),
            ended_with=why.ended_with,
        )
    if verdict.exit_code == exit_code:
        return verdict
    what = f"the run ended with exit code {exit_code}, and its report says {verdict.exit_code}"
    hint = "read the log of the run above; an older report may have been left behind"
    wrong = RecordError(what, where=report.name, hint=hint)
    return _undecided(wrong, exit_code, now, verdict)


def read(report: Path) -> Verdict:
    """Read report.json; RecordError if it is missing, is none, or contradicts itself."""
    hint = "read the log of the run above"
    try:
        data = read_regular(report, _LARGEST)
    except OSError as error:
        what = f"the run left no report: {error.strerror}"
        raise RecordError(what, where=report.name, hint=hint) from error
    try:
        document = canonical.parse(data) if len(data) <= _LARGEST else None
        if not isinstance(document, dict) or document["schema"] != SCHEMA:
            raise ValueError("another schema")  # noqa: TRY301  # told as every other fault
        verdict = _verdict(document)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = "the report cannot be read"
        raise RecordError(what, where=report.name, hint=hint) from error
    refuse_contradiction(verdict)
    return verdict


def _undecided(
    error: GateError, exit_code: int, now: datetime, of: Verdict | None = None
) -> Verdict:
    found = ended(
        error,
        policy="" if of is None else of.policy.uri,
        model="" if of is None else of.model.uri,
        stage="" if of is None else of.stage,
        started=now,
        now=now,
    )
    return replace(found, ended_with=exit_code or 3)


def _verdict(told: Mapping[str, Any]) -> Verdict:
    decision, code, kept = Decision(told["verdict"]), int(told["exit_code"]), told["evidence"]
    model, policy = told["model"], told["policy"]
    if code != decision.exit_code and decision is not Decision.UNDECIDED:
        raise ValueError("the exit code is not the verdict's")
    return Verdict(
        decision=decision,
        stage=str(told["stage"]),
        model=ModelIdentity(
            uri=str(model["uri"]),
            name=str(model["name"]),
            version=str(model["version"]),
            digest=str(model["digest"]),
        ),
        policy=PolicyIdentity(
            id=str(policy["id"]),
            version=str(policy["version"]),
            digest=str(policy["digest"]),
            uri=str(policy["uri"]),
        ),
        results=tuple(map(_result, told["results"])),
        datasets=tuple(map(_dataset, told["datasets"])),
        evidence=None if kept["id"] is None else _evidence(kept),
        started=_moment(kept["started"]),
        finished=_moment(kept["finished"]),
        versions={str(name): str(value) for name, value in kept["versions"].items()},
        ended_with=None if code == decision.exit_code and not _ended(told) else code,
    )


def _ended(told: Mapping[str, Any]) -> bool:
    """Tell whether an error ended the run, which the report shows as results that are no rules."""
    return any(result["check"] == CHECK for result in told["results"])


def _evidence(kept: Mapping[str, Any]) -> EvidenceIdentity:
    return EvidenceIdentity(
        id=str(kept["id"]),
        directory=str(kept["directory"] or ""),
        signed=kept["signed"] is True,
        key=str(kept["key"] or ""),
        published=str(kept["published"] or ""),
    )


def _dataset(told: Mapping[str, Any]) -> DatasetIdentity:
    return DatasetIdentity(
        role=str(told["role"]),
        name=str(told["name"]),
        uri=str(told["uri"]),
        digest=str(told["digest"]),
        digest_kind=DigestKind(told["digest_kind"]),
        rows=int(told["rows"]),
    )


def _result(told: Mapping[str, Any]) -> Result:
    outcome, raw = Outcome(told["outcome"]), Outcome(told["raw_outcome"])
    limit = told["threshold"]
    return Result(
        rule=str(told["rule"]),
        check=str(told["check"]),
        severity=Severity(told["severity"]),
        outcome=outcome,
        raw_outcome=raw,
        reason=str(told["reason"]),
        threshold=None
        if limit is None
        else Threshold(
            at_least=_number(limit["at_least"]),
            at_most=_number(limit["at_most"]),
            warn_below=_number(limit["warn_below"]),
            warn_above=_number(limit["warn_above"]),
        ),
        statistics=tuple(map(_statistic, told["statistics"])),
        controls=tuple(map(str, told["controls"])),
        waiver=None if told["waiver"] is None else str(told["waiver"]),
        title=str(told["title"]),
        why=str(told["why"]),
        place=str(told["place"]),
        blocking=told["blocking"] is True,
        decided=raw in _HELD or outcome is Outcome.WAIVED,
    )


def _statistic(told: Mapping[str, Any]) -> Statistic:
    within, lack = told["interval"], told["lack"]
    return Statistic(
        name=str(told["name"]),
        slice=str(told["slice"]),
        value=_number(told["value"]),
        interval=None
        if within is None
        else Interval(
            low=_bound(within["low"], -math.inf),
            high=_bound(within["high"], math.inf),
            level=_bound(within["level"], math.nan),
            method=str(within["method"]),
        ),
        rows=int(told["rows"]),
        total=int(told["total"]),
        engine=str(told["engine"]),
        judged=told["judged"] is True,
        lack=None if lack is None else NoValue(lack),
        reason=str(told["reason"]),
    )


def _number(told: Any) -> float | None:
    return None if told is None else float(told)


def _bound(told: Any, missing: float) -> float:
    """A bound, which is null in JSON where it is not finite."""
    return missing if told is None else float(told)


def _moment(told: Any) -> datetime:
    return datetime.fromisoformat(str(told)).astimezone(UTC)
