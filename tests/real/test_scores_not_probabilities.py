"""Scores outside [0, 1]: 0.5 would call every row positive, and every group would be selected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.real.gating import gate

HEAD = """\
data:
  evaluation: {label: y, score: p, positive: 1, sensitive: [sex], key: id%s}
"""
RULES = """\
rules:
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.8}}
  - {id: BIAS-02, check: fairness.parity, require: {at_most: 0.1}}
  - {id: BIAS-03, check: fairness.odds, with: {rates: [tpr]}, require: {at_most: 0.1}}
  - {id: BIAS-04, check: fairness.label_bias, with: {metric: dpl, of: prediction},
     require: {between: [-0.1, 0.1]}}
  - {id: PERF-01, check: performance.score, with: {metric: recall}, require: {at_least: 0.8}}
  - {id: PERF-03, check: performance.slices, with: {metric: accuracy, by: [sex]}}
"""
FREE = """\
  - {id: DATA-01, check: data.missing}
  - {id: PERF-05, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.2}}
"""
PROBABILITIES = """\
rules:
  - {id: PERF-06, check: performance.score, with: {metric: brier}, require: {at_most: 0.9}}
  - {id: PERF-07, check: performance.score, with: {metric: log_loss}, require: {at_most: 9}}
  - {id: PERF-08, check: performance.calibration}
"""
SCALES = {
    "percent": lambda p: 100 * p,
    "decile": lambda p: np.ceil(10 * p),
    "credit": lambda p: 300 + 550 * p,
    "logit": lambda p: np.log(p / (1 - p)),
    "signed": lambda p: 2 * p - 1,
}


def people() -> pd.DataFrame:
    """Probabilities by which half as many women as men are selected."""
    rows = np.arange(400)
    women, p = rows % 2 == 0, (rows // 2 + 0.5) / 200
    frame = pd.DataFrame({"id": rows, "sex": np.where(women, "F", "M"), "y": rows % 4 // 2})
    return frame.assign(p=np.where(women, p / 1.5, p))


def scaled(scale: str) -> pd.DataFrame:
    frame = people()
    return frame.assign(p=SCALES[scale](frame["p"]))


@pytest.mark.parametrize("scale", SCALES)
def test_without_a_threshold_nobody_is_said_to_be_selected(scale: str, tmp_path: Path) -> None:
    scaled(scale).to_parquet(tmp_path / "e.parquet")
    done = gate(tmp_path, HEAD % "" + RULES + FREE, "evaluation=e.parquet")
    outcomes = done.outcomes()
    assert (outcomes.pop("DATA-01"), outcomes.pop("PERF-05")) == ("PASS", "PASS")
    assert set(outcomes.values()) == {"ERROR"}
    assert done.code == 3
    assert "state threshold: under data.evaluation" in done.reason("BIAS-01")
    assert "outside [0, 1]" in done.reason("BIAS-01")
    done = gate(tmp_path, HEAD % "" + PROBABILITIES, "evaluation=e.parquet")
    assert set(done.outcomes().values()) == {"ERROR"}


WORDS = {
    "45 % as text": ({"p": lambda f: (100 * f["p"]).map("{:.0f}%".format)}, "p, which is string"),
    "None among numbers": (
        {"p": lambda f: f["p"].map(str).where(f["id"] != 3, "None")},
        "no prediction follows from p, which is string and no number; write 0.45 and not 45 %",
    ),
    "yes and no": (
        {"y": lambda f: np.where(f["y"], "yes", "no")},
        "the labels in y are text, and positive: is of numbers; text and numbers differ",
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_scores_and_labels_that_are_words_say_why_nothing_is_predicted(
    case: str, tmp_path: Path
) -> None:
    columns, told = WORDS[case]
    people().assign(**columns).to_csv(tmp_path / "e.csv", index=False)
    done = gate(tmp_path, HEAD % "" + RULES, "evaluation=e.csv")
    assert set(done.outcomes().values()) == {"ERROR"}
    assert told in done.reason("BIAS-01")
    assert told in done.reason("PERF-01")


@pytest.mark.parametrize("scale", SCALES)
def test_with_one_the_verdict_is_that_of_the_probabilities(scale: str, tmp_path: Path) -> None:
    people().to_parquet(tmp_path / "p.parquet")
    scaled(scale).to_parquet(tmp_path / "e.parquet")
    cut = SCALES[scale](np.array(0.5))
    plain = gate(tmp_path, HEAD % "" + RULES, "evaluation=p.parquet")
    done = gate(tmp_path, HEAD % f", threshold: {cut:g}" + RULES, "evaluation=e.parquet")
    assert plain.outcomes()["BIAS-01"] == "FAIL"
    if scale == "decile":  # which does not tell 0.41 from 0.5
        return
    assert done.values() == pytest.approx(plain.values())


def test_a_champion_and_a_current_sample_on_another_scale_are_refused(tmp_path: Path) -> None:
    people().to_parquet(tmp_path / "e.parquet")
    scaled("percent").to_parquet(tmp_path / "c.parquet")
    roles = "  %s: {label: y, score: p, positive: 1, key: id}\n"
    rules = """\
rules:
  - {id: PERF-02, check: performance.champion, with: {metric: accuracy}, require: {at_least: -0.9}}
"""
    done = gate(
        tmp_path,
        HEAD % "" + roles % "champion" + rules,
        "evaluation=e.parquet",
        "champion=c.parquet",
    )
    assert done.outcomes() == {"PERF-02": "ERROR"}
    assert "state threshold: under data.champion" in done.reason("PERF-02")
    rules = """\
rules:
  - {id: MON-01, check: drift.prediction, with: {method: positive_rate}}
  - {id: MON-02, check: drift.prediction, with: {of: prediction}}
  - {id: MON-03, check: drift.prediction}
  - {id: MON-04, check: drift.performance, with: {metric: accuracy}, require: {at_most: 0.1}}
"""
    roles = "".join(roles % role for role in ("evaluation", "reference", "current"))
    for first, second in (("e", "c"), ("c", "e"), ("c", "c")):
        done = gate(
            tmp_path,
            "data:\n" + roles + rules,
            f"evaluation={first}.parquet",
            f"reference={first}.parquet",
            f"current={second}.parquet",
        )
        outcomes = done.outcomes()
        # their scores alone can be compared, and what lacks stands beside a breach
        assert outcomes.pop("MON-03") == ("PASS" if first == second else "FAIL")
        assert outcomes == dict.fromkeys(outcomes, "ERROR")
