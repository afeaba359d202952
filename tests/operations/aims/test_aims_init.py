"""`aims init`: what is known is filled in, 30 questions remain at most, and all files are kept."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import RecordError, UsageError
from aims_gate.governance.contract import ProblemKind, RecordDocument
from aims_gate.governance.reader import read
from aims_gate.operations.aims.drafts import Drafting
from aims_gate.operations.aims.filled import filled
from aims_gate.operations.aims.init import draft, draft_organisation
from aims_gate.operations.aims.known import Known
from aims_gate.operations.aims.risks import proposed_risks
from tests.operations.aims.conftest import JudgedModel

pytestmark = pytest.mark.filterwarnings("ignore")
TODAY = date(2026, 11, 30)


@pytest.fixture(scope="session")
def known(judged: JudgedModel) -> Known:
    return judged.look()


@pytest.fixture
def how(tmp_path: Path) -> Drafting:
    return Drafting(folder=tmp_path / "aims", owner="", risk_owner="", today=TODAY)


def documents(folder: Path) -> dict[str, RecordDocument]:
    return {one.kind: one for one in read(folder, None).documents if one.path.startswith("aims/")}


def test_a_fresh_model_asks_at_most_thirty_questions(known: Known, how: Drafting) -> None:
    """And nothing else is wrong with what is drafted: each fault is a question for a person."""
    files = draft(known, how)
    assert sum(one.questions for one in files) <= 30
    faults = [one for one in read(how.folder, None).all_problems() if one.path.startswith("aims/")]
    assert {one.kind for one in faults} == {ProblemKind.TODO}
    assert len(known.facts()) >= 25
    assert all(one.drafted_by == "aims-gate" for one in documents(how.folder).values())


def test_facts_stand_where_they_belong(known: Known, how: Drafting) -> None:
    """Owner, registered name, inputs, protected attributes and the policy are not asked for."""
    draft(known, how)
    found = documents(how.folder)
    assert found["system"].values["registry"] == ("credit",)
    assert [one["rule"] for one in found["system"].values["objectives"]] == ["PERF-01", "BIAS-02"]
    assert {one.owner for one in found.values()} == {"bo@acme.example"}
    assert found["impact"].values["groups"] == ("sex",)
    assert found["architecture"].values["inputs"] == ("income", "age")
    assert found["card"].values["model_digest"] == known.model.digest
    assert "income, age" in found["architecture"].sections["Data flow"]


def test_limits_that_nobody_adopted_are_found_on_the_way(judged: JudgedModel) -> None:
    """Of the pack that a policy extends, until a named person takes them."""
    extending = judged.folder / "extending.yaml"
    text = (judged.folder / "policy.yaml").read_text(encoding="utf-8").partition("rules:")[0]
    extending.write_text(text + "extends:\n  - pack: sme-starter@1.1.0\n", encoding="utf-8")
    told = [one for one in judged.look(policy="extending.yaml").found if "adopted" in one]
    assert len(told) == 1
    assert told[0].startswith("limits that nobody here has adopted: ")
    assert "sme-starter@1.1.0" in told[0]


def test_each_category_has_a_risk_bound_to_rules_of_the_policy(known: Known, how: Drafting) -> None:
    """One that no rule treats says so, and its treatment is a question."""
    draft(known, how)
    risks = {one["category"]: one for one in documents(how.folder)["risks"].values["risks"]}
    assert set(risks) == {"bias", "privacy", "failure", "security"}
    assert risks["bias"]["treatment"]["rules"] == ("BIAS-02",)
    assert risks["failure"]["treatment"]["rules"] == ("PERF-01",)
    assert risks["privacy"]["treatment"]["text"].startswith("TODO")
    assert {tuple(one["inherent"].values()) for one in risks.values()} == {(5, 5)}
    assert all(not one.rules for one in proposed_risks(None))


def test_a_second_time_asks_and_writes_nothing(known: Known, how: Drafting) -> None:
    """Also after a retrain: what people answered stays, to the byte."""
    draft(known, how)
    system = how.folder / "system.yaml"
    system.write_text(system.read_text(encoding="utf-8").replace("TODO: ", ""), encoding="utf-8")
    before = {one: one.read_bytes() for one in how.folder.rglob("*") if one.is_file()}
    again = draft(replace(known, model=replace(known.model, version="2")), how)
    assert all(one.kept for one in again)
    assert {one: one.read_bytes() for one in before} == before


def test_nobody_or_one_person_for_both_roles_is_refused(known: Known, how: Drafting) -> None:
    """Who answers for a system is not made up, and owners accept no risks of their own."""
    with pytest.raises(UsageError, match="nobody is named"):
        draft(replace(known, policy=None), how)
    with pytest.raises(UsageError, match="accept its risks"):
        draft(known, replace(how, risk_owner="bo@acme.example"))
    assert not how.folder.exists()


def test_records_of_another_system_are_refused_before_anything_is_written(
    known: Known, how: Drafting
) -> None:
    """Two systems in one folder would have one inventory, and each other's data sheets."""
    draft(known, how)
    before = {path: path.read_bytes() for path in how.folder.rglob("*.*")}
    other = replace(known, model=replace(known.model, registered="churn"))
    with pytest.raises(UsageError, match=r"records of credit, and not of churn.*--dir churn/aims"):
        draft(other, how)
    assert {path: path.read_bytes() for path in how.folder.rglob("*.*")} == before
    system = how.folder / "system.yaml"
    text = system.read_text(encoding="utf-8")
    system.write_text(text.replace("[credit]", "[credit, churn]"), encoding="utf-8")
    assert all(one.kept for one in draft(other, how))


