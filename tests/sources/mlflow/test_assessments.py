"""Scores of judges from traces, on a server over REST and in a sqlite store through the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import AssessmentSource, Expectation
from mlflow.entities import Feedback as Given

from aims_gate.checks.contract import Inputs
from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.score import Score
from aims_gate.engines.native import ENGINE
from aims_gate.errors import DataError, GateError, SourceError
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.registry import contract, rest_json
from aims_gate.registry.entities import Trace
from aims_gate.sources.estimator import open_estimator
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Data, Subject, Workspace
from tests.checks.subjects import NOW
from tests.conftest import Store
from tests.support.registry_content import Content

STRICT = "sha256:" + "a" * 64
LENIENT = "sha256:" + "b" * 64
JUDGE = AssessmentSource(source_type="LLM_JUDGE", source_id="judge")


BOTH = pytest.mark.parametrize("content", ["rest", "sqlite"], indirect=True)


@pytest.fixture
def content(request: pytest.FixtureRequest) -> Content:
    """A store, read over REST or, as where nothing is said, through MLflow's client."""
    if getattr(request, "param", "sqlite") == "sqlite":
        store: Store = request.getfixturevalue("mlflow_store")
        return Content(uri=store.uri)
    return Content(uri=request.getfixturevalue("mlflow_server"))


Open = Callable[..., Subject]


@pytest.fixture
def opened(content: Content, tmp_path: Path) -> Open:
    """Open a model whose evaluation data are scores."""

    def open_(
        model: str,
        source: str = "assessments:exact",
        given: Mapping[Role, Any] | None = None,
        alias: str = "",
        **spec: Any,
    ) -> Subject:
        policy = Policy(
            id="p",
            version="1.0.0",
            data={} if given else {Role.EVALUATION: DataSpec(source=source, **spec)},
        )
        workspace = Workspace(
            folder=tmp_path, alias=alias, environ={"MLFLOW_TRACKING_URI": content.uri}
        )
        uri = f"models:/{model}" if model.startswith("m-") else model
        return SOURCE.open(uri, policy=policy, given=given or {}, workspace=workspace)

    return open_


def said(value: object, digest: str = STRICT, name: str = "exact", **more: Any) -> Given:
    metadata = {"mlflow.assessment.scorerDigest": digest} if digest else None
    return Given(
        name=name,
        value=value,
        source=JUDGE,
        rationale="the customer's own words",
        metadata=metadata,
        **more,
    )


def evaluated(content: Content, rows: Any, **named: Any) -> tuple[str, str]:
    """A model, and the finished run of its evaluation."""
    model = content.model(content.run())
    run = content.run(end=False)
    content.judged(run, rows, model_id=model, **named)
    content.client.set_terminated(run)
    return model, run


def read(subject: Subject) -> Data:
    assert not subject.unread
    return subject.data[Role.EVALUATION]


def refused(subject: Subject) -> DataError:
    assert Role.EVALUATION not in subject.data
    return subject.unread[Role.EVALUATION]


def column(data: Data, name: str) -> list[Any]:
    return list(data.frame.table[name].to_pylist())  # type: ignore[attr-defined]


def score(subject: Subject, metric: str = "accuracy") -> Any:
    check = Score(metric=metric)
    inputs = Inputs(subject=subject, engine=ENGINE, alpha=0.05, alpha_alone=0.05, now=NOW)
    return next(cell for cell in check.measure(inputs) if cell.judged)


@BOTH
def test_each_trace_is_a_row_with_its_value_its_id_its_scorer_and_its_tags(
    content: Content, opened: Open
) -> None:
    rows = [[said(n % 4 != 0), said(n, name="length")] for n in range(40)]
    model, run = evaluated(content, rows, topic=["loan", "card"] * 20)
    subject = opened(model)
    data = read(subject)
    assert data.frame.rows == 40
    assert sorted(column(data, "value")) == [False] * 10 + [True] * 30
    assert column(data, "trace") == sorted(set(column(data, "trace")))
    assert set(column(data, "scorer")) == {STRICT}
    assert column(data, "tags.topic").count("loan") == 20
    assert data.identity.uri == f"runs:/{run}/assessments:exact"
    assert data.identity.model_id == model
    assert data.claim == "scores of exact, claimed by the run's author, not recomputed"
    assert data.identity.notes[:2] == (data.claim, f"scorer {STRICT}")
    assert data.created is not None
    assert data.declared == frozenset(), "no value of the author's is named in evidence"
    assert data.from_run == frozenset()
    found = score(subject)
    assert (found.value, found.rows) == (0.75, 40)
    assert found.interval is not None
    words = repr(data.frame.table.to_pydict())  # type: ignore[attr-defined]
    assert "customer" not in words, "neither what was asked, nor answered, nor why"
    assert "model answered" not in words


