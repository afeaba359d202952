"""Parts of an unsigned evaluation that contradict themselves are refused where they are read."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pydantic import ValidationError

from aims_gate.errors import TrustError
from aims_gate.evidence import unsigned
from aims_gate.evidence.written import dataset_said
from aims_gate.facts import Curve, CurveKind, DatasetIdentity, DigestKind

INTERVAL = {"low": "0.9", "high": "0.8", "level": "0.95", "method": "Wilson"}
CELL: dict[str, Any] = {
    "name": "accuracy",
    "slice": "",
    "value": "0.8",
    "interval": None,
    "alone": None,
    "serious": None,
    "small": False,
    "rows": 10,
    "total": 10,
    "engine": "",
    "judged": True,
    "lack": None,
    "reason": "",
}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ({**CELL, "interval": INTERVAL}, "an interval ends before it begins"),
        ({**CELL, "lack": "missing"}, "a statistic has a value and none"),
        ({**CELL, "value": None, "lack": "unheard of"}, "a statistic has a value and none"),
    ],
)
def test_a_cell_that_contradicts_itself(cell: dict[str, Any], told: str) -> None:
    with pytest.raises(TrustError, match=told):
        unsigned.StatisticSaid.model_validate(cell).read()


def test_a_digest_of_no_known_kind() -> None:
    data = {
        "name": "eval",
        "uri": "eval.csv",
        "digest": {"sha256": "0" * 64},
        "annotations": {
            "role": "evaluation",
            "rows": 10,
            "digestKind": "md5",
            "mlflowDigest": "",
        },
    }
    with pytest.raises(TrustError, match="no known kind: 'md5'"):
        unsigned.DatasetSaid.model_validate(data).read()


@pytest.mark.parametrize("report", [b"", b"[]", b'{"results": 1}', b'{"results": [1]}'])
def test_a_report_that_is_none(report: bytes) -> None:
    with pytest.raises(TrustError, match="is no report that can be read"):
        unsigned.hold_report(report, cast("Any", None))


ROC: dict[str, Any] = {"kind": "roc", "x": ["0", "0.5", "1"], "y": ["0", "0.75", "1"]}


def test_curves_are_read_back() -> None:
    (curve,) = unsigned.StatisticSaid.model_validate({**CELL, "curves": [ROC]}).read().curves
    assert curve == Curve(kind=CurveKind.ROC, x=(0.0, 0.5, 1.0), y=(0.0, 0.75, 1.0))


@pytest.mark.parametrize(
    "curve", [{**ROC, "x": ["0"]}, {**ROC, "y": [0, 0.5, 1]}, {**ROC, "kind": "pie"}, {}, [], "roc"]
)
def test_a_curve_that_is_none(curve: object) -> None:
    with pytest.raises(ValidationError, match=r"curve|decimal"):
        unsigned.StatisticSaid.model_validate({**CELL, "curves": [curve]})


def test_a_report_with_another_curve_contradicts_the_evaluation() -> None:
    cell = unsigned.StatisticSaid.model_validate({**CELL, "curves": [ROC]})
    said = {**CELL, "value": 0.8, "curves": [ROC]}
    same, other = unsigned._reported(said), unsigned._reported({**said, "curves": []})
    assert same == unsigned._numbers(cell.model_dump(exclude={"curves"}), cell.curves)
    assert same != other


@pytest.mark.parametrize("snapshot", ["", "7"])
def test_a_dataset_is_read_as_it_was_said(snapshot: str) -> None:
    given = DatasetIdentity(
        role="evaluation",
        name="lake",
        uri="file:lake",
        digest="ab" * 32,
        digest_kind=DigestKind.TREE,
        rows=3,
        window="after a to b",
        snapshot=snapshot,
    )
    said = dataset_said(given)
    assert ("snapshot" in said["annotations"]) == bool(snapshot)
    assert unsigned.DatasetSaid.model_validate(said).read() == given
