"""`policy power`: what data, or planned groups, can decide before a model is judged."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.planned_groups import PlannedGroups
from aims_gate.operations.policy_power import RulePower, power_of_data, power_of_groups
from aims_gate.operations.power_shown import page, table
from aims_gate.policy.resolve import load
from aims_gate.sentences import power_sentence
from aims_gate.verdict import Power
from tests.support.html_page import ATTRIBUTES, TAGS, Parsed

POLICY = """
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0", owner: tests@example.org}
rules:
  - {id: BIAS-02, check: fairness.impact_ratio}
  - {id: BIAS-03, check: fairness.odds}
  - id: PERF-01
    check: performance.score
    with: {metric: accuracy}
    require: {at_least: 0.7}
    decide_on: proven_pass
  - {id: INTEG-01, check: integrity.model}
"""
DATA = "data: {evaluation: {label: y, prediction: p, positive: 1, sensitive: [sex]}}"


def planned(policy: Path, groups: PlannedGroups) -> dict[str, RulePower]:
    return {one.rule: one for one in power_of_groups(load(str(policy)), groups)}


def power(of: RulePower) -> Power:
    assert of.power is not None
    return of.power


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def test_planned_groups_have_the_chance_of_the_published_table(policy: Path) -> None:
    """No effect, a base rate of 0.3: 70/30 at 500 rows 90 %, four groups at 2,000 92 %."""
    for rows, published in (
        ({"sex": {"F": 150, "M": 350}}, 0.90),
        ({"race": {"a": 1_000, "b": 500, "c": 300, "d": 200}}, 0.92),
    ):
        found = planned(policy, PlannedGroups(rows=rows, rate=0.3))
        assert 0.60 < found["BIAS-02"].smallest < 0.75
        ratio = power(found["BIAS-02"])
        assert ratio.chance == pytest.approx(published, abs=0.02)
        assert ratio.serious == pytest.approx(0.60)
        assert "INTEG-01" not in found  # which is about no data


def test_rows_to_collect_grow_by_group_at_their_present_shares(policy: Path) -> None:
    groups = PlannedGroups(rows={"sex": {"F": 40, "M": 160}}, rate=0.3)
    ratio = power(planned(policy, groups)["BIAS-02"])
    assert ratio.chance < 0.5
    assert ratio.wanted is not None
    again = PlannedGroups(
        rows={"sex": {"F": round(ratio.wanted / 5), "M": round(ratio.wanted * 0.8)}}, rate=0.3
    )
    better = power(planned(policy, again)["BIAS-02"])
    assert better.chance == pytest.approx(0.80, abs=0.03)
    wanted = {cell.group: cell.wanted for cell in ratio.cells}
    assert wanted["sex=F"] == pytest.approx(ratio.wanted / 5, abs=2)


def test_two_attributes_are_planned_as_independent(policy: Path) -> None:
    groups = PlannedGroups(
        rows={"sex": {"F": 400, "M": 600}, "race": {"a": 700, "b": 300}}, rate=0.3
    )
    found = power(planned(policy, groups)["BIAS-02"])
    cells = {cell.group: cell.rows for cell in found.cells}
    assert cells["race=b"] == pytest.approx(300, abs=3)
    assert found.rows == pytest.approx(1_000, abs=4)


def test_rows_of_a_group_are_rows_of_the_data_where_its_rate_rests_on_some(policy: Path) -> None:
    """A true positive rate rests on the positives; whoever collects collects rows of the group."""
    groups = PlannedGroups(rows={"sex": {"F": 300, "M": 700}}, rate=0.2)
    found = power(planned(policy, groups)["BIAS-03"])
    cells = {cell.slice: cell for cell in found.cells}
    women = next(cell for name, cell in cells.items() if name.startswith("TPR sex=F"))
    assert (women.group, women.rows) == ("sex=F", 300)
    assert found.wanted is not None
    assert women.wanted == pytest.approx(0.3 * found.wanted, abs=2)


def test_data_that_are_there_say_what_they_exclude(policy: Path, tmp_path: Path) -> None:
    policy.write_text(POLICY + "  - {id: DATA-02, check: data.missing}\n" + DATA, encoding="utf-8")
    rng = np.random.default_rng(1)
    lines = ["y,p,sex"]
    lines += [f"{rng.integers(2)},{rng.integers(2)},{'FM'[i % 2]}" for i in range(400)]
    (tmp_path / "e.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = {one.rule: one for one in power_of_data(load(str(policy)), {"evaluation": "e.csv"})}
    assert set(found) == {"BIAS-02", "BIAS-03", "PERF-01", "DATA-02"}
    assert power(found["BIAS-02"]).rows == 400
    assert all(cell.excluded is not None for cell in power(found["BIAS-02"]).cells)
    assert math.isnan(found["PERF-01"].smallest)  # a floor has no effect that is none
    assert power(found["PERF-01"]).wanted is None  # one right in two will never prove 0.7
    told = "\n".join(table([*found.values()]))
    assert "to prove accuracy 0.7 or more" in told
    assert "asks 400 rows of the data to rule out odds gap above 0.2; in 80% of cases" in told
    assert "DATA-02 data.missing: any number of rows decides it: the value alone" in told


def test_data_that_cannot_be_measured_say_why(policy: Path, tmp_path: Path) -> None:
    policy.write_text(POLICY + DATA, encoding="utf-8")
    (tmp_path / "e.csv").write_text("y,p,sex\n1,1,F\n0,0,F\n", encoding="utf-8")
    found = power_of_data(load(str(policy)), {"evaluation": "e.csv"})
    text = "\n".join(table(found))
    assert "BIAS-02 fairness.impact_ratio: " in text
    assert "fewer than two groups" in text


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--data", "evaluation=e.csv", "--group", "sex=F:3"],
        ["--group", "sex=F"],
        ["--group", "sex=F:3", "--group", "sex=F:4"],
        ["--group", "sex=F:0", "--group", "sex=M:4"],
        ["--group", "sex=F:300", "--group", "sex=M:400", "--rate", "1"],
        ["--data", "nothing=e.csv"],
    ],
)
def test_what_is_no_plan_is_a_usage_error(policy: Path, arguments: list[str]) -> None:
    assert policy.exists()
    assert guarded(["policy", "power", "policy.yaml", *arguments]) == 2


def test_the_command_prints_a_paragraph_a_rule(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy.exists()
    groups = ["--group", "sex=F:300", "--group", "sex=M:700", "--rate", "0.3"]
    assert guarded(["policy", "power", "policy.yaml", *groups]) == 0
    shown = capsys.readouterr().out
    assert "BIAS-02 fairness.impact_ratio: 100% to be decided if nothing is wrong" in shown
    assert "sex=F (best)" in shown
    assert "; for 80%" not in shown  # where data usually decide, nothing is to be collected


def test_data_that_seldom_decide_name_the_rows_to_collect_of_each_group(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy.exists()
    groups = ["--group", "sex=F:60", "--group", "sex=M:140", "--rate", "0.3"]
    assert guarded(["policy", "power", "policy.yaml", *groups]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert "; for 80% collect " in line
    told = re.search(r"collect ([\d,]+) rows in all: sex=F ([\d,]+), sex=M ([\d,]+)$", line)
    assert told is not None, line
    total, *parts = (int(number.replace(",", "")) for number in told.groups())
    assert sum(parts) == total


TPR = "- {id: BIAS-03, check: fairness.odds, with: {rates: [tpr]}}"
RACE = {"White": 400, "Black": 60, "Other": 40}


@pytest.mark.parametrize("more", [{}, {"sex": {"F": 150, "M": 350}}], ids=["alone", "beside sex"])
def test_a_rule_of_which_one_attribute_cannot_be_judged_is_never_decided(
    policy: Path, more: dict[str, dict[str, int]]
) -> None:
    policy.write_text(POLICY.replace("- {id: BIAS-03, check: fairness.odds}", TPR), "utf-8")
    found = planned(policy, PlannedGroups(rows={**more, "race": RACE}, rate=0.3))["BIAS-03"]
    assert power(found).chance == 0
    assert "TPR race: 20.0% of the positives are in groups below min_cell 30" in found.why
    wanted = {cell.group: cell.wanted or 0 for cell in power(found).cells}
    races = [wanted[f"race={name}"] for name in RACE]
    assert power(found).rows == 500
    assert sum(races) == power(found).wanted
    assert wanted["race=Other"] * 0.3 > 30  # so that it is judged
    assert "cannot be judged: TPR race" in "\n".join(table([found]))
    assert "cannot be judged: TPR race" in page([found], title="credit")


def test_planned_rows_are_shown_as_planned(policy: Path) -> None:
    rows = {"sex": {"F": 150, "M": 350}, "race": RACE}
    found = power(planned(policy, PlannedGroups(rows=rows, rate=0.3))["BIAS-02"])
    assert found.rows == 500
    shown = {cell.group: cell.rows for cell in found.cells}
    assert {f"{name}={group}": n for name, of in rows.items() for group, n in of.items()} == shown


def test_groups_that_are_too_small_now_are_counted_as_they_grow(policy: Path) -> None:
    rows = {"race": {"White": 400, "Black": 60, "Other": 20}}
    found = power(planned(policy, PlannedGroups(rows=rows, rate=0.3))["BIAS-02"])
    wanted = {cell.group: cell.wanted or 0 for cell in found.cells}
    assert found.wanted is not None
    assert sum(wanted.values()) == found.wanted > 2_000
    assert set(wanted) == {"race=White", "race=Black", "race=Other"}


def test_a_group_that_stays_too_small_is_named_and_said_to_be(policy: Path) -> None:
    rows = {"race": {"a": 300, "b": 100, "c": 1}}
    found = power(planned(policy, PlannedGroups(rows=rows, rate=0.3))["BIAS-02"])
    assert "race=c (too small)" in {cell.slice for cell in found.cells}
    assert "race=c (too small)" in power_sentence(found)


def test_planned_groups_say_nothing_of_a_rule_about_other_columns(policy: Path) -> None:
    scores = POLICY.replace("metric: accuracy", "metric: roc_auc")
    policy.write_text(scores + DATA.replace("p,", "p, score: s,"), "utf-8")
    found = planned(policy, PlannedGroups(rows={"sex": {"F": 150, "M": 350}}, rate=0.3))["PERF-01"]
    assert found.power is None
    assert found.why.startswith("planned groups say nothing of this rule")


def test_the_page_asks_for_nothing_else_and_runs_nothing(policy: Path, tmp_path: Path) -> None:
    """Names are those of a stranger's data."""
    name = "<script src=http://evil.example>&\"'"
    groups = PlannedGroups(rows={"sex": {name: 60, "M": 140}}, rate=0.3)
    shown = page(power_of_groups(load(str(policy)), groups), title="<b>credit</b>")
    read = Parsed(shown)
    assert set(read.tags) <= TAGS
    assert {name for name, _ in read.attributes} <= ATTRIBUTES
    assert "What these data can decide: <b>credit</b>" in read.words
    assert "svg" in read.tags
    assert "url(" not in shown
    assert "@import" not in shown
    arguments = ["--group", "sex=F:60", "--group", "sex=M:140", "--html", "power.html"]
    assert guarded(["policy", "power", "policy.yaml", *arguments]) == 0
    assert (tmp_path / "power.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_explain_says_what_data_can_decide(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text(POLICY + DATA, encoding="utf-8")
    lines = ["y,p,sex", *(f"{i % 2},{i % 2},{'FM'[i // 2 % 2]}" for i in range(400))]
    (tmp_path / "e.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert guarded(["explain", "policy.yaml", "BIAS-02", "--data", "evaluation=e.csv"]) == 0
    shown = capsys.readouterr().out
    assert "to be decided if nothing is wrong" in shown
    assert "to rule out impact ratio below 0.6; in 80% of cases they rule out below" in shown


@pytest.mark.parametrize(
    "command", [["policy", "power", "policy.yaml"], ["explain", "policy.yaml"]]
)
def test_data_that_cannot_be_read_are_no_plan(
    policy: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was planned, and that is an error and no empty answer."""
    assert guarded([*command, "--data", "evaluation=nofile.csv"]) == 3
    assert "nofile.csv" in capsys.readouterr().err
