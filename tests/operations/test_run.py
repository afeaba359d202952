"""`aims_gate.run` from Python: what the command line checks, it checks too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pytest

from aims_gate.errors import UsageError
from aims_gate.operations.run import run

CASE = Path(__file__).parents[1] / "contract" / "met"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of the contract case whose policy is met."""
    shutil.copytree(CASE, tmp_path / "met")
    monkeypatch.chdir(tmp_path / "met")
    return tmp_path / "met"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"evaluation": None}, "are None"),
        ({"reference": "evaluation.csv"}, "no rule reads the reference data"),
        ({"evalution": "evaluation.csv"}, "unknown data role 'evalution'"),
        ("evaluation.csv", "data is no mapping"),
    ],
)
def test_data_that_nobody_would_look_at_are_refused(data: Any, words: str) -> None:
    """Nothing that was handed over is ignored in silence."""
    with pytest.raises(UsageError, match=words):
        run("policy.yaml", "file:model", data=data)


def test_frames_of_every_library_give_the_same_verdict() -> None:
    """Arrow, pandas and Polars frames in memory are judged as the file is, with one digest."""
    table = pa_csv.read_csv("evaluation.csv")
    import polars as pl

    frames = [table, table.to_pandas(), pl.from_arrow(table)]
    verdicts = [run("policy.yaml", "file:model", data={"evaluation": f}) for f in frames]
    assert {v.decision for v in verdicts} == {"passed"}
    assert len({v.datasets[0].digest for v in verdicts}) == 1


def test_no_evidence_is_kept_unless_it_is_asked_for(folder: Path) -> None:
    """Neither key nor unsigned nor out: a verdict and nothing on disk."""
    before = sorted(folder.rglob("*"))
    verdict = run("policy.yaml", "file:model", data={"evaluation": "evaluation.csv"})
    assert verdict.evidence is None
    assert sorted(folder.rglob("*")) == before


def test_a_taken_directory_is_refused_before_anything_is_measured(folder: Path) -> None:
    """Evidence is never overwritten, and nobody waits to learn it."""
    (folder / "taken").mkdir()
    with pytest.raises(UsageError, match="evidence is never overwritten"):
        run("policy.yaml", "file:nowhere", data={}, unsigned=True, out="taken")
