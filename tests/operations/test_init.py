"""`init`: what is proposed is sound, is met today, asks to be confirmed, and overwrites nothing."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv, parquet

from aims_gate.__main__ import guarded
from aims_gate.errors import DataError, RecordError, UsageError
from aims_gate.operations.init import Written, _lowered, propose
from aims_gate.operations.policy_text import RuleDraft
from aims_gate.operations.propose_rules import Draft
from aims_gate.operations.run import run
from aims_gate.plan import plan
from aims_gate.policy.model import DataSpec, Policy, Role, Severity, TaskKind, Threshold
from aims_gate.policy.resolve import load
from aims_gate.sources.roles import write_roles
from aims_gate.verdict import Outcome
from tests.support.laws import law

NOW = datetime.now(UTC)


def cases(rows: int = 3000, *, tilt: float = 0.0) -> dict[str, Any]:
    """Cases with unequal groups; *tilt* lowers the scores of women."""
    random = np.random.default_rng(11)
    sex = np.where(random.random(rows) < 0.35, "F", "M")
    latent = random.normal(0, 1, rows)
    label = (latent + random.normal(0, 0.7, rows) > 0).astype(int)
    score = 1 / (1 + np.exp(-(2 * latent - tilt * (sex == "F"))))
    return {
        "income": latent * 10 + 40,
        "sex": sex,
        "ageYears": random.integers(18, 80, rows),
        "repaid": label,
        "score": score,
        "prediction": (score >= 0.5).astype(int),
    }


def test_every_rule_that_is_left_out_is_named_with_its_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Null scores take the area away, and no run, reference or current data take rules away."""
    data = cases()
    data["label"] = data.pop("repaid")
    data["score"] = [None if i < 51 else s for i, s in enumerate(data["score"].tolist())]
    _policy, written = proposed(data)
    told = dict(line.split(": ", 1) for line in written.left_out)
    assert "51" in told.pop("performance.score (metric roc_auc)")
    assert told == {
        "integrity.run": "the model comes from no training run",
        "data.schema": "there are no reference data",
        "drift.columns": "there are no reference and no current data",
    }
    text = Path("policy.yaml").read_text(encoding="utf-8")
    assert all(f"# left out: {line}" in text for line in written.left_out)
    command = ["init", "--model=file:model", "--data=evaluation=eval.parquet", "--out=again.yaml"]
    assert guarded(command) == 0
    said = capsys.readouterr().out
    assert all(f"left out: {line}" in said for line in written.left_out)


