"""Attempts to talk the gate round, each on the real command line or the real pipeline."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import aims_gate
from aims_gate.attest import keys
from aims_gate.errors import PolicyError, TrustError, UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.policy.packs import read_pack
from aims_gate.policy.resolve import load
from aims_gate.verdict import Outcome, Result

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: attacked, version: "1.0.0", owner: risk@acme.example}
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    folder = tmp_path / "credit"
    folder.mkdir()
    (folder / "model.txt").write_text("weights", encoding="utf-8")
    return f"file:{folder}"


def scored(seed: int, *, rows: int = 1_500, shift: float = 0.0) -> dict[str, Any]:
    """Give cases of which the model gets one group's positives wrong twice as often."""
    random = np.random.default_rng(seed)
    y, women = random.integers(0, 2, rows), random.random(rows) < 0.4
    wrong = random.random(rows) < np.where(women, 0.5, 0.1)
    return {
        "y": y,
        "yhat": np.where(wrong, 1 - y, y),
        "sex": np.where(women, "F", "M"),
        "income": random.normal(shift, 1, rows),
    }


def written(path: Path, columns: Mapping[str, Any], roles: Mapping[str, Any] | None = None) -> Path:
    """Write Parquet with *roles* in its metadata, as an author can without `log_evaluation`."""
    table = pa.table(dict(columns))
    if roles is not None:
        table = table.replace_schema_metadata({"aims_gate.roles": json.dumps(roles)})
    parquet.write_table(table, path)
    return path


def judged(tmp_path: Path, model: str, rest: str, data: Mapping[str, object]) -> Result:
    """Give what becomes of the one rule of a policy."""
    (tmp_path / "policy.yaml").write_text(HEAD + rest, encoding="utf-8")
    (result,) = aims_gate.run(tmp_path / "policy.yaml", model, data=data).results
    return result


def test_a_logged_role_cannot_make_the_label_its_own_prediction(tmp_path: Path, model: str) -> None:
    """A label compared with itself has equal odds in every group."""
    rest = "data: {evaluation: {label: y, sensitive: [sex]}}\n"
    rest += "rules: [{id: B-1, check: fairness.odds}]\n"
    honest = written(tmp_path / "a.parquet", scored(1), {"prediction": "yhat"})
    forged = written(tmp_path / "b.parquet", scored(1), {"prediction": "y"})
    assert judged(tmp_path, model, rest, {"evaluation": honest}).outcome is Outcome.FAIL
    refused = judged(tmp_path, model, rest, {"evaluation": forged})
    assert refused.outcome is Outcome.ERROR
    assert "named both as label and as prediction" in refused.reason


def test_a_logged_positive_class_does_not_turn_a_named_prediction_around(
    tmp_path: Path, model: str
) -> None:
    """Selection of 10 % against 5 % is a ratio of 0.5; rejection of 90 % against 95 % is 0.95."""
    rows: dict[str, Any] = {"yhat": ([1] * 200 + [0] * 1_800) + ([1] * 100 + [0] * 1_900)}
    rows["sex"] = ["M"] * 2_000 + ["F"] * 2_000
    data = {"evaluation": written(tmp_path / "e.parquet", rows, {"positive": 0})}
    rest = "data: {evaluation: {prediction: yhat, sensitive: [sex]}}\n"
    rest += "rules: [{id: B-1, check: fairness.impact_ratio}]\n"
    assert judged(tmp_path, model, rest, data).outcome is Outcome.FAIL


def test_a_column_that_a_logged_role_takes_out_of_drift_is_named(
    tmp_path: Path, model: str
) -> None:
    """Roles are logged with the data, so what they leave out must be seen in the evidence."""
    before = written(tmp_path / "before.parquet", scored(1))
    after = written(tmp_path / "after.parquet", scored(2, shift=3), {"key": "income"})
    rest = "rules: [{id: M-1, check: drift.columns}]\n"
    result = judged(tmp_path, model, rest, {"reference": before, "current": after})
    left_out = {s.slice: s.reason for s in result.statistics if s.name == "left_out"}
    assert left_out == {"income": "left out: a role of the current data, not an input"}


def test_no_cell_of_a_row_is_named_as_a_class(tmp_path: Path, model: str) -> None:
    """A policy that names the wrong column must not publish that column's values."""
    rows = {**scored(1), "ssn": [f"123-45-{i:04d}" for i in range(1_500)]}
    data = {"evaluation": written(tmp_path / "e.parquet", rows)}
    rest = "data: {evaluation: {prediction: ssn, sensitive: [sex]}}\n"
    rest += "rules: [{id: B-1, check: fairness.impact_ratio}]\n"
    result = judged(tmp_path, model, rest, data)
    assert result.outcome is Outcome.ERROR
    assert "123-45" not in repr(result)


def test_an_empty_key_is_refused_and_not_taken_for_none(tmp_path: Path, model: str) -> None:
    """An unset variable of a CI system must not turn signed evidence into no evidence."""
    (tmp_path / "policy.yaml").write_text(
        HEAD + "rules: [{id: I-1, check: integrity.model}]\n", encoding="utf-8"
    )
    with pytest.raises(UsageError, match="no key to sign"):
        aims_gate.run(tmp_path / "policy.yaml", model, key="")


