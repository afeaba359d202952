"""`evidence sign`: what another job measured is hashed and judged again, or it is not signed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from aims_gate.__main__ import guarded
from aims_gate.attest.signers import KEY_VARIABLE
from aims_gate.errors import TrustError
from aims_gate.evidence.unsigned import read_unsigned
from tests.support.laws import law

CASES = Path(__file__).parents[1] / "contract"
DATA = ["--data", "evaluation=evaluation.csv"]
TRUST = (
    "apiVersion: aims-gate/v1\nkind: Trust\n"
    "keys: [{person: gate@acme.example, public_key: gate.key.pub, roles: [gate]}]\n"
)
Tree = dict[str, Any]


def _measured(case: str, folder: Path) -> Path:
    """Measure a contract case in a job without a key."""
    shutil.copytree(CASES / case, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(KEY_VARIABLE, raising=False)
        assert guarded(["evidence", "key", "generate"]) == 0
        command = ["run", "--model", "file:model", *DATA, "--unsigned", "--out", "e", "--quiet"]
        assert guarded(command) in {0, 1}
    (folder / "trust.yaml").write_text(TRUST, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _measured("met", tmp_path_factory.mktemp("met") / "met")


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _measured("biased", tmp_path_factory.mktemp("biased") / "biased")


class Job:
    """A separate job with the key, and what the measuring job left for it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.evidence = folder / "e"
        self._capsys = capsys

    def sign(self, *more: str, model: str = "file:model") -> tuple[int, str]:
        """Give the exit code and what was said on standard error."""
        self._capsys.readouterr()
        code = guarded(["evidence", "sign", "e", "--model", model, "--key", "gate.key", *more])
        return code, self._capsys.readouterr().err

    def refuses(self, words: str, *more: str, code: int = 4, **model: str) -> None:
        found, said = self.sign(*more, **model)
        assert (found, words in said) == (code, True), said
        assert not (self.folder / "e-signed").exists()

    def statement(self, stem: str) -> Tree:
        tree: Tree = canonical.parse((self.evidence / f"{stem}.statement.json").read_bytes())
        return tree

    def put(self, stem: str, tree: Tree) -> None:
        (self.evidence / f"{stem}.statement.json").write_bytes(canonical.encode(tree))

    def forge(self, change: Callable[[Tree], object], *, report: bool = True) -> None:
        """Change the evaluation and, the same way, the report; and mend what refers to it.

        In the report keys have other names and numbers are numbers, so *change* is told both.
        """
        tree = self.statement("evaluation")
        path = self.evidence / "report.json"
        told = json.loads(path.read_text(encoding="utf-8"))
        change(tree["predicate"])
        if report:
            change(told)
            path.write_text(json.dumps(told), encoding="utf-8")
            tree["predicate"]["report"] = {"sha256": canonical.sha256(path.read_bytes())}
        self.put("evaluation", tree)