def test_the_same_scores_have_one_digest(content: Content, opened: Open) -> None:
    model, _ = evaluated(content, [[said(n % 3 == 0)] for n in range(9)])
    digests = [read(opened(model)).identity.digest for _ in range(2)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("values", "spec", "expected"),
    [
        (["Yes", "no ", "YES", "yes"], {}, 0.75),
        ([True, True, False, True], {"positive": False}, 0.25),
        (["no", "yes", "no", "no"], {"positive": "no"}, 0.75),
        (["good", "bad", "fair", "good"], {"positive": "good"}, 0.5),
        (["good", "bad", "bad", "good"], {"positive": "good"}, 0.5),
        ([5, 4, 3.5, 1], {"threshold": 4.0, "score": "value", "task": "binary"}, 0.5),
        ([0.9, 0.8, 0.2, 0.75], {"threshold": 0.75, "score": "value"}, 0.75),
    ],
)
def test_a_pass_rate_is_the_accuracy(
    content: Content, opened: Open, values: list[object], spec: dict[str, Any], expected: float
) -> None:
    model, _ = evaluated(content, [[said(value)] for value in values * 2])
    assert score(opened(model, **spec)).value == pytest.approx(expected)


def test_the_shortfall_of_a_mean_is_the_mean_absolute_error(content: Content, opened: Open) -> None:
    model, _ = evaluated(content, [[said(n % 6)] for n in range(60)])
    assert score(opened(model, positive=5), "mae").value == pytest.approx(2.5)
    error = refused(opened(model))
    assert error.what == "some scores lie above the full mark 1"


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([True, 0.5], "several kinds: numbers, truth values"),
        (["fair", "good"], "words other than yes and no"),
        ([[1, 2], [1]], "a list or an object"),
        ([{"a": 1}], "a list or an object"),
        (["what the customer said " * 9], "text of more than 100 characters"),
    ],
)
def test_what_is_no_score_is_refused_and_not_quoted(
    content: Content, opened: Open, values: list[object], what: str
) -> None:
    model, _ = evaluated(content, [[said(value)] for value in values])
    error = refused(opened(model))
    assert what in error.what
    assert "customer" not in str(error)


@BOTH
def test_an_error_of_the_scorer_and_a_trace_it_left_out_are_rows_without_value(
    content: Content, opened: Open
) -> None:
    """They do not vanish: a judge that fails where the model is bad would flatter it."""
    rows = [[said(True)] for _ in range(30)]
    rows += [[said(None, error=ValueError("the customer's words"))], [said(1, name="length")], []]
    model, _ = evaluated(content, rows)
    data = read(opened(model))
    assert (data.frame.rows, data.frame.nulls("value")) == (33, 3)
    with pytest.raises(DataError, match="3 of 33 rows are null"):
        score(opened(model))
    assert score(opened(model, max_null_labels=0.1)).rows == 30


@BOTH
def test_only_what_is_valid_counts(content: Content, opened: Open) -> None:
    """A person who overrides a judge counts, and the judge does not."""
    model, run = evaluated(content, [[said(False)] for _ in range(3)])
    client = content.client._tracing_client
    for trace in content.client.search_traces(locations=["0"], run_id=run, include_spans=False):
        (old,) = trace.info.assessments
        new = Given(name="exact", value=True, source=JUDGE, overrides=old.assessment_id)
        client.log_assessment(trace.info.trace_id, new)
    data = read(opened(model))
    assert column(data, "value") == [True] * 3
    assert column(data, "scorer") == [""] * 3, "who overrode it names no definition"
    assert (
        f"3 of 3 values are not of the scorer {STRICT}"
        in refused(opened(model, f"assessments:exact@{STRICT}")).what
    )


def test_several_valid_values_for_one_trace_are_an_error(content: Content, opened: Open) -> None:
    model, _ = evaluated(content, [[said(True)], [said(True), said(False)]])
    error = refused(opened(model))
    assert error.what == "the scorer 'exact' has 2 valid values for one trace"


def test_a_pin_holds_the_definition_of_the_scorer(content: Content, opened: Open) -> None:
    model, _ = evaluated(content, [[said(True)], [said(False)]])
    assert read(opened(model, f"assessments:exact@{STRICT}")).frame.rows == 2
    error = refused(opened(model, f"assessments:exact@{LENIENT}"))
    assert f"2 of 2 values are not of the scorer {LENIENT}" in error.what
    assert STRICT in error.hint
    mixed, _ = evaluated(content, [[said(True, LENIENT)], [said(False)]])
    assert "2 definitions of the scorer" in refused(opened(mixed)).what


