"""A run reads the records beside its policy, and its evidence says which, and what was material."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.__main__ import guarded
from aims_gate.errors import UsageError
from aims_gate.governance import material
from aims_gate.governance.contract import Records
from aims_gate.operations.aims.approve import approve
from aims_gate.operations.judged import judged
from aims_gate.operations.verify import Expectation, prove
from aims_gate.oversight import Oversight
from aims_gate.policy.resolve import load
from aims_gate.system_records import open_records
from tests.support.records import edit, write_records
from tests.support.waiving import NOW, Team

RISKS = "aims/risks.yaml"
SKLEARN = """\
flavors: {sklearn: {sklearn_version: 1.5.0}}
signature: {inputs: '[{"type": "double", "name": "age", "required": true}]'}
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    folder = tmp_path_factory.mktemp("team")
    team = Team.make(folder)
    (folder / "model/MLmodel").write_text(SKLEARN, encoding="utf-8")
    write_records(folder)
    return team


def test_evidence_names_the_records_and_what_was_material(team: Team) -> None:
    verdict = team.run()
    risks = (team.folder / RISKS).read_bytes()
    assert verdict.versions[f"record:{RISKS}"] == canonical.sha256(risks)
    assert "record:log" in verdict.versions
    assert {name for name in verdict.versions if name.startswith("material:")} == {
        f"material:{part}" for part in material.PARTS
    }


def test_a_document_is_assessed_for_the_model_of_evidence_and_signed(
    team: Team, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIMS_GATE_SIGNING_KEY", raising=False)
    verdict = team.run()
    assert verdict.evidence is not None
    evidence, path, trust = (
        Path(verdict.evidence.directory),
        team.folder / RISKS,
        team.folder / "trust.yaml",
    )
    assert guarded(["aims", "approve", str(path), "--evidence", str(evidence)]) == 0
    assert "nobody signed; commit it, and let another person" in capsys.readouterr().out
    done = approve(
        path, signer=team.keys["bo@acme.example"], trust=trust, evidence=evidence, now=NOW
    )
    assert not done.assessed, "nothing moved since"
    assert done.person == "bo@acme.example"
    (document,) = today(team, evidence).of("risks")
    assert material.moved(document, today(team, evidence)) == ()
    edit(team.folder / "aims/system.yaml", "[applicants, joint applicants]", "[applicants]")
    (document,) = today(team, evidence).of("risks")
    assert material.moved(document, today(team, evidence)) == ("use",)


def today(team: Team, evidence: Path) -> Records:
    """Records as they are, with what the model of the evidence stated."""
    policy = load(str(team.folder / "policy.yaml"))
    people = Oversight.beside(
        policy, None, trust=None, base=None, believing=False, now=NOW, environ={}
    )
    records = open_records(policy, people, private=team.folder, environ={})
    assert records is not None
    assert judged(evidence).material
    measured = {
        "flavour": ("sklearn",),
        "inputs": ("age: double",),
        "protected": (),
        "threshold": ("none",),
    }
    return replace(records, material={**records.material, **measured})


def test_evidence_without_records_assesses_nothing(tmp_path: Path) -> None:
    other = Team.make(tmp_path)
    verdict = other.run()
    assert verdict.evidence is not None
    assert not [name for name in verdict.versions if name.startswith(("record:", "material:"))]
    write_records(tmp_path)
    with pytest.raises(UsageError, match="the evidence says nothing of flavour"):
        approve(
            tmp_path / RISKS,
            signer=None,
            trust=tmp_path / "trust.yaml",
            evidence=Path(verdict.evidence.directory),
            now=NOW,
        )


def test_evidence_that_names_records_verifies(team: Team) -> None:
    verdict = team.run()
    assert verdict.evidence is not None
    question = Expectation(
        evidence=verdict.evidence.directory,
        trust=team.folder / "trust.yaml",
        model=str(team.folder / "model"),
    )
    assert prove(question, now=NOW).exit_code == 1, "authentic, and refused"
