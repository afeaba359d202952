"""`[tool.aims-gate]` as its user meets it: `run` and `verify` without arguments."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded

CASE = Path(__file__).parents[1] / "contract" / "met"
TABLE = """\
[tool.aims-gate]
policy = "policy.yaml"
model = "file:model"
key = "gate.key"
out = "evidence"
no-publish = true
data = {evaluation = "evaluation.csv"}
report = {markdown = "summary.md"}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a model, data, a policy that is met, and a key."""
    folder = tmp_path / "repo"
    shutil.copytree(CASE, folder)
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("AIMS_GATE_SIGNING_KEY", raising=False)
    assert guarded(["evidence", "key", "generate", "--out", "gate.key"]) == 0
    (folder / "pyproject.toml").write_text(TABLE, encoding="utf-8")
    return folder


def test_run_needs_no_arguments(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything comes from the file, which is named on standard error even under --quiet."""
    assert guarded(["run", "--quiet"]) == 0
    said = capsys.readouterr().err
    assert "defaults of pyproject.toml [tool.aims-gate]: policy = policy.yaml" in said
    report = json.loads((repository / "evidence/report.json").read_text(encoding="utf-8"))
    assert report["evidence"]["signed"] is True
    assert (repository / "summary.md").exists()


def test_run_from_a_folder_below(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of the file mean the same wherever one stands in the repository."""
    (repository / "src").mkdir()
    monkeypatch.chdir(repository / "src")
    assert guarded(["run"]) == 0
    assert (repository / "evidence/report.json").exists()


def test_no_defaults_leaves_the_file_out(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --no-defaults not even a broken file matters, and there is no model."""
    (repository / "pyproject.toml").write_text("[tool.aims-gate", encoding="utf-8")
    assert guarded(["run"]) == 2
    assert "is not TOML" in capsys.readouterr().err
    assert guarded(["run", "--no-defaults", "--unsigned"]) == 2
    assert "there is no model to gate" in capsys.readouterr().err


def test_unsigned_is_for_the_command_line_only(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that asks for unsigned evidence is refused; the option beats the file's key."""
    assert guarded(["run", "--unsigned"]) == 0
    report = json.loads((repository / "evidence/report.json").read_text(encoding="utf-8"))
    assert report["evidence"]["signed"] is False
    (repository / "pyproject.toml").write_text(f"{TABLE}unsigned = true\n", encoding="utf-8")
    assert guarded(["run"]) == 2
    assert "pyproject.toml:9: tool.aims-gate.unsigned: cannot be set" in capsys.readouterr().err


def test_a_key_of_the_environment_comes_first(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CI's own key signs, whatever key file a pull request names."""
    assert guarded(["evidence", "key", "generate", "--out", "ci.key"]) == 0
    fingerprint = capsys.readouterr().out.rsplit("fingerprint: ", 1)[1].strip()
    private = (repository / "ci.key").read_text(encoding="utf-8")
    monkeypatch.setenv("AIMS_GATE_SIGNING_KEY", private)
    assert guarded(["run"]) == 0
    report = json.loads((repository / "evidence/report.json").read_text(encoding="utf-8"))
    assert report["evidence"]["key"] == fingerprint


def test_the_files_data_do_not_displace_the_policys(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy that says where its data come from is not talked round by the file: exit 2."""
    policy = repository / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    sourced = text.replace("{label: y", "{source: 'file:evaluation.csv', label: y")
    assert sourced != text
    policy.write_text(sourced, encoding="utf-8")
    assert guarded(["run"]) == 2
    assert "data.evaluation: the policy says where these data come" in capsys.readouterr().err
    assert not (repository / "evidence").exists()


def test_a_lower_stage_is_warned_about(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stage from the file that is not the strictest is told on every run."""
    text = f'{TABLE}stage = "dev"\n'
    (repository / "pyproject.toml").write_text(text, encoding="utf-8")
    assert guarded(["run", "--quiet"]) == 0
    said = capsys.readouterr().err
    assert "warning: pyproject.toml asks for stage dev, which is not the strictest" in said


def test_verify_takes_the_trust_file_only(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`verify` reads `trust`, says so, and still wants the strictest stage."""
    assert guarded(["run", "--stage", "dev"]) == 0
    trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
    trust += "  - {person: a@example.org, public_key: gate.key.pub, roles: [gate]}\n"
    (repository / "who.yaml").write_text(trust, encoding="utf-8")
    text = f'{TABLE}trust = "who.yaml"\nstage = "dev"\n'
    (repository / "pyproject.toml").write_text(text, encoding="utf-8")
    verify = ["verify", "evidence", "--model", "model"]
    capsys.readouterr()
    assert guarded(verify) == 4
    assert (
        "defaults of pyproject.toml [tool.aims-gate]: trust = who.yaml" in capsys.readouterr().err
    )
    assert guarded([*verify, "--stage", "dev"]) == 0
    assert guarded([*verify, "--stage", "dev", "--no-defaults"]) == 2