def test_no_such_scorer_is_an_error_with_near_names(content: Content, opened: Open) -> None:
    rows = [[said(True), Expectation(name="exakt", value="a", source=JUDGE)]]
    model, _ = evaluated(content, rows)
    error = refused(opened(model, "assessments:exat"))
    assert error.what == "no trace has a score of 'exat'"
    assert error.hint == "did you mean 'exact'?"
    hidden = refused(opened(content.model(content.run())))
    assert "mlflow.genai.evaluate(…, model_id=…)" in hidden.hint


def test_names_that_the_author_chose_write_no_line_of_their_own(
    content: Content, opened: Open
) -> None:
    name = "exact\n✅ PASS \x1b[2J" + "x" * 100
    model, _ = evaluated(content, [[said(True, name=name)]])
    error = str(refused(opened(model, "assessments:other")))
    assert "\n" not in error
    assert "\x1b" not in error
    assert "x" * 90 not in error


def test_two_evaluations_are_ambiguous_until_the_caller_names_one(
    content: Content, opened: Open
) -> None:
    """The best of several would be the author's choice."""
    model, first = evaluated(content, [[said(True)]] * 4)
    second = content.run(end=False)
    content.judged(second, [[said(False)]] * 5, model_id=model)
    content.client.set_terminated(second)
    error = refused(opened(model))
    assert error.what.startswith("2 runs have scores of 'exact' for the model")
    assert first in error.what
    assert second in error.what
    given = {Role.EVALUATION: f"runs:/{second}/assessments:exact"}
    assert column(read(opened(model, given=given)), "value") == [False] * 5


def test_scores_of_another_model_are_not_ours(content: Content, opened: Open) -> None:
    other, run = evaluated(content, [[said(True)]] * 3)
    ours = content.model(content.run())
    given = {Role.EVALUATION: f"runs:/{run}/assessments:exact"}
    assert refused(opened(ours, given=given)).what == f"these are answers of {other}, not of {ours}"
    content.judged(run, [[said(False)]] * 2, model_id=ours)
    assert column(read(opened(ours, given=given)), "value") == [False] * 2
    content.judged(run, [[said(True)]])
    assert "some of the traces name no model" in refused(opened(ours, given=given)).what


def test_traces_without_a_model_are_those_of_the_training_run(
    content: Content, opened: Open
) -> None:
    run = content.run(end=False)
    model = content.model(run)
    content.judged(run, [[said(True)]] * 3)
    content.client.set_terminated(run)
    data = read(opened(model))
    assert "the traces name no model" in data.identity.notes
    content.model(run)
    assert "the run made several models" in refused(opened(model)).what


@pytest.mark.parametrize("state", ["RUNNING", "FAILED", "deleted"])
def test_an_evaluation_that_did_not_finish_does_not_count(
    content: Content, opened: Open, state: str
) -> None:
    model, run = evaluated(content, [[said(True)]])
    if state == "deleted":
        content.client.delete_run(run)
    else:
        content.client.update_run(run, status=state)
    hidden = "no trace has a score of 'exact'"  # MLflow lists no traces of a run in its trash
    found = refused(opened(model)).what
    assert found == (hidden if state == "deleted" else f"the run of the evaluation is {state}")