@pytest.fixture
def job(
    met: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Job:
    """Stand in the signing job, beside evidence of a policy that is met."""
    shutil.copytree(met, tmp_path / "job")
    monkeypatch.chdir(tmp_path / "job")
    return Job(tmp_path / "job", capsys)


@pytest.fixture
def refusal(
    biased: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Job:
    """Stand in the signing job, beside evidence of a policy that is not met."""
    shutil.copytree(biased, tmp_path / "refusal")
    monkeypatch.chdir(tmp_path / "refusal")
    return Job(tmp_path / "refusal", capsys)


# --- genuine -------------------------------------------------------------------------------------


def test_genuine_measurements_are_signed_and_verify(job: Job) -> None:
    """And the evidence says, on every verification, that an unsigned job measured."""
    assert job.sign(*DATA)[0] == 0
    statement = canonical.parse((Path("e-signed") / "evaluation.statement.json").read_bytes())
    mine, theirs = statement["predicate"], job.statement("evaluation")["predicate"]
    assert mine.pop("measuredBy") == "unsigned"
    assert mine.pop("report") != theirs.pop("report")
    assert mine == theirs
    command = ["verify", "e-signed", "--model", "model", "--trust", "trust.yaml"]
    assert guarded(command) == 0
    assert "measured:  by an unsigned job" in job._capsys.readouterr().out


def test_a_refusal_is_signed_as_one(refusal: Job) -> None:
    assert refusal.sign()[0] == 1
    command = ["verify", "e-signed", "--model", "model", "--trust", "trust.yaml"]
    assert guarded(command) == 1


def test_unsigned_evidence_itself_never_verifies(job: Job) -> None:
    assert guarded(["verify", "e", "--model", "model", "--trust", "trust.yaml"]) == 4


# --- numbers and outcomes ------------------------------------------------------------------------


def _cell(tree: Tree, rule: int = 1, cell: int = 0) -> Tree:
    found: Tree = tree["results"][rule]["statistics"][cell]
    return found


def _number(tree: Tree, text: str) -> object:
    """Write a number as the evaluation does, or as the report does."""
    return text if "evaluationId" in tree else float(text)


def _value(tree: Tree) -> None:
    for cell in tree["results"][1]["statistics"]:
        if cell["value"] is not None:
            cell["value"] = _number(tree, "0.97")


def _interval(tree: Tree) -> None:
    for cell in tree["results"][1]["statistics"]:
        for name in ("interval", "alone"):
            if cell[name]:
                cell[name]["low"] = _number(tree, "0.96")
                cell[name]["high"] = _number(tree, "0.98")


def _outcome(tree: Tree) -> None:
    raw = "rawOutcome" if "evaluationId" in tree else "raw_outcome"
    tree["results"][1].update({"outcome": "PASS", raw: "PASS", "blocking": False})
    tree["verdict"] = "passed"


@pytest.mark.parametrize("change", [_value, _interval, _outcome])
def test_a_change_of_one_file_contradicts_the_other(
    refusal: Job, change: Callable[[Tree], None]
) -> None:
    """A value, an interval or an outcome in the evaluation alone."""
    refusal.forge(change, report=False)
    refusal.refuses("contradicts the evaluation" if change is not _interval else "contradicts")


def _curves(number: int) -> Callable[[Tree], object]:
    """Add so many curves to a cell."""
    curve = {"kind": "roc", "x": ["0", "0.5", "1"], "y": ["0", "0.75", "1"]}
    return lambda tree: _cell(tree).update(curves=[curve] * number)


def test_curves_are_signed_with_the_numbers(job: Job) -> None:
    job.forge(_curves(2))
    assert job.sign()[0] == 0
    signed = json.loads((job.folder / "e-signed" / "report.json").read_text(encoding="utf-8"))
    assert _cell(signed)["curves"] == [{"kind": "roc", "x": [0, 0.5, 1], "y": [0, 0.75, 1]}] * 2


def test_curves_of_one_file_alone_or_past_the_bound_are_not_signed(refusal: Job) -> None:
    refusal.forge(_curves(2), report=False)
    refusal.refuses("contradicts the evaluation")
    refusal.forge(_curves(61))
    refusal.refuses("is not what these measurements give: results")


def test_an_outcome_that_the_numbers_do_not_give(refusal: Job) -> None:
    """In evaluation and report alike, as somebody would who wants to be let through."""
    refusal.forge(_outcome)
    refusal.refuses("is said to be 'PASS', and judged again it is FAIL")


def test_a_value_that_the_outcome_does_not_follow_from(refusal: Job) -> None:
    refusal.forge(_value)
    refusal.forge(_interval)
    refusal.refuses("is said to be 'FAIL', and judged again it is PASS")


def test_numbers_and_outcome_that_the_reason_is_not_about(refusal: Job) -> None:
    """Whoever changes both forgets the sentence, or a summary, or a count."""
    for change in (_value, _interval, _outcome):
        refusal.forge(change)
    refusal.refuses("is not about its numbers")


def test_summary_and_test_result_follow_from_the_numbers(refusal: Job) -> None:
    """The decision alone, in the statement that others read."""
    tree = refusal.statement("vsa")
    tree["predicate"].update(verificationResult="PASSED", verifiedLevels=["AIMS_GATE_X"])
    refusal.put("vsa", tree)
    refusal.refuses("vsa.statement.json: is not what these measurements give")
    tree = refusal.statement("test-result")
    tree["predicate"]["failedTests"] = []
    refusal.put("test-result", tree)
    refusal.refuses("test-result.statement.json: is not what these measurements give")


def test_what_stays_of_a_consistent_lie(refusal: Job) -> None:
    """The evidence says whose word the numbers are; a copy of the data bounds what they are of."""
    refusal.forge(lambda tree: tree["datasets"][0].update(name="other.csv"))
    assert refusal.sign()[0] == 1
    signed = canonical.parse((Path("e-signed") / "evaluation.statement.json").read_bytes())
    assert signed["predicate"]["measuredBy"] == "unsigned"


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["results"][1].update(severity="warn"),
        lambda p: p["results"][1].update(blocking=False),
        lambda p: p["results"][1].update(controls=["iso42001:A.1"]),
        lambda p: p["results"][1]["threshold"].update(atLeast="0.1"),
        lambda p: p["results"][1].update(waiver="W-1"),
        lambda p: p["results"][1].update(expires="2030-01-01T00:00:00Z"),
        lambda p: p["policy"].update(version="9"),
        lambda p: p["policy"].update(extends=[{"uri": "pack:x", "digest": {"sha256": "0" * 64}}]),
        lambda p: p["model"]["annotations"].update(files=9),
        lambda p: p.update(verdict="passed"),
        lambda p: p.update(warnings=7),
    ],
)
def test_everything_else_is_what_policy_and_model_give(
    refusal: Job, change: Callable[[Tree], object]
) -> None:
    refusal.forge(change, report=False)
    refusal.refuses("is not what these measurements give")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p["results"].pop(), "contradicts the evaluation"),
        (lambda p: p["results"].reverse(), "contradicts the evaluation"),
        (lambda p: p.update(more=1), "says 'more', which is not known"),
        (lambda p: p.pop("datasets"), "lacks datasets"),
        (lambda p: _cell(p).update(value="NaN"), "is no decimal"),
        (lambda p: _cell(p).update(value="1e999"), "is no decimal"),
        (lambda p: _cell(p).update(value=0.97), "is no decimal"),
        (lambda p: _cell(p).update(lack="missing"), "contradicts the evaluation"),
        (lambda p: _cell(p).update(rows=-1), "of the right type"),
        (lambda p: p.update(evaluationId="../../x"), "is no evaluation id"),
        (lambda p: p.update(finishedOn="2999-01-01T00:00:00Z"), "in the future"),
        (lambda p: p.update(startedOn="2999-01-01T00:00:00Z"), "in the future"),
        (lambda p: p["evaluator"]["version"].update({"aims-gate": "0.0.9"}), "aims-gate '0.0.9'"),
        (lambda p: p["evaluator"]["version"].update(origin="pytest"), "the evidence is local"),
        (lambda p: p.update(stage="dev"), "measured for stage 'dev', not for 'production'"),
        (lambda p: p["model"].update(uri="pkg:mlflow/a@1"), "it was measured as 'pkg:mlflow/a@1'"),
        (lambda p: p["model"]["digest"].update(sha256="0" * 64), "is about two models"),
    ],
)
def test_what_no_measuring_job_writes(
    job: Job, change: Callable[[Tree], object], words: str
) -> None:
    """Rules left out, unknown keys, numbers that are none, other times, versions and places."""
    job.forge(change, report=False)
    job.refuses(words)


