"""AI bill of materials of a model: CycloneDX 1.7 JSON with a model card, from what is known of it.

Built by hand: the format's Python library has no model cards. The same facts give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from aims_gate.checks.records.data_sources import DataSource, SourcePart
from aims_gate.facts import DigestKind, Statistic
from aims_gate.operations.aims.known import Known, Package
from aims_gate.redact import redact_all
from aims_gate.verdict import Result

SPEC = "1.7"
_CARD = ("performance.", "fairness.", "fairlearn:")
"""Checks whose numbers a model card shows; of others evidence has them."""


def bill_of_materials(known: Known) -> dict[str, Any]:
    """Write *known* as a CycloneDX document, without serial number and time of writing."""
    model = {"type": "machine-learning-model", "bom-ref": "model", "name": known.model.name}
    if known.model.version:
        model["version"] = known.model.version
    if known.model.resource_uri:
        model["purl"] = known.model.resource_uri
    libraries = [_library(one) for one in known.packages]
    data = [_data(source) for source in known.sources]
    whole: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "component": {
                **model,
                "hashes": [{"alg": "SHA-256", "content": known.model.digest}],
                "modelCard": _card(known),
                "properties": [_property(*one) for one in _properties(known)],
            }
        },
        "components": [*libraries, *data],
        "dependencies": [
            {"ref": "model", "dependsOn": [one["bom-ref"] for one in (*libraries, *data)]}
        ],
    }
    cleaned: dict[str, Any] = redact_all(whole)
    return cleaned


def _card(known: Known) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "datasets": [{"ref": f"data:{one.name}"} for one in known.sources],
        "inputs": [{"format": f"{name}: {kind}"} for name, kind in known.inputs],
    }
    if known.task is not None:
        parameters |= {"approach": {"type": "supervised"}, "task": known.task.value}
    if known.flavor:
        parameters["architectureFamily"] = known.flavor
    card: dict[str, Any] = {"modelParameters": parameters}
    if known.verdict is not None:
        metrics = [_metric(rule.rule, cell) for rule, cell in judged_cells(known)]
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def judged_cells(known: Known) -> Iterator[tuple[Result, Statistic]]:
    """Finite judged cells about performance and fairness of the newest verdict, with results."""
    for result in known.verdict.results if known.verdict is not None else ():
        if not result.check.startswith(_CARD):
            continue
        for cell in result.statistics:
            if cell.judged and cell.value is not None and math.isfinite(cell.value):
                yield result, cell


def _metric(rule: str, cell: Statistic) -> dict[str, Any]:
    metric = {"type": f"{rule} {cell.name}", "value": f"{cell.value:.4f}"}
    if cell.slice:
        metric["slice"] = cell.slice
    if cell.interval is None or not math.isfinite(cell.interval.low + cell.interval.high):
        return metric
    bounds = {"lowerBound": cell.interval.low, "upperBound": cell.interval.high}
    return {**metric, "confidenceInterval": {name: f"{x:.4f}" for name, x in bounds.items()}}


def _library(one: Package) -> dict[str, Any]:
    name = one.name.lower().replace("_", "-")
    if not one.version:
        return {"type": "library", "bom-ref": f"pkg:pypi/{name}", "name": one.name}
    url = f"pkg:pypi/{name}@{quote(one.version)}"
    return {
        "type": "library",
        "bom-ref": url,
        "name": one.name,
        "version": one.version,
        "purl": url,
    }


def _data(source: DataSource) -> dict[str, Any]:
    parts = sorted(source.parts, key=lambda one: one.role)
    return {
        "type": "data",
        "bom-ref": f"data:{source.name}",
        "name": source.name,
        "data": [{"type": "dataset", "name": one.role} for one in parts],
        "properties": [_property(*one) for part in parts for one in _part(part)],
    }


def _part(part: SourcePart) -> Iterator[tuple[str, str]]:
    yield f"{part.role}:rows", str(part.rows)
    yield f"{part.role}:columns", str(part.columns)
    # a digest of rows or of a folder is no hash of a file, so it does not stand among `hashes`
    kind = "sha256" if part.digest_kind == DigestKind.FILE else f"sha256:{part.digest_kind}"
    yield f"{part.role}:{kind}", part.digest


def _properties(known: Known) -> Iterator[tuple[str, str]]:
    yield from ((f"training:{name}", text) for name, text in known.trained if text)
    if known.python:
        yield "python", known.python
    if known.policy is not None:
        yield "policy", f"{known.policy.id}@{known.policy.version} sha256:{known.policy.digest}"
    if known.verdict is not None:
        yield "verdict", known.verdict.decision.value
        if known.verdict.evidence is not None:
            yield "evaluation", known.verdict.evidence.id


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"aims-gate:{name}", "value": value}
