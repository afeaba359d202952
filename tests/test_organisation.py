"""examples/organisation: its records are whole, and the year that is built holds when read."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import Strength
from aims_gate.governance.reader import read
from aims_gate.system_records import approved_records
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


def build(folder: Path, weeks: int, release: str = "") -> None:
    main = runpy.run_path(str(HERE / "build.py"))["build"]
    main(folder, end=END, weeks=weeks, release=release)


def told_by(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command of `aims` says on the last day of the year."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert guarded(["aims", *words, "--as-of", f"{END}"]) == 0
    return capsys.readouterr().out


def test_a_day_of_the_organisation_is_built_and_its_records_are_signed(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each system serves a version that met its policy, and another person signed each document."""
    build(built, weeks=0)
    assert told_by(built, capsys, "status").count("✓ policy met  2026-11-30") == 3
    audited(built)
    now = datetime(END.year, END.month, END.day, 23, tzinfo=UTC)
    for name in SYSTEMS:
        place, trust = built / name / "aims", built / "trust.yaml"
        found = approved_records(place, built / "org", trust=trust, now=now, environ={})
        assert [str(one) for one in found.all_problems()] == []
        for document in found.documents:
            stands = standing(document, found, today=END)
            assert (document.path, stands.strength) == (document.path, Strength.SIGNED)


def met_the_baseline(folder: Path) -> dict[str, str]:
    """Decision on the newest version of each system by the policy that extends the pack."""
    reports = sorted((folder / "aims-gate-evidence").glob("*/*/report.json"))
    said = [json.loads(one.read_bytes()) for one in reports]
    judged = {one["model"]["name"]: one for one in said if one["policy"]["version"] == "3.0.0"}
    for one in judged.values():
        assert "iso42001-baseline@1.0.0" in one["policy"]["extends"]
        assert {rule["check"] for rule in one["results"]} >= RECORDS
    return {name: one["verdict"] for name, one in judged.items()}


def audited(folder: Path) -> Printed:
    """Ask an auditor's ten questions of the printed index, without a shell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        index = printed_index(folder, f"{END}")
    unanswered = [one for one in ten_answers(index) if one.endswith(("? ", "? False"))]
    assert unanswered == []
    return index


@nightly
@pytest.mark.timeout(1800)
def test_a_week_of_the_organisation_reads_as_it_did(
    built: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """A version meets the baseline a week after people signed; status, gap and to-do, each word."""
    build(built, weeks=1, release="courses")
    assert met_the_baseline(built) == {"courses": "passed"}
    for words in (("status", "--risks"), ("gap",), ("todo",)):
        golden = HERE / "golden" / f"{words[0]}.txt"
        told = told_by(built, capsys, *words)
        if request.config.getoption("--update-goldens"):
            golden.write_text(told, encoding="utf-8")
        assert told == golden.read_text(encoding="utf-8"), words


@nightly
@pytest.mark.timeout(3600)
def test_a_year_of_the_organisation_ends_with_the_baseline_met(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each system's last version meets the pack, and every line of status says so."""
    build(built, weeks=52)
    index = audited(built)
    assert next(index.find("What failed", "employment", "it was serving", "The list was not sent"))
    assert len(list(index.find("Which versions served", "employment"))) > 2
    assert met_the_baseline(built) == dict.fromkeys(SYSTEMS, "passed")
    assert told_by(built, capsys, "status").count("policy met") == 3
