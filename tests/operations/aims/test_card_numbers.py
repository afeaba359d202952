"""The card that `aims docs build` writes is the one that `records.consistent` accepts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.checks.records.consistent import Consistent
from aims_gate.governance import reader
from aims_gate.operations.aims.docs import build
from aims_gate.policy.model import Role
from tests.checks.records.written import cells, wrong
from tests.operations.aims.conftest import JudgedModel
from tests.support.records import write_records

pytestmark = pytest.mark.filterwarnings("ignore")
NUMBERS = Consistent(of=("numbers",))


def test_a_card_that_was_built_from_evidence_states_what_was_measured(
    judged: JudgedModel, tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    known, opened = judged.look(), judged.opened(private)
    assert known.verdict is not None
    aims, org = write_records(tmp_path)
    (aims / "data/loans.md").rename(aims / "data/credit.md")
    build(known, aims)

    def compared() -> dict[str, str]:
        assert known.verdict is not None
        records = reader.read(aims, org)
        of = replace(opened, records=records)
        return wrong(cells(NUMBERS, records, *known.verdict.results, of=of))

    assert not compared()
    card = aims / "card.md"
    text = card.read_text("utf-8")
    table = next(line for line in text.splitlines() if line.startswith("| `") and "roc_auc" in line)
    end = "<!-- aims-gate:end -->"
    starts = ("| protected", "**`", "| training user", "Measured on")
    lines = text.splitlines()
    protected, title, user, policy = (
        next(line for line in lines if line.startswith(start)) for start in starts
    )
    for old, new in (
        (table, table.replace("| 0.", "| 9.", 1)),
        (table, table.replace(table.split()[-2], "SOUND")),
        (f"{table}\n", ""),
        (end, f"Approved by the authority.\n{end}"),
        (end, f"| `SAFE-01` | audit | 1.0000 | - | - | 9 | PASS |\n{end}"),
        (end, "<!-- aims-gate:end --> Approved by the authority."),
        (protected, protected.replace("`sex`", "`sex`, `none: the authority agrees`")),
        (protected, protected.replace("`sex`", "`age`")),
        (title, f"**`free of bias, the regulator says` 1**{title.rpartition('**')[2]}"),
        (user, "| training user | approved-by-the-authority |"),
        (policy, policy.replace("`credit`", "`the court itself`")),
    ):
        assert old in text
        card.write_text(text.replace(old, new), "utf-8")
        assert list(compared()) == ["aims/card.md table"], new
    (line,) = (line for line in text.splitlines() if "type: roc_auc" in line)
    value = line.split("value: ")[1].split(",")[0]
    card.write_text(
        text.replace(line, line.replace(value, f"{float(value) + 0.0001:.4f}")), "utf-8"
    )
    assert list(compared().values()) == ["1"]
    card.write_text(text.replace(f"{line}\n", ""), "utf-8")
    assert list(compared().values()) == ["MISSING"]


def test_a_sheet_that_was_built_states_the_data_and_rules_of_this_run_and_nothing_else(
    judged: JudgedModel, tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    known, opened = judged.look(), judged.opened(private)
    assert known.verdict is not None
    aims, org = write_records(tmp_path)
    sheet = aims / "data/credit.md"
    (aims / "data/loans.md").rename(sheet)
    build(known, aims)

    def compared() -> dict[str, str]:
        assert known.verdict is not None
        records = reader.read(aims, org)
        data = {**opened.data, Role.CHAMPION: opened.data[Role.EVALUATION]}
        of = replace(opened, records=records, data=data)  # a run compares with what serves
        found = wrong(cells(NUMBERS, records, *known.verdict.results, of=of))
        return {where: count for where, count in found.items() if "data/" in where}

    assert not compared()
    text = sheet.read_text("utf-8")
    rule = next(line for line in text.splitlines() if "data.missing" in line)
    end = "<!-- aims-gate:end -->"
    for old, new, count in (
        ("| 3,000 | 6 |", "| 9,000 | 6 |", "2"),
        (rule, rule.replace("PASS", "SOUND"), "2"),
        (rule, rule.replace("PASS | ", "PASS | no bias; "), "2"),
        (f"{rule}\n", "", "1"),
        (end, f"People agreed to it.\n{end}", "1"),
        (end, f"| training | 9 | 9 | 2026-01-01 | `{'0' * 64}` (sha256) |\n{end}", "1"),
    ):
        assert old in text
        sheet.write_text(text.replace(old, new), "utf-8")
        assert compared() == {"aims/data/credit.md tables": count}, new
    sheet.rename(aims / "data/other.md")
    assert list(compared()) == ["aims/data/other.md tables"], "that source was not read"
