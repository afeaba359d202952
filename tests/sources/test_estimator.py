"""A fitted estimator as the model under test: asked for its answers, and named for what it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from aims_gate.errors import SourceError, TrustError, UsageError
from aims_gate.operations.run import run
from aims_gate.operations.verify import verify
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.estimator import PREDICTION, SCORE, open_estimator
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.verdict import Verdict

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0"}
data:
  evaluation: {label: y, prediction: yhat, score: p, positive: 1, sensitive: [sex]}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.7}}
  - {id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}}
"""
SPEC = DataSpec(label="y", positive=1)


def rows(count: int = 3_000) -> pd.DataFrame:
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"income": random.normal(size=count)})
    frame["sex"] = np.where(random.random(count) < 0.4, "F", "M")
    frame["y"] = (frame["income"] + random.normal(size=count) > 0).astype(int)
    return frame


def trained(frame: pd.DataFrame) -> LogisticRegression:
    return LogisticRegression().fit(frame[["income"]], frame["y"])


def opened(tmp_path: Path, model: Any, frame: Any, spec: DataSpec = SPEC, **other: Any) -> Subject:
    """What the source makes of *model* and the frame as evaluation data."""
    tmp_path.mkdir(exist_ok=True)
    policy = Policy(id="p", version="1", data={Role.EVALUATION: spec, Role.CURRENT: DataSpec()})
    given = {Role.EVALUATION: frame, **{Role(name): data for name, data in other.items()}}
    return open_estimator(model, policy=policy, given=given, workspace=Workspace(folder=tmp_path))


def unread(tmp_path: Path, model: Any, frame: Any, spec: DataSpec = SPEC) -> str:
    """Why the evaluation data have no answers."""
    subject = opened(tmp_path, model, frame, spec)
    return str(subject.data[Role.EVALUATION].failed["prediction"])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def gated(policy: Path, model: Any, frame: Any, **options: Any) -> Verdict:
    return run(policy, model, data={"evaluation": frame}, **options)


def test_the_gate_judges_what_the_estimator_answers(policy: Path) -> None:
    """As it judges the same answers in columns; a perfect claim in the frame is not read."""
    frame = rows()
    model = trained(frame)
    scored = frame.assign(p=model.predict_proba(frame[["income"]])[:, 1])
    scored["yhat"] = model.predict(frame[["income"]])
    (policy.parent / "model").mkdir()
    (policy.parent / "model" / "weights").write_bytes(b"0")
    logged = gated(policy, f"file:{policy.parent / 'model'}", scored)
    asked = gated(policy, model, frame.assign(p=frame["y"], yhat=frame["y"]))
    assert [r.reason for r in asked.results] == [r.reason for r in logged.results]
    assert asked.passed
    assert asked.versions["isolation"] == "in-process"


def test_an_estimator_in_memory_has_no_environment_of_its_own(tmp_path: Path) -> None:
    """A policy that asks for one is not answered by the gate's own Python."""
    frame = rows()
    spec = DataSpec(label="y", predictions="model", environment="model")
    assert "no environment of its own" in unread(tmp_path, trained(frame), frame, spec)


def test_a_pipeline_on_text_is_an_estimator_too(policy: Path) -> None:
    """One that reads the protected attribute and refuses women is refused."""
    frame = rows()
    frame["y"] = np.where(frame["sex"] == "F", 0, frame["y"])
    steps = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    model = make_pipeline(steps, LogisticRegression()).fit(frame[["sex", "income"]], frame["y"])
    verdict = gated(policy, model, frame)
    assert {r.rule: str(r.outcome) for r in verdict.results}["BIAS-02"] == "FAIL"


def test_text_labels_and_a_positive_class_of_text(tmp_path: Path) -> None:
    """The score is that of the class which the policy calls positive."""
    frame = rows().assign(y=lambda f: np.where(f["y"] == 1, "good", "bad"))
    model = trained(frame)
    subject = opened(tmp_path, model, frame, DataSpec(label="y", positive="bad"))
    table = subject.data[Role.EVALUATION].frame.table  # type: ignore[attr-defined]
    assert np.allclose(table[SCORE], model.predict_proba(frame[["income"]])[:, 0])
    assert table[PREDICTION].to_pylist() == list(model.predict(frame[["income"]]))


def test_a_threshold_of_the_policy_holds_for_the_estimators_score(tmp_path: Path) -> None:
    """Also where the frame has a score of the same name, and where it has none."""
    frame = rows()
    model = trained(frame)
    spec = DataSpec(label="y", score="p", threshold=0.9, positive=1)
    for name, given in (("with", frame.assign(p=0.0)), ("without", frame)):
        data = opened(tmp_path / name, model, given, spec).data[Role.EVALUATION]
        table = data.frame.table  # type: ignore[attr-defined]
        wanted = model.predict_proba(frame[["income"]])[:, 1] >= 0.9
        assert (np.array(table[data.spec.prediction]) == wanted).all()
    regression = LinearRegression().fit(frame[["income"]], frame["y"])
    assert "no score for the threshold" in unread(tmp_path / "none", regression, frame, spec)