def test_what_is_written_says_what_these_rows_can_decide(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two hundred rows of two sexes and many ages: what to collect is said of each group."""
    data = cases(200)
    data["label"] = data.pop("repaid")
    proposed(data)
    assert "these rows" not in Path("policy.yaml").read_text(encoding="utf-8")
    command = ["init", "--model=file:model", "--data=evaluation=eval.parquet", "--out=again.yaml"]
    assert guarded(command) == 0
    said = capsys.readouterr().out
    assert "% to be decided if nothing is wrong; for 80% collect " in said
    assert re.search(r"rows of the data in all: .*sex=F [\d,]+", said)


def test_rules_about_groups_and_answers_are_named_too(folder: Path) -> None:
    """Without a protected attribute, and without a score, what would have asked for it is named."""
    kept = {"repaid": "label", "prediction": "prediction", "income": "income"}
    data = {kept[name]: values for name, values in cases().items() if name in kept}
    _policy, written = proposed(data)
    assert "performance.score (metric roc_auc): no column is the score" in written.left_out
    nobody = "no column is known to be a protected attribute"
    assert f"fairness.impact_ratio: {nobody}" in written.left_out
    assert f"fairness.odds (rates tpr): {nobody}" in written.left_out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model's files, in which one stands."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights.bin").write_bytes(b"\x00\x01")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def proposed(data: dict[str, Any], out: str = "policy.yaml") -> tuple[Policy, Written]:
    """Propose a policy for a table without logged roles, and hold its promises."""
    table = pa.table(data)
    parquet.write_table(table, "eval.parquet")
    written = propose(
        model="file:model", data={"evaluation": "eval.parquet"}, out=Path(out), environ={}, now=NOW
    )
    policy = load(out)
    plan(policy).sound()
    verdict = run(out, "file:model")
    assert verdict.passed, [result.reason for result in verdict.results]
    assert [r.outcome for r in verdict.results] == [r.outcome for r in written.rules]
    return policy, written


def test_roles_are_proposed_from_names_and_values(folder: Path) -> None:
    """Label, answer, score, positive class and protected columns are found, ages are cut."""
    data = cases()
    data["y_true"] = data.pop("repaid")
    policy, written = proposed(data)
    spec = policy.data[Role.EVALUATION]
    assert (spec.label, spec.prediction, spec.score) == ("y_true", "prediction", "score")
    assert (spec.positive, spec.source) == (1, "file:eval.parquet")
    assert spec.sensitive == {"sex": None, "ageYears": (25.0, 45.0, 65.0)}
    text = Path("policy.yaml").read_text(encoding="utf-8")
    assert text.count("CONFIRM:") == written.to_confirm
    for line in text.splitlines():
        guessed = line.strip().split(":")[0] in {"label", "score", "positive", "sex", "ageYears"}
        assert not guessed or "CONFIRM" in line, line


def test_facts_block_and_judgements_warn(folder: Path) -> None:
    """Integrity that holds today blocks; every limit taken from today's values only warns."""
    data = cases()
    data["label"] = data.pop("repaid")
    policy, _ = proposed(data)
    firm = {rule.id for rule in policy.rules if rule.severity is Severity.BLOCK}
    assert firm == {"INTEG-01", "INTEG-02"}
    auc = next(rule for rule in policy.rules if rule.parameters.get("metric") == "roc_auc")
    verdict = run("policy.yaml", "file:model")
    value = next(
        s.value for r in verdict.results if r.rule == auc.id for s in r.statistics if s.judged
    )
    assert auc.require is not None
    assert auc.require.at_least is not None
    assert value is not None
    assert value - 0.05 < auc.require.at_least <= value - 0.02


def test_a_fact_that_does_not_hold_today_warns(folder: Path) -> None:
    """Reference data that are the evaluation data again warn; what holds still blocks."""
    data = cases()
    data["label"] = data.pop("repaid")
    parquet.write_table(pa.table(data), "eval.parquet")
    both = {"evaluation": "eval.parquet", "reference": "eval.parquet"}
    propose(model="file:model", data=both, out=Path("p.yaml"), environ={}, now=NOW)
    severities = {rule.id: rule.severity for rule in load("p.yaml").rules}
    assert severities["INTEG-02"] is Severity.WARN
    assert severities["INTEG-01"] is Severity.BLOCK
    assert run("p.yaml", "file:model").passed


def test_where_no_fact_holds_they_all_block() -> None:
    """A policy must be able to refuse, so nothing is lowered until something else blocks."""
    entries = tuple(
        RuleDraft(
            draft=Draft(id=name, title="", check="x", firm=True), severity=Severity.BLOCK, today=""
        )
        for name in ("INTEG-01", "INTEG-02")
    )
    assert tuple(_lowered(entries, set())) == entries
    lowered = [entry.severity for entry in _lowered(entries, {"INTEG-02"})]
    assert lowered == [Severity.WARN, Severity.BLOCK]


def test_groups_are_called_as_run_will_call_them(folder: Path) -> None:
    """Who confirms a limit reads which group today's value is of."""
    data = {**cases(tilt=3), "label": cases()["repaid"]}
    proposed(data)
    text = Path("policy.yaml").read_text(encoding="utf-8")
    assert re.search(
        r"check: fairness.impact_ratio\n.*CONFIRM: today .* for sex=F vs sex=M\n", text
    )
    assert "#1" not in text


def test_todays_bias_is_not_declared_acceptable(folder: Path) -> None:
    """A biased model gets the customary limit, warns, and passes with the warning."""
    data = cases(tilt=2.5)
    data["label"] = data.pop("repaid")
    policy, written = proposed(data)
    rule = next(rule for rule in policy.rules if rule.check == "fairness.impact_ratio")
    assert rule.require is not None
    assert (rule.require.at_least, rule.severity) == (0.8, Severity.WARN)
    assert next(r for r in written.rules if r.rule == rule.id).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        ((0, 1), 1),
        ((False, True), True),
        (("no", "yes"), "yes"),
        (("rejected", "approved"), "approved"),
        (("paid", "default"), "default"),  # neither says yes by its name: the rarer one
        ((2, 1), 1),
    ],
)
def test_the_positive_class(folder: Path, labels: tuple[Any, Any], positive: Any) -> None:
    """It is the class that says yes by its name, else the rarer one."""
    random = np.random.default_rng(3)
    truth = random.random(2000) < 0.3
    answer = np.where(random.random(2000) < 0.1, ~truth, truth)
    data = {
        "target": [labels[int(value)] for value in truth],
        "pred": [labels[int(value)] for value in answer],
        "gender": np.where(random.random(2000) < 0.3, "w", "m"),
    }
    policy, _ = proposed(data)
    assert policy.data[Role.EVALUATION].positive == positive


