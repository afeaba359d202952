"""Files by control: each in the manifest by its digest, forged evidence in none of them."""

from __future__ import annotations

import copy
import csv
import hashlib
import shutil
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.exports.conftest import export
from tests.operations.aims.test_gap import Company


def arguments(company: Company, *more: str) -> list[str]:
    folders = ["--system", str(company.aims), "--org", str(company.org)]
    evidence = ["--evidence", str(company.gated.folder), "--trust", str(company.gated.trust)]
    return ["aims", "export", *more, *folders, *evidence, "--as-of", "2026-11-29"]


def test_the_manifest_names_every_file_by_its_digest(company: Company, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert guarded(arguments(company, "files", "--out", str(out))) == 0
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 63
    for row in rows:
        assert hashlib.sha256((out / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert {one.name for one in out.iterdir()} == {*(row["file"] for row in rows), "manifest.csv"}
    assert max(one.stat().st_size for one in out.iterdir()) < 20_000


def test_a_file_tells_which_signed_evaluation_stands_behind_it(company: Company) -> None:
    text = export("files", company.survey()).files["A.5.4.txt"]
    key = company.gated.lab.signer.key.fingerprint
    (line,) = (one for one in text.splitlines() if one.startswith("  2026-11-25  BIAS-02"))
    assert "FAIL" in line
    assert key in text


def test_forged_evidence_is_in_no_file_and_is_told(
    company: Company, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    company.gated = copy.copy(company.gated)
    company.gated.folder = shutil.copytree(company.gated.folder, tmp_path / "forged")
    (report,) = company.gated.folder.rglob("report.json")
    report.write_text(report.read_text("utf-8").replace("0.", "1.", 1), encoding="utf-8")
    out = tmp_path / "out"
    assert guarded(arguments(company, "files", "--out", str(out))) == 1
    assert f"left out: {report.parent}: " in capsys.readouterr().err
    text = (out / "A.6.2.4.txt").read_text("utf-8")
    assert "no rule that supports it was measured on what serves" in text


def test_what_is_in_the_folder_stays_and_nothing_is_added(company: Company, tmp_path: Path) -> None:
    """A control that left the standard would stay in it, and look like evidence."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "A.99.txt").write_text("old", encoding="utf-8")
    assert guarded(arguments(company, "files", "--out", str(tmp_path / "out"))) == 2
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["A.99.txt"]
    place = tmp_path / "file"
    place.write_text("", encoding="utf-8")
    assert guarded(arguments(company, "files", "--out", str(place / "out"))) == 3
    assert guarded(arguments(company, "excel", "--out", str(tmp_path / "new"))) == 2
