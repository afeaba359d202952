"""Small model repositories for tests of the plugin, and the command lines that gate them."""

from __future__ import annotations

import shutil
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

# pytester takes away what an inner session imports, so what a run needs is imported here, once
for _name in (
    *("pytest_plugin", "engines.native", "operations.assert_passes", "sources.mlflow.source"),
    *("checks.data.missing", "checks.drift.columns", "checks.fairness.rates"),
    *("checks.integrity.model", "checks.integrity.data", "checks.integrity.run"),
    *("checks.performance.score", "sources.files", "reports.json_report"),
):
    import_module(f"aims_gate.{_name}")
# Hypothesis' plugin imports it to say that it had nothing to do; pandas cannot be loaded twice
for _name in ("hypothesis", "pandas", "pyarrow.pandas_compat", "pyarrow.parquet", "sklearn"):
    import_module(_name)

CASES = Path(__file__).parents[1] / "contract"
GATE = (
    "--aims-gate=policy.yaml",
    "--aims-gate-model=file:model",
    "--aims-gate-data=evaluation=evaluation.csv",
)
"""The options that gate a contract case."""
ACCURACY = "{id: PERF-01, check: performance.score, with: {metric: accuracy}, require: "
RATIO = "{id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}"
"""Two rules, the one to be closed by its limit and `}`, the other by more keys and `}`."""
_INSTALLED = any(found.name == "aims_gate" for found in entry_points(group="pytest11"))
ALONE = ("-p", "no:cacheprovider" if _INSTALLED else "_aims_gate_pytestplugin")
"""Nothing kept between sessions; and the plugin, where the installation is older than it."""


def repo(pytester: pytest.Pytester, case: str) -> Path:
    """Stand in a copy of a contract case, as its user would."""
    shutil.copytree(CASES / case, pytester.path, dirs_exist_ok=True)
    return pytester.path


def rules(folder: Path, *lines: str) -> Path:
    """Write a policy of these rules."""
    head = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: 1.0.0}\n"
    head += "data:\n  evaluation: {label: y, prediction: p, positive: 1, sensitive: [sex], "
    head += "weight: n}\nrules:\n"
    path = folder / "policy.yaml"
    path.write_text(head + "".join(f"  - {line}\n" for line in lines), encoding="utf-8")
    return path


def evidence(folder: Path) -> list[Path]:
    """The evidence directories below *folder*."""
    return sorted(path.parent for path in folder.rglob("report.json"))
