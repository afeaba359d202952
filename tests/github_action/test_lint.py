"""Workflows, actions, scripts: by GitHub's schemas, three linters and a few rules of ours."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.act import ACTION, ROOT

BIN = Path(sys.executable).parent
ACTIONS = [ROOT / "action.yml", ROOT / "github-action" / "verify" / "action.yml"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```yaml title=(\.github/workflows/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_USED = re.compile(r"uses: ([\w.-]+/[\w.-]+)")
_PINNED = re.compile(r"uses: \.{0,2}(?:/\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40})(?: |$)")


def passes(*words: str, folder: Path = ROOT) -> None:
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the workflows that the pages show."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / ".github" / "workflows").mkdir(parents=True)
    for page in PAGES:
        for title, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            (folder / title).with_stem(f"{page.stem}-{Path(title).stem}").write_text(text)
    assert len(list(folder.rglob("*.yml"))) >= 3
    return folder


def test_github_would_take_them(documented: Path) -> None:
    check = (str(BIN / "check-jsonschema"), "--builtin-schema")
    passes(*check, "vendor.github-actions", *map(str, ACTIONS))
    shown = [str(path) for path in documented.rglob("*.yml")]
    passes(*check, "vendor.github-workflows", *map(str, WORKFLOWS), *shown)


def test_the_linter_of_expressions_finds_nothing(documented: Path) -> None:
    passes(str(BIN / "jactionlint"), "--shellcheck=", *map(str, [*WORKFLOWS, *ACTIONS]))
    shown = [str(path) for path in documented.rglob("*.yml")]
    passes(str(BIN / "jactionlint"), "--shellcheck=", "--profile", "correctness", *shown)


def test_the_linter_of_attacks_finds_nothing(documented: Path) -> None:
    paths = [".github", "action.yml", "github-action"]
    passes(str(BIN / "zizmor"), "--offline", "--quiet", *paths)
    passes(str(BIN / "zizmor"), "--offline", "--quiet", ".github", folder=documented)


@pytest.mark.tool("shellcheck")
def test_the_linter_of_scripts_finds_nothing() -> None:
    scripts = sorted((ROOT / "github-action").rglob("*.sh"))
    passes("shellcheck", *map(str, scripts), folder=ROOT / "github-action")


def steps(document: Any) -> Iterator[dict[str, Any]]:
    """Each step of an action or a workflow."""
    yield from document.get("runs", {}).get("steps", [])
    for job in document.get("jobs", {}).values():
        yield from job.get("steps", [])


@pytest.mark.parametrize("path", ACTIONS, ids=["action", "verify"])
def test_an_action_uses_no_other(path: Path) -> None:
    """A policy that demands pins counts them even in steps that never run."""
    found = list(steps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert found
    assert [step for step in found if "uses" in step] == []


def test_every_action_is_pinned_by_its_commit(documented: Path) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in [*WORKFLOWS, *PAGES]}
    texts |= {path: path.read_text(encoding="utf-8") for path in documented.rglob("*.yml")}
    lines = [line for text in texts.values() for line in re.findall(r"uses: .*", text)]
    assert len(lines) > 10
    assert [line for line in lines if not _PINNED.match(line)] == []


def test_the_name_of_a_copy_is_one_and_says_that_it_is_one(documented: Path) -> None:
    """Published nowhere yet: no reader takes it for an address, and no workflow for a default."""
    page = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
    assert f"`{ACTION}` below stands for **your copy**" in page.partition("```")[0]
    names = {one for text in documented.rglob("*.yml") for one in _USED.findall(text.read_text())}
    assert {name for name in names if not name.startswith("actions/")} == {ACTION}
    for path in [*WORKFLOWS, *ACTIONS, ROOT / "README.md", ROOT / "pyproject.toml"]:
        assert ACTION not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("path", [*ACTIONS, *WORKFLOWS], ids=lambda path: path.parent.name)
def test_no_script_holds_an_expression(path: Path) -> None:
    """Inputs cross by environment: an expression inside a script is somebody else's code."""
    for step in steps(yaml.safe_load(path.read_text(encoding="utf-8"))):
        assert "${{" not in step.get("run", ""), step


def test_the_privileged_event_is_no_ones_trigger(documented: Path) -> None:
    for path in [*WORKFLOWS, *documented.rglob("*.yml")]:
        assert "pull_request_target" not in path.read_text(encoding="utf-8")


def test_the_action_may_be_listed() -> None:
    """What the marketplace asks for, and an input or output for each that the scripts read."""
    action = yaml.safe_load(ACTIONS[0].read_text(encoding="utf-8"))
    assert action["name"] == "aims-gate ML compliance gate"
    assert len(action["description"]) < 125
    assert action["branding"] == {"icon": "shield", "color": "purple"}
    for path in ACTIONS:
        text = path.read_text(encoding="utf-8")
        names = yaml.safe_load(text)["inputs"]
        assert {name for name in names if f"inputs.{name} " not in text} == set()