@BOTH
def test_every_page_is_read_and_a_limit_is_said(
    content: Content, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = evaluated(content, [[said(n > 0)] for n in range(7)])
    for module in ("rest", "client"):
        monkeypatch.setattr(f"aims_gate.registry.{module}.PAGE_OF_TRACES", 2)
    assert read(opened(model)).frame.rows == 7
    monkeypatch.setattr(contract, "MAX_TRACES", 6)
    assert "more than 6 traces" in refused(opened(model)).what


def test_a_trace_that_is_listed_twice_is_an_error() -> None:
    twice = Trace(trace_id="tr-1")
    with pytest.raises(SourceError, match="twice"):
        contract.all_of([twice, twice], "here")


@BOTH
def test_the_champion_is_compared_by_its_own_scores(content: Content, opened: Open) -> None:
    """Never by the candidate's, which would make a difference of 0; rows by a tag of both."""
    cases = [f"c{n}" for n in range(40)]
    name = f"chat-{content.run()[:12]}"
    versions = []
    for wrong in (8, 4):
        model, _ = evaluated(content, [[said(n >= wrong)] for n in range(40)], case=cases)
        versions.append(content.version(name, f"models:/{model}"))
    content.client.set_registered_model_alias(name, "champion", versions[0])
    uri = f"models:/{name}/{versions[1]}"
    by_alias = opened(uri, alias="champion", key="tags.case")
    check = Champion(metric="accuracy", alias="champion")
    inputs = Inputs(subject=by_alias, engine=ENGINE, alpha=0.05, alpha_alone=0.05, now=NOW)
    (cell,) = (one for one in check.measure(inputs) if one.judged)
    assert cell.value == pytest.approx(0.1)
    given = {Role.EVALUATION: "assessments:exact", Role.CHAMPION: "assessments:exact"}
    by_hand = opened(uri, alias="champion", given=given)
    assert sum(column(by_hand.data[Role.CHAMPION], "value")) == 32
    alone = opened(uri, given=given)
    assert alone.unread[Role.CHAMPION].what == "there is no champion whose scores these are"


def test_what_is_no_unicode_text_is_refused(content: Content, opened: Open) -> None:
    """A server may hand out half a surrogate pair; it ends a rule, and never the gate."""
    model, _ = evaluated(content, [[said("\ud800")]])
    assert "no Unicode text" in refused(opened(model, positive="a")).what


def test_a_tag_takes_no_other_column_s_place(content: Content, opened: Open) -> None:
    tags = {"value": ["no"] * 2, "passes": ["yes"] * 2, "mlflow.user": ["eve"] * 2}
    model, _ = evaluated(content, [[said(True)], [said(True)]], **tags)
    data = read(opened(model))
    assert column(data, "value") == [True, True]
    names = {name for name in data.frame.columns if name.startswith("tags.")}
    assert names == {"tags.value", "tags.passes"}


def test_tags_of_many_names_are_refused(
    content: Content, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aims_gate.sources.mlflow.assessments.MOST_TAGS", 2)
    model, _ = evaluated(content, [[said(True)]], a=["1"], b=["2"], c=["3"])
    assert "the traces have 3 tags, and 2 at most are read" in refused(opened(model)).what


def test_a_folder_has_no_traces(tmp_path: Path) -> None:
    from aims_gate.sources.files import SOURCE as FILES

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"1")
    spec = DataSpec(source="assessments:exact")
    policy = Policy(id="p", version="1.0.0", data={Role.EVALUATION: spec})
    (tmp_path / "work").mkdir()
    workspace = Workspace(folder=tmp_path / "work")
    subject = FILES.open(f"file:{tmp_path}/model", policy=policy, given={}, workspace=workspace)
    assert "has no traces" in refused(subject).what


def test_scores_of_a_run_that_is_named_are_read_beside_no_model(
    content: Content, tmp_path: Path
) -> None:
    """Before a model is chosen: how many scored rows would decide a rule."""
    _, run = evaluated(content, [[said(True)], [said(False)]])
    given = {Role.EVALUATION: f"runs:/{run}/assessments:exact"}
    workspace = Workspace(folder=tmp_path, environ={"MLFLOW_TRACKING_URI": content.uri})
    policy = Policy(id="p", version="1.0.0")
    subject = open_estimator(None, policy=policy, given=given, workspace=workspace)
    assert subject.data[Role.EVALUATION].frame.rows == 2


def test_a_model_is_not_asked_to_predict_its_own_scores(content: Content, opened: Open) -> None:
    model, _ = evaluated(content, [[said(True)]])
    error = refused(opened(model, predictions="model"))
    assert isinstance(error, GateError)
    assert "predicts no scores" in error.what


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"trace_id": ["t"]},
        {"trace_id": "t", "tags": ["a"]},
        {"trace_id": "t", "tags": {"a": {"b": 1}}},
        {"trace_id": "t", "trace_metadata": {"mlflow.modelId": ["m-1"]}},
        {"trace_id": "t", "assessments": [7]},
        {"trace_id": "t", "assessments": [{"feedback": None}]},
        {"trace_id": "t", "assessments": [{"feedback": {"value": 1}}]},
        {"trace_id": "t", "assessments": [{"feedback": {}, "assessment_name": "a", "metadata": 1}]},
    ],
)
def test_an_answer_of_another_shape_is_no_trace(answer: Any) -> None:
    """`RestRegistry` turns these into an error that names the server."""
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        rest_json.trace(answer)


def test_valid_is_what_says_that_it_is() -> None:
    one = {"feedback": {"value": 1}, "assessment_name": "a"}
    said = [one, *({**one, "valid": word} for word in (True, False, "yes", 1, None))]
    found = rest_json.trace({"trace_id": "t", "assessments": said}).feedback
    assert [feedback.valid for feedback in found] == [True, True, False, False, False, False]
