"""What a workflow step leaves behind on every exit code, for people and for the steps after it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.__main__ import guarded
from aims_gate.attest.statement import statement_file
from aims_gate.errors import RecordError
from aims_gate.github.step_files import SUMMARY, write_outputs
from tests.github.conftest import reported
from tests.reports.cases import BIAS, CASES, HOSTILE, SIGNED, hostile_verdict, verdict_of
from tests.support.github_api import GitHub

NAMES = {
    "verdict", "exit-code", "evidence-path", "evidence-digest", "model-digest", "report-paths",
    "report-json",
}  # fmt: skip


def outputs(step: Path) -> dict[str, str]:
    """Read the outputs as GitHub's runner does: `name<<delimiter`, lines, the delimiter."""
    lines = iter((step / "output").read_text(encoding="utf-8").split("\n"))
    found: dict[str, str] = {}
    for line in lines:
        if not line:
            continue
        name, marks, delimiter = line.partition("<<")
        assert marks, f"the runner refuses {line!r}"
        value = []
        for inner in lines:
            if inner == delimiter:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found


def publish(code: int, *more: str) -> int:
    return guarded(
        ["github", "publish", "--report", "report.json", "--exit-code", str(code), *more]
    )


@pytest.mark.parametrize(
    ("case", "verdict", "code"),
    [
        ("passed", "passed", 0),
        ("refused", "refused", 1),
        ("ended", "undecided", 2),
        ("undecided", "undecided", 3),
        ("nothing-decided", "undecided", 3),
        ("untrusted", "undecided", 4),
        ("hostile", "refused", 1),
    ],
)
def test_every_exit_code_has_all_outputs_a_summary_and_its_own_code(
    step: Path, case: str, verdict: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert publish(reported(CASES[case], step)) == code
    found = outputs(step)
    assert found.keys() == NAMES
    assert (found["verdict"], found["exit-code"]) == (verdict, str(code))
    assert found["report-paths"] == found["report-json"] == "report.json"
    assert (step / "summary").read_text(encoding="utf-8").startswith("### ")
    told = capfd.readouterr().out
    assert ("::error " in told) is (code != 0)


def test_the_outputs_name_the_evidence_and_the_model(step: Path) -> None:
    kept = step / "evidence"
    kept.mkdir()
    (kept / statement_file("vsa")).write_bytes(b"{}")
    verdict = replace(CASES["passed"], evidence=replace(SIGNED, directory="evidence"))
    (step / "r.sarif").write_text("{}", encoding="utf-8")
    reported(verdict, step)
    assert publish(0, "--also", "sarif=r.sarif", "--also", "junit=none.xml") == 0
    found = outputs(step)
    assert found["evidence-path"] == "evidence"
    assert found["evidence-digest"] == f"sha256:{canonical.sha256(b'{}')}"
    assert found["model-digest"] == f"sha256:{verdict.model.digest}"
    assert found["report-sarif"] == "r.sarif"
    assert found["report-junit"] == ""
    assert found["report-paths"].split("\n") == ["report.json", "r.sarif"]
    assert found["evidence-digest"] in (step / "summary").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 137])
@pytest.mark.parametrize("left", [None, "", "{}", "[]", '{"schema": 1}', "\x00", "passed"])
def test_no_file_that_was_left_behind_makes_a_run_look_passed(
    step: Path, code: int, left: str | None
) -> None:
    """No report, none that can be read, one that says something else than the run."""
    if left == "passed":
        reported(CASES["passed"], step)
    elif left is not None:
        (step / "report.json").write_text(left, encoding="utf-8")
    if left == "passed" and code == 0:
        return
    assert publish(code) == (code or 3)
    found = outputs(step)
    assert found.keys() == NAMES
    assert found["verdict"] == "undecided"
    assert found["exit-code"] == str(code or 3)
    assert "not decided" in (step / "summary").read_text(encoding="utf-8")


def test_a_refusal_that_exits_zero_is_undecided(step: Path) -> None:
    reported(CASES["refused"], step)
    assert publish(0) == 3
    assert outputs(step)["verdict"] == "undecided"


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "passed"},
        {"verdict": "passed", "exit_code": 0},
        {"exit_code": 0},
        {"results": []},
        {"results": None},
        {"model": "x"},
    ],
)
def test_a_report_that_contradicts_itself_is_undecided(step: Path, change: object) -> None:
    reported(CASES["refused"], step)
    told = json.loads((step / "report.json").read_text(encoding="utf-8"))
    (step / "report.json").write_text(json.dumps({**told, **dict(change)}), encoding="utf-8")  # type: ignore[call-overload]
    code = publish(0)
    assert code == 3
    assert outputs(step)["verdict"] == "undecided"


