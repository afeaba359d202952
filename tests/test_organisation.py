"""examples/organisation: its records are whole, and the year that is built holds when read."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.governance.reader import read
from tests.support.auditor import Printed, printed_index, ten_answers
from tests.support.laws import nightly
from tests.test_docs import ROOT

pytestmark = pytest.mark.filterwarnings("ignore")
HERE = ROOT / "examples" / "organisation"
SYSTEMS = ("employment", "mobility", "courses")
END = date(2026, 11, 30)
RECORDS = {
    *("records.complete", "records.approved", "records.fresh", "records.current"),
    *("records.consistent", "records.preregistered", "risks.residual", "risks.treated"),
    *("log.open", "aims.soa", "aims.inventory", "monitoring.alive"),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_records_of_the_example_are_whole(system: str) -> None:
    """No key, section or sentence of a template is left, of the system and of the house."""
    found = read(HERE / system / "aims", HERE / "org")
    assert [str(one) for one in found.all_problems()] == []
    assert {one.kind for one in found.documents} >= {"system", "risks", "soa", "people"}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a year is built, in an environment that is as it was afterwards."""
    import mlflow

    monkeypatch.syspath_prepend(HERE)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY", "MLFLOW_LOGGING_LEVEL"):
        monkeypatch.setenv(name, "")
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "year"
    mlflow.set_tracking_uri(None)


def build(folder: Path, weeks: int) -> None:
    runpy.run_path(str(HERE / "build.py"))["build"](folder, end=END, weeks=weeks)


def status(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What `aims status` says on the last day of the year."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert guarded(["aims", "status", "--as-of", f"{END}", *more]) == 0
    return capsys.readouterr().out


def test_a_week_of_the_organisation_is_built_and_its_records_are_judged(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records that people signed in the first week are met by a new version in the second."""
    build(built, weeks=1)
    told = status(built, capsys)
    assert told.count("✓ policy met  2026-11-30") == 3
    audited(built)
    for name in SYSTEMS:
        found = read(built / name / "aims", built / "org")
        assert [str(one) for one in found.all_problems()] == []
        (card,) = found.of("card")
        assert "{type: roc_auc, value: 0.7" in (
            built / card.path.replace("aims", f"{name}/aims", 1)
        ).read_text("utf-8")
        assert card.values["model_version"] == "2"
    reports = (built / "aims-gate-evidence").glob("*/*/report.json")
    said = [json.loads(one.read_bytes()) for one in reports]
    judged = [one for one in said if one["policy"]["version"] == "3.0.0"]
    assert len(judged) == 3
    assert {rule["outcome"] for one in judged for rule in one["results"]} == {"PASS"}
    assert {rule["check"] for one in judged for rule in one["results"]} >= RECORDS


def audited(folder: Path) -> Printed:
    """Ask an auditor's ten questions of the printed index, without a shell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        index = printed_index(folder, f"{END}")
    unanswered = [one for one in ten_answers(index) if one.endswith(("? ", "? False"))]
    assert unanswered == []
    return index


@nightly
def test_a_year_of_the_organisation_is_what_it_was(
    built: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """Status over the year, word by word: refusals before production and the week of June."""
    build(built, weeks=52)
    index = audited(built)
    assert next(index.find("What failed", "employment", "it was serving", "The list was not sent"))
    assert next(index.find("What failed", "a candidate", "the control worked"))
    assert len(list(index.find("Which versions served", "employment"))) > 2
    golden = HERE / "golden" / "status.txt"
    told = status(built, capsys, "--risks")
    if request.config.getoption("--update-goldens"):
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")
