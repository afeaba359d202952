"""What the action installs where a version is stated, and what a change may not run meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.github_action.conftest import Credit
from tests.support.act import ROOT, VERSION, pull_request
from tests.support.installed import everything_else, wheel
from tests.support.laws import nightly

STATED = "0.1.9"
"""Another version than the one that is installed here."""
SHADOWS = ("venv", "ensurepip", "pip", "click", "aims_gate", "sitecustomize", "platform", "json")
PWNED = "import pathlib\npathlib.Path(__file__).with_name('PWNED').touch()\nraise SystemExit(0)\n"


@pytest.fixture
def index(tmp_path: Path) -> dict[str, str]:
    """Environment in which pip finds the wheel of that version, and all else that is installed."""
    copy = tmp_path / "checkout"
    names = ("aims_gate", "_aims_gate_pytestplugin", "policies")
    for name in names:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, copy / name)
    version = copy / "aims_gate" / "version.py"
    version.write_text(version.read_text("utf-8").replace(f'"{VERSION}"', f'"{STATED}"'), "utf-8")
    (tmp_path / "wheels").mkdir()
    assert STATED in wheel(tmp_path / "wheels", copy).name
    libraries = everything_else(tmp_path / "libraries")
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PYTHONPATH": str(libraries),
    }


@nightly
def test_the_stated_version_is_installed_and_judges(credit: Credit, index: dict[str, str]) -> None:
    """Not the one that happens to be there; no module of the change is taken for a library's."""
    for name in SHADOWS:
        (credit.work / f"{name}.py").write_text(PWNED, encoding="utf-8")
    shown = "- env: {REPORT: '${{ steps.gate.outputs.report-json }}'}\n  run: cat \"$REPORT\"\n"
    credit.workflow(f'version: "{STATED}"', job=shown)
    credit.commit()
    ran = credit.run("pull_request", pull_request(credit.commit("change")), environ=index)
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("passed", "0"), ran.log
    assert f'"aims-gate": "{STATED}"' in ran.log
    assert list(credit.folder.rglob("PWNED")) == []


@nightly
@pytest.mark.parametrize(("mode", "result"), [("enforce", "failure"), ("observe", "success")])
def test_a_version_that_is_nowhere_judges_nothing(
    credit: Credit, index: dict[str, str], mode: str, result: str
) -> None:
    credit.workflow('version: "9.9.9"', f"mode: {mode}")
    credit.commit()
    ran = credit.run("push", {"ref": "refs/heads/main"}, environ=index)
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("undecided", "3"), ran.log
    assert "No matching distribution found" in ran.log
    assert ran.results["gate"] == ran.job == result
