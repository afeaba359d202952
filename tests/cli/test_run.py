"""`aims-gate run`, `explain` and `policy` from the command line, refusals first."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.__main__ import guarded
from aims_gate.attest import keys
from aims_gate.errors import TrustError

CONTRACT = Path(__file__).parents[1] / "contract"
RUN = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--quiet"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of the contract case whose policy is met, without a key."""
    shutil.copytree(CONTRACT / "met", tmp_path / "met")
    monkeypatch.chdir(tmp_path / "met")
    monkeypatch.delenv("AIMS_GATE_SIGNING_KEY", raising=False)
    return tmp_path / "met"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "there is no key to sign the evidence with"),
        (["--unsigned", "--key", "gate.key"], 2, "choose one"),
        (["--key", "nowhere.key"], 2, "nowhere.key"),
        (["--unsigned", "--stage", "prod"], 2, "unknown stage 'prod'; did you mean 'production'"),
        (["--unsigned", "--data", "evaluation=b.csv"], 2, "given twice"),
        (["--unsigned", "--data", "evalution=b.csv"], 2, "unknown data role 'evalution'"),
        (["--unsigned", "--data", "evaluation"], 2, "is not ROLE=URI"),
        (["--unsigned", "--report", "pdf=x.pdf"], 2, "unknown report format 'pdf'"),
        (["--unsigned", "--report", "json=nowhere/x.json"], 2, "no folder for the report"),
        (["--unsigned", "--report", "json=/proc/x.json"], 3, "could not be written"),
        (["--unsigned", "--out", "e", "--report", "json=e/report.json"], 2, "in the evidence"),
        (["--unsigned", "--data", "reference=evaluation.csv"], 2, "no rule reads the reference"),
        (["--unsigned", "--out", "model"], 2, "never overwritten"),
        (["--unsigned", "--out", "policy.yaml/e"], 2, "policy.yaml: Not a directory"),
        (["--unsigned", "--out", "/proc/e/f"], 2, "nothing can be written to /proc"),
    ],
)
def test_what_is_refused(
    options: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each misuse has its code and says what to do."""
    assert guarded([*RUN, *options]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        ("model", 2, "write file:model"),
        ("s3://bucket/model", 2, "no source reads s3: URIs"),
        ("file:nowhere", 3, "nowhere"),
    ],
)
def test_models_that_are_none(
    model: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A URI of no known form is misuse; a folder that is not there could not be read."""
    assert guarded(["run", "--model", model, "--unsigned", "--quiet"]) == code
    assert words in capsys.readouterr().err


def test_evidence_goes_below_the_digest_unless_out_says_where(folder: Path) -> None:
    """`aims-gate-evidence/<first 12 of the model digest>/<evaluation id>`; --out is exact."""
    assert guarded([*RUN, "--unsigned"]) == 0
    (report,) = folder.glob("aims-gate-evidence/*/*/report.json")
    told = json.loads(report.read_text(encoding="utf-8"))
    assert report.parent.parent.name == told["model"]["digest"][:12]
    assert report.parent.name == told["evidence"]["id"]
    assert guarded([*RUN, "--unsigned", "--out", "exactly/here"]) == 0
    assert (folder / "exactly" / "here" / "report.json").is_file()
    assert not list(folder.glob("**/*.dsse.json"))


@pytest.mark.skipif(os.geteuid() != 0 and sys.platform != "linux", reason="needs a full device")
def test_a_full_disk_is_undecided(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence that cannot be written is exit 3, whatever the model is worth."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))
    try:
        code = guarded([*RUN, "--unsigned", "--out", "evidence"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 3
    assert not (folder / "evidence").exists()
    assert "aims-gate: error" in capsys.readouterr().err


def test_every_report_is_written_where_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A format to a file, and `-` puts one on standard output in place of the table."""
    reports = ["--report", "json=r.json", "--report", "junit=r.xml", "--report", "markdown=-"]
    assert guarded([*RUN, "--unsigned", *reports]) == 0
    assert json.loads((folder / "r.json").read_text(encoding="utf-8"))["verdict"] == "passed"
    assert (folder / "r.xml").read_text(encoding="utf-8").startswith("<?xml")
    out = capsys.readouterr().out
    assert "policy met" in out
    assert "|" in out


def test_a_key_from_the_environment_signs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AIMS_GATE_SIGNING_KEY holds the key itself."""
    assert guarded(["evidence", "key", "generate", "--out", "gate.key"]) == 0
    monkeypatch.setenv("AIMS_GATE_SIGNING_KEY", (folder / "gate.key").read_text(encoding="utf-8"))
    assert guarded([*RUN, "--out", "evidence", "--verifier-id", "https://ci.example/gate"]) == 0
    assert len(list((folder / "evidence").glob("*.dsse.json"))) == 3


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The report alone is on standard output."""
    assert guarded([*RUN[:-1], "--unsigned"]) == 0
    told = capsys.readouterr()
    assert "aims-gate: reading file:model" in told.err
    assert "aims-gate: " not in told.out


def test_explain_knows_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """One rule, all rules, and an unknown one with the near names."""
    assert guarded(["explain", "policy.yaml", "BIAS-02"]) == 0
    one = capsys.readouterr().out
    assert "impact ratio at least 0.8, noticeable past 0.9, serious at 0.6" in one
    assert "burden of proof: proven_breach" in one
    assert "PERF-01" not in one
    assert guarded(["explain", "policy.yaml"]) == 0
    assert "PERF-01" in capsys.readouterr().out
    assert guarded(["explain", "policy.yaml", "BIAS-20"]) == 2
    assert "did you mean 'BIAS-02'" in capsys.readouterr().err


@pytest.mark.tool("jq")
def test_explain_tells_what_evidence_decided_and_on_which_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For an auditor: verdict, model, time, verifier, key, owner, data; and per rule the values."""
    keys.generate(folder / "gate.key", password=None)
    line = [*RUN, "--out", "e", "--key", "gate.key", "--verifier-id", "https://ci.example/gate"]
    assert guarded(line) == 0
    capsys.readouterr()
    assert guarded(["explain", "e"]) == 0
    told = capsys.readouterr()
    report = json.loads((folder / "e" / "report.json").read_text(encoding="utf-8"))
    assert "not verified here; aims-gate verify e" in told.err
    assert "decision:    policy met at stage production" in told.out
    assert "policy owner: tests@example.org" in told.out
    assert "https://ci.example/gate" in told.out
    assert f"by key {report['evidence']['key']}" in told.out
    for one in (report["model"]["digest"], report["datasets"][0]["digest"]):
        assert one in told.out
    assert f"sha256:{canonical.sha256_file(folder / 'e' / 'policy.resolved.yaml')}" in told.out
    shown = " ".join(told.out.split())
    for result in report["results"]:
        outcome = f"outcome: {result['outcome']} (not in the way): {result['reason']}"
        assert outcome in shown
    value = "value: impact ratio sex=F (best) 1 (95 % 0.938-1.066); limit 0.8, line 0.9; n=2,000"
    assert value in shown
    assert "why: none is written in the policy; the check asks: Selection rate" in shown
    for command in re.findall(r"^  (jq .+)$", told.out, flags=re.MULTILINE):
        done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)
        assert "BIAS-02" in done.stdout or '"at_least": 0.7' in done.stdout
    (page,) = re.findall(r"^  aims-gate (evidence report .+)$", told.out, flags=re.MULTILINE)
    assert guarded(page.split()) == 0
    assert "Unverified claim" in (folder / "report.html").read_text(encoding="utf-8")
    assert guarded(["explain", "e", "BIAS-02"]) == 0
    one = capsys.readouterr().out
    assert "PERF-01" not in one
    assert "line_below" in json.dumps(report["results"][1]["threshold"])


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("policy.resolved.yaml", "vsa.statement.json"),
        ("evaluation.statement.json", "vsa.statement.json"),
        ("report.json", "evaluation.statement.json"),
    ],
)
def test_explain_tells_no_file_that_its_evidence_does_not_name(
    name: str, by: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A limit or a number that was edited, and a file that is gone."""
    assert guarded([*RUN, "--unsigned", "--out", "e"]) == 0
    changed = folder / "e" / name
    changed.write_bytes(changed.read_bytes() + b"\n")
    capsys.readouterr()
    assert guarded(["explain", "e"]) == TrustError.exit_code
    assert f"e/{name}: {by} does not name this file" in capsys.readouterr().err
    for gone in (changed, folder / "e" / by):
        gone.unlink()
        if name != "policy.resolved.yaml" or gone != changed:
            assert guarded(["explain", "e"]) != 0


def test_policy_check_says_everything_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Problems of the text and of the plan come in one run, sorted by line."""
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    text = text.replace("rules:", "rulez: 1\nrules:").replace(
        "impact_ratio,", "parity, with: {by: 3},"
    )
    (folder / "bad.yaml").write_text(text, encoding="utf-8")
    for command in (["policy", "check"], ["run", "--model", "file:nowhere", "--unsigned"]):
        assert guarded([*command, "bad.yaml"]) == 2
        told = capsys.readouterr().err
        assert "unknown key 'rulez'" in told
        assert "parameter 'by'" in told
    assert guarded(["policy", "check", "policy.yaml"]) == 0
    assert "sound: 2 rules" in capsys.readouterr().out


def test_policy_check_is_quiet_if_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts and hooks before a commit hear of problems only; a decimal comma is one."""
    assert guarded(["policy", "check", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    comma = text + "  - {id: BIAS-09, check: fairness.parity, require: {at_most: 0,20}}\n"
    (folder / "comma.yaml").write_text(comma, encoding="utf-8")
    assert guarded(["policy", "check", "--quiet", "comma.yaml"]) == 2
    assert "unknown key '20' in BIAS-09: require; a decimal comma" in capsys.readouterr().err


def test_faulty_data_hide_no_faulty_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bins that do not ascend are one problem, and the rules below them are looked at, too."""
    head = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: x, version: '1'}\n"
    text = (
        "data: {evaluation: {label: y, sensitive: {age: [45, 25]}}}\nrules:\n"
        "  - {id: PERF-01, check: performance.score, with: {metric: auc}}\n"
        "  - {id: BIAS-02, check: fairness.parity, with: {by: [sex], reference: race=a}}\n"
    )
    (folder / "bad.yaml").write_text(head + text, encoding="utf-8")
    assert guarded(["policy", "check", "bad.yaml"]) == 2
    told = capsys.readouterr().err
    assert "bad.yaml:4: data.evaluation.sensitive has bin edges of age" in told
    assert "did you mean 'roc_auc' or 'macro_roc_auc'?" in told
    assert "'race=a' is not a group of sex; write it as in reports" in told


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--stage", "prod"], 2, "unknown stage 'prod'"),
        (["--key", "nowhere.key"], 2, "nowhere.key"),
        (["--model", "file:nowhere"], 3, "nowhere"),
        (["--out", "model"], 2, "model"),
        (["broken.yaml"], 2, "broken.yaml:1"),
        (["absent.yaml"], 2, "absent.yaml"),
    ],
)
def test_reports_are_written_whatever_the_exit_code(
    options: list[str], code: int, words: str, folder: Path
) -> None:
    """A step that runs `if: always()` finds them, and what is wrong stands in the same fields."""
    (folder / "broken.yaml").write_text("apiVersion: aims-gate/v9\n", encoding="utf-8")
    kinds = {"json": "r.json", "markdown": "r.md", "junit": "r.xml", "text": "r.txt"}
    asked = [word for kind, path in kinds.items() for word in ("--report", f"{kind}={path}")]
    unsigned = [] if "--key" in options else ["--unsigned"]
    assert guarded([*RUN, *unsigned, *asked, *options]) == code
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert report["exit_code"] == code
    blocking = [result for result in report["results"] if result["blocking"]]
    assert blocking
    assert any(words in result["reason"] + result["place"] for result in blocking)
    for path in kinds.values():
        assert Path(path).stat().st_size > 0
    assert f"exit code   {code}" in Path("r.txt").read_text(encoding="utf-8")
    assert "failures" in Path("r.xml").read_text(encoding="utf-8")


