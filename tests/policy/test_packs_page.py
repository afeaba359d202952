"""docs/packs.md: its commands run, and it says of each of the 45 checks which rule it is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.policy_tests import run_tests
from aims_gate.policy.model import GivenCell, PolicyTest, Rule, Severity
from aims_gate.policy.packs import read_pack
from aims_gate.policy.resolve import load
from tests.test_docs import blocks, commands, text_of

BASELINE, STARTER = "iso42001-baseline@1.0.0", "sme-starter@1.2.0"
AI_ACT = "eu-ai-act-high-risk@1.0.0"
COUNTS = {"DOC": 7, "RISK": 6, "BIAS": 6, "PERF": 6, "DATA": 4, "MON": 6, "INC": 2, "GOV": 8}
TWELVE = (
    *("DOC-02", "DOC-03", "RISK-01", "RISK-02", "RISK-03", "BIAS-02"),
    *("PERF-01", "PERF-02", "INTEG-02", "GOV-01", "GOV-02", "INC-01"),
)


def rules(pack: str) -> dict[str, Rule]:
    return {rule.id: rule for rule in load(f"pack:{pack}").rules}


def test_its_commands_run_and_its_limits_are_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks("docs/packs.md"):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        for arguments, code in commands(block):
            assert guarded(arguments) == code, arguments
    shown = capsys.readouterr().out
    assert f"{BASELINE}: 45 limits, adopted by bo@acme.example" in shown
    assert "release@1.2.0: 10 limits, adopted by bo@acme.example" in shown


def test_each_of_the_45_checks_is_a_rule_or_says_where_it_is() -> None:
    table = dict(
        re.findall(r"^\| ([A-Z]+-\d\d) \|[^|]*\| (.*) \|$", text_of("docs/packs.md"), re.MULTILINE)
    )
    assert Counter(name.partition("-")[0] for name in table) == COUNTS
    known = rules(BASELINE) | rules("monitoring@1.0.0")
    for name, told in table.items():
        elsewhere = told.startswith(("no rule: ", "yours to add", "INTEG-02, `integrity.data`"))
        assert elsewhere is (name not in rules(BASELINE) and name != "MON-02"), name
        if not elsewhere:
            assert f"`{known[name].check}`" in told, name
        for other in re.findall(r"\b[A-Z]+-\d\d\b", told):
            assert other in known, (name, other)


@pytest.mark.parametrize("pack", [BASELINE, STARTER, AI_ACT])
def test_a_pack_states_legal_status_day_and_source_as_the_page_does(pack: str) -> None:
    policy = load(f"pack:{pack}")
    assert policy.legal_status
    assert policy.source
    assert policy.as_of is not None
    (row,) = re.findall(rf"^\| `{pack}` \| (\d+).*$", text_of("docs/packs.md"), re.MULTILINE)
    assert int(row) == len(policy.rules)
    assert f"| {policy.as_of:%Y-%m-%d} |" in text_of("docs/packs.md")
    assert b"controls:" in read_pack(pack)


def test_the_starter_has_its_twelve_and_each_can_refuse() -> None:
    found = rules(STARTER)
    assert set(TWELVE) <= set(found)
    assert all(found[name].severity is Severity.BLOCK for name in TWELVE)
    deferred = [name for name in TWELVE if "effective_from" in found[name].overridable]
    assert set(TWELVE) - set(deferred) == {"INTEG-02"}  # what was judged is never in doubt


@pytest.mark.parametrize("pack", [BASELINE, STARTER, AI_ACT])
def test_every_rule_says_what_it_is_evidence_for(pack: str) -> None:
    assert all(rule.controls and rule.title for rule in rules(pack).values())


def test_the_pack_of_the_ai_act_only_warns_and_states_the_dates_of_the_law(tmp_path: Path) -> None:
    """Beside the baseline, too."""
    found = load(f"pack:{AI_ACT}")
    assert {rule.severity for rule in found.rules} == {Severity.WARN}
    assert all(c.startswith("eu-ai-act:") for rule in found.rules for c in rule.controls)
    for told in ("2 December 2027", "2 August 2028", "no presumption of conformity"):
        assert told in found.legal_status
    path = tmp_path / "policy.yaml"
    path.write_text(
        "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: '1.0.0', owner: o}\n"
        f"extends: [{{pack: {BASELINE}}}, {{pack: {AI_ACT}}}]\n"
        "rules: [{id: EU-12, severity: block}]\n",
        encoding="utf-8",
    )
    both = {rule.id: rule.severity for rule in load(path).rules}
    assert len(both) == len(rules(BASELINE)) + len(found.rules)
    assert both["EU-12"] is Severity.BLOCK


def test_a_pack_that_only_warns_is_sound_to_extend_and_never_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a run of it, nor a policy that has nothing else, nor a test of its verdict."""
    monkeypatch.chdir(tmp_path)
    pack = f"pack:{AI_ACT}"
    assert guarded(["policy", "check", pack]) == 0
    assert "nothing blocks here: include it beside a policy" in capsys.readouterr().out
    (tmp_path / "model").mkdir()
    alone = (
        "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: '1.0.0', owner: o}\n"
    )
    Path("policy.yaml").write_text(f"{alone}extends: [{{pack: {AI_ACT}}}]\n", encoding="utf-8")
    for policy in (pack, "policy.yaml"):
        assert guarded(["run", policy, "--model", "file:model", "--unsigned"]) == 2
        assert "no rule blocks, so the policy can refuse nothing" in capsys.readouterr().err
    assert guarded(["policy", "check", "policy.yaml"]) == 2
    test = PolicyTest(
        name="a pass", given={"EU-08": (GivenCell(value=0.0),)}, expect={"verdict": "passed"}
    )
    (tested,) = run_tests(replace(load(pack), tests=(test,)), now=datetime.now(UTC))
    assert tested.differences == ("nothing blocks here, so there is no verdict to expect",)
