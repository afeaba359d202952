"""A verdict, rebuilt from evidence of any version: what was measured and decided, and no more.

Everything comes from the evaluation statement, and from `report.json` only what that leaves out:
titles, places, what the data could decide. The two must say the same, and so must outcomes and
decision, whether a signature was verified or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from aims_gate import canonical
from aims_gate.attest.statement import statement_file
from aims_gate.errors import TrustError
from aims_gate.evidence.agreement import refuse_contradiction
from aims_gate.evidence.layout import REPORT_FILE
from aims_gate.evidence.predicates import EVALUATION, UNSIGNED, as_time
from aims_gate.evidence.reader import Contents
from aims_gate.evidence.unsigned import MEASURED, MeasuredResult, UnsignedEvaluation, hold_report
from aims_gate.facts import Ancestor, ModelIdentity
from aims_gate.policy.model import Severity, Threshold
from aims_gate.verdict import (
    CellPower,
    Decision,
    EvidenceIdentity,
    Outcome,
    PolicyIdentity,
    Power,
    Result,
    Verdict,
    VerificationStatus,
    settled,
)

E = TypeVar("E", bound=StrEnum)
_ALWAYS = frozenset({Outcome.FAIL, Outcome.MISSING, Outcome.STALE, Outcome.ERROR})
"""Outcomes that block wherever their rule is a blocking one."""
_MAY = _ALWAYS | {Outcome.INSUFFICIENT}
_HELD = frozenset({Outcome.FAIL, Outcome.WARN, Outcome.PASS})


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False)


class _CellTold(_Told):
    slice: str
    group: str
    rows: int
    wanted: int | None
    excluded: float | None


class _PowerTold(_Told):
    chance: float
    serious: float
    rows: int
    what: str
    wanted: int | None
    cells: list[_CellTold]

    def read(self) -> Power:
        cells = tuple(CellPower(**dict(cell)) for cell in self.cells)
        return Power(**{**dict(self), "cells": cells})


class _ResultTold(_Told):
    rule: str
    title: str
    why: str
    place: str
    blocking: bool
    threshold: dict[str, float | None] | None
    data: list[str] = []
    power: _PowerTold | None = None


class _ModelTold(_Told):
    name: str
    version: str
    digest: str


class _Report(_Told):
    verdict: str
    stage: str
    model: _ModelTold
    results: list[_ResultTold]


def rebuild(
    contents: Contents, *, key: str, place: str, published: str, standing: VerificationStatus
) -> Verdict:
    """Rebuild the verdict of an evidence directory.

    Args:
        contents: Its files, which name each other.
        key: Fingerprint of the key that signed it, or is said to have; empty for unsigned evidence.
        place: The directory, for commands that are shown.
        published: `runs:/…` where it was copied from; empty for none.
        standing: What was found of its signature; what was not recorded is added here.

    Raises:
        TrustError: Its files contradict each other, or say what this version does not know.
    """
    where = statement_file(EVALUATION.name)
    refuse_contradiction(contents)
    said = MEASURED.read(contents.stated, where=where)
    hold_report(contents.report, said)
    told = _report(contents.report)
    about = (told.verdict, told.stage, told.model.digest)
    if about != (said.verdict, said.stage, contents.subject):
        raise TrustError("is about another verdict, stage or model", where=REPORT_FILE)
    results = tuple(
        _result(one, more) for one, more in zip(said.results, told.results, strict=True)
    )
    policy = contents.evaluation.policy
    verdict = Verdict(
        decision=_known(Decision, said.verdict),
        stage=said.stage,
        model=_model(said, told.model),
        policy=PolicyIdentity(
            id=policy.name,
            version=policy.version,
            digest=canonical.sha256(contents.policy),
            uri=policy.uri,
            extends=tuple(
                Ancestor(uri=one.uri, digest=one.digest.sha256) for one in policy.extends
            ),
            source_digest="" if policy.source is None else policy.source.sha256,
            expires=policy.expires,
            limits=tuple(policy.limits),
        ),
        results=results,
        datasets=tuple(one.read() for one in said.datasets),
        evidence=EvidenceIdentity(
            id=said.evaluation_id,
            directory=place,
            signed=bool(key),
            key=key,
            published=published,
            digest=contents.digest,
            measured_unsigned=said.measured_by == UNSIGNED,
        ),
        started=said.started_on,
        finished=said.finished_on,
        versions=said.evaluator.version,
        standing=standing,
    )
    _consistent(verdict)
    return verdict


def unrecorded(contents: Contents) -> Iterator[str]:
    """Say what a later version would have recorded and this evidence does not have."""
    said = MEASURED.read(contents.stated, where=statement_file(EVALUATION.name))
    cells = [cell for one in said.results for cell in one.statistics if cell.judged]
    if not any("alone" in cell.model_fields_set for cell in cells):
        yield "bounds of each cell by itself, by which serious effects are excluded today"
    if not all("expires" in one.model_fields_set for one in said.results):
        yield "until when what was let through holds; the policy's text says it"
    told = _report(contents.report).results
    if all(one.power is None for one in told):
        yield "what data of this size can decide"
    if not any(one.data for one in told):
        yield "which data each rule was measured on, and distributions and curves of them"


def _report(data: bytes) -> _Report:
    try:
        return _Report.model_validate(canonical.parse(data))
    except (ValidationError, ValueError) as error:
        raise TrustError("is no report that can be read", where=REPORT_FILE) from error


def _model(said: UnsignedEvaluation, told: _ModelTold) -> ModelIdentity:
    more: Mapping[str, Any] = said.model.annotations
    known = {
        "uri": ("requested", str),
        "resolved_uri": ("resolved", str),
        "model_id": ("modelId", str),
        "run_id": ("runId", str),
        "reader": ("reader", str),
        "files": ("files", int),
        "bytes": ("bytes", int),
    }
    for key, kind in known.values():
        if not isinstance(more.get(key), kind):
            raise TrustError(f"a statement lacks model.annotations.{key}")
    return ModelIdentity(
        name=told.name,
        version=told.version,
        resource_uri=said.model.uri,
        digest=said.model.digest.sha256,
        **{name: more[key] for name, (key, _) in known.items()},
    )


def _result(said: MeasuredResult, told: _ResultTold) -> Result:
    outcome, raw = _known(Outcome, said.outcome), _known(Outcome, said.raw_outcome)
    severity = _known(Severity, said.severity)
    if told.blocking != said.blocking:
        raise TrustError(f"contradicts the evaluation on {said.rule[:80]!a}", where=REPORT_FILE)
    asked = severity is Severity.BLOCK
    if said.blocking and not (asked and outcome in _MAY):
        raise TrustError(f"{said.rule[:80]!a} is {outcome} and cannot block, and is said to")
    if asked and outcome in _ALWAYS and not said.blocking:
        raise TrustError(f"{said.rule[:80]!a} is {outcome}, which blocks, and is said not to")
    limits = told.threshold or {}
    stated = {} if said.threshold is None else said.threshold
    own = {name: to_camel(name) for name in ("at_least", "at_most", "warn_below", "warn_above")}
    if any(canonical.decimal(limits.get(n)) != stated.get(camel) for n, camel in own.items()):
        raise TrustError(f"another threshold of {said.rule[:80]!a}", where=REPORT_FILE)
    return Result(
        rule=said.rule,
        check=said.check,
        severity=severity,
        outcome=outcome,
        raw_outcome=raw,
        reason=said.reason,
        threshold=None if said.threshold is None else Threshold(**{k: limits.get(k) for k in own}),
        lines={name: x for name, x in limits.items() if name not in own and x is not None},
        statistics=tuple(one.read() for one in said.statistics),
        controls=tuple(said.controls),
        waiver=said.waiver,
        title=told.title,
        why=told.why,
        place=told.place,
        blocking=said.blocking,
        named_by_run=tuple(said.named_by_run),
        decided=raw in _HELD or outcome is Outcome.WAIVED or _owed(outcome, raw),
        expires=None if said.expires is None else as_time(said.expires),
        power=None if told.power is None else told.power.read(),
        roles=tuple(told.data),
    )


def _owed(outcome: Outcome, raw: Outcome) -> bool:
    """Whether a baseline may have let it through; evidence does not tell that from a late start."""
    return outcome is Outcome.WARN and raw is Outcome.INSUFFICIENT


def _known(kind: type[E], word: str) -> E:
    try:
        return kind(word)
    except ValueError:
        raise TrustError(f"{word[:40]!a} is no {kind.__name__.lower()}") from None


def _consistent(verdict: Verdict) -> None:
    """Refuse a decision that its own results do not give."""
    blocking = [one for one in verdict.results if one.blocking]
    refusing = [one for one in blocking if one.outcome is not Outcome.ERROR]
    fits = {
        Decision.PASSED: not blocking and settled(verdict.results),
        Decision.REFUSED: bool(refusing),
        Decision.UNDECIDED: not refusing,
    }
    if not fits[verdict.decision]:
        raise TrustError(f"the results contradict the decision {verdict.decision.value!a}")
