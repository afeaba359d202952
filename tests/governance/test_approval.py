"""An approval counts of the very bytes, by another, competent person who is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from aims_gate.governance import reader
from aims_gate.governance.approval import ApprovalStanding, standing
from aims_gate.governance.contract import RecordAct, Records, Strength
from aims_gate.governance.people import People
from tests.support.records import edit, write_records

TODAY = date(2026, 11, 30)
DONE = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return reader.read(*write_records(tmp_path))


def acted(records: Records, *, kind: str = "risks", **more: Any) -> Records:
    """The records, with an act of Bo's on a document of a kind."""
    (document,) = records.of(kind)
    act = RecordAct(
        record=document.id,
        digest=document.human_digest,
        names=("bo",),
        strength=Strength.SIGNED,
        when=DONE,
        where="an act",
    )
    return replace(records, approvals=(*records.approvals, replace(act, **more)))


def weighed(
    records: Records, *roles: str, kind: str = "risks", today: date = TODAY
) -> ApprovalStanding:
    (document,) = records.of(kind)
    return standing(document, records, today=today, roles=roles)


def test_nobody_s_act_leaves_it_declared(records: Records) -> None:
    assert weighed(records) == ApprovalStanding(strength=Strength.DECLARED)


def test_another_person_s_act_counts_with_its_person_and_day(records: Records) -> None:
    found = weighed(acted(records))
    assert found == ApprovalStanding(
        strength=Strength.SIGNED, by=("bo@acme.example",), day=date(2026, 11, 20)
    )
    assert weighed(acted(records), "risk-owner").strength is Strength.SIGNED


def test_the_strongest_act_that_counts_decides(records: Records) -> None:
    one = acted(records, strength=Strength.REVIEWED, names=("cy",))
    assert weighed(one).strength is Strength.REVIEWED
    both = weighed(acted(one))
    assert (both.strength, both.by) == (Strength.SIGNED, ("bo@acme.example", "cy@acme.example"))


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ({"names": ("github:ada-l",)}, "ada@acme.example approved it, and owns or wrote it"),
        ({"names": ("Ada@ACME.example",)}, "owns or wrote it"),
        ({"authors": ("github:bo-b",)}, "owns or wrote it"),
        ({"authors": ("Somebody", "BO")}, "owns or wrote it"),
        ({"names": ("eve",)}, "eve approved it, and org/people.yaml names nobody, or two"),
        ({"names": ("github:bo",)}, "names nobody, or two people, so"),
        ({"names": ()}, "somebody approved it, and org/people.yaml names nobody"),
        ({"digest": "0" * 64}, "approved other bytes, on 2026-11-20"),
        ({"digest": "", "problem": "it is not signed"}, "an act: it is not signed"),
        ({"when": datetime(2025, 12, 31, tzinfo=UTC)}, "without competence on that day or today"),
    ],
)
def test_an_act_that_does_not_count_is_said_and_counts_for_nothing(
    records: Records, act: dict[str, Any], said: str
) -> None:
    found = weighed(acted(records, **act))
    assert found.strength is Strength.DECLARED
    assert not found.by
    (fault,) = found.faults
    assert said in fault


def test_a_signature_of_another_document_is_not_one_of_this(records: Records) -> None:
    assert weighed(acted(records, kind="impact")) == ApprovalStanding(strength=Strength.DECLARED)


def test_a_role_that_is_asked_for_and_that_the_person_has_not(records: Records) -> None:
    found = weighed(acted(records), "ethics-reviewer")
    assert found.strength is Strength.DECLARED
    assert "has not the role ethics-reviewer" in found.faults[0]


def test_expired_competence_ends_approvals_on_the_day_after_it(records: Records) -> None:
    one = acted(records, names=("cy",))
    assert weighed(one, today=date(2026, 12, 12)).strength is Strength.SIGNED
    late = weighed(one, today=date(2026, 12, 13))
    assert late.strength is Strength.DECLARED
    assert "without competence on that day or today: risk" in late.faults[0]