class Odd:
    """An estimator whose answers are as a test wants them."""

    feature_names_in_ = ("income",)

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def predict(self, frame: Any) -> Any:
        frame["income"] = 0  # what it does to its input reaches nobody
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([1.0, np.nan, 0.0], "null or not finite"),
        ([1.0, np.inf, 0.0], "null or not finite"),
        ([1, 0], "2 predictions for 3 rows"),
        ([[1, 0], [0, 1], [1, 1]], "no single column"),
        (["yes", "no", "no"], "and not numbers"),
        ([1, "no", None], "no single column|null|not numbers"),
        (7, "no single column|predictions for 3 rows"),
        (ValueError("row 3: Anna"), r"failed in predict \(ValueError\)"),
        (SystemExit(0), r"failed in predict \(SystemExit\)"),
        (np.ma.masked_array([1, 0, 1], mask=[False, True, False]), "masks some answers"),
    ],
)
def test_answers_that_are_none_are_errors(tmp_path: Path, answer: Any, words: str) -> None:
    """Each ends in `unread`, whose rules are ERROR, and no message holds what it raised."""
    frame = pd.DataFrame({"income": [1.0, 2.0, 3.0], "y": [1, 0, 1]})
    told = unread(tmp_path, Odd(answer), frame)
    assert re.search(words, told)
    assert "Anna" not in told


@pytest.mark.parametrize("name", ["feature_names_in_", "classes_", "predict"])
def test_an_estimator_that_ends_the_process_ends_it_with_no_pass(policy: Path, name: str) -> None:
    """`sys.exit(0)` of a model would be the exit code of a script that is itself the gate."""

    def end(_self: object) -> None:
        raise SystemExit(0)

    model = type("Ends", (Odd,), {name: property(end)})([1, 0, 1])
    with pytest.raises(SourceError, match="ended the process"):
        gated(policy, model, {"income": [1.0, 2.0], "y": [1, 0]})


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (LogisticRegression(), "names no columns, or is not fitted"),
        (LogisticRegression().fit([[0.0], [1.0]], [0, 1]), "names no columns"),
    ],
)
def test_columns_are_not_guessed(tmp_path: Path, model: Any, words: str) -> None:
    """An estimator that is not fitted, or fitted on an array, is an ERROR."""
    assert words in unread(tmp_path, model, rows(50))


def test_an_estimator_never_sees_the_label(tmp_path: Path) -> None:
    """Fitted on it, it would be perfect; fitted on a column that is gone, it is an ERROR."""
    frame = rows(200)
    cheat = LogisticRegression().fit(frame[["income", "y"]], frame["y"])
    assert "reads 'y', the label" in unread(tmp_path / "cheat", cheat, frame)
    blind = trained(frame)
    assert "no column 'income'" in unread(tmp_path / "blind", blind, frame.drop(columns="income"))


@pytest.mark.parametrize("model", [LogisticRegression, 7, object(), None])
def test_what_is_no_estimator_is_refused(policy: Path, model: Any) -> None:
    """A class, a number, nothing at all."""
    with pytest.raises(UsageError, match=r"neither a URI nor a fitted|no model"):
        gated(policy, model, rows(50))


def test_an_empty_frame_is_missing(policy: Path) -> None:
    """No rows, nothing to answer, nothing met."""
    frame = rows()
    verdict = gated(policy, trained(frame), frame[:0])
    assert {str(r.outcome) for r in verdict.results} == {"MISSING"}


def test_it_says_what_it_is_and_its_digest_covers_the_answers(tmp_path: Path) -> None:
    """The same answers, the same digest; other answers, another one; and no file to look at."""
    frame = rows()
    one, same = (opened(tmp_path / n, trained(frame), frame) for n in ("one", "same"))
    other = opened(tmp_path / "other", trained(frame[:500]), frame)
    assert one.model.reader == "memory"
    assert (one.model.uri, one.model.name) == ("memory:LogisticRegression", "LogisticRegression")
    assert one.model.digest == same.model.digest != other.model.digest
    assert replace(one.model, digest="") == replace(other.model, digest="")
    assert '"columns":["income"]' in (one.folder / "estimator.json").read_text(encoding="utf-8")


def test_other_roles_are_answered_only_where_an_answer_is_named(tmp_path: Path) -> None:
    """Drift of the inputs needs no label, and none of the estimator's columns."""
    frame = rows(100)
    subject = opened(tmp_path, trained(frame), frame, current=frame[["sex"]])
    assert set(subject.data) == {Role.EVALUATION, Role.CURRENT}


def test_evidence_of_an_estimator_is_unsigned_and_never_verifies(
    policy: Path, tmp_path: Path
) -> None:
    """A signature is refused before anything is measured; what is unsigned does not verify."""
    frame = rows()
    with pytest.raises(UsageError, match="has no files to sign for"):
        gated(policy, trained(frame), frame, key=_key(tmp_path))
    verdict = gated(policy, trained(frame), frame, unsigned=True, out=tmp_path / "evidence")
    assert verdict.passed
    trust = tmp_path / "trust.yaml"
    trust.write_text(
        "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
        "  - {person: a@example.org, public_key: gate.key.pub, roles: [gate]}\n",
        encoding="utf-8",
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"0")
    with pytest.raises(TrustError, match="is not signed"):
        verify(tmp_path / "evidence", model=tmp_path / "model", trust=trust)


def _key(folder: Path) -> str:
    from aims_gate.__main__ import guarded

    assert guarded(["evidence", "key", "generate", "--out", str(folder / "gate.key")]) == 0
    return str(folder / "gate.key")


def test_files_of_a_model_that_has_none_are_missing(tmp_path: Path) -> None:
    """`integrity.model` has nothing to look at, and does not pass for that."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY + "  - {id: INTEG-01, check: integrity.model}\n", encoding="utf-8")
    verdict = gated(policy, trained(rows()), rows())
    assert {r.rule: str(r.outcome) for r in verdict.results}["INTEG-01"] == "MISSING"
    assert not verdict.passed
