"""docs/waivers.md, from top to bottom, as it is printed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import call
from tests.test_docs import blocks, commands


def test_the_page_of_waivers_works_from_top_to_bottom(tmp_path: Path) -> None:
    """A model with 80 of 100 answers right is refused, waived and verified."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.json").write_text("[1]", encoding="utf-8")
    rows = [f"{i % 2},{i % 2 if i >= 20 else 1 - i % 2}" for i in range(100)]
    (tmp_path / "evaluation.csv").write_text("\n".join(["y,p", *rows]) + "\n", encoding="utf-8")
    told = ""
    for block in blocks("docs/waivers.md"):
        if block.title:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            for arguments, code in commands(block):
                done = call(tmp_path, *arguments)
                assert done.code == code, (arguments, done.out, done.err)
                told += done.out + done.err
    assert "jo@acme.example asks for this waiver and may not approve it" in told
    assert "waived by WVR-" in told
    assert "PERF-01 of model refuses" in told
    assert "until 2" in told
    measured = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--unsigned"]
    assert call(tmp_path, *measured, "--out", "measured").code == 0
    signing = ["evidence", "sign", "measured", "--model", "file:model", "--key", "gate.key"]
    signed = call(tmp_path, *signing, "--out", "signed")
    assert (signed.code, "waived by WVR-" in signed.out) == (0, True), "a job of its own asks anew"
    assert call(tmp_path, "verify", "signed", "--model", "model").code == 0
    shutil.rmtree(tmp_path / "waivers")
    assert call(tmp_path, *signing, "--out", "again").code == 4, "without the waiver it is none"


@pytest.mark.parametrize("group", ["waiver", "approval"])
def test_help_names_what_the_groups_do(group: str, tmp_path: Path) -> None:
    assert "draft" in call(tmp_path, group, "--help").out