def test_competence_is_that_of_the_role_that_is_asked_for(records: Records) -> None:
    """Cy may accept risks, and knows nothing of machine learning."""
    one = acted(records, names=("cy",))
    assert weighed(one, "risk-owner").strength is Strength.SIGNED
    assert weighed(one, "model-owner").strength is Strength.DECLARED


@pytest.mark.parametrize(
    ("line", "strength"),
    [
        ("left: 2026-12-01", Strength.SIGNED),
        ("left: 2026-11-30", Strength.DECLARED),
        ("left: 2026-11-01", Strength.DECLARED),
        ("joined: 2026-11-20", Strength.SIGNED),
        ("joined: 2026-11-21", Strength.DECLARED),
    ],
)
def test_who_left_or_was_not_there_yet_approves_nothing(
    tmp_path: Path, line: str, strength: Strength
) -> None:
    folders = write_records(tmp_path)
    edit(tmp_path / "org/people.yaml", "    name: Bo\n", f"    name: Bo\n    {line}\n")
    assert weighed(acted(reader.read(*folders))).strength is strength


def test_a_name_that_two_people_have_is_nobody_s(tmp_path: Path) -> None:
    folders = write_records(tmp_path)
    edit(tmp_path / "org/people.yaml", "known_as: [cy]", "known_as: [cy, bo]")
    assert weighed(acted(reader.read(*folders))).strength is Strength.DECLARED


def test_faulty_people_approve_nothing(tmp_path: Path) -> None:
    folders = write_records(tmp_path)
    edit(tmp_path / "org/people.yaml", "name: Ada", "nmae: Ada")
    records = reader.read(*folders)
    assert People.of(records) is None
    found = weighed(acted(records))
    assert found.strength is Strength.DECLARED
    assert "is not sound" in found.faults[0]


def test_a_role_without_named_competence_asks_for_some_that_holds(tmp_path: Path) -> None:
    folders = write_records(tmp_path)
    edit(tmp_path / "org/people.yaml", "accepts risks, competence: [risk]", "accepts risks")
    one = acted(reader.read(*folders))
    assert weighed(one).strength is Strength.SIGNED
    assert weighed(one, today=date(2027, 1, 1)).strength is Strength.DECLARED


def test_what_a_tool_drafted_counts_for_nothing_before_a_person_s_act(tmp_path: Path) -> None:
    folders = write_records(tmp_path)
    edit(tmp_path / "aims/risks.yaml", "effective:", "drafted_by: a tool\neffective:")
    records = reader.read(*folders)
    assert weighed(records).strength is Strength.NONE
    assert weighed(acted(records)).strength is Strength.SIGNED


def test_a_drafter_who_is_a_person_does_not_approve_the_draft(tmp_path: Path) -> None:
    folders = write_records(tmp_path)
    edit(tmp_path / "aims/risks.yaml", "effective:", "drafted_by: bo\neffective:")
    assert weighed(acted(reader.read(*folders))).strength is Strength.NONE


def test_a_file_that_is_gone_is_approved_by_nobody(tmp_path: Path) -> None:
    folders = write_records(tmp_path)
    before = acted(reader.read(*folders))
    (tmp_path / "aims/risks.yaml").unlink()
    after = replace(reader.read(*folders), approvals=before.approvals)
    assert weighed(after).strength is Strength.NONE


def test_a_list_of_people_that_one_person_approves_whom_it_empowers_is_declared(
    records: Records,
) -> None:
    """Nobody has a role by own word alone; the second person's act says how strong it is."""
    cy: dict[str, Any] = {"kind": "people", "names": ("cy",)}
    alone = acted(acted(records, **cy), **cy)
    found = weighed(alone, kind="people")
    assert (found.strength, found.by) == (Strength.DECLARED, ())
    (fault,) = found.faults
    assert fault.startswith("cy@acme.example alone approved it, and has the power to by this very")
    ada: dict[str, Any] = {"kind": "people", "names": ("ada",)}
    both = weighed(acted(alone, **ada), kind="people")
    assert (both.strength, both.by) == (Strength.SIGNED, ("ada@acme.example", "cy@acme.example"))
    reviewed = weighed(acted(alone, **ada, strength=Strength.REVIEWED), kind="people")
    assert reviewed.strength is Strength.REVIEWED
