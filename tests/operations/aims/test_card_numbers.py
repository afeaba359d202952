"""The card that `aims docs build` writes is the one that `records.consistent` accepts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.checks.records.consistent import Consistent
from aims_gate.governance import reader
from aims_gate.operations.aims.docs import build
from tests.checks.records.written import cells, subject, wrong
from tests.operations.aims.conftest import JudgedModel
from tests.support.records import write_records

pytestmark = pytest.mark.filterwarnings("ignore")
NUMBERS = Consistent(of=("numbers",))


def test_a_card_that_was_built_from_evidence_states_what_was_measured(
    judged: JudgedModel, tmp_path: Path
) -> None:
    known = judged.look()
    assert known.verdict is not None
    aims, org = write_records(tmp_path)
    (aims / "data/loans.md").rename(aims / "data/credit.md")
    build(known, aims)

    def compared() -> dict[str, str]:
        assert known.verdict is not None
        records = reader.read(aims, org)
        of = subject(records)
        of = replace(of, model=replace(of.model, digest=known.model.digest))
        return wrong(cells(NUMBERS, records, *known.verdict.results, of=of))

    assert not compared()
    card = aims / "card.md"
    text = card.read_text("utf-8")
    (line,) = (line for line in text.splitlines() if "type: roc_auc" in line)
    value = line.split("value: ")[1].split(",")[0]
    card.write_text(
        text.replace(line, line.replace(value, f"{float(value) + 0.0001:.4f}")), "utf-8"
    )
    assert list(compared().values()) == ["1"]
    card.write_text(text.replace(f"{line}\n", ""), "utf-8")
    assert list(compared().values()) == ["MISSING"]
