"""`aims log`: an entry is opened with what was seen, and closed only when nothing in it waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import PolicyError, RecordError, UsageError
from aims_gate.governance.contract import LogEntry
from aims_gate.governance.kinds import ENTRY_TYPES
from aims_gate.governance.reader import read
from aims_gate.operations.aims.log import Opening, close_entry, open_entry
from tests.support.records import edit, write_records

OPENED, CLOSED = date(2026, 10, 21), date(2026, 10, 24)


@pytest.fixture
def how(tmp_path: Path) -> Opening:
    return Opening(
        folder=tmp_path / "aims",
        type="incident",
        title="The income of applicants drifted.",
        owner="ada@acme.example",
        severity="high",
        due=date(2026, 11, 4),
        rule="MON-03",
        links=("R-3",),
        today=OPENED,
    )


def only(folder: Path) -> LogEntry:
    (found,) = read(folder, None).entries
    return found


def answer(path: Path, heading: str, text: str) -> None:
    """Put a sentence in place of the prompt below a heading."""
    head, told = path.read_text(encoding="utf-8").split(f"## {heading}\n")
    path.write_text(f"{head}## {heading}\n{text}{told[told.index(chr(10)) :]}", encoding="utf-8")


def test_what_is_said_is_in_the_entry_and_it_is_sound_while_open(how: Opening) -> None:
    """Cause, action and effect are not asked for before it is closed."""
    path = open_entry(how)
    assert path == how.folder / "log" / "2026-10-21-the-income-of-applicants-drifted.md"
    found = only(how.folder)
    assert found.problems == ()
    assert (found.type, found.owner, found.severity) == ("incident", how.owner, "high")
    assert (found.opened, found.due, found.closed) == (OPENED, how.due, None)
    assert (found.links, found.values["rule"]) == (("R-3",), "MON-03")
    assert found.sections["What happened"] == how.title
    assert found.id == f"aims/{path.stem}"


def test_an_entry_is_about_the_system_whose_records_it_lies_among(how: Opening) -> None:
    how.folder.mkdir()
    (how.folder / "system.yaml").write_text('kind: system\nid: "credit"\n', encoding="utf-8")
    open_entry(how)
    assert only(how.folder).id == "credit/2026-10-21-the-income-of-applicants-drifted"


@pytest.mark.parametrize("left", ["Cause", "What was done", "Did it work"])
def test_an_entry_that_lacks_cause_action_or_effect_is_not_closed(how: Opening, left: str) -> None:
    """Each of the three by itself keeps it open, and the file stays as it is."""
    path = open_entry(how)
    for heading in {"Cause", "What was done", "Did it work"} - {left}:
        answer(path, heading, "As seen on three Mondays since.")
    before = path.read_bytes()
    with pytest.raises(PolicyError, match=f"'{left}' still waits") as refused:
        close_entry(path, today=CLOSED)
    assert len(refused.value.problems) == 1
    assert path.read_bytes() == before
    answer(path, left, "Income is nominal, and reference data end in June.")
    close_entry(path, today=CLOSED)
    assert (only(how.folder).closed, only(how.folder).problems) == (CLOSED, ())


def test_an_entry_is_closed_once_and_not_before_it_was_opened(how: Opening) -> None:
    path = open_entry(replace(how, type="decision", severity="", due=None))
    for heading in ("Options", "Decision"):
        answer(path, heading, "We keep version six, since nothing speaks for another.")
    with pytest.raises(PolicyError, match="closed before it was opened"):
        close_entry(path, today=date(2026, 10, 20))
    close_entry(path, today=CLOSED)
    with pytest.raises(UsageError, match="closed already, on 2026-10-24"):
        close_entry(path, today=CLOSED)


def test_what_is_no_entry_is_not_closed(how: Opening) -> None:
    """A document, a file that is not there, a link, text without keys."""
    how.folder.mkdir()
    document = how.folder / "system.yaml"
    document.write_text("kind: system\n", encoding="utf-8")
    link = how.folder / "link.md"
    link.symlink_to(document)
    plain = how.folder / "plain.md"
    plain.write_bytes(b"\xff")
    for path in (document, how.folder / "none.md", link, plain):
        with pytest.raises(UsageError):
            close_entry(path, today=CLOSED)
    odd = how.folder / "odd.md"
    odd.write_text("---\nkind: entry\n 'opened': 1\n---\n", encoding="utf-8")
    with pytest.raises((PolicyError, UsageError)):
        close_entry(odd, today=CLOSED)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"type": "incidnt"}, "no type of entry 'incidnt'; did you mean 'incident'"),
        ({"type": "system"}, "no type of entry"),
        ({"title": " "}, "says nothing"),
        ({"severity": "terrible"}, "no severity 'terrible'"),
    ],
)
def test_what_no_entry_can_say_is_refused(how: Opening, change: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        open_entry(replace(how, **change))  # type: ignore[arg-type]
    assert not how.folder.exists()


def test_an_entry_is_never_overwritten_and_no_link_is_followed(
    how: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = open_entry(how)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="has this name"):
        open_entry(replace(how, severity="low"))
    assert path.read_bytes() == before
    monkeypatch.chdir(how.folder.parent)
    Path("elsewhere").mkdir()
    Path("org").symlink_to("elsewhere")
    with pytest.raises(RecordError, match="symbolic link"):
        open_entry(replace(how, folder=Path("org")))


@pytest.mark.parametrize("kind", ENTRY_TYPES)
def test_every_type_can_be_opened_with_a_title_alone(tmp_path: Path, kind: str) -> None:
    """What it asks for beside that waits as a TODO, and nothing else is wrong with it."""
    open_entry(Opening(folder=tmp_path / "aims", type=kind, title="Seen today.", today=OPENED))
    assert {one.kind.value for one in only(tmp_path / "aims").problems} == {"todo"}


def test_the_commands_open_and_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["aims", "log", "new", "decision", "Which model is kept?", "--owner", "ada@a.example"]
    assert guarded(command) == 0
    (path,) = (tmp_path / "aims" / "log").iterdir()
    close = ["aims", "log", "close", str(path)]
    assert guarded(close) == 2
    assert "'Decision' still waits" in capsys.readouterr().err
    for heading in ("Options", "Decision"):
        answer(path, heading, "We keep version six, since nothing speaks for another.")
    assert guarded(close) == 0
    assert f"closed {path}" in capsys.readouterr().out


def test_who_raised_a_concern_does_not_name_its_file(how: Opening) -> None:
    """The name is shown in lists that leave the text out."""
    title = "Anna Schmidt of Bonn says that she was refused."
    path = open_entry(replace(how, type="concern", title=title))
    found = only(how.folder)
    assert found.sections["What was said"] == title
    assert "anna" not in f"{path.name} {found.id}".lower()
    with pytest.raises(UsageError, match="this name"):
        open_entry(replace(how, type="concern", title=title))


def test_an_owner_or_a_rule_that_is_nowhere_is_refused_by_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As far as files tell: a draft of people.yaml and a policy that is not there tell nothing."""
    write_records(tmp_path)
    monkeypatch.chdir(tmp_path)

    def new(owner: str, rule: str, title: str = "It drifted.") -> int:
        command = ["aims", "log", "new", "incident", title, "--severity", "high"]
        return guarded([*command, "--due", "2030-01-31", "--owner", owner, "--rule", rule])

    assert new("ghost", "PERF-01") == 2
    assert "people.yaml names nobody, or two people, as ghost" in capsys.readouterr().err
    assert new("ada@acme.example", "NOPE-99", "No policy is there.") == 0
    policy = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: credit, version: 1.0.0}\n"
    rules = "rules: [{id: DATA-02, check: data.missing}]\n"
    Path("policy.yaml").write_text(policy + rules, encoding="utf-8")
    assert new("ada@acme.example", "DATA-20") == 2
    assert "did you mean 'DATA-02'" in capsys.readouterr().err
    assert new("ada@acme.example", "DATA-02") == 0
    (path,) = Path("aims/log").glob("*-it-drifted.md")
    for heading in ("Cause", "What was done", "Did it work"):
        answer(path, heading, "As seen on three Mondays since.")
    edit(path, "ada@acme.example", "ghost")
    assert guarded(["aims", "log", "close", str(path)]) == 2
    assert "people.yaml names nobody" in capsys.readouterr().err
    edit(path, "ghost", "ada@acme.example")
    assert guarded(["aims", "log", "close", str(path)]) == 0
    edit(Path("org/people.yaml"), "kind: people", "kind: staff")
    assert new("ghost", "DATA-02", "Nobody knows who is who.") == 0


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--link", "R-7", "did you mean 'R-2' or 'R-1'"),
        ("--link", "credit/impct", "did you mean 'credit/impact'"),
        ("--link", "R-1", ""),
        ("--link", "aims/impact.md", ""),
        ("--link", "credit/2026-10-21-income", ""),
        ("--link", "A.8.4", ""),
        ("--link", "https://tracker.example/77", ""),
        ("--detected-by", "nonsense", "is no evidence, no rule and no person"),
        ("--detected-by", "evidence monday", "is no evidence, no rule and no person"),
        ("--detected-by", "evidence 20261121T090000Z-00000007", ""),
        ("--detected-by", "ada", ""),
        ("--detected-by", "a customer on the phone", ""),
    ],
)
def test_names_that_are_nowhere_are_refused_and_a_url_or_a_sentence_is_free(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    told: str,
) -> None:
    write_records(tmp_path)
    monkeypatch.chdir(tmp_path)
    for folder in ("aims", "org"):
        command = ["aims", "log", "new", "concern", "A letter came.", "--dir", folder]
        assert guarded([*command, option, value]) == (2 if told else 0)
        assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("auditor", "told"),
    [("ghost", "as ghost"), ("bo", "bo owns "), ("cy", "")],
)
def test_an_audit_by_nobody_or_of_own_work_is_a_fault_and_is_not_closed(
    tmp_path: Path, auditor: str, told: str
) -> None:
    aims, org = write_records(tmp_path)
    how = Opening(
        folder=org, type="audit", title="Sample of five.", owner="cy", today=date(2026, 11, 20)
    )
    path = open_entry(how)
    edit(path, "TODO: who audits, nobody who owns what is looked at", auditor)
    edit(path, "TODO: clauses, systems and time that are looked at", "clause 8")
    answer(path, "Findings", "One runbook was never tried.")
    answer(path, "Follow-up", "The exercise of next week.")
    (found,) = (one for one in read(aims, org).entries if one.type == "audit")
    assert [told in str(one) for one in found.problems[:1]] == [True] * bool(told)
    if told:
        with pytest.raises(UsageError, match=told):
            close_entry(path, today=date(2026, 11, 21), org=org)
    else:
        close_entry(path, today=date(2026, 11, 21), org=org)
