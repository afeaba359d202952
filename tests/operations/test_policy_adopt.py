"""Limits of a pack are nobody's until a named person adopts that very version."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import UsageError
from aims_gate.governance import reader
from aims_gate.operations.policy_adopt import adopt
from aims_gate.plan import plan
from aims_gate.policy.adoption import UNADOPTED, limit_sentences
from aims_gate.policy.model import Policy
from aims_gate.policy.resolve import check, load
from aims_gate.provenance import held_to_people
from aims_gate.provenance import policy as identity
from tests.support.records import edit, write_records

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0"}
extends:
  - pack: release@1.2.0   # kept
rules:
  - {id: PERF-01, require: {at_least: 0.75}}
"""
DAY = date(2026, 11, 29)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(HEAD, encoding="utf-8")
    return tmp_path / "policy.yaml"


def read(path: Path) -> Policy:
    return load(str(path), environ={})


def problems(path: Path) -> str:
    policy, found = check(str(path), environ={})
    told = plan(policy).problems if policy is not None else ()
    return "; ".join(map(str, (*found, *told)))


def test_limits_of_a_pack_are_nobodys_and_the_policys_own_are_not_counted(path: Path) -> None:
    (told,) = limit_sentences(read(path))
    assert told == f"release@1.2.0: 10 {UNADOPTED}"
    assert identity(read(path)).limits == (told,)
    own = "rules: [{id: A-1, check: data.missing}]\n"
    path.write_text(HEAD.partition("extends")[0] + own, encoding="utf-8")
    assert not list(limit_sentences(read(path)))


def test_an_adoption_names_the_person_and_leaves_the_rest_of_the_file(path: Path) -> None:
    (done,) = adopt(path, by="bo@acme.example", pack="", today=DAY, environ={})
    assert dict(done.limits)["BIAS-02"].startswith("impact ratio at least 0.8")
    assert "PERF-01" not in dict(done.limits)
    said = 'adopted:\n  - {pack: "release@1.2.0", by: "bo@acme.example", day: "2026-11-29"}\n'
    assert path.read_text(encoding="utf-8") == HEAD + said
    (told,) = limit_sentences(read(path))
    assert (
        told
        == "release@1.2.0: 10 limits, adopted by bo@acme.example on 2026-11-29, as the policy says"
    )


def test_an_adoption_of_another_version_adopts_nothing_and_is_refused(path: Path) -> None:
    old = "adopted: [{pack: release@1.1.0, by: bo, day: 2026-11-29}]\n"
    path.write_text(HEAD + old, encoding="utf-8")
    assert "adopted names release@1.1.0, which the policy does not extend" in problems(path)


def test_an_adoption_on_a_day_to_come_is_refused(path: Path) -> None:
    path.write_text(HEAD + "adopted: [{pack: release@1.2.0, by: bo, day: 2026-12-24}]\n", "utf-8")
    now = datetime(2026, 12, 22, tzinfo=UTC)
    (problem,) = plan(read(path), now=now).problems
    assert "release@1.2.0 was adopted on 2026-12-24, a day to come" in str(problem)
    assert not plan(read(path), now=now + timedelta(days=1)).problems


def test_what_is_adopted_already_or_not_extended_cannot_be_adopted(path: Path) -> None:
    with pytest.raises(UsageError, match="monitoring@1.0.0 waits".replace(".", r"\.")):
        adopt(path, by="bo", pack="monitoring@1.0.0", today=DAY, environ={})
    with pytest.raises(UsageError, match="nobody adopts"):
        adopt(path, by=" ", pack="", today=DAY, environ={})
    adopt(path, by="bo", pack="release@1.2.0", today=DAY, environ={})
    with pytest.raises(UsageError, match="no limit of a pack waits"):
        adopt(path, by="ada", pack="", today=DAY, environ={})


def test_a_layout_that_cannot_be_kept_is_left_as_it_was(path: Path) -> None:
    flow = HEAD + "adopted: []\n"
    path.write_text(flow, encoding="utf-8")
    with pytest.raises(UsageError, match="by hand"):
        adopt(path, by="bo", pack="", today=DAY, environ={})
    assert path.read_text(encoding="utf-8") == flow


def test_what_a_parent_adopted_is_adopted_by_all_that_extend_it(path: Path) -> None:
    adopt(path, by="bo", pack="", today=DAY, environ={})
    child = path.with_name("child.yaml")
    child.write_text(
        HEAD.replace(
            "pack: release@1.2.0   # kept", f"uri: file:policy.yaml\n    sha256: {'0' * 64}"
        ),
        encoding="utf-8",
    )
    assert guarded(["policy", "pin", str(child)]) == 0
    (told,) = limit_sentences(read(child))
    assert "adopted by bo on" in told


def test_the_resolved_policy_says_who_adopted_what(path: Path) -> None:
    adopt(path, by="bo", pack="", today=DAY, environ={})
    assert b"adopted:\n  - pack: release@1.2.0\n" in read(path).document.replace(b'"', b"")


def test_who_is_not_among_the_people_adopts_nothing(path: Path) -> None:
    _, org = write_records(path.parent)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="names nobody, or two people, as boss"):
        adopt(path, by="boss", pack="", today=DAY, environ={}, org=org)
    assert path.read_bytes() == before
    adopt(path, by="bo@acme.example", pack="", today=DAY, environ={}, org=org)


@pytest.mark.parametrize(
    ("by", "left", "told"),
    [
        ("boss", "", "people.yaml names nobody, or two people, as boss"),
        ("bo", "2026-11-20", "bo is not in the organisation on 2026-11-29"),
        ("bo", "2026-12-01", "bo is not in the organisation on 2026-12-02"),
        ("bo", "", ""),
    ],
)
def test_an_adoption_by_hand_is_held_to_the_people(
    path: Path, by: str, left: str, told: str
) -> None:
    path.write_text(
        HEAD + f"adopted: [{{pack: release@1.2.0, by: {by}, day: 2026-11-29}}]\n", "utf-8"
    )
    aims, org = write_records(path.parent)
    if left:
        edit(org / "people.yaml", "    known_as: [bo]\n", f"    known_as: [bo]\n    left: {left}\n")
    found, on = read(path), datetime(2026, 12, 2, tzinfo=UTC)
    records = reader.read(aims, org)
    (said,) = held_to_people(identity(found), found, records, on=on).limits
    assert said == (f"release@1.2.0: 10 {UNADOPTED} ({told})" if told else said)
    assert ("adopted by bo on 2026-11-29" in said) is not bool(told)
    edit(org / "people.yaml", "owner:", "owner: TODO\nownr:")
    draft = held_to_people(identity(found), found, reader.read(aims, org), on=on)
    assert draft.limits == identity(found).limits, "a draft tells nobody"


def test_the_command_shows_what_is_adopted(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["policy", "adopt", str(path), "--by", "bo"]) == 0
    shown = capsys.readouterr().out
    assert "  BIAS-02  impact ratio at least 0.8" in shown
    assert "release@1.2.0: 10 limits, adopted by bo on" in shown
