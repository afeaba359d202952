"""The pack sme-starter over real records: met when whole, and each change turns its own rule."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.conftest import TRUST, JudgedModel
from tests.support.records import edit, write_records

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "2.0.0", owner: bo@acme.example}
extends: [{pack: sme-starter@1.2.0}]
data:
  evaluation: {label: repaid, prediction: prediction, score: score, positive: 1, sensitive: [sex]}
"""
APPROVER = "  - {person: bo, public_key: bo.key.pub, roles: [approver]}\n"
WRITTEN = date(2026, 11, 29)
"""The day on which the records of tests are in order."""


def of_today(folder: Path) -> None:
    """Shift every day that the records say, so that they are in order today, too."""
    shift = datetime.now(UTC).date() - WRITTEN

    def shifted(found: re.Match[str]) -> str:
        return f"{date.fromisoformat(found[0]) + shift}"

    for path in [*folder.rglob("*.yaml"), *folder.rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\d{4}-\d{2}-\d{2}\b(?!-)", shifted, text), encoding="utf-8")


def unmet(model: str) -> tuple[dict[str, str], Path]:
    """Run the policy; the rules that refuse with their outcomes, and the evidence."""
    before = set(Path("aims-gate-evidence").rglob("report.json"))
    options = ["--model", model, "--unsigned", "--no-publish", "--trust", "trust.yaml"]
    assert guarded(["run", "policy.yaml", *options]) in {0, 1}
    (report,) = set(Path("aims-gate-evidence").rglob("report.json")) - before
    results = json.loads(report.read_text(encoding="utf-8"))["results"]
    return {one["rule"]: one["outcome"] for one in results if one["blocking"]}, report.parent


@pytest.mark.filterwarnings("ignore")
def test_whole_records_and_another_persons_yes_meet_the_starter(
    judged: JudgedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then an open incident, a TODO and a date without an act turn three rules, and no other."""
    shutil.copy(judged.folder / "gate.key.pub", tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "trust.yaml").write_text(TRUST + APPROVER, encoding="utf-8")
    aims, _org = write_records(tmp_path)
    of_today(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", judged.environ["MLFLOW_TRACKING_URI"])
    assert guarded(["evidence", "key", "generate", "--out", "bo.key"]) == 0
    assert guarded(["aims", "approve", "aims/risks.yaml", "--key", "bo.key"]) == 0

    found, evidence = unmet(judged.uri)
    assert found == {"GOV-01": "MISSING"}
    asked = ["--evidence", str(evidence), "--by", "ada", "--why", "the release of this quarter"]
    assert guarded(["approval", "draft", "validator", *asked, "--out", "approvals/a.yaml"]) == 0
    assert guarded(["approval", "approve", "approvals/a.yaml", "--key", "bo.key"]) == 0
    assert unmet(judged.uri)[0] == {}

    (entry,) = (aims / "log").iterdir()
    entry.write_text(
        re.sub("closed: .*\n", "", entry.read_text(encoding="utf-8")), encoding="utf-8"
    )
    edit(aims / "card.md", "It errs more often for applicants under 20.", "TODO")
    risks = (aims / "risks.yaml").read_text(encoding="utf-8")
    bumped = re.sub("effective: .*", f"effective: {datetime.now(UTC):%Y-%m-%d}", risks)
    (aims / "risks.yaml").write_text(bumped, encoding="utf-8")
    assert unmet(judged.uri)[0] == {"INC-01": "FAIL", "DOC-02": "MISSING", "RISK-01": "STALE"}
