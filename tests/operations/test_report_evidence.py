"""A past verdict says by whose keys it was verified, or that it was not; a forged one is none."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aims_gate.cli import cli
from aims_gate.errors import GateError, SourceError, TrustError, UsageError
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.reports import REPORTS
from aims_gate.verdict import Authenticity, Verdict
from tests.evidence.test_rebuild import written
from tests.operations.test_verify import write_trust
from tests.support.proofs import NOW, Lab, new_signer, verdict_of

GOLDEN = Path(__file__).parents[1] / "golden" / "evidence-0.1"
THEN = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.make(tmp_path)


def asked(**changes: Any) -> EvidenceQuestion:
    usual = {"evidence": str(GOLDEN / "evidence"), "trust": GOLDEN / "trust.yaml"}
    return EvidenceQuestion(**{**usual, "environ": {}, **changes})


def standing(verdict: Verdict) -> tuple[Authenticity, str]:
    assert verdict.standing is not None
    return verdict.standing.authenticity, verdict.standing.told


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the golden evidence, to be tampered with."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "golden")) / "evidence"


def test_evidence_of_version_0_1_is_verified_and_passed() -> None:
    verdict = read_past(asked(), now=THEN)
    assert verdict.passed
    worth, told = standing(verdict)
    assert worth is Authenticity.VERIFIED
    assert "ci@example.org" in told
    assert str(GOLDEN / "trust.yaml") in told
    assert "bytes were not compared" in told
    assert verdict.standing is not None
    assert len(verdict.standing.until) == 2
    assert len(verdict.standing.unrecorded) == 4


def test_without_a_trust_file_anybody_could_have_written_it() -> None:
    verdict = read_past(asked(trust=None), now=THEN)
    assert not verdict.passed
    assert standing(verdict)[0] is Authenticity.UNVERIFIED
    assert "anybody could have written it" in REPORTS["text"](verdict)


def test_unsigned_evidence_is_called_so(copied: Path) -> None:
    for path in copied.glob("*.dsse.json"):
        path.unlink()
    verdict = read_past(asked(evidence=str(copied), trust=None), now=THEN)
    assert "it is unsigned" in standing(verdict)[1]
    with pytest.raises(TrustError, match="not signed"):
        read_past(asked(evidence=str(copied)), now=THEN)


def test_what_has_ended_is_shown_and_does_not_hold(copied: Path) -> None:
    """The policy ends in 2099: the report remains readable, and is no pass any more."""
    later = datetime(2099, 2, 1, tzinfo=UTC)
    assert standing(read_past(asked(), now=later))[0] is Authenticity.REFUSED  # its key, too
    trust = copied.parent / "trust.yaml"
    lines = trust.read_text(encoding="utf-8").splitlines(keepends=True)
    trust.write_text("".join(x for x in lines if "valid_until" not in x), encoding="utf-8")
    verdict = read_past(asked(trust=trust), now=later)
    worth, told = standing(verdict)
    assert worth is Authenticity.EXPIRED
    assert "ci@example.org" in told
    assert "which is over" in told
    assert not verdict.passed
    assert REPORTS["text"](verdict).count("expired: ") == 1


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    "file",
    [
        *("report.json", "policy.resolved.yaml", "model.sha256", "evaluation.statement.json"),
        *("vsa.statement.json", "test-result.dsse.json"),
    ],
)
def test_a_changed_or_missing_file_is_not_shown(copied: Path, file: str, *, trusted: bool) -> None:
    """With a trust file and without: the files must name each other either way."""
    how = asked(evidence=str(copied), **({} if trusted else {"trust": None}))
    path = copied / file
    data = path.read_bytes()
    path.write_bytes(data.replace(b"e", b"f", 1))
    with pytest.raises(TrustError):
        read_past(how, now=THEN)
    path.unlink()
    with pytest.raises(TrustError):
        read_past(how, now=THEN)


def test_a_key_that_nobody_trusts_shows_nothing(copied: Path) -> None:
    (copied.parent / "gate.key.pub").write_text(new_signer().key.pem, encoding="utf-8")
    with pytest.raises(TrustError, match="not trusted"):
        read_past(asked(evidence=str(copied), trust=copied.parent / "trust.yaml"), now=THEN)


def test_a_revoked_verdict_is_shown_as_revoked(lab: Lab) -> None:
    """Whoever looks at the past must see that it was taken back, and read what it said."""
    written(lab, verdict_of(lab.manifest, lab.signer))
    write_trust(lab)
    trust = lab.folder / "trust.yaml"
    how = asked(evidence=str(lab.evidence), trust=trust)
    assert read_past(how, now=NOW).passed
    frozen = Frozen(evidence=str(lab.evidence))
    why = Revoking(signer=lab.signer, why="labels were wrong", trust=trust, out=None, environ={})
    revoke(frozen, why, now=NOW)
    verdict = read_past(how, now=NOW + timedelta(minutes=1))
    assert standing(verdict)[0] is Authenticity.REFUSED
    assert "labels were wrong" in standing(verdict)[1]
    assert verdict.exit_code == 4


def test_a_place_without_evidence(tmp_path: Path) -> None:
    """Neither a folder that is not there nor a store that is not is a report."""
    with pytest.raises(UsageError, match="no such evidence directory"):
        read_past(asked(evidence=str(tmp_path / "nowhere")), now=THEN)
    environ = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/none.db"}
    with pytest.raises(SourceError, match="no such MLflow store"):
        read_past(asked(evidence="models:/credit/1", environ=environ), now=THEN)


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["evidence", "report", *words], standalone_mode=False)
    if isinstance(done.exception, GateError):
        return done.exception.exit_code, str(done.exception)
    assert done.exception is None
    return int(done.return_value), done.stdout


@pytest.mark.parametrize("name", REPORTS)
def test_the_command_writes_every_format(tmp_path: Path, name: str) -> None:
    """To standard output and to a file, the same; it exits 0 whatever the report says."""
    words = (str(GOLDEN / "evidence"), "--format", name)
    code, told = _run(*words)
    assert code == 0
    assert "verified" in told
    code, more = _run(*words, "--out", str(tmp_path / "report"))
    assert (code, more) == (0, "")
    written = (tmp_path / "report").read_text()
    assert _undated(name, written) == _undated(name, told) or name == "text"


def _undated(name: str, text: str) -> str:
    """The text without the moment at which it was read."""
    if name != "json":
        return text
    tree = json.loads(text)
    del tree["standing"]["read"]
    return json.dumps(tree)


def test_the_command_refuses_and_writes_nothing(tmp_path: Path, copied: Path) -> None:
    (copied / "report.json").write_text("{}")
    out = tmp_path / "page.html"
    code, told = _run(str(copied), "--format", "text", "--out", str(out))
    assert (code, "not the report that was signed" in told) == (4, True)
    assert not out.exists()
    code, told = _run(str(GOLDEN / "evidence"), "--format", "pdf")
    assert (code, "unknown report format" in told) == (2, True)
    code, told = _run(str(copied), "--out", str(copied / "page.html"))
    assert (code, "may not lie in the evidence" in told) == (2, True)
    assert not os.path.lexists(copied / "page.html")
