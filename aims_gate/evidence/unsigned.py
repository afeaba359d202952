"""An evaluation, read back to the statistics that were measured; it proves nothing by itself.

The schema is closed: what this version does not know, it neither signs nor shows a part of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic.alias_generators import to_camel

from aims_gate import canonical
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import StatementKind, decode, envelope_file, statement_file
from aims_gate.attest.statement_files import read_file
from aims_gate.attest.trust import KeyRole
from aims_gate.bracket import Bracket
from aims_gate.documents.keys import refuse
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.layout import POLICY_FILE, REPORT_FILE
from aims_gate.evidence.predicates import EVALUATION, OF_A_VERDICT, FileSaid, as_time
from aims_gate.evidence.read_values import BracketSaid, CurveSaid, Number
from aims_gate.facts import Curve, DatasetIdentity, DigestKind, Interval, NoValue, Statistic

_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


def _as_id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise refuse(f"is no evaluation id: {str(value)[:40]!a}")
    return value


_Count = Annotated[int, Field(ge=0)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class _Sha256(_Closed):
    sha256: _Digest


class _IntervalSaid(_Closed):
    low: Number
    high: Number
    level: Number
    method: str

    def read(self) -> Interval:
        """The interval; a bound of null is unbounded. TrustError if it ends before it begins."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if low > high:
            raise TrustError(f"an interval ends before it begins: {low} {high}")
        level = math.nan if self.level is None else self.level
        return Interval(low=low, high=high, level=level, method=self.method)


class StatisticSaid(_Closed):
    """One measured number."""

    name: str
    slice: str
    value: Number
    interval: _IntervalSaid | None
    alone: _IntervalSaid | None = None
    serious: Number = None
    small: bool = False
    rows: _Count
    total: _Count
    engine: str
    judged: bool
    lack: str | None
    reason: str
    curves: list[CurveSaid] = []
    bracket: BracketSaid | None = None

    def read(self) -> Statistic:
        """The statistic; TrustError if its parts contradict each other."""
        known = [lack.value for lack in NoValue]
        if self.lack not in {None, *known} or (self.lack is not None and self.value is not None):
            raise TrustError(f"a statistic has a value and none: {self.name[:80]!a}")
        if self.bracket is not None and not self.bracket.holds(self.value):
            raise TrustError(f"a statistic lies out of its bracket: {self.name[:80]!a}")
        return Statistic(
            name=self.name,
            slice=self.slice,
            value=self.value,
            interval=None if self.interval is None else self.interval.read(),
            alone=None if self.alone is None else self.alone.read(),
            serious=self.serious,
            small=self.small,
            rows=self.rows,
            total=self.total,
            engine=self.engine,
            judged=self.judged,
            lack=None if self.lack is None else NoValue(self.lack),
            reason=self.reason,
            curves=tuple(self.curves),
            bracket=self.bracket,
        )


class MeasuredResult(_Closed):
    """What became of one rule."""

    rule: str
    check: str
    severity: str
    outcome: str
    raw_outcome: str
    blocking: bool
    reason: str
    threshold: dict[str, Any] | None
    controls: list[str]
    waiver: str | None
    named_by_run: list[str] = []
    expires: str | None = None
    statistics: list[StatisticSaid]


class _Annotations(_Closed):
    role: str
    rows: _Count
    digest_kind: str
    mlflow_digest: str
    window: str = ""
    snapshot: str = ""
    notes: list[str] = []
    model_id: str = ""
    named_by_run: list[str] = []


class DatasetSaid(_Closed):
    """Which data a role was read from."""

    name: str
    uri: str
    digest: _Sha256
    annotations: _Annotations

    def read(self) -> DatasetIdentity:
        """The dataset's identity; TrustError if its digest is of no known kind."""
        more = self.annotations
        if more.digest_kind not in {kind.value for kind in DigestKind}:
            raise TrustError(f"a dataset's digest is of no known kind: {more.digest_kind[:40]!a}")
        return DatasetIdentity(
            role=more.role,
            name=self.name,
            uri=self.uri,
            digest=self.digest.sha256,
            digest_kind=DigestKind(more.digest_kind),
            rows=more.rows,
            mlflow_digest=more.mlflow_digest,
            window=more.window,
            snapshot=more.snapshot,
            notes=tuple(more.notes),
            model_id=more.model_id,
            named_by_run=tuple(more.named_by_run),
        )


class _Evaluator(_Closed):
    id: str
    version: dict[str, str]