def bias(policy: Policy) -> dict[str, dict[str, Any]]:
    rules = [rule for rule in policy.rules if rule.id.startswith("BIAS")]
    return {rule.check: dict(rule.parameters) for rule in rules}


def test_regression_and_many_classes(folder: Path) -> None:
    """Quantities get a ceiling on the error, several classes a floor on macro F1."""
    random = np.random.default_rng(5)
    truth = random.normal(100, 20, 1500)
    sex = np.where(random.random(1500) < 0.4, "w", "m")
    answer = truth + random.normal(0, 5, 1500)
    policy, _ = proposed({"y": truth, "yhat": answer, "sex": sex}, "a.yaml")
    assert bias(policy) == {"fairness.score_gap": {"of": "error"}}
    (rule,) = [rule for rule in policy.rules if rule.check == "performance.score"]
    assert rule.parameters["metric"] == "mae"
    assert rule.require is not None
    assert rule.require.at_most is not None
    assert 4 < rule.require.at_most < 6
    kinds = np.array(["cat", "dog", "newt"])[random.integers(0, 3, 1500)]
    answer = np.where(random.random(1500) < 0.2, "cat", kinds)
    policy, _ = proposed({"label": kinds, "predicted": answer, "sex": sex}, "b.yaml")
    asked = {"metric": "accuracy", "relative_to": "overall"}
    assert bias(policy) == {"fairness.group_performance": asked}
    (rule,) = [rule for rule in policy.rules if rule.check == "performance.score"]
    assert rule.parameters["metric"] == "macro_f1"


def test_a_score_alone_asks_for_its_cut_off(folder: Path) -> None:
    """Without predictions they follow from the score, and the cut-off is to be confirmed."""
    data = cases()
    data["label"] = data.pop("repaid")
    del data["prediction"]
    policy, _ = proposed(data)
    spec = policy.data[Role.EVALUATION]
    assert (spec.prediction, spec.score, spec.threshold) == (None, "score", 0.5)
    assert "threshold: 0.5  # CONFIRM" in Path("policy.yaml").read_text(encoding="utf-8")
    assert any(rule.check == "fairness.odds" for rule in policy.rules)


def test_of_scores_that_are_no_probabilities_no_cut_off_is_guessed(folder: Path) -> None:
    """0.5 of scores up to 100 would say yes to everybody, and to all groups alike."""
    data = cases()
    data["label"] = data.pop("repaid")
    data["score"] = [100 * score for score in data["score"]]
    del data["prediction"]
    policy, _ = proposed(data)
    assert policy.data[Role.EVALUATION].threshold is None
    assert "# CONFIRM: state threshold:" in Path("policy.yaml").read_text(encoding="utf-8")
    checks = {(rule.check, rule.parameters.get("metric")) for rule in policy.rules}
    assert ("performance.score", "roc_auc") in checks
    assert not any(check.startswith("fairness") for check, _ in checks)


