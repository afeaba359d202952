"""What the rows of a rule can decide, as each report shows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aims_gate.reports import json_report, markdown, text
from aims_gate.verdict import CellPower, Decision, Power, Verdict
from tests.reports.cases import HOSTILE, ROC, verdict_of
from tests.reports.test_json_report import VALIDATOR


def sized(chance: float, *, group: str = "sex=F", wanted: int | None = 620) -> Verdict:
    cells = tuple(
        CellPower(
            slice=f"{name} vs the best",
            group=name,
            rows=rows,
            excluded=excluded,
            wanted=None if wanted is None else wanted * rows // 200,
        )
        for name, rows, excluded in ((group, 60, 0.47), ("sex=M", 140, None))
    )
    power = Power(
        chance=chance, serious=0.6, rows=200, what="rows of the data", wanted=wanted, cells=cells
    )
    return verdict_of(replace(ROC, power=power), decision=Decision.PASSED)


def test_json_has_the_rows_of_each_cell_now_and_then() -> None:
    document = json.loads(json_report.render(sized(0.3)))
    VALIDATOR.validate(document)
    power = document["results"][0]["power"]
    assert (power["chance"], power["rows"], power["wanted"]) == (0.3, 200, 620)
    assert [(c["group"], c["rows"], c["wanted"], c["excluded"]) for c in power["cells"]] == [
        ("sex=F", 60, 186, 0.47),
        ("sex=M", 140, 434, None),
    ]


def test_text_says_what_to_collect_where_such_data_seldom_decide() -> None:
    shown = " ".join(text.render(sized(0.3)).split())
    assert "these rows: 30% to be decided if nothing is wrong; for 80% collect 620 rows" in shown
    assert "sex=F 186, sex=M 434" in shown
    assert "these rows" not in text.render(sized(0.9))
    none = " ".join(text.render(sized(0.0, wanted=None)).split())
    assert "no number of rows of the data would do" in none


def test_markdown_has_a_table_of_it_folded_away() -> None:
    shown = markdown.render(sized(0.9))
    assert "<details><summary>what these rows can decide</summary>" in shown
    assert "| `sex=F vs the best` | 60 | 186 | past 0.47 |" in shown
    assert "| `sex=M vs the best` | 140 | 434 | nothing |" in shown
    assert "what these rows" not in markdown.render(verdict_of(ROC, decision=Decision.PASSED))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_stay_in_their_cells(name: str) -> None:
    shown = markdown.render(sized(0.3, group=name))
    table = shown.partition("what these rows can decide")[2].partition("- results:")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert "\x1b" not in table
    assert "::" not in "".join(line[:2] for line in text.render(sized(0.3, group=name)).split("\n"))