def test_rules_left_out_of_evaluation_and_report(refusal: Job) -> None:
    refusal.forge(lambda tree: tree["results"].pop())
    refusal.refuses("its rules are not those of the policy: BIAS-02")


@pytest.mark.parametrize("stem", ["vsa", "test-result"])
def test_statements_that_are_none_are_refused(job: Job, stem: str) -> None:
    """No crash, whatever stands in them."""
    genuine = job.statement(stem)
    for tree in (
        {**genuine, "predicate": {"results": 5}},
        {**genuine, "predicate": 5},
        {**genuine, "subject": []},
        {**genuine, "predicate": {**genuine["predicate"], "more": 1}},
        5,
    ):
        (job.evidence / f"{stem}.statement.json").write_bytes(canonical.encode(tree))
        assert job.sign()[0] == 4
    (job.evidence / f"{stem}.statement.json").write_bytes(b"\xff")
    assert job.sign()[0] == 4


# --- policy, model, data -------------------------------------------------------------------------


def test_a_loosened_policy_is_refused(job: Job) -> None:
    """In the evidence, or where the signing side keeps its own."""
    path = job.evidence / "policy.resolved.yaml"
    genuine = path.read_text(encoding="utf-8")
    path.write_text(genuine.replace("0.8", "0.1"), encoding="utf-8")
    job.refuses("another policy was applied than met@1.0.0")
    path.write_text(genuine, encoding="utf-8")
    policy = Path("policy.yaml").read_text(encoding="utf-8")
    Path("policy.yaml").write_text(policy.replace("0.70", "0.60"), encoding="utf-8")
    job.refuses("another policy was applied")


