"""The verdict as `report.json`: versioned, closed, and the same bytes for the same verdict.

`report.v1.schema.json` beside this file is its JSON Schema. It is evidence, so text stands exactly
as it was measured, secrets excepted; the document is ASCII, and every other character is escaped,
so that no terminal and no encoding can change what is read.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from aims_gate.errors import RecordError
from aims_gate.facts import DatasetIdentity, Interval, ModelIdentity, Statistic
from aims_gate.harmless import json_text
from aims_gate.policy.model import Threshold
from aims_gate.reports import refuse_contradiction
from aims_gate.verdict import PolicyIdentity, Power, Result, Verdict, VerificationStatus

SCHEMA = "https://aims-gate.dev/schema/report/v1"
"""Names the version; another shape gets another name, beside this one."""


def render(verdict: Verdict) -> str:
    """Write *verdict* as report.json: two blanks of indent, sorted keys, a newline at the end.

    Numbers are JSON numbers, or null where there is none, and then `reason` says why. RecordError
    if the verdict contradicts itself or a threshold is no finite number.
    """
    refuse_contradiction(verdict)
    document = {
        "schema": SCHEMA,
        "verdict": verdict.decision.value,
        "stage": verdict.stage,
        "exit_code": verdict.exit_code,
        "model": _model(verdict.model),
        "datasets": [_dataset(data) for data in verdict.datasets],
        "policy": _policy(verdict.policy),
        "results": [_result(result) for result in verdict.results],
        "evidence": _evidence(verdict),
        **({} if verdict.standing is None else {"standing": _standing(verdict.standing)}),
    }
    try:
        return json_text(document)
    except ValueError as error:
        hint = "a policy that was read by aims-gate cannot hold one; nothing was written"
        raise RecordError("a threshold is no finite number", hint=hint) from error


def _model(model: ModelIdentity) -> dict[str, Any]:
    return {
        "uri": model.uri,
        "name": model.name,
        "version": model.version,
        "resource_uri": model.resource_uri,
        "resolved_uri": model.resolved_uri,
        "digest": model.digest,
        "files": int(model.files),
        "bytes": int(model.bytes),
        "model_id": model.model_id,
        "run_id": model.run_id,
        "reader": model.reader,
    }


def _dataset(data: DatasetIdentity) -> dict[str, Any]:
    return {
        "role": str(data.role),
        "name": data.name,
        "uri": data.uri,
        "digest": data.digest,
        "digest_kind": data.digest_kind.value,
        "rows": int(data.rows),
        "mlflow_digest": data.mlflow_digest,
        **({"window": data.window} if data.window else {}),
        **({"snapshot": data.snapshot} if data.snapshot else {}),
        **({"notes": list(data.notes)} if data.notes else {}),
        **({"model_id": data.model_id} if data.model_id else {}),
        **({"named_by_run": list(data.named_by_run)} if data.named_by_run else {}),
    }


def _policy(policy: PolicyIdentity) -> dict[str, Any]:
    return {
        "id": policy.id,
        "version": policy.version,
        "digest": policy.digest,
        "uri": policy.uri,
        "extends": [ancestor.name for ancestor in policy.extends],
        **({"limits": list(policy.limits)} if policy.limits else {}),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "rule": result.rule,
        "check": result.check,
        "severity": result.severity.value,
        "outcome": result.outcome.value,
        "raw_outcome": result.raw_outcome.value,
        "reason": result.reason,
        "threshold": None
        if result.threshold is None
        else {**_threshold(result.threshold), **result.lines},
        "statistics": [_statistic(statistic) for statistic in result.statistics],
        "controls": list(result.controls),
        "waiver": result.waiver,
        **({"named_by_run": list(result.named_by_run)} if result.named_by_run else {}),
        "title": result.title,
        "why": result.why,
        "place": result.place,
        "blocking": result.blocking,
        **({"data": list(result.roles)} if result.roles else {}),
        **({} if result.power is None else {"power": _power(result.power)}),
    }


def _power(power: Power) -> dict[str, Any]:
    return {
        "chance": _number(power.chance),
        "serious": _number(power.serious),
        "rows": int(power.rows),
        "what": power.what,
        "wanted": power.wanted,
        "cells": [
            {
                "slice": cell.slice,
                "group": cell.group,
                "rows": int(cell.rows),
                "wanted": cell.wanted,
                "excluded": _number(cell.excluded),
            }
            for cell in power.cells
        ],
    }


def _threshold(threshold: Threshold) -> dict[str, Any]:
    return {
        "at_least": threshold.at_least,
        "at_most": threshold.at_most,
        "warn_below": threshold.warn_below,
        "warn_above": threshold.warn_above,
    }


def _statistic(statistic: Statistic) -> dict[str, Any]:
    return {
        "name": statistic.name,
        "slice": statistic.slice,
        "value": _number(statistic.value),
        "interval": None if statistic.interval is None else _interval(statistic.interval),
        "alone": None if statistic.alone is None else _interval(statistic.alone),
        "rows": int(statistic.rows),
        "total": int(statistic.total),
        "engine": statistic.engine,
        "judged": statistic.judged,
        "lack": None if statistic.lack is None else statistic.lack.value,
        "reason": _reason(statistic),
        **_curves(statistic),
        **({} if statistic.bracket is None else {"bracket": statistic.bracket.said(_number)}),
    }


def _curves(statistic: Statistic) -> dict[str, Any]:
    curves = [curve.said(_number) for curve in statistic.curves]
    return {"curves": curves} if curves else {}


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "low": _number(interval.low),
        "high": _number(interval.high),
        "level": _number(interval.level),
        "method": interval.method,
    }


def _reason(statistic: Statistic) -> str:
    """Say why a number is null, beside what the check said itself."""
    told = [statistic.reason] if statistic.reason else []
    value, interval = statistic.value, statistic.interval
    if value is None and not told:
        told.append(str(statistic.lack) if statistic.lack else "there is no value")
    elif value is not None and not math.isfinite(value):
        told.append(f"the value is {float(value)}")
    if interval is not None:
        bounds = {"low": interval.low, "high": interval.high, "level": interval.level}
        told += [f"{name} is {float(x)}" for name, x in bounds.items() if not math.isfinite(x)]
    return "; ".join(told)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _evidence(verdict: Verdict) -> dict[str, Any]:
    """The `evidence` object; `id` and what follows from it are null where none was kept."""
    kept = verdict.evidence
    return {
        "id": None if kept is None else kept.id,
        "directory": None if kept is None else kept.directory or None,
        "signed": None if kept is None else kept.signed,
        "key": None if kept is None else kept.key or None,
        "published": None if kept is None else kept.published or None,
        "started": _moment(verdict.started),
        "finished": _moment(verdict.finished),
        "versions": dict(verdict.versions),
    }


def _standing(standing: VerificationStatus) -> dict[str, Any]:
    """What was found where the verdict was read from evidence; the evidence has no such key."""
    return {
        "authenticity": standing.authenticity.value,
        "told": standing.told,
        "read": _moment(standing.read),
        "until": list(standing.until),
        "unrecorded": list(standing.unrecorded),
    }


def _moment(moment: datetime) -> str:
    # a moment without a zone is UTC: asking for the machine's zone would make the bytes differ
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
