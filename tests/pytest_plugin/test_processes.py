"""Real processes: what the plugin costs where it is not used, workers, and older pytest."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.pytest_plugin.repos import CASES, GATE, evidence

ENTRY = Path(__file__).parents[2] / "_aims_gate_pytestplugin" / "__init__.py"
HEAVY = {"numpy", "pyarrow", "scipy", "pydantic", "yaml", "requests", "cryptography", "click"}
HEAVY |= {"mlflow", "pandas", "sklearn", "fairlearn", "evidently", "polars"}
OTHERS = [f"-pno:{name}" for name in ("cacheprovider", "faker", "anyio", "hypothesispytest")]
"""Plugins that are of no account here: three of them import for most of a session's time."""
PROBE = """
import sys
def pytest_unconfigure(config):
    open("modules.txt", "w").write(" ".join(sys.modules))
"""


def folder_of(version: str) -> Path:
    """Where `make` installs another version of pytest."""
    return Path(sys.prefix) / version


def run(
    folder: Path, *arguments: str, version: str = "", warn: str = "-Wdefault"
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a fresh process, of another version if one is named."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    if version:
        target = folder_of(version)
        if not (target / "pytest").is_dir():
            reason = f"{version} is not installed: make test installs it from its lock"
            required = version in os.environ.get("AIMS_GATE_REQUIRE", "")
            (pytest.fail if required else pytest.skip)(reason)
        environ["PYTHONPATH"] = str(target)
    command = [sys.executable, warn, "-m", "pytest", *OTHERS, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the contract case that is met, with a test of its own."""
    folder = tmp_path / "repo"
    shutil.copytree(CASES / "met", folder)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_a.py").write_text("def test_a(): pass\n", encoding="utf-8")
    return folder


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What pytest printed, without times and the list of plugins."""
    lines = [line for line in done.stdout.splitlines() if not line.startswith("plugins:")]
    return [re.sub(r" in [0-9.]+s.*", "", line) for line in lines]


def test_where_it_is_not_used_it_imports_nothing_and_says_nothing(repo: Path) -> None:
    """No module of ours but the entry point, no library, no line; a policy lies there unread."""
    (repo / "conftest.py").write_text(PROBE, encoding="utf-8")
    used = run(repo, "--strict-markers", "--strict-config")
    loaded = set((repo / "modules.txt").read_text(encoding="utf-8").split())
    without = run(repo, "-p", "no:aims_gate", "--strict-markers", "--strict-config")
    assert used.returncode == without.returncode == 0
    assert told(used) == told(without)
    assert "_aims_gate_pytestplugin" in loaded
    ours = {name for name in loaded if name.partition(".")[0] == "aims_gate"}
    assert ours | (loaded & HEAVY) == set()


def test_the_entry_point_imports_pytest_and_nothing_else_of_others() -> None:
    """The standard library, and the host."""
    tree = ast.parse(ENTRY.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    assert names == {"__future__", "collections.abc", "importlib", "sys", "typing", "pytest"}


@pytest.mark.parametrize("version", ["pytest7", "pytest8"])
def test_older_versions_of_pytest_give_the_same(version: str, repo: Path) -> None:
    """With plugins of their time that shuffle, repeat and measure; warnings are errors."""
    shutil.copy(CASES / "biased" / "evaluation.csv", repo)
    done = run(
        repo,
        *GATE,
        *("--aims-gate-evidence=kept", "--reruns=1", "--cov=test_a", "--junitxml=junit.xml"),
        *("-W", "error", "--strict-markers", "--import-mode=importlib"),
        version=version,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"pytest-{version[-1]}." in done.stdout
    assert "randomly" in done.stdout
    assert "1 failed, 2 passed, 1 rerun" in done.stdout
    assert "BIAS-02 FAIL: impact ratio sex=F vs sex=M 0.500" in done.stdout
    assert "policy not met: 1 of 2 rules stands in the way" in done.stdout
    assert len(evidence(repo / "kept")) == 1
    root = ET.parse(repo / "junit.xml").getroot()  # noqa: S314  # our own
    (failed,) = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed.get("name") == "BIAS-02"


def test_workers_share_one_run(repo: Path) -> None:
    """Whatever worker an item goes to; the main process keeps evidence of the whole."""
    (repo / "conftest.py").write_text(
        "import os\nimport aims_gate.pipeline as pipeline\nreal = pipeline.run\n"
        "def counted(*arguments):\n"
        "    with open('runs', 'a') as file:\n        file.write('x')\n"
        "    return real(*arguments)\n"
        "pipeline.run = counted\n",
        encoding="utf-8",
    )
    done = run(repo, *GATE, "--aims-gate-evidence=kept", "-n2", "--dist=each", warn="-Wignore")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repo / "runs").read_text(encoding="utf-8") == "x"
    assert "policy met" in done.stdout
    assert len(evidence(repo / "kept")) == 1


def test_a_worker_that_crashes_is_no_verdict(repo: Path) -> None:
    """Neither while the gate runs nor after it: the item that it took is missing."""
    (repo / "conftest.py").write_text(
        "import os\ndef pytest_runtest_call(item):\n"
        "    if item.name == 'BIAS-02':\n        os._exit(1)\n",
        encoding="utf-8",
    )
    done = run(repo, *GATE, "--aims-gate-evidence=kept", "-n1", "--max-worker-restart=1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "incomplete, so not decided: 1 of 2 rules" in done.stdout
    assert "policy met" not in done.stdout
    assert not evidence(repo)