def test_a_ranking_is_not_asked_for_a_cut_off(folder: Path) -> None:
    """Nobody says yes or no in a ranking, so there is no score to say it from."""
    table = pa.table({"q": [i // 8 for i in range(800)], "rel": [i % 3 for i in range(800)]})
    table = table.append_column("s", pa.array([float(i % 7) for i in range(800)]))
    (folder / "model/aims_gate").mkdir()
    spec = DataSpec(label="rel", score="s", query="q", task=TaskKind.RANKING)
    parquet.write_table(write_roles(table, spec), folder / "model/aims_gate/evaluation.parquet")
    propose(model="file:model", data={}, out=Path("p.yaml"), environ={}, now=NOW)
    assert "threshold" not in Path("p.yaml").read_text(encoding="utf-8")


def test_a_number_that_was_logged_as_protected_is_cut_into_bins(folder: Path) -> None:
    """Each year of age would be a group of its own; what was logged stays protected."""
    (folder / "model/aims_gate").mkdir()
    spec = DataSpec(label="repaid", prediction="prediction", sensitive={"ageYears": None})
    described = write_roles(pa.table(cases()), spec)
    parquet.write_table(described, folder / "model/aims_gate/evaluation.parquet")
    propose(model="file:model", data={}, out=Path("p.yaml"), environ={}, now=NOW)
    assert load("p.yaml").data[Role.EVALUATION].sensitive == {"ageYears": (25.0, 45.0, 65.0)}
    asked = "logged with the data; CONFIRM: are these the right bins?"
    assert f"ageYears: [25, 45, 65]  # {asked}" in Path("p.yaml").read_text(encoding="utf-8")


def test_customary_limits_bring_their_lines(folder: Path) -> None:
    """PSI is noticeable past 0.10; half way to its limit would be 0.125."""
    table = pa.table(cases())
    (folder / "model/aims_gate").mkdir()
    for role in ("evaluation", "reference", "current"):
        described = write_roles(table, DataSpec(label="repaid", prediction="prediction"))
        parquet.write_table(described, folder / f"model/aims_gate/{role}.parquet")
    propose(model="file:model", data={}, out=Path("p.yaml"), environ={}, now=NOW)
    drift = next(r for r in load("p.yaml").rules if r.id == "MON-01")
    assert drift.require == Threshold(at_most=0.25, warn_above=0.10)


def test_logged_roles_are_kept_and_reference_and_current_bring_rules(folder: Path) -> None:
    """What was logged is never guessed over; data by convention need no source."""
    table = pa.table(cases())
    spec = DataSpec(label="repaid", prediction="prediction", sensitive={"sex": None})
    for role, part in (
        ("evaluation", table[:1000]),
        ("reference", table[1000:2000]),
        ("current", table[2000:]),
    ):
        (folder / "model/aims_gate").mkdir(exist_ok=True)
        described = write_roles(part, spec if role == "evaluation" else DataSpec(label="repaid"))
        parquet.write_table(described, folder / f"model/aims_gate/{role}.parquet")
    written = propose(model="file:model", data={}, out=Path("p.yaml"), environ={}, now=NOW)
    policy = load("p.yaml")
    found = policy.data[Role.EVALUATION]
    assert (found.source, found.score, list(found.sensitive)) == (None, None, ["sex"])
    assert {"MON-01", "DATA-05"} <= {rule.id for rule in policy.rules}
    assert run("p.yaml", "file:model").passed
    assert "# logged with the data" in Path("p.yaml").read_text(encoding="utf-8")
    assert written.model == "model"


def test_nothing_is_ever_overwritten(folder: Path) -> None:
    """An existing file, and a link that leads nowhere, are left as they are: exit 2."""
    Path("policy.yaml").write_text("mine\n", encoding="utf-8")
    Path("link.yaml").symlink_to("nowhere.yaml")
    for name in ("policy.yaml", "link.yaml"):
        with pytest.raises(UsageError, match="never overwritten"):
            propose(model="file:model", data={}, out=Path(name), environ={}, now=NOW)
    assert Path("policy.yaml").read_text(encoding="utf-8") == "mine\n"
    assert not Path("nowhere.yaml").exists()
    parquet.write_table(pa.table({"y": [0, 1], "pred": [0, 1]}), "eval.parquet")
    with pytest.raises(RecordError, match="could not be written"):
        propose(
            model="file:model",
            data={"evaluation": "eval.parquet"},
            out=Path("no/such/folder/policy.yaml"),
            environ={},
            now=NOW,
        )


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"a": [1, 2], "pred": [0, 1]}, "no column looks like the label"),
        ({"label": [0, 1], "b": [0, 1]}, "no column looks like a prediction or score"),
        ({"label": pa.array([], pa.int64()), "pred": pa.array([], pa.int64())}, "have no rows"),
    ],
)
def test_what_cannot_be_proposed_is_said(folder: Path, data: dict[str, Any], what: str) -> None:
    """Without label, answer or rows nothing is written: exit 3."""
    parquet.write_table(pa.table(data), "eval.parquet")
    with pytest.raises(DataError, match=what) as caught:
        propose(
            model="file:model",
            data={"evaluation": "eval.parquet"},
            out=Path("policy.yaml"),
            environ={},
            now=NOW,
        )
    assert caught.value.exit_code == 3
    assert not Path("policy.yaml").exists()


def test_no_data_at_all(folder: Path) -> None:
    """A model without evaluation data gets no policy."""
    with pytest.raises(DataError, match="there are no evaluation data"):
        propose(model="file:model", data={}, out=Path("p.yaml"), environ={}, now=NOW)
    with pytest.raises(UsageError, match="unknown data role"):
        propose(model="file:model", data={"eval": "x"}, out=Path("p.yaml"), environ={}, now=NOW)


