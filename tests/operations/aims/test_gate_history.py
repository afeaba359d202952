"""Only what trusted keys signed is history; all else is told as a problem and counts nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aims_gate.attest.statement import statement_file
from aims_gate.errors import UsageError
from aims_gate.evidence.predicates import SUMMARY
from aims_gate.operations.aims.gate_history import GateHistory, GateHistoryQuestion, read_history
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from tests.support.gated import SERVER, Gated
from tests.support.proofs import new_signer

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    return Gated(tmp_path)


def read(gated: Gated, *, trusted: bool = True) -> GateHistory:
    trust = gated.trust if trusted else None
    return read_history(GateHistoryQuestion(folders=(gated.folder,), trust=trust), now=NOW)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_verdicts_and_promotions_are_read_oldest_first(gated: Gated) -> None:
    second = gated.judge("credit", "8", ago(1))
    first = gated.judge("credit", "7", ago(9))
    gated.judge("credit", "9", ago(0.5), passed=False)
    gated.promote(first, ago(8))
    gated.promote(second, ago(0.9), previous="7")
    found = read(gated)
    assert [one.model.version for one in found.verdicts] == ["7", "8", "9"]
    assert [one.version for one in found.moves] == ["7", "8"]
    assert found.moves[0].who == "gate@acme.example"
    assert found.live("credit") == "8"
    assert not found.live("churn")
    assert found.models() == {"credit"}
    assert found.problems == ()


def test_without_a_trust_file_nothing_counts(gated: Gated) -> None:
    gated.promote(gated.judge("credit", "7", ago(2)), ago(1))
    gated.judge("credit", "8", ago(1))
    found = read(gated, trusted=False)
    assert (found.verdicts, found.moves) == ((), ())
    (problem,) = found.problems
    assert "without a trust file" in problem


def test_a_sheet_lists_a_few_problems_and_counts_the_rest() -> None:
    told = GateHistory(problems=tuple(f"e{n}: bad" for n in range(14))).uncounted()
    assert (told[0], told[-1]) == ("not counted: e0: bad", "not counted: 4 more places of evidence")
    assert len(told) == 11
    assert GateHistory(problems=("e: bad",)).uncounted() == ("not counted: e: bad",)


def test_unsigned_and_altered_evidence_are_problems(gated: Gated) -> None:
    gated.judge("credit", "7", ago(2), signed=False)
    altered = gated.judge("credit", "8", ago(1))
    (altered / "report.json").write_text("{}", encoding="utf-8")
    found = read(gated)
    assert found.verdicts == ()
    assert len(found.problems) == 2
    assert any("not signed" in one for one in found.problems)


def test_a_promotion_that_a_stranger_signed_serves_nothing(gated: Gated) -> None:
    evidence = gated.judge("credit", "7", ago(2))
    own, gated.lab.signer = gated.lab.signer, new_signer()
    gated.promote(evidence, ago(1))
    gated.lab.signer = own
    found = read(gated)
    assert not found.live("credit")
    assert len(found.problems) == 1


def test_a_promotion_of_another_day_than_its_name_says_is_a_problem(gated: Gated) -> None:
    """An old name would let a key that has expired sign today."""
    folder = gated.promote(gated.judge("credit", "7", ago(2)), ago(1))
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace(f"{ago(1):%Y%m%dT}", f"{ago(5):%Y%m%dT}"))
    found = read(gated)
    assert found.moves == ()
    assert "another time" in found.problems[0]


def test_a_folder_that_is_not_there_is_a_problem_and_no_trust_file_is_an_error(
    gated: Gated, tmp_path: Path
) -> None:
    asked = GateHistoryQuestion(folders=(tmp_path / "none",), trust=gated.trust)
    assert "no such folder" in read_history(asked, now=NOW).problems[0]
    with pytest.raises(UsageError):
        read_history(GateHistoryQuestion(trust=tmp_path / "none"), now=NOW)


def test_what_a_deployment_requires_hides_no_verdict(gated: Gated) -> None:
    """Neither a refusal, which nobody approves, nor what monitoring found at a stage of its own."""
    gated.judge("credit", "7", ago(2))
    gated.judge("credit", "7", ago(1), passed=False)
    demand = "deploy:\n  - {models: ['*'], stage: live, approvals: [validator]}\n"
    gated.trust.write_text(gated.trust.read_text("utf-8") + demand, encoding="utf-8")
    found = read(gated)
    assert [one.passed for one in found.verdicts] == [True, False]
    assert found.problems == ()


def test_a_promotion_by_a_revoked_key_serves_nothing(gated: Gated) -> None:
    gated.promote(gated.judge("credit", "7", ago(2)), ago(1))
    how = Revoking(signer=gated.lab.signer, why="it was on a lost laptop", trust=gated.trust)
    key = gated.lab.signer.key.fingerprint
    revoke(Frozen(key_fingerprint=key, since=ago(1.5)), how, now=ago(0.5))
    found = read(gated)
    assert (found.moves, found.live("credit")) == ((), "")
    assert "was revoked" in found.problems[0]
    assert len(found.verdicts) == 1, "it was signed before"


def test_evidence_that_lost_a_file_is_a_problem_and_not_forgotten(gated: Gated) -> None:
    gated.judge("credit", "7", ago(2))
    refused = gated.judge("credit", "7", ago(1), passed=False)
    (refused / statement_file(SUMMARY.name)).unlink()
    found = read(gated)
    assert len(found.verdicts) == 1
    assert str(refused) in found.problems[0]


def test_a_name_that_its_author_chose_and_another_server_s_are_elsewhere(
    gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the trust file tells servers apart; two addresses that it does not name may be one."""
    gated.judge("credit", "7", ago(3))
    gated.judge("credit", "", ago(2), place="pkg:generic/credit")
    gated.judge("credit", "7", ago(1), place="pkg:mlflow/credit@7?repository_url=http%3A%2F%2Fdev")
    first, folder, dev = (one.evidence.id for one in read(gated).verdicts if one.evidence)
    assert read(gated).elsewhere == {folder}
    servers = f"servers: {{prod: ['{SERVER}'], dev: ['http://dev'], folders: ['file:']}}\n"
    gated.trust.write_text(gated.trust.read_text("utf-8") + servers, encoding="utf-8")
    monkeypatch.setattr("aims_gate.operations.aims.gate_history.open_registry", lambda _: _Prod())
    asked = GateHistoryQuestion(folders=(gated.folder,), trust=gated.trust, mlflow=True)
    assert read_history(asked, now=NOW).elsewhere == {folder, dev}
    assert first not in read_history(asked, now=NOW).elsewhere


class _Prod:
    """A registry at the address of production, with nothing in it."""

    server = SERVER

    def runs(self, *_args: object, **_options: object) -> list[str]:
        return []

    def model_names(self) -> list[str]:
        return []