@pytest.mark.parametrize("stages", ["[dev, production, final]", "[production, dev]"])
def test_a_child_cannot_put_a_stage_behind_the_strictest(tmp_path: Path, stages: str) -> None:
    """Behind the last stage too little data would only warn at `production`."""
    policy = tmp_path / "policy.yaml"
    text = f"{HEAD}extends: [{{pack: release@1.0.0}}]\nstages: "
    policy.write_text(f"{text}{stages}\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="stages"):
        load(str(policy))
    policy.write_text(f"{text}[dev, production]\n", encoding="utf-8")
    assert load(str(policy)).stages == ("dev", "production")


def test_a_policy_that_only_says_it_descends_from_the_floor_does_not(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name, its comments, a file called like the pack: what counts is what the gate read."""
    monkeypatch.chdir(tmp_path)
    keys.generate(tmp_path / "gate.key", password=None)
    trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
    trust += "  - {person: gate, public_key: gate.key.pub, roles: [gate]}\n"
    (tmp_path / "trust.yaml").write_text(trust, encoding="utf-8")
    floor = f"sme-starter@1.0.0@{hashlib.sha256(read_pack('sme-starter@1.0.0')).hexdigest()}"

    def told(policy: str, name: str) -> Verified:
        out = tmp_path / name
        aims_gate.run(policy, model, key="gate.key", out=out, publish=False)
        return aims_gate.verify(out, model=model.removeprefix("file:"), floor=floor)

    pack = read_pack("sme-starter@1.0.0").decode()
    weak = pack.replace("at_least: 0.65", "at_least: 0.05")
    Path("honest.yaml").write_text(f"{HEAD}extends: [{{pack: sme-starter@1.0.0}}]\n", "utf-8")
    assert told("honest.yaml", "honest").decision == "refused"
    assert told("pack:sme-starter@1.0.0", "itself").decision == "refused"
    resolved = Path("honest/policy.resolved.yaml").read_text("utf-8")
    assert resolved.startswith('# from pack "sme-starter@1.0.0" sha256:')
    Path("commented.yaml").write_text(resolved.replace("at_least: 0.65", "at_least: 0.05"), "utf-8")
    Path("pack:sme-starter@1.0.0").write_text(weak, "utf-8")
    digest = hashlib.sha256(weak.encode()).hexdigest()
    parent = f"extends: [{{uri: 'file:pack:sme-starter@1.0.0', sha256: '{digest}'}}]\n"
    Path("child.yaml").write_text(HEAD + parent, "utf-8")
    with pytest.raises(PolicyError, match="reads as the pack 'sme-starter'"):
        told("./pack:sme-starter@1.0.0", "impostor")
    for number, policy in enumerate(("commented.yaml", "child.yaml")):
        with pytest.raises(TrustError, match="descend"):
            told(policy, f"impostor{number}")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "--no-such-option"], 2),
        (["run", "absent.yaml", "--model", "file:.", "--unsigned"], 2),
        (["verify", "absent", "--model", ".", "--trust", "absent.yaml"], 2),
        (["run", "pack:release@1.0.0", "--model", "file:absent", "--unsigned"], 3),
    ],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_exit_codes_hold_where_nobody_can_read_why(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    """An unwritable standard error is no policy that is not met, which would be 1."""
    command = [sys.executable, "-m", "aims_gate", *arguments]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stderr=full, stdout=full, cwd=tmp_path, check=False)
    assert done.returncode == code


def test_what_strangers_wrote_acts_on_no_log_and_keeps_its_secrets(tmp_path: Path) -> None:
    """Names in error messages are not obeyed by a terminal or a build's log."""
    name = "https://u:hunter2@h/\n::error::x \x1b[2J ##vso[task.complete result=Succeeded;]"
    policy = "pack:release@1.0.0"
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", "run", policy, "--model", name, "--unsigned"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 2
    assert "no source reads https" in done.stderr
    for harmful in ("::error", "\x1b", "##vso", "hunter2"):
        assert harmful not in done.stderr


@pytest.mark.parametrize(
    ("reports", "code"),
    [(["text=-"], 3), (["json=a", "text=a"], 2), (["json=a"], 0)],
    ids=["to a closed stdout", "one over the other", "to a file"],
)
def test_a_report_that_was_asked_for_is_not_lost_in_silence(
    reports: list[str], code: int, tmp_path: Path, model: str
) -> None:
    """A met policy does not excuse a report that nobody gets."""
    (tmp_path / "policy.yaml").write_text(
        HEAD + "rules: [{id: I-1, check: integrity.model}]\n", encoding="utf-8"
    )
    wanted = [part for report in reports for part in ("--report", report)]
    command = [sys.executable, "-m", "aims_gate", "run", "--model", model, "--unsigned", *wanted]
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    assert subprocess.run(closed, cwd=tmp_path, check=False).returncode == code
