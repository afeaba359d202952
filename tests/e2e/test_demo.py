"""`aims-gate demo` tells its whole story on real census data."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from aims_gate.demo.story import tell
from aims_gate.errors import UsageError
from tests.support.laws import nightly
from tests.test_docs import blocks, commands

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(find_spec("evidently") is None, reason="Evidently needs pandas 2")
@pytest.mark.timeout(600)
def test_the_story(tmp_path: Path) -> None:
    """One model passes, one is refused for bias, one month for drift, and a bit is caught."""
    command = [sys.executable, "-m", "aims_gate", "demo", "--dir", "demo"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    evidence = tmp_path / "demo" / "evidence"
    outcomes = {}
    for name in ("passed", "biased", "drifted"):
        report = json.loads((evidence / name / "report.json").read_text(encoding="utf-8"))
        outcomes[name] = {r["rule"]: r["outcome"] for r in report["results"] if r["blocking"]}
    assert outcomes == {"passed": {}, "biased": outcomes["biased"], "drifted": {"MON-01": "FAIL"}}
    assert outcomes["biased"]["BIAS-02"] == "FAIL"
    text = done.stdout
    assert re.search(r"fairlearn [\d.]+ agrees", text)
    assert re.findall(r"^exit code +(\d)$", text, re.MULTILINE) == list("001104")
    pages = text.rpartition("to print:\n")[2].split()
    titles = {"passed": "Policy met", "biased": "Policy not met", "drifted": "Policy not met"}
    for place, (name, title) in zip(pages, titles.items(), strict=True):
        assert place == str(tmp_path / "demo" / f"{name}.html")
        page = Path(place).read_text(encoding="utf-8")
        assert f"<title>{title}: employment" in page
    for scheme in ("light", "dark"):  # made from this page by tools/page_picture.py
        assert (ROOT / "docs" / f"report-{scheme}.png").stat().st_size < 200_000
    picture = (ROOT / "docs" / "run.svg").read_text(encoding="utf-8")
    drawn = re.sub(r"<[^>]+>", "", picture)
    for rule, outcome in outcomes["biased"].items():
        assert re.search(rf"{outcome}\s+{rule}", drawn), f"docs/run.svg lacks {outcome} {rule}"


@nightly
@pytest.mark.skipif(find_spec("evidently") is None, reason="Evidently needs pandas 2")
@pytest.mark.timeout(1800)
def test_a_newcomer_comes_from_nothing_to_the_first_status(tmp_path: Path) -> None:
    """The page of the first records, every line of aims-gate, in an empty folder."""
    page = "docs/first-records.md"
    lines = [words for block in blocks(page) for words, _code in commands(block)]
    assert lines[0] == ["demo"]
    environ = {**os.environ, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    told, folder = "", tmp_path
    for words in lines:
        command = [sys.executable, "-m", "aims_gate", *words]
        done = subprocess.run(
            command, cwd=folder, check=False, capture_output=True, text=True, env=environ
        )
        assert done.returncode == 0, (words, done.stderr)
        told += done.stdout
        folder = tmp_path / "aims-gate-demo"
    found = re.search(
        r"(\d+) facts(?s:.*?)(\d+) questions about the system(?s:.*?)(\d+) questions about", told
    )
    assert found is not None
    assert int(found[1]) >= 53
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"{found[2]} lines in `aims/` wait" in text
    assert f"The {found[3]} lines in `org/` are decisions" in text
    assert re.search(r"employment +1 +! policy met", told)


def test_a_folder_that_is_not_the_demos_is_never_deleted(tmp_path: Path) -> None:
    """The demo makes its folder anew, and only its own."""
    precious = tmp_path / "thesis.txt"
    precious.write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="is not a demo's"):
        tell(tmp_path, print)
    assert precious.exists()
