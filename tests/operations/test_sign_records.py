"""Records that one job measured are read again, and their rules measured again, to be signed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.__main__ import guarded
from aims_gate.attest.signers import KEY_VARIABLE
from tests.support.records import edit, write_records

MET = Path(__file__).parents[1] / "contract" / "met"
DATA = "evaluation=evaluation.csv"
RULES = """\
  - {id: REC-01, check: records.complete, with: {kinds: [risks, system, runbook]}}
  - {id: RISK-04, check: risks.treated, with: {strength: declared}}
  - {id: REC-05, check: records.consistent, with: {of: [objectives]}}
  - {id: INC-01, check: log.open}
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Measure without a key, records included; *before* the signing, something may be changed."""
    folder = tmp_path / "job"
    shutil.copytree(MET, folder)
    write_records(folder)
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text("utf-8") + RULES, "utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert guarded(["evidence", "key", "generate"]) == 0

    def run(before: Callable[[], object] = lambda: None, *, code: int = 0) -> int:
        command = ["run", "--model", "file:model", "--data", DATA, "--unsigned", "--out", "e"]
        assert guarded([*command, "--quiet"]) == code
        before()
        return guarded(["evidence", "sign", "e", "--model", "file:model", "--key", "gate.key"])

    return run


def outcomes(folder: str) -> dict[str, str]:
    told = json.loads(Path(folder, "report.json").read_text("utf-8"))
    return {one["rule"]: one["outcome"] for one in told["results"]}


def test_what_was_measured_is_measured_again_in_both_passes_and_signed(
    job: Callable[..., int],
) -> None:
    assert job() == 0
    assert outcomes("e-signed") == outcomes("e")
    assert set(outcomes("e-signed").values()) == {"PASS"}
    assert list(outcomes("e-signed"))[2:] == ["REC-01", "RISK-04", "REC-05", "INC-01"]


def test_a_treatment_whose_rule_did_not_run_refuses_and_is_signed_as_that(
    job: Callable[..., int],
) -> None:
    edit(Path("aims/risks.yaml"), "rules: [BIAS-02]", "rules: [BIAS-02, MON-04]")
    assert job(code=1) == 1
    assert outcomes("e-signed")["RISK-04"] == "MISSING"


def test_records_that_changed_between_the_jobs_are_not_signed_for(
    job: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    risks = Path("aims/risks.yaml")
    assert job(lambda: edit(risks, "Income shifts", "Income moves")) == 4
    assert "other records were measured" in capsys.readouterr().err
    assert not Path("e-signed").exists()


def test_a_forged_pass_of_the_second_pass_is_not_signed(
    job: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The measuring job says that a treatment worked whose rule is not in the policy."""
    edit(Path("aims/risks.yaml"), "rules: [BIAS-02]", "rules: [BIAS-02, MON-04]")

    def forge() -> None:
        report = Path("e/report.json")
        told = json.loads(report.read_text("utf-8"))
        place = Path("e/evaluation.statement.json")
        tree = canonical.parse(place.read_bytes())
        for results, raw in (
            (told["results"], "raw_outcome"),
            (tree["predicate"]["results"], "rawOutcome"),
        ):
            (treated,) = (one for one in results if one["rule"] == "RISK-04")
            treated |= {"outcome": "PASS", raw: "PASS", "blocking": False}
            number = 0.0 if raw == "raw_outcome" else "0"
            for cell in treated["statistics"]:
                cell |= {"value": number, "lack": None}
        told["verdict"] = tree["predicate"]["verdict"] = "passed"
        report.write_text(json.dumps(told), "utf-8")
        tree["predicate"]["report"] = {"sha256": canonical.sha256(report.read_bytes())}
        place.write_bytes(canonical.encode(tree))

    assert job(forge, code=1) == 4
    told = "RISK-04 is said to be 'PASS', and judged again it is MISSING"
    assert told in capsys.readouterr().err