def test_a_run_into_evidence_that_is_there_leaves_its_reports(folder: Path) -> None:
    """The same line again is exit 2 before anything is measured, and the first report stays."""
    line = [*RUN, "--unsigned", "--out", "e", "--report", "json=r.json"]
    assert guarded(line) == 0
    before = (folder / "r.json").read_bytes()
    assert guarded(line) == 2
    assert (folder / "r.json").read_bytes() == before


def test_a_crash_is_reported_without_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_arguments: object) -> None:
        raise ZeroDivisionError("a row of somebody")

    monkeypatch.setattr("aims_gate.pipeline.run", crash)
    assert guarded([*RUN, "--unsigned", "--report", "json=r.json"]) == 3
    report = Path("r.json").read_text(encoding="utf-8")
    assert "the gate crashed (ZeroDivisionError)" in report
    assert "somebody" not in report
    capsys.readouterr()
    unwritable = ["--report", "json=model/no", "--report", "text=r.txt"]
    Path("model/no").mkdir()
    assert guarded([*RUN, "--unsigned", *unwritable]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("log", "command"),
    [
        ("github", "::error file=met/broken.yaml,line=1,title=GATE-1 ERROR::"),
        ("azure", "##vso[task.logissue type=error;sourcepath=met/broken.yaml;linenumber=1;]GATE-1"),
        ("gitlab", "ERROR met/broken.yaml:1 GATE-1 ERROR"),
    ],
)
def test_a_build_log_is_annotated_at_the_policys_line(
    log: str,
    command: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the repository's root, whatever folder the gate runs in, and on exit 2, too."""
    for name in ("GITHUB_WORKSPACE", "BUILD_SOURCESDIRECTORY", "CI_PROJECT_DIR"):
        monkeypatch.setenv(name, str(folder.parent))
    (folder / "broken.yaml").write_text("apiVersion: aims-gate/v9\n", encoding="utf-8")
    assert guarded([*RUN, "broken.yaml", "--unsigned", "--output-format", log]) == 2
    assert command in capsys.readouterr().out
    assert guarded([*RUN, "--unsigned", "--output-format", log]) == 0
    out = capsys.readouterr().out
    assert "exit code   0" in out
    assert not re.search(r"error file=|type=error|^ERROR", out)


def test_a_build_log_and_a_report_do_not_share_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = [*RUN, "--unsigned", "--report", "json=-", "--output-format", "github"]
    assert guarded(line) == 2
    assert "share standard output" in capsys.readouterr().err
