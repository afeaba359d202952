"""`aims_gate.assert_passes`: one check on frames in memory, met or an AssertionError."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import aims_gate
from aims_gate.errors import PolicyError, UsageError
from aims_gate.operations.assert_passes import assert_passes

RATIO = "fairness.impact_ratio"


def cases(rows: int = 4_000, *, women: float = 0.5) -> dict[str, Any]:
    """Unequal groups; *women* and half the men are selected."""
    random = np.random.default_rng(7)
    sex = np.where(random.random(rows) < 0.3, "F", "M")
    chosen = random.random(rows) < np.where(sex == "F", women, 0.5)
    label = np.where(random.random(rows) < 0.9, chosen, ~chosen)
    return {"sex": sex, "y": label.astype(int), "yhat": chosen.astype(int)}


def told(**arguments: Any) -> Any:
    """The arguments of a whole assertion, with *arguments* in place of some."""
    return {"label": "y", "prediction": "yhat", "by": ["sex"], "at_least": 0.8} | arguments


def test_what_is_met_gives_its_result() -> None:
    """PASS with every number that was measured."""
    result = assert_passes(RATIO, cases(), **told())
    assert result.outcome == "PASS"
    assert {s.engine.split()[0] for s in result.statistics if s.judged} == {"native"}


@pytest.mark.parametrize(
    ("frame", "arguments", "words"),
    [
        (cases(women=0.2), {}, f"{RATIO} FAIL: impact ratio sex=F vs sex=M 0.4"),
        (cases(60), {}, f"{RATIO} INSUFFICIENT: "),
        (cases(), {"prediction": "answer"}, f"{RATIO} MISSING: .*no column 'answer'"),
        (cases(), {"label": "yy"}, f"{RATIO} MISSING: .*no column 'yy'; did you mean 'y'"),
        (cases(), {"sensitive": ["se"]}, f"{RATIO} MISSING: .*no column 'se'; did you mean"),
        (None, {}, f"{RATIO} MISSING: .*there are no evaluation data"),
        ({"sex": [], "y": [], "yhat": []}, {}, f"{RATIO} MISSING: .*no rows"),
        (cases() | {"sex": ["F"] * 4_000}, {}, f"{RATIO} (ERROR|INSUFFICIENT|MISSING)"),
        ({"y": [1]}, {"min_rows": 10}, f"{RATIO} "),
        (cases() | {"yhat": [None] * 4_000}, {}, f"{RATIO} ERROR"),
        ("nowhere.parquet", {}, f"{RATIO} ERROR"),
    ],
)
def test_nothing_else_passes(frame: Any, arguments: dict[str, Any], words: str) -> None:
    """FAIL, INSUFFICIENT, MISSING and ERROR are AssertionErrors of one line."""
    with pytest.raises(AssertionError, match=words) as caught:
        assert_passes(RATIO, frame, **told(**arguments))
    assert "\n" not in str(caught.value)


def test_the_smallest_data_never_pass_for_want_of_proof() -> None:
    """A true ratio of one half on fifty rows a group is INSUFFICIENT or FAIL, never met."""
    half = {"sex": ["F"] * 50 + ["M"] * 50, "yhat": [1] * 3 + [0] * 47 + [1] * 5 + [0] * 45}
    with pytest.raises(AssertionError, match="INSUFFICIENT"):
        assert_passes(RATIO, half | {"y": half["yhat"]}, **told())


@pytest.mark.parametrize(
    ("check", "arguments", "words"),
    [
        (RATIO, told(lable="y"), "has no argument 'lable'; did you mean 'label'"),
        (RATIO, told(at_leat=0.8), "has no argument 'at_leat'; did you mean 'at_least'"),
        ("fairness.impact", told(), "unknown check 'fairness.impact'; did you mean"),
        ("evidently:psi", {"at_most": 0.2}, "not measured by the native engine"),
        (RATIO, told(current={"y": [1]}), "does not read the current data"),
        (RATIO, told(at_least=float("nan")), "not JSON compliant"),
        (RATIO, told(label={1, 2}), "is no text, number or list"),
        (
            "performance.score",
            {"label": "y", "prediction": "yhat", "metric": "accuracy"},
            "no usual limit for accuracy; give at_least=, as a number",
        ),
    ],
)
def test_misuse_is_a_usage_error(check: str, arguments: dict[str, Any], words: str) -> None:
    """Never an assertion, and never an argument that is dropped in silence."""
    with pytest.raises(UsageError, match=words):
        assert_passes(check, **arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (told(at_least=0), "is met by every value"),
        (told(at_least=True), "must be a number"),
        (told(at_least="much"), "must be a number"),
        (told(at_least=None), "has no value"),
        (told(min_cell="30"), "min_cell"),
        (told(decide_on="hope"), "decide_on"),
        ({"label": "y", "prediction": "yhat", "by": "sex", "at_least": 0.8}, "by"),
        (told(at_most=0.1) | {"at_least": 0.9}, "at_"),
    ],
)
def test_arguments_are_held_to_the_grammar_of_a_policy(
    arguments: dict[str, Any], words: str
) -> None:
    """What a policy refuses, an assertion refuses."""
    with pytest.raises(PolicyError, match=words):
        assert_passes(RATIO, cases(), **arguments)


def test_numbers_of_numpy_and_tuples_are_taken() -> None:
    """As they come out of other code."""
    result = assert_passes(RATIO, cases(), **told(at_least=np.float32(0.5), by=("sex",)))
    assert result.threshold is not None
    assert result.threshold.at_least == 0.5


def test_drift_takes_two_frames() -> None:
    """And refuses one."""
    random = np.random.default_rng(1)
    one, two = ({"x": random.normal(size=3_000)} for _ in range(2))
    result = assert_passes("drift.columns", reference=one, current=two, at_most=0.25)
    assert result.outcome == "PASS"
    moved = {"x": two["x"] + 2}
    with pytest.raises(AssertionError, match=r"drift\.columns FAIL: PSI x"):
        assert_passes("drift.columns", reference=one, current=moved, at_most=0.25)
    with pytest.raises(AssertionError, match=r"drift\.columns MISSING"):
        assert_passes("drift.columns", reference=one, at_most=0.25)


def test_an_estimator_answers_the_frame() -> None:
    """Its scores are those that scikit-learn's own AUC is taken of; a logged score is not read."""
    import pandas as pd

    random = np.random.default_rng(3)
    frame = pd.DataFrame({"x": random.normal(size=2_000)})
    frame["y"] = (frame["x"] + random.normal(size=2_000) > 0).astype(int)
    model = LogisticRegression().fit(frame[["x"]], frame["y"])
    wanted = roc_auc_score(frame["y"], model.predict_proba(frame[["x"]])[:, 1])
    frame["p"] = frame["y"]  # the claim of a perfect model
    result = assert_passes(
        "performance.score", frame, model=model, label="y", score="p", prediction="p",
        metric="roc_auc", at_least=0.7,
    )  # fmt: skip
    (found,) = [s.value for s in result.statistics if s.judged]
    assert found == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        ("performance.score", {"metric": "accuracy", "at_least": 0.5}),
        ("fairness.parity", {"at_most": 0.2}),
        ("fairness.odds", {"at_most": 0.2}),
        ("data.schema", {"columns": {"sex": "text"}}),
        ("data.missing", {"at_most": 0.01}),
        ("integrity.data", {}),
    ],
)
def test_checks_of_every_family_can_be_asserted(check: str, arguments: dict[str, Any]) -> None:
    """Met on sound data, and not on none."""
    roles: dict[str, Any] = {"label": "y", "prediction": "yhat", "sensitive": ["sex"]}
    assert assert_passes(check, cases(), **roles, **arguments).outcome in {"PASS", "WARN"}
    with pytest.raises(AssertionError, match=f"{check} MISSING"):
        assert_passes(check, **roles, **arguments)


def test_it_is_public_and_loads_no_heavy_library() -> None:
    """Arrow frames need no pandas, and no scikit-learn."""
    assert aims_gate.assert_passes is assert_passes
    code = (
        "import sys, pyarrow as pa, aims_gate\n"
        "t = pa.table({'g': ['a', 'b'] * 2000, 'y': [0, 0, 1, 1] * 1000})\n"
        "t = t.append_column('p', t['y'])\n"
        "aims_gate.assert_passes('fairness.parity', t, label='y', prediction='p', by=['g'])\n"
        "print(sorted({'sklearn', 'mlflow', 'fairlearn', 'evidently'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_hostile_name_reaches_the_terminal_as_one_harmless_line() -> None:
    """Neither a new line nor a terminal sequence of a group's name is passed on."""
    frame = cases(women=0.1)
    frame["sex"] = np.where(frame["sex"] == "F", "F\n\x1b[32mPASSED\x1b[0m", frame["sex"])
    with pytest.raises(AssertionError) as caught:
        assert_passes(RATIO, frame, **told())
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "FAIL" in str(caught.value)
