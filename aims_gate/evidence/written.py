"""Values of a verdict as a predicate has them: decimal strings, and a reason for each null."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aims_gate import canonical
from aims_gate.evidence.predicates import FORM
from aims_gate.facts import DatasetIdentity, Interval, Statistic
from aims_gate.policy.model import Threshold
from aims_gate.verdict import Result


def dataset_said(data: DatasetIdentity) -> dict[str, Any]:
    """Resource descriptor of a data set: name, URI, digest, and what was read of it."""
    return {
        "name": data.name,
        "uri": data.uri,
        "digest": {"sha256": data.digest},
        "annotations": {
            "role": data.role,
            "rows": data.rows,
            "digestKind": data.digest_kind.value,
            "mlflowDigest": data.mlflow_digest,
            **({"window": data.window} if data.window else {}),
            **({"snapshot": data.snapshot} if data.snapshot else {}),
            **({"notes": list(data.notes)} if data.notes else {}),
            **({"modelId": data.model_id} if data.model_id else {}),
            **({"namedByRun": list(data.named_by_run)} if data.named_by_run else {}),
        },
    }


def result_said(result: Result) -> dict[str, Any]:
    """Result of a rule, with every statistic that it rests on."""
    return {
        "rule": result.rule,
        "check": result.check,
        "severity": result.severity.value,
        "outcome": result.outcome.value,
        "rawOutcome": result.raw_outcome.value,
        "blocking": result.blocking,
        "reason": result.reason,
        "threshold": _threshold(result.threshold),
        "controls": list(result.controls),
        "waiver": result.waiver,
        **({"namedByRun": list(result.named_by_run)} if result.named_by_run else {}),
        "expires": end_said(result.expires),
        "statistics": [statistic_said(statistic) for statistic in result.statistics],
    }


def _threshold(threshold: Threshold | None) -> dict[str, Any] | None:
    if threshold is None:
        return None
    return {
        "atLeast": canonical.decimal(threshold.at_least),
        "atMost": canonical.decimal(threshold.at_most),
        "warnBelow": canonical.decimal(threshold.warn_below),
        "warnAbove": canonical.decimal(threshold.warn_above),
    }


def statistic_said(statistic: Statistic) -> dict[str, Any]:
    """One measured number as a statement has it."""
    value = canonical.decimal(statistic.value)
    # a number that is none must say so: null alone reads as "not measured"
    unsaid = value is None and not statistic.reason and statistic.value is not None
    curves = [curve.said(canonical.decimal) for curve in statistic.curves]
    bracket = statistic.bracket
    return {
        "name": statistic.name,
        "slice": statistic.slice,
        "value": value,
        "interval": _interval(statistic.interval),
        "alone": _interval(statistic.alone),
        "serious": canonical.decimal(statistic.serious),
        "small": statistic.small,
        "rows": statistic.rows,
        "total": statistic.total,
        "engine": statistic.engine,
        "judged": statistic.judged,
        "lack": None if statistic.lack is None else statistic.lack.value,
        "reason": "the value is not a finite number" if unsaid else statistic.reason,
        **({"curves": curves} if curves else {}),
        **({} if bracket is None else {"bracket": bracket.said(canonical.decimal)}),
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    """Write an interval; a bound of null is unbounded on that side."""
    if interval is None:
        return None
    return {
        "low": canonical.decimal(interval.low),
        "high": canonical.decimal(interval.high),
        "level": canonical.decimal(interval.level),
        "method": interval.method,
    }


def time_said(moment: datetime) -> str:
    """Time of a statement: UTC, to the second."""
    return moment.astimezone(UTC).strftime(FORM)


def end_said(moment: datetime | None) -> str | None:
    """Time at which something ends; None where it never does."""
    return None if moment is None else time_said(moment)