class _Model(_Closed):
    uri: str
    digest: _Sha256
    annotations: dict[str, Any]


class UnsignedEvaluation(_Closed):
    """An evaluation, all of it; what older versions did not record has a default."""

    evaluation_id: Annotated[str, PlainValidator(_as_id)]
    started_on: Annotated[datetime, PlainValidator(as_time)]
    finished_on: Annotated[datetime, PlainValidator(as_time)]
    verdict: str
    stage: str
    warnings: _Count
    evaluator: _Evaluator
    policy: dict[str, Any]
    model: _Model
    datasets: list[DatasetSaid]
    results: list[MeasuredResult]
    report: _Sha256
    waivers: list[FileSaid] = []
    measured_by: str = ""


MEASURED = StatementKind(
    name=EVALUATION.name,
    predicate_type=EVALUATION.predicate_type,
    predicate=UnsignedEvaluation,
    signed_by=KeyRole.GATE,
)


def read_unsigned(folder: Path) -> tuple[UnsignedEvaluation, Mapping[str, bytes]]:
    """Read an unsigned evidence directory: what was measured, and its files as they are.

    Raises:
        UsageError: It is signed already.
        TrustError: A file is missing, is not what `run --unsigned` of this version writes, or the
            files contradict each other.
    """
    names = (MODEL_FILE, POLICY_FILE, REPORT_FILE)
    if any((folder / envelope_file(kind.name)).exists() for kind in OF_A_VERDICT):
        raise UsageError("the evidence is signed already", where=str(folder))
    if not folder.is_dir():
        raise UsageError("there is no evidence directory", where=str(folder))
    files = {name: read_file(folder, name) for name in names}
    for kind in OF_A_VERDICT:
        files[statement_file(kind.name)] = read_file(folder, statement_file(kind.name))
    where = statement_file(EVALUATION.name)
    statement = decode(files[where], kind=MEASURED, where=where)
    measured = MEASURED.read(statement.predicate, where=where)
    if statement.subject != canonical.sha256(files[MODEL_FILE]):
        raise TrustError("is about another model than model.sha256", where=where)
    if measured.model.digest.sha256 != statement.subject:
        raise TrustError("is about two models", where=where)
    if measured.report.sha256 != canonical.sha256(files[REPORT_FILE]):
        raise TrustError("is not the report of the evaluation", where=REPORT_FILE)
    hold_report(files[REPORT_FILE], measured)
    return measured, files


def hold_report(report: bytes, measured: UnsignedEvaluation) -> None:
    """Hold each number of the report against the evaluation, which has it in 12 digits.

    Raises:
        TrustError: It cannot be read, or it says something else.
    """
    try:
        tree = canonical.parse(report)
        told = [
            (one["rule"], one["outcome"], [_reported(cell) for cell in one["statistics"]])
            for one in tree["results"]
        ]
        data = [(one["role"], one["digest"], one["rows"]) for one in tree["datasets"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TrustError("is no report that can be read", where=REPORT_FILE) from None
    said = [
        (
            one.rule,
            one.outcome,
            [
                _numbers(cell.model_dump(exclude={"curves", "bracket"}), cell.curves, cell.bracket)
                for cell in one.statistics
            ],
        )
        for one in measured.results
    ]
    stated = [
        (one.annotations.role, one.digest.sha256, one.annotations.rows) for one in measured.datasets
    ]
    if told != said or data != stated:
        raise TrustError("contradicts the evaluation", where=REPORT_FILE)


def _reported(cell: Mapping[str, Any]) -> tuple[object, ...]:
    bracket = Bracket.read(cell["bracket"]) if "bracket" in cell else None
    return _numbers(cell, [Curve.read(one) for one in cell.get("curves", ())], bracket)


def _numbers(
    cell: Mapping[str, Any], curves: Sequence[Curve], bracket: Bracket | None = None
) -> tuple[object, ...]:
    def bounds(interval: Mapping[str, Any] | None) -> tuple[object, ...]:
        if interval is None:
            return ()
        return tuple(canonical.decimal(interval[name]) for name in ("low", "high", "level"))

    value = canonical.decimal(cell["value"])
    named = (cell["name"], cell["slice"], cell["rows"], cell["total"], cell["judged"], cell["lack"])
    drawn = [curve.said(canonical.decimal) for curve in curves]
    within = None if bracket is None else bracket.said(canonical.decimal)
    return (*named, value, bounds(cell["interval"]), bounds(cell.get("alone")), drawn, within)
