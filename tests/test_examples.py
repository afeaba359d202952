"""The example repositories and the page about them work, from top to bottom."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pytest_plugin.repos import ALONE
from tests.test_docs import ROOT, Block, blocks

_COMMAND = re.compile(r"^\$ (python|pytest)(.*?)(?:  # exit (\d))?$", re.MULTILINE)


@pytest.fixture
def repo(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of examples/employment, as after `git clone`."""
    source = ROOT / "examples" / "employment"
    shutil.copytree(source, pytester.path, ignore=_built, dirs_exist_ok=True)
    monkeypatch.syspath_prepend(pytester.path)
    return pytester.path


def _built(_folder: str, names: list[str]) -> set[str]:
    return {"build", "__pycache__", ".pytest_cache"} & set(names)


def follow(pytester: pytest.Pytester, block: Block, names: dict[str, Any]) -> int:
    """Do what a block of the page says; count the commands that were run."""
    if block.title:
        (pytester.path / block.title).write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        exec(compile(block.text, "docs/pytest.md", "exec"), names)  # noqa: S102  # our own page
    found = _COMMAND.findall(block.text) if block.language == "console" else []
    for program, words, code in found:
        arguments = shlex.split(words)
        if program == "python":
            runpy.run_path(arguments[0], run_name="__main__")
            continue
        done = pytester.runpytest_inprocess(*ALONE, *arguments)
        assert done.ret == int(code or 0), words
    assert len(found) == block.text.count("$ "), block.text
    return len(found)


@pytest.mark.filterwarnings("default")
def test_the_page_about_pytest_works_from_top_to_bottom(
    pytester: pytest.Pytester, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command exits as the page says, and its snippets run one after the other."""
    monkeypatch.delitem(sys.modules, "train", raising=False)
    names: dict[str, Any] = {}
    ran = sum(follow(pytester, block, names) for block in blocks("docs/pytest.md"))
    assert ran >= 8
    assert names["result"].reason.startswith("impact ratio sex=")
    (kept,) = (repo / "build" / "evidence").rglob("report.json")
    assert '"origin": "pytest"' in kept.read_text(encoding="utf-8")


def test_the_page_shows_every_option(pytester: pytest.Pytester) -> None:
    """And no option that is not there."""
    page = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
    told = str(pytester.runpytest_inprocess(*ALONE, "--help").stdout)
    options = set(re.findall(r"--aims-gate[a-z-]*", told))
    assert len(options) == 5
    assert options == set(re.findall(r"--aims-gate[a-z-]*", page))
