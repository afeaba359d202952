"""docs/first-hour.md from top to bottom in an empty folder, and its workflow as a CI runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.support.servers import environment

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*?)(?:\s+# exit (\d))?$", re.MULTILINE)
WORKFLOW = ".github/workflows/gate.yml"


@dataclass(kw_only=True)
class Reader:
    """Somebody who does what the page says, line by line, in a shell."""

    folder: Path
    environ: dict[str, str]
    said: str = ""
    """What the last command wrote, on either stream."""
    ran: list[str] = field(default_factory=list)

    def shell(self, line: str, extra: dict[str, str] | None = None) -> int:
        """Run one line as a CI step would, and give its exit code."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line],
            cwd=self.folder,
            env={**self.environ, **(extra or {})},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = done.stdout
        self.ran.append(line)
        return done.returncode

    def console(self, text: str) -> None:
        """Run every `$` line; an `export` holds for the lines after it."""
        for line, code in _COMMAND.findall(text):
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                self.environ[name] = value
                continue
            assert self.shell(line) == int(code or 0), f"{line}\n{self.said}"

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def hears(self, text: str) -> None:
        """Every line that the page prints was said, spaces and figures aside."""
        said = " ".join(self.said.split())
        for line in text.splitlines():
            assert " ".join(line.split()) in said, f"{line!r} not in:\n{self.said}"


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """An empty folder, and a shell in which `aims-gate` and `python` are this environment's."""
    programs, folder = tmp_path / "bin", tmp_path / "project"
    programs.mkdir()
    folder.mkdir()
    for name, arguments in (("aims-gate", "-m aims_gate "), ("python", "")):
        script = programs / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n', encoding="utf-8")
        script.chmod(0o700)
    who = {
        f"GIT_{role}_{what}": "reader@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environ = environment({"PYTHONWARNINGS": "ignore", "GIT_CONFIG_GLOBAL": os.devnull, **who})
    environ |= {"PATH": f"{programs}{os.pathsep}{environ['PATH']}"}
    environ |= {"PYTHONPATH": os.pathsep.join([str(ROOT), environ.get("PYTHONPATH", "")])}
    environ.pop("AIMS_GATE_SIGNING_KEY", None)
    return Reader(folder=folder, environ=environ)


def steps(reader: Reader) -> list[tuple[str, int]]:
    """Run the page's own workflow: each `run` step in a shell, later ones only if `always()`."""
    job = yaml.safe_load((reader.folder / WORKFLOW).read_text(encoding="utf-8"))["jobs"]["gate"]
    summary = reader.folder / "step-summary.md"
    found: list[tuple[str, int]] = []
    for step in job["steps"]:
        line = step.get("run", "")
        failed = any(code for _line, code in found)
        if not line or line.startswith("pip install") or (failed and step.get("if") != "always()"):
            continue
        extra = {"GITHUB_STEP_SUMMARY": str(summary)}
        if "AIMS_GATE_SIGNING_KEY" in step.get("env", {}):
            extra["AIMS_GATE_SIGNING_KEY"] = (reader.folder / "gate.key").read_text()
        found.append((line, reader.shell(line, extra)))
    return found


@pytest.mark.tool("git")
@pytest.mark.timeout(600)
def test_first_hour_from_top_to_bottom(reader: Reader) -> None:
    """Each line runs as printed, and the pull request is refused, by hand and in the workflow."""
    page = (ROOT / "docs/first-hour.md").read_text(encoding="utf-8")
    for language, title, text in _BLOCK.findall(page):
        if title:
            reader.write(title, text)
        elif language == "console":
            reader.console(text)
        elif language == "text":
            reader.hears(text)
    assert len(reader.ran) >= 15
    assert reader.ran[-1] == "aims-gate run"
    assert "defaults of pyproject.toml" in reader.said
    on_branch = steps(reader)
    assert [code for _line, code in on_branch] == [0, 1, 0]
    assert "BIAS-02" in (reader.folder / "step-summary.md").read_text(encoding="utf-8")
    assert reader.shell("git ls-files") == 0
    assert "gate.key.pub" in reader.said.split()
    assert not {"gate.key", "mlflow.db"} & set(reader.said.split())
    assert reader.shell("git switch --quiet main") == 0
    assert [code for _line, code in steps(reader)] == [0, 0, 0]