def test_data_from_elsewhere_must_be_handed_over(folder: Path, tmp_path: Path) -> None:
    """A file outside the policy's folder gets no source, and the line says so."""
    Path("policies").mkdir()
    table = pa.table({"y": [0, 1] * 50, "pred": [0, 1] * 50})
    csv.write_csv(table, "eval.csv")
    out = Path("policies/policy.yaml")
    propose(model="file:model", data={"evaluation": "eval.csv"}, out=out, environ={}, now=NOW)
    text = out.read_text(encoding="utf-8")
    assert "# CONFIRM: handed over with --data evaluation=eval.csv on every run" in text
    assert load(out).data[Role.EVALUATION].source is None
    assert run(out, "file:model", data={"evaluation": "eval.csv"}).passed


def test_a_table_in_its_engine_is_named_as_a_policy_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proposed is what the next run needs: no --data, and the operator's connection."""
    table = pa.table({"y": [0, 1] * 50, "pred": [0, 1] * 50})
    with duckdb.connect(str(folder / "lake.duckdb")) as lake:
        lake.from_arrow(table).create("scored")
    config = folder / "operator.yaml"
    text = "apiVersion: aims-gate/v1\nkind: Config\nconnections: {lake: {url: 'duckdb://%s'}}\n"
    config.write_text(text % "lake.duckdb", encoding="utf-8")
    monkeypatch.setenv("AIMS_GATE_CONFIG", str(config))
    data, out = {"evaluation": "table:lake/main.scored"}, Path("policy.yaml")
    propose(model="file:model", data=data, out=out, environ=os.environ, now=NOW)
    spec = load(out).data[Role.EVALUATION]
    assert (spec.table, spec.connection, spec.source) == ("main.scored", "lake", None)
    assert run(out, "file:model").passed


def test_protected_columns_that_cannot_be_used_are_named(folder: Path) -> None:
    """Too many groups, or bins that would be too small, are a note to confirm, never silence."""
    data = {
        "y": [0, 1] * 60,
        "pred": [0, 1] * 60,
        "nationality": [f"n{number}" for number in range(120)],
        "birth": pa.array([NOW - timedelta(days=number) for number in range(120)]),
        "race_score": [float(number) for number in range(118)] + [1000.0, 1000.0],
    }
    policy, written = proposed(data)
    assert list(policy.data[Role.EVALUATION].sensitive) == ["race_score"]
    assert any("nationality" in note for note in written.notes)
    assert any("birth" in note for note in written.notes)
    assert "# CONFIRM: nationality may be protected" in Path("policy.yaml").read_text("utf-8")


def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`init` says what it wrote and what comes next; a second time it is refused."""
    data = cases()
    data["label"] = data.pop("repaid")
    parquet.write_table(pa.table(data), "eval.parquet")
    command = ["init", "--model", "file:model", "--data", "evaluation=eval.parquet"]
    assert guarded(command) == 0
    said = capsys.readouterr().out
    assert "lines say CONFIRM" in said
    assert "aims-gate policy check policy.yaml" in said
    assert guarded(["policy", "check"]) == 0
    assert guarded(["run", "--model", "file:model", "--unsigned", "--out", "evidence"]) == 0
    report = json.loads(Path("evidence/report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "passed"
    assert guarded(command) == 2
    assert "never overwritten" in capsys.readouterr().err


_NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029"),
    min_size=1,
    max_size=12,
)


@law(25)
@given(label=_NAMES, group=_NAMES, values=st.lists(_NAMES, min_size=2, max_size=2, unique=True))
def test_hostile_names_stay_text(
    tmp_path_factory: pytest.TempPathFactory, label: str, group: str, values: list[str]
) -> None:
    """Whatever columns and classes are called, the policy holds those very names."""
    sensitive = f"sex {group}"
    if label in {sensitive, "prediction"}:
        return
    base = tmp_path_factory.mktemp("hostile")
    (base / "model/aims_gate").mkdir(parents=True)
    truth = [values[number % 3 == 0] for number in range(300)]
    table = pa.table({label: truth, "prediction": truth, sensitive: ["a", "b"] * 150})
    spec = DataSpec(label=label, prediction="prediction", sensitive={sensitive: None})
    parquet.write_table(write_roles(table, spec), base / "model/aims_gate/evaluation.parquet")
    out = base / "policy.yaml"
    propose(model=f"file:{base / 'model'}", data={}, out=out, environ={}, now=NOW)
    found = load(out).data[Role.EVALUATION]
    assert (found.label, list(found.sensitive)) == (label, [sensitive])
    assert found.positive in values
