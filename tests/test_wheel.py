"""The wheel holds everything that an installed aims-gate needs."""

from __future__ import annotations

import zipfile

import pytest

from tests.support.installed import ROOT, wheel


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a freshly built wheel."""
    built = wheel(tmp_path_factory.mktemp("wheel"))
    return set(zipfile.ZipFile(built).namelist())


def test_it_holds_packs_schemas_and_demo_data(names: set[str]) -> None:
    """Packs, JSON Schemas, the demo's data with its licence note, and what pytest loads."""
    wanted = {
        "aims_gate/policies/release@1.0.0.yaml",
        "aims_gate/policies/release@1.1.0.yaml",
        "aims_gate/policies/release@1.2.0.yaml",
        "aims_gate/policies/monitoring@1.0.0.yaml",
        "aims_gate/policies/sme-starter@1.0.0.yaml",
        "aims_gate/policies/sme-starter@1.1.0.yaml",
        "aims_gate/policy/policy.v1.schema.json",
        "aims_gate/reports/report.v1.schema.json",
        "aims_gate/demo/data/train.parquet",
        "aims_gate/demo/data/README.md",
        "aims_gate/governance/templates/risks.yaml",
        "aims_gate/governance/templates/log/incident.md",
        "aims_gate/py.typed",
        "_aims_gate_pytestplugin/__init__.py",
    }
    assert wanted <= names


def test_it_holds_every_module_and_no_test(names: set[str]) -> None:
    """What is in the tree is in the wheel, and nothing of the tests."""
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "aims_gate").rglob("*.py")}
    assert modules <= names
    assert not any(name.startswith(("tests", "benchmarks", "docs")) for name in names)