def test_other_bytes_of_the_model_are_refused(job: Job) -> None:
    """Beside the genuine list, and with a list of their own."""
    (some,) = [path for path in Path("model").iterdir() if path.is_file()][:1]
    some.write_bytes(some.read_bytes() + b"\n")
    job.refuses("the model is not the one that was measured")
    digest = canonical.sha256(some.read_bytes())
    listing = job.evidence / "model.sha256"
    lines = listing.read_text(encoding="utf-8").splitlines()
    changed = [f"{digest}  {some.name}" if some.name in line else line for line in lines]
    listing.write_text("\n".join(changed) + "\n", encoding="utf-8")
    job.refuses("is about another model than model.sha256")


def test_another_place_of_the_same_bytes_is_refused(job: Job) -> None:
    """Evidence of one registered name must not be signed for another."""
    shutil.copytree("model", "other")
    job.refuses("it was measured as 'pkg:generic/model'", model="file:other")


def test_a_dataset_s_digest_is_held_against_a_copy(job: Job) -> None:
    """Changed in both files it contradicts nothing, so a copy of the data is what tells."""

    def change(tree: Tree) -> None:
        (data,) = tree["datasets"]
        if isinstance(data["digest"], dict):
            data["digest"]["sha256"] = "5" * 64
        else:
            data["digest"] = "5" * 64

    job.forge(change, report=False)
    job.refuses("contradicts the evaluation")
    job.forge(lambda tree: change(tree) if "evaluationId" not in tree else None)
    job.refuses("the evaluation data are not those that were measured", *DATA)
    job.refuses("no reference data were measured", "--data", "reference=evaluation.csv", code=2)
    job.refuses("cannot read", "--data", "evaluation=nowhere.csv", code=2)


# --- use -----------------------------------------------------------------------------------------


def test_what_is_signed_is_not_signed_again(job: Job) -> None:
    assert job.sign()[0] == 0
    code = guarded(["evidence", "sign", "e-signed", "--model", "file:model", "--key", "gate.key"])
    assert code == 2
    assert job.sign()[0] == 3, "and nothing is written over"


@pytest.mark.parametrize("name", ["report.json", "vsa.statement.json", "policy.resolved.yaml"])
def test_a_missing_file_is_refused(job: Job, name: str) -> None:
    (job.evidence / name).unlink()
    job.refuses(f"{name}: a file of the evidence is missing")


def test_nothing_to_sign_is_a_wrong_argument(job: Job) -> None:
    shutil.rmtree(job.evidence)
    job.refuses("there is no evidence directory", code=2)


def test_another_stage_is_signed_only_if_it_was_measured(job: Job) -> None:
    job.refuses("measured for stage 'production', not for 'dev'", "--stage", "dev")


@law(60)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(met: Path, data: bytes) -> None:
    """With a TrustError, never another."""
    for name in ("evaluation.statement.json", "report.json"):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(met / "e", folder, dirs_exist_ok=True)
            (Path(folder) / name).write_bytes(data)
            with pytest.raises(TrustError):
                read_unsigned(Path(folder))
