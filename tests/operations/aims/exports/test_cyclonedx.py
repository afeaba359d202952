"""CycloneDX: its own library takes our bill of materials with the model card, and reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aims_gate.operations.aims.bom import SPEC, bill_of_materials
from tests.operations.aims.exports.conftest import known_of
from tests.reports.cases import CASES, HOSTILE, hostile_verdict

pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib is not installed")

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

STRICT = JsonStrictValidator(SchemaVersion.V1_7)


def fault(bom: Any) -> Any:
    """What the library finds wrong; None where it is valid."""
    return STRICT.validate_str(json.dumps(bom))


@pytest.mark.parametrize("name", ["passed", "refused", "undecided"])
def test_the_strict_validator_takes_it(name: str) -> None:
    bom = bill_of_materials(known_of(CASES[name]))
    assert (SPEC, fault(bom)) == ("1.7", None)
    assert bom["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]


def test_the_validator_sees_a_fault_of_a_model_card() -> None:
    bom = bill_of_materials(known_of(CASES["refused"]))
    bom["metadata"]["component"]["modelCard"]["modelParameters"]["approach"]["type"] = "magic"
    assert "magic" in str(fault(bom))


def test_the_library_reads_it() -> None:
    """It has no classes of model cards; components and dependencies it knows."""
    library: Any = Bom
    bom = library.from_json(bill_of_materials(known_of(CASES["refused"])))
    assert bom.metadata.component.name == "credit-risk"
    assert {one.name for one in bom.components} == {"numpy", "Not_Pinned", "loans"}
    assert bom.validate()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_leave_it_valid(name: str) -> None:
    assert fault(bill_of_materials(known_of(hostile_verdict(name)))) is None
