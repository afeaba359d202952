"""`aims docs build`: numbers come from evidence of these bytes, and people's words stay."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.checks.records.data_sources import DataSource
from aims_gate.errors import TrustError, UsageError
from aims_gate.operations.aims.bom import bill_of_materials
from aims_gate.operations.aims.docs import build
from aims_gate.operations.aims.known import Known
from tests.operations.aims.conftest import JudgedModel

pytestmark = pytest.mark.filterwarnings("ignore")
CARD = "---\nkind: card\nid: credit/card\n---\n# Credit\n\n## Limits\nNot for businesses.\n"


@pytest.fixture(scope="session")
def known(judged: JudgedModel) -> Known:
    return judged.look()


@pytest.fixture
def aims(tmp_path: Path) -> Path:
    """A folder with a card and a data sheet, as people wrote them."""
    folder = tmp_path / "aims"
    (folder / "data").mkdir(parents=True)
    (folder / "card.md").write_text(CARD, encoding="utf-8")
    (folder / "data" / "credit.md").write_text(CARD.replace("card", "sheet"), encoding="utf-8")
    return folder


def front(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8").split("\n---\n")[0].removeprefix("---"))


def test_the_card_has_the_numbers_of_the_verdict(known: Known, aims: Path) -> None:
    """As Hugging Face's cards have them, to four places, and people's words around them."""
    build(known, aims)
    found = front(aims / "card.md")
    (results,) = (one["results"] for one in found["model-index"])
    metrics = {(m["args"]["rule"], m["args"]["slice"]): m["value"] for m in results[0]["metrics"]}
    assert known.verdict is not None
    measured = {
        (rule.rule, one.slice): round(one.value, 4)
        for rule in known.verdict.results
        if rule.rule in {"PERF-01", "BIAS-02"}
        for one in rule.statistics
        if one.judged and one.value is not None
    }
    assert metrics == measured
    assert found["model_digest"] == known.model.digest
    assert (found["kind"], found["pipeline_tag"]) == ("card", "tabular-classification")
    text = (aims / "card.md").read_text(encoding="utf-8")
    assert "## Limits\nNot for businesses.\n" in text
    assert "| `PERF-01` | roc\\_auc |" in text or "| `PERF-01` | roc_auc |" in text


def test_the_sheet_has_the_validation_records_of_its_source(known: Known, aims: Path) -> None:
    build(known, aims)
    text = (aims / "data" / "credit.md").read_text(encoding="utf-8")
    assert "| evaluation | 3,000 | 6 |" in text
    assert "| `DATA-02` data.missing | PASS |" in text


def test_a_second_build_changes_nothing(known: Known, aims: Path) -> None:
    assert {one.change for one in build(known, aims)} == {"changed", "written"}
    assert {one.change for one in build(known, aims)} == {"unchanged"}


def test_a_work_tree_of_windows_keeps_its_line_ends(known: Known, aims: Path) -> None:
    build(known, aims)
    built = (aims / "card.md").read_bytes()
    (aims / "card.md").write_bytes(CARD.replace("\n", "\r\n").encode())
    build(known, aims)
    assert (aims / "card.md").read_bytes() == built.replace(b"\n", b"\r\n")


def test_without_a_verdict_the_card_claims_no_number(known: Known, aims: Path) -> None:
    """Also where an older one had some: what is not proven is taken out."""
    build(known, aims)
    build(replace(known, verdict=None), aims)
    assert "model-index" not in front(aims / "card.md")
    assert "Nothing was measured yet." in (aims / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("card.md", None, "this record is not there"),
        ("data/credit.md", None, "this record is not there"),
        ("card.md", "# no front matter\n", "has no front matter"),
    ],
)
def test_a_record_that_is_not_there_or_no_record_is_refused(
    known: Known, aims: Path, name: str, text: str | None, told: str
) -> None:
    """And nothing at all is written then."""
    if text is None:
        (aims / name).unlink()
    else:
        (aims / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        build(known, aims)
    assert not (aims / "bom.cdx.json").exists()


def test_evidence_of_other_bytes_or_forged_is_refused(judged: JudgedModel, tmp_path: Path) -> None:
    """Numbers of another model, and numbers that somebody changed, never reach a card."""
    (kept,) = (judged.folder / "aims-gate-evidence").glob("*/*")
    forged = tmp_path / "forged"
    shutil.copytree(kept, forged)
    report = forged / "report.json"
    report.write_text(report.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    with pytest.raises(TrustError):
        judged.look(evidence=str(forged))
    other = replace(judged, uri="file:other")
    (judged.folder / "other").mkdir(exist_ok=True)
    (judged.folder / "other" / "weights.bin").write_bytes(b"other")
    with pytest.raises(UsageError, match="about other bytes"):
        other.look(evidence=str(kept))


def test_what_stood_out_is_said(judged: JudgedModel, known: Known) -> None:
    """A library without a version, and numbers whose signature nobody verified."""
    assert known.found == ("not pinned to a version in the model's files: scikit-learn",)
    unverified = judged.look(trust=False)
    assert "its numbers are from evidence of which no signature was verified" in unverified.found


def walk(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "bom-ref":
                yield str(value)
            yield from walk(value)
    for item in tree if isinstance(tree, list) else ():
        yield from walk(item)


def test_the_bill_of_materials_names_model_libraries_and_data(known: Known) -> None:
    """CycloneDX: each reference leads somewhere, a library that is not pinned has no version."""
    bom = bill_of_materials(known)
    model = bom["metadata"]["component"]
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.7")
    assert model["hashes"] == [{"alg": "SHA-256", "content": known.model.digest}]
    refs = list(walk(bom))
    assert len(refs) == len(set(refs))
    assert {"ref": "model", "dependsOn": [r for r in refs if r != "model"]} in bom["dependencies"]
    cards = model["modelCard"]["modelParameters"]
    assert {one["ref"] for one in cards["datasets"]} <= set(refs)
    libraries = {c["name"]: c.get("version") for c in bom["components"] if c["type"] == "library"}
    assert libraries["numpy"] == "2.2.0"
    assert libraries["scikit-learn"] is None


def test_hostile_names_stay_in_their_cells(known: Known, aims: Path) -> None:
    """A column that looks like a marker, a table or a secret changes no other line."""
    names = ("a | b", "x\n<!-- aims-gate:end -->", "https://u:secret@host/")
    hostile = replace(known, inputs=tuple((name, "double") for name in names))
    build(hostile, aims)
    text = (aims / "card.md").read_text(encoding="utf-8")
    assert text.count("\n<!-- aims-gate:end -->") == 1
    assert "secret" not in text
    assert "secret" not in json.dumps(bill_of_materials(hostile))
    assert DataSource(name="a", parts=()) not in hostile.sources


def test_the_command_builds_what_it_says(
    judged: JudgedModel,
    aims: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(judged.folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", judged.environ["MLFLOW_TRACKING_URI"])
    command = ["aims", "docs", "build", "--model", judged.uri, "--dir", str(aims)]
    assert guarded(command) == 0
    told = capsys.readouterr().out
    assert "changed" in told
    assert "card.md" in told
    assert "note: not pinned" in told
