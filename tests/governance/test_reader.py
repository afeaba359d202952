"""Records are read whole or with every fault: nothing raises, nothing is left out."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from aims_gate.errors import UsageError
from aims_gate.governance import reader, templates
from aims_gate.governance.contract import ProblemKind, RecordProblem, Records, day
from aims_gate.governance.kinds import KINDS, WRITTEN, Area
from aims_gate.governance.record_text import RecordText, entry, record
from tests.support.laws import law
from tests.support.records import FILES, edit, write_records

MISSING, TODO, TEMPLATE = ProblemKind.MISSING, ProblemKind.TODO, ProblemKind.TEMPLATE
INCIDENT = "aims/log/2026-10-21-income.md"
RISKS, IMPACT, SYSTEM = "aims/risks.yaml", "aims/impact.md", "aims/system.yaml"
PEOPLE = "org/people.yaml"
UNKNOWN, UNREADABLE = ProblemKind.UNKNOWN, ProblemKind.UNREADABLE


def read(root: Path) -> Records:
    return reader.read(root / "aims", root / "org")


def faults(records: Records) -> list[tuple[ProblemKind, str, str]]:
    return [(one.kind, one.path, one.key) for one in records.all_problems()]


def only(records: Records) -> RecordProblem:
    (found,) = records.all_problems()
    return found


def test_whole_records_have_no_fault(tmp_path: Path) -> None:
    write_records(tmp_path)
    records = read(tmp_path)
    assert not faults(records)
    (risks,) = records.of("risks")
    assert (risks.id, risks.owner, risks.effective) == (
        "credit/risks",
        "ada@acme.example",
        day("2026-11-03"),
    )
    assert risks.values["risks"][0]["residual"] == {"likelihood": 2, "severity": 4}
    (impact,) = records.of("impact")
    assert impact.sections["Benefits"] == "An answer within a minute."
    (incident,) = records.entries
    assert (incident.type, incident.severity, incident.links) == ("incident", "high", ("R-2",))
    assert incident.closed == day("2026-10-24")


def test_every_expected_record_that_is_not_there_is_a_record_with_that_fault() -> None:
    records = reader.read(None, None)
    assert {one.kind for one in records.documents} == set(KINDS) - {"runbook"}
    assert {one.kind for one in records.all_problems()} == {MISSING}
    assert not any(one.id or one.digest for one in records.documents)


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_file_that_is_removed_is_missing(tmp_path: Path, path: str) -> None:
    write_records(tmp_path)
    (tmp_path / path).unlink()
    expected = "runbooks" not in path and "log" not in path
    assert [kind for kind, *_ in faults(read(tmp_path))] == [MISSING] * expected


@pytest.mark.parametrize(
    ("path", "old", "new", "kind", "key"),
    [
        (RISKS, "title: Income", "title: TODO Income", TODO, "risks[1].title"),
        (RISKS, "currency: EUR", 'currency: "{{euro}}"', TODO, "risks[0].cost.currency"),
        (IMPACT, "An answer within a minute.", "TODO", TODO, "Benefits"),
        (IMPACT, "effective: 2026-11-03", "effective: TODO", TODO, "effective"),
        (
            IMPACT,
            "An answer within a minute.",
            "It is fast. Say who gains  what\nfrom it.",
            TEMPLATE,
            "Benefits",
        ),
        (
            SYSTEM,
            "title: Decides whether a consumer loan up to 10,000 EUR is granted",
            "title: what it decides, about whom, and whether a person looks",
            TEMPLATE,
            "title",
        ),
        (SYSTEM, "contact:", "contcat:", MISSING, "contact"),
        (SYSTEM, "lifecycle: production", "lifecycle: prod", UNREADABLE, "lifecycle"),
        (SYSTEM, "kind: system", "kind: sytem", UNREADABLE, "kind"),
        (SYSTEM, "2026-11-03", "2026-11-31", UNREADABLE, "effective"),
        (SYSTEM, "tier: high", "tier: high\ntier: low", UNREADABLE, ""),
        (SYSTEM, "tier: high", "tier: high\nreview_every: true", UNREADABLE, "review_every"),
        (RISKS, "none: no rule on accuracy for this product", "none: ''", UNREADABLE,
         "risks[1].regulations"),
        (RISKS, "id: R-2", "id: R-1", UNREADABLE, ""),
        (RISKS, "{likelihood: 2, severity: 4}", "{likelihood: 2, severity: 6}", UNREADABLE,
         "risks[0].residual.severity"),
        ("org/soa.yaml", "applicable: true", "applicable: yes", UNREADABLE,
         "controls[0].applicable"),
        ("aims/card.md", "---\nkind", "kind", UNREADABLE, ""),
        (IMPACT, "## Benefits", "## Benefit", MISSING, "Benefits"),
        (IMPACT, "groups: [sex]\n---", "groups: [sex]\n", UNREADABLE, ""),
        (RISKS, "regulations: [GDPR 22]", "regulations: {no: law}", UNREADABLE,
         "risks[0].regulations"),
        (IMPACT, "An answer within a minute.", "<!-- An answer. -->", MISSING, "Benefits"),
        (IMPACT, "## Benefits", "```\n## Benefits\n```", MISSING, "Benefits"),
        (IMPACT, "Effects on society", "Benefits", UNREADABLE, "Benefits"),
        (IMPACT, "a minute", "a \u202eminute", UNREADABLE, ""),
        (IMPACT, "An answer within a minute.", ".", MISSING, "Benefits"),
        (IMPACT, "An answer within a minute.", "&nbsp; &#160;", MISSING, "Benefits"),
        (IMPACT, "An answer within a minute.", "[//]: # (nothing)\n### Of whom\n<br/>", MISSING,
         "Benefits"),
        (IMPACT, "An answer within a minute.", "[None](x.md) yet.", MISSING, "Benefits"),
        (IMPACT, "An answer within a minute.", "To be decided (TBD)", MISSING, "Benefits"),
        (INCIDENT, "Income is nominal.", "n/a", MISSING, "Cause"),
        (INCIDENT, "Version 8 passed on four Mondays.", "OK!", MISSING, "Did it work"),
        ("org/soa.yaml", "a policy is the base of the rest", '"-"', MISSING,
         "controls[0].justification"),
        ("aims/data/loans.md", "contract with the applicant", "tbd", MISSING, "lawful_basis"),
        (RISKS, "none: no rule on accuracy for this product", "none: none yet", MISSING,
         "risks[1].regulations"),
        (RISKS, "privacy: names and addresses never reach the features", "privacy: xxx", MISSING,
         "none.privacy"),
        (SYSTEM, "affected: [applicants, joint applicants]", 'affected: ["n/a"]', MISSING,
         "affected"),
        (PEOPLE, "known_as: [cy]", 'known_as: [cy, "github:sock"]', UNREADABLE,
         "people[2].known_as"),
        (PEOPLE, "known_as: [cy]", "known_as: [GitHub sock]", UNREADABLE, "people[2].known_as"),
        (PEOPLE, "id: cy@acme.example", 'id: "github:sock"', UNREADABLE, "people[2].id"),
        (INCIDENT, "Income is nominal.", "", MISSING, "Cause"),
        (INCIDENT, "severity: high\n", "", UNREADABLE, ""),
        (INCIDENT, "closed: 2026-10-24", "closed: 2026-10-20", UNREADABLE, ""),
        (INCIDENT, "type: incident", "type: policy", UNREADABLE, "type"),
    ],
)  # fmt: skip
def test_each_fault_is_found_at_its_key(
    tmp_path: Path, path: str, old: str, new: str, kind: ProblemKind, key: str
) -> None:
    write_records(tmp_path)
    edit(tmp_path / path, old, new)
    assert (kind, path, key) in faults(read(tmp_path))


def test_an_unknown_key_is_refused_with_its_line_and_the_near_one(tmp_path: Path) -> None:
    write_records(tmp_path)
    edit(
        tmp_path / "aims/risks.yaml",
        "effective: 2026-11-03",
        "effective: 2026-11-03\nrevew_every: 9",
    )
    found = only(read(tmp_path))
    assert (found.kind, found.line, found.key) == (UNKNOWN, 5, "revew_every")
    assert "did you mean 'review_every'?" in str(found)
    assert str(found).startswith("aims/risks.yaml:5: ")


def test_an_open_entry_waits_for_its_cause_and_a_closed_one_must_have_it(tmp_path: Path) -> None:
    write_records(tmp_path)
    path = tmp_path / "aims/log/2026-10-21-income.md"
    edit(path, "Income is nominal.", "TODO: say why it could happen.")
    assert [one[::2] for one in faults(read(tmp_path))] == [(TODO, "Cause")]
    edit(path, "closed: 2026-10-24\n", "")
    assert not faults(read(tmp_path))


def test_two_records_of_one_id_are_both_at_fault(tmp_path: Path) -> None:
    write_records(tmp_path)
    edit(tmp_path / "aims/impact.md", "id: credit/impact", "id: credit/risks")
    assert faults(read(tmp_path)) == [
        (UNREADABLE, "aims/risks.yaml", "id"),
        (UNREADABLE, "aims/impact.md", "id"),
    ]


def test_a_file_that_no_record_is_called_is_named_with_the_near_one(tmp_path: Path) -> None:
    write_records(tmp_path)
    (tmp_path / "aims/risk.yaml").write_text("kind: risks\n", encoding="utf-8")
    (tmp_path / "aims/README.md").write_text("How we work.", encoding="utf-8")
    (tmp_path / "aims/picture.png").write_bytes(b"\x89PNG")
    found = only(read(tmp_path))
    assert (found.kind, found.path) == (UNKNOWN, "aims/risk.yaml")
    assert "did you mean 'risks.yaml'" in found.message


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("aims/logs", "records in this folder are not read; did you mean 'log'?"),
        ("aims/log/2026", "records in this folder are not read"),
        ("org/log/archive.md", "cannot be read: it is no regular file"),
        ("aims/incidents", "records in this folder are not read"),
        ("org/old/2026", "records in this folder are not read"),
        ("aims/approvals", ""),
    ],
)
def test_no_incident_hides_in_a_folder_that_is_not_read(
    tmp_path: Path, folder: str, told: str
) -> None:
    write_records(tmp_path)
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "incident.md").write_text("---\nkind: entry\n---\n", encoding="utf-8")
    assert [one.message for one in read(tmp_path).all_problems()] == [told] * bool(told)


@pytest.mark.parametrize(
    "name", ["README.md", "x.MD", "x.markdown", "x.txt", ".x.md", "x.md~", "README.MD"]
)
def test_no_entry_vanishes_by_its_name(tmp_path: Path, name: str) -> None:
    write_records(tmp_path)
    (tmp_path / INCIDENT).rename(tmp_path / "aims/log" / name)
    found = only(read(tmp_path))
    assert (found.kind, found.path) == (UNKNOWN, f"aims/log/{name}")


@pytest.mark.parametrize("name", [b"\xff.md", b"a\x1b[2J.md", "z\u200bz.md".encode()])
def test_a_name_that_is_no_text_is_a_fault_that_evidence_can_hold(
    tmp_path: Path, name: bytes
) -> None:
    write_records(tmp_path)
    (tmp_path / INCIDENT).rename(tmp_path / "aims/log" / os.fsdecode(name))
    found = only(read(tmp_path))
    assert found.kind is UNKNOWN
    assert found.path.isprintable()
    canonical.encode(str(found))


def test_what_is_no_record_may_lie_beside_them(tmp_path: Path) -> None:
    """Pictures, notes, what a system leaves behind, and the records of another system."""
    write_records(tmp_path)
    write_records(tmp_path / "aims/churn")
    notes = {
        "notebooks/notes.md": "# Notes\n",
        "deploy/a.yaml": "---\nkind: Deployment\n",
        "log/README.md": "How we write entries.\n",
        "log/.gitkeep": "",
        "log/flow.svg": "<svg/>",
        "log/._x.md": "\0",
    }
    for name, text in notes.items():
        path = tmp_path / "aims" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert not faults(read(tmp_path))


@pytest.mark.parametrize("strange", ["link", "pipe", "folder", "large", "latin", "locked"])
def test_a_strange_file_is_a_record_with_a_fault(tmp_path: Path, strange: str) -> None:
    write_records(tmp_path)
    path = tmp_path / "aims/impact.md"
    text = path.read_bytes()
    path.unlink()
    match strange:
        case "link":
            (tmp_path / "other.md").write_bytes(text)
            path.symlink_to(tmp_path / "other.md")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "large":
            path.write_bytes(text + b" " * 1_000_001)
        case "latin":
            path.write_bytes(text.replace(b"minute", b"min\xfcte"))
        case _:
            path.symlink_to(tmp_path / "nowhere")
    records = read(tmp_path)
    (impact,) = records.of("impact")
    assert [one.kind for one in impact.problems] == [UNREADABLE]
    assert faults(records) == [(UNREADABLE, "aims/impact.md", "")]


@pytest.mark.parametrize("strange", ["link", "file", "many"])
def test_a_strange_folder_is_a_fault_and_what_it_should_hold_is_missing(
    tmp_path: Path, strange: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, org = write_records(tmp_path)
    if strange == "many":
        monkeypatch.setattr(reader, "MAX_FILES", 4)
        (tmp_path / "aims").rename(tmp_path / "elsewhere")
    else:
        org.rename(tmp_path / "elsewhere")
        org.symlink_to("elsewhere") if strange == "link" else org.write_text("", encoding="utf-8")
    found = faults(read(tmp_path))
    assert (UNREADABLE, "org", "") in found
    assert (MISSING, "org/people.yaml", "") in found


def test_a_folder_of_files_beside_the_policy_base_is_read_from_there(tmp_path: Path) -> None:
    write_records(tmp_path / "base")
    (tmp_path / "work/aims").mkdir(parents=True)

    def at(path: Path) -> Path:
        return tmp_path / "base" / path.relative_to(tmp_path / "work")

    records = reader.read(tmp_path / "work/aims", tmp_path / "work/org", at)
    assert not faults(records)


def test_generated_lines_change_the_digest_and_not_what_people_approve(tmp_path: Path) -> None:
    write_records(tmp_path)
    path = tmp_path / "aims/card.md"
    before = read(tmp_path).of("card")[0]
    edit(
        path,
        "license: other\n",
        "license: other\n# aims-gate:generated\nlibrary_name: sklearn\n# aims-gate:end\n",
    )
    after = read(tmp_path).of("card")[0]
    assert not after.problems
    assert after.values["library_name"] == "sklearn"
    assert after.human_digest == before.human_digest != after.digest
    edit(path, "library_name", "owner: eve@acme.example\nlibrary_name")
    edit(path, "owner: ada@acme.example\n", "")
    hidden = read(tmp_path).of("card")[0]
    assert [(one.kind, one.key) for one in hidden.problems] == [(UNKNOWN, "owner")]


@pytest.mark.parametrize(
    ("path", "old", "new", "key"),
    [
        ("aims/card.md", "license: other\n", "material:\n{}license: other\n", "material"),
        ("aims/card.md", "license: other\n", "widget: [\n{}]\nlicense: other\n", "widget"),
        ("aims/data/loans.md", "[age, income]\n", "\n{}", "personal_data"),
    ],
)
def test_no_value_that_people_answer_for_is_made_in_a_generated_block(
    tmp_path: Path, path: str, old: str, new: str, key: str
) -> None:
    """Also where its key stands outside: its parts would change under their approval."""
    write_records(tmp_path)
    hidden = f"# aims-gate:generated\n  none: {'a' * 64}\n# aims-gate:end\n"
    edit(tmp_path / path, old, new.format(hidden))
    assert (UNKNOWN, path, key) in faults(read(tmp_path))


def test_a_short_answer_and_an_empty_list_with_its_reason_are_whole(tmp_path: Path) -> None:
    write_records(tmp_path)
    edit(
        tmp_path / IMPACT, "An answer within a minute.", "None: all of it is in [the minutes](x.md)"
    )
    path = tmp_path / "org/suppliers.yaml"
    front = path.read_text(encoding="utf-8").partition("suppliers:\n")[0]
    path.write_text(front + "suppliers: []\nnone: all of it is our own\n", encoding="utf-8")
    assert not faults(read(tmp_path))
    path.write_text(front + "suppliers: []\n", encoding="utf-8")
    assert "an empty list needs a reason" in only(read(tmp_path)).message


def test_generated_marks_mean_nothing_where_nothing_is_generated(tmp_path: Path) -> None:
    write_records(tmp_path)
    path = tmp_path / "aims/impact.md"
    edit(path, "## Benefits", "<!-- aims-gate:generated -->\n<!-- aims-gate:end -->\n## Benefits")
    (impact,) = read(tmp_path).of("impact")
    assert impact.human_digest == impact.digest


def test_lines_that_end_as_on_windows_are_read_alike(tmp_path: Path) -> None:
    write_records(tmp_path)
    for name in ("impact.md", "risks.yaml"):
        path = tmp_path / "aims" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    found = read(tmp_path)
    assert not faults(found)
    approved = {one.path: one.human_digest for one in found.documents}
    write_records(tmp_path)
    assert approved == {one.path: one.human_digest for one in read(tmp_path).documents}


@given(st.binary(max_size=300), st.sampled_from(sorted(KINDS)))
@law(60)
def test_no_bytes_raise(data: bytes, kind: str) -> None:
    for text in (data, b"---\n" + data + b"\n---\n" + data):
        found = record(KINDS[kind], RecordText(path="x", data=text))
        assert found.problems
        assert entry(RecordText(path="x", data=text)).problems


@pytest.mark.parametrize("name", templates.names())
def test_an_untouched_template_waits_at_each_of_its_places(name: str) -> None:
    """And has no other fault, so that whoever fills in each TODO is done."""
    text = RecordText(path="x", data=templates.template(name).encode())
    found = record(KINDS[name], text) if name in KINDS else entry(text)
    assert {one.kind for one in found.problems} == {TODO}


def test_a_template_that_there_is_not_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="did you mean 'incident'"):
        templates.template("incidnt")


@pytest.mark.parametrize("kind", sorted(WRITTEN))
def test_each_kind_has_a_schema_that_names_its_own_keys_only(kind: str) -> None:
    schema = WRITTEN[kind].schema()
    assert schema["properties"]["kind"] == {"const": kind}
    assert schema["additionalProperties"] is False
    assert schema["$id"] == f"https://aims-gate.dev/schema/aims-{kind}.v1.schema.json"


def test_there_are_twelve_kinds_of_documents() -> None:
    assert len(KINDS) == 12
    assert {one.area for one in KINDS.values()} == set(Area)


@pytest.mark.parametrize(
    "text",
    ["{{a " * 60_000, "\n" * 300_000, "\n ## " * 60_000, "## a" + " " * 300_000 + "b",
     "<!-- " * 60_000, "# aims-gate:generated\n" * 14_000, "a. " * 100_000, "## x\n" * 20_000,
     "".join(f"## h{n}\n" for n in range(20_000)), "- " * 150_000],
    ids=["braces", "lines", "indented", "spaces", "comments", "blocks", "sentences", "headings",
         "different", "dashes"],
)  # fmt: skip
def test_no_text_takes_longer_than_its_size_allows(text: str) -> None:
    """Some patterns would go through it once for each of its characters."""
    front = f"---\n{FILES['aims/card.md'].partition('---')[2].partition('---')[0].strip()}\n---\n"
    started = time.process_time()
    found = record(KINDS["card"], RecordText(path="x", data=(front + text).encode()))
    assert found.problems
    assert time.process_time() - started < 5


def test_a_heading_may_be_closed_by_marks(tmp_path: Path) -> None:
    write_records(tmp_path)
    edit(tmp_path / IMPACT, "## Benefits", "##  Benefits  ##")
    edit(tmp_path / IMPACT, "An answer within", "### In C#\n##no heading\nAn answer within")
    assert not faults(read(tmp_path))
    assert read(tmp_path).of("impact")[0].sections["Benefits"].startswith("### In C#\n##no heading")