@pytest.mark.parametrize("case", ["passed", "refused", "ended", "undecided"])
def test_observe_ends_0_says_the_same_and_that_it_only_observes(step: Path, case: str) -> None:
    code = reported(CASES[case], step)
    assert publish(code) == code
    enforced, shown = outputs(step), (step / "summary").read_text(encoding="utf-8")
    (step / "output").unlink()
    (step / "summary").unlink()
    assert publish(code, "--mode", "observe") == 0
    assert outputs(step) == enforced
    observed = (step / "summary").read_text(encoding="utf-8")
    note = "The gate only observes here: this step ends well whatever the verdict is.\n\n"
    assert observed.replace(note, "") == shown != observed


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_adds_an_output_or_a_command(
    step: Path, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert publish(reported(hostile_verdict(text), step)) == 1
    assert outputs(step).keys() == NAMES
    told = capfd.readouterr().out
    assert re.fullmatch(r"(?:::(?:error|warning) [^\r\n]*\n)+", told)


def test_a_value_with_its_delimiter_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with pytest.raises(RecordError, match="delimiter"):
        write_outputs(output, {"a": "x\naims-gate-guessed\nverdict=passed"}, lambda: "guessed")
    assert not output.exists()


def test_delimiters_are_never_the_same(tmp_path: Path) -> None:
    write_outputs(tmp_path / "output", {str(n): "" for n in range(50)})
    found = re.findall(r"<<(.*)", (tmp_path / "output").read_text(encoding="utf-8"))
    assert len(set(found)) == 50


def test_outputs_that_cannot_be_written_are_an_error(
    step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(step / "none" / "output"))
    assert publish(reported(CASES["passed"], step)) == 3


def test_a_summary_that_cannot_be_written_is_a_warning(
    step: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step / "none" / "summary"))
    assert publish(reported(CASES["passed"], step)) == 0
    assert "::warning title=aims-gate::the summary was not written" in capfd.readouterr().out


def test_a_summary_keeps_its_limit_beside_what_is_there(step: Path) -> None:
    """Cut on a row: GitHub shows nothing of a summary that is too long."""
    many = [replace(BIAS, rule=f"BIAS-{n}", reason="wörd " * 300) for n in range(150)]
    verdict = verdict_of(*many, decision=CASES["refused"].decision)
    (step / "summary").write_text("x" * 850_000, encoding="utf-8")
    assert publish(reported(verdict, step)) == 1
    assert SUMMARY - 3_000 < (step / "summary").stat().st_size <= SUMMARY
    assert "more do not fit here" in (step / "summary").read_text(encoding="utf-8")


def test_annotations_name_the_policy_from_the_repositorys_root(
    step: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    below = step / "models" / "credit"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert publish(reported(CASES["refused"], below)) == 1
    assert "::error file=models/credit/policy.yaml,line=41,title=BIAS-02" in capfd.readouterr().out


def test_outside_of_github_it_only_annotates(
    step: Path, monkeypatch: pytest.MonkeyPatch, hub: GitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_NAME", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name)
    assert publish(reported(CASES["refused"], step), "--comment") == 1
    assert capfd.readouterr().out.count("::error ") == 5
    assert not hub.seen


def test_an_unknown_format_is_refused(step: Path) -> None:
    assert publish(0, "--also", "sarfi=x") == 2


@pytest.mark.parametrize(
    ("diff", "words"),
    [
        ("loosened  BIAS-02 require.at_least: 0.8 -> 0.7\n", "loosened BIAS-02"),
        (None, "the difference could not be read"),
    ],
)
def test_what_the_policy_changes_is_shown_or_why_it_is_not(
    step: Path, diff: str | None, words: str
) -> None:
    if diff is not None:
        (step / "diff.txt").write_text(diff, encoding="utf-8")
    assert publish(reported(CASES["passed"], step), "--policy-diff", "diff.txt") == 0
    told = (step / "summary").read_text(encoding="utf-8")
    assert "**What changes in the policy**" in told
    assert words in told