def test_a_folder_that_is_a_link_is_refused(
    known: Known, how: Drafting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout may hold a link to anywhere."""
    monkeypatch.chdir(how.folder.parent)
    (how.folder.parent / "elsewhere").mkdir()
    how.folder.symlink_to("elsewhere")
    with pytest.raises(RecordError, match="symbolic link"):
        draft(known, how)


def test_hostile_names_draw_no_other_lines(known: Known, how: Drafting) -> None:
    """Names of columns are whatever the author of the model liked."""
    draft(replace(known, inputs=(('x"] --> y\n## Limits', "double"),)), how)
    flow = documents(how.folder)["architecture"].sections["Data flow"]
    assert flow.count("-->") == 3
    assert "x?? --? y ? ? Limits" in flow


def test_an_organisation_decides_for_itself(known: Known, how: Drafting) -> None:
    """Its five documents wait for people; all 38 controls are there, and none is decided."""
    folder = how.folder.parent / "org"
    files = draft_organisation("Acme Ltd", known, replace(how, folder=folder, risk_owner="cy@a.b"))
    found = {one.kind: one for one in read(None, folder).documents if one.path.startswith("org/")}
    assert [one.path.name for one in files] == [Path(one.path).name for one in found.values()]
    faults = [one for one in read(None, folder).all_problems() if one.path.startswith("org/")]
    assert {one.kind for one in faults} == {ProblemKind.TODO}
    controls = found["soa"].values["controls"]
    assert len({one["id"] for one in controls}) == 38
    assert all(one["justification"].startswith("TODO") for one in controls)
    assert {one["status"] for one in controls} == {"planned"}
    people = [one["id"] for one in found["people"].values["people"]]
    assert people == ["bo@acme.example", "cy@a.b"]
    assert found["organisation"].id == "acme-ltd"
    again = draft_organisation("Acme Ltd", known, replace(how, folder=folder))
    assert all(one.kept for one in again)


def test_a_template_without_the_place_for_a_fact_is_found(known: Known) -> None:
    with pytest.raises(KeyError):
        filled("card", marks={"system": "a", "today": "b"}, sections={"Nowhere": "text"})


def test_the_command_says_what_it_took_and_what_waits(
    judged: JudgedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(judged.folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", judged.environ["MLFLOW_TRACKING_URI"])
    command = ["aims", "init", "--model", judged.uri, "--dir", str(tmp_path / "aims")]
    assert guarded(command) == 0
    told = capsys.readouterr().out
    assert "credit 1: " in told
    assert re.search(r"^\d+ questions about the system: grep -rn TODO /", told, re.MULTILINE)
    assert "Nothing that was drafted is approved." in told
    assert "found on the way: not pinned to a version in the model's files: scikit-learn" in told
    assert guarded(command) == 0
    assert "kept  " in capsys.readouterr().out
