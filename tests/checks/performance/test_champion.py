from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks import NoDataError
from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.pairs import METHODS
from aims_gate.checks.performance.score import Plain
from aims_gate.engines import Answer, Engines
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import Lack, Statistic
from aims_gate.judge import decide, judge
from aims_gate.measure import measure
from aims_gate.plan import plan
from aims_gate.policy.model import DecideOn, OnInsufficient, Policy, Role, Rule, TaskKind, Threshold
from aims_gate.sources.subject import Champion as Found
from aims_gate.sources.subject import Data
from aims_gate.verdict import Decision, Outcome, Result
from tests.checks.subjects import NOW, data, inputs, judged

LAWS = settings(deadline=None, max_examples=15)
MARGIN = Threshold(at_least=-0.01)


def binary(seed: int = 0, rows: int = 3_000, *, noise: float = 0.3) -> tuple[Data, Data]:
    """A candidate, and a champion that knows a little less, in another order of rows."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.3).astype(int)
    signal = rng.normal(1.4 * y - 0.7, 1)
    score = np.round(1 / (1 + np.exp(-signal)), 3)
    other = np.round(1 / (1 + np.exp(-(signal + rng.normal(0, noise, rows)))), 3)
    ids = rng.permutation(10 * rows)[:rows]
    columns = {
        "id": ids,
        "y": y,
        "p": (score > 0.5).astype(int),
        "s": score,
        "n": rng.integers(0, 4, rows),
        "g": rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
        "age": rng.integers(18, 80, rows).astype(float),
    }
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "score": "s",
        "positive": 1,
        "key": "id",
    }
    order = rng.permutation(rows)
    answers = {"id": ids, "q": (other > 0.5).astype(int), "t": other}
    return data(columns, **spec), champion({k: v[order] for k, v in answers.items()})


def champion(columns: Any, **spec: Any) -> Data:
    found = data(columns, Role.CHAMPION, **{"prediction": "q", "score": "t", **spec})
    return replace(found, identity=replace(found.identity, digest="1" * 64))


def numbers(seed: int = 0, rows: int = 2_000) -> tuple[Data, Data]:
    rng = np.random.default_rng(seed)
    y = rng.normal(10, 3, rows)
    ids = np.arange(rows)
    ours = data(
        {"id": ids, "y": y, "p": y + rng.normal(0, 1, rows)}, label="y", prediction="p", key="id"
    )
    return ours, champion({"id": ids, "q": y + rng.normal(0.1, 1.05, rows)}, score=None)


def arrays(ours: Data, theirs: Data) -> dict[str, Any]:
    """Both tables in the order of the key, as arrays."""
    tables = [d.frame.table.to_pydict() for d in (ours, theirs)]  # type: ignore[attr-defined]
    found: dict[str, Any] = {}
    for table in tables:
        order = np.argsort(table["id"])
        found |= {name: np.array(values)[order] for name, values in table.items()}
    return found


def only(check: Champion, *roles: Data, **options: Any) -> Statistic:
    (cell,) = judged(check, *roles, **options).values()
    return cell


def ruled(
    parameters: dict[str, Any], *roles: Data, found: Found | None = None, **rule: Any
) -> Result:
    """What the gate makes of a rule, with what the registry says of the alias."""
    made = Rule(
        id="PERF-02",
        check="performance.champion",
        parameters=parameters,
        **{"require": MARGIN, **rule},
    )
    (task,) = plan(Policy(id="p", version="1", rules=(made,))).sound()
    subject = replace(inputs(*roles).subject, champion=found)
    measured = measure(task, subject, now=NOW)
    return judge(task, measured, now=NOW, insufficient=OnInsufficient.BLOCK)


# refusals first

ALIAS: dict[str, Any] = {"metric": "accuracy", "alias": "champion"}
EXCUSED: dict[str, Any] = {
    **ALIAS,
    "when_none": "not_applicable",
    "reason": "the first version of this model",
}
NONE = Found(alias="credit@champion")
OTHER = Found(alias="credit@champion", uri="models:/credit/3")
ITSELF = Found(alias="credit@champion", uri="models:/credit/4", is_candidate=True)


@pytest.mark.parametrize(
    ("parameters", "found", "why"),
    [
        ({"metric": "accuracy"}, None, "no champion data"),
        (ALIAS, None, "nobody can say"),
        (EXCUSED, None, "nobody can say"),
        (ALIAS, NONE, "no version has the alias credit@champion"),
        (ALIAS, OTHER, r"the run of models:/credit/3 .* logged no evaluation data"),
        (EXCUSED, OTHER, "logged no evaluation data"),
    ],
)
def test_without_a_champion_or_its_answers_it_is_missing(
    parameters: dict[str, Any], found: Found | None, why: str
) -> None:
    ours, _ = binary()
    result = ruled(parameters, ours, found=found)
    assert (result.outcome, result.blocking) == (Outcome.MISSING, True)
    assert re.search(why, result.reason)


def test_no_champion_yet_is_not_applicable_only_with_a_reason_and_then_decides_nothing() -> None:
    ours, _ = binary()
    result = ruled(EXCUSED, ours, found=NONE)
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert "the first version of this model" in result.reason
    assert not result.blocking
    assert decide([result]) is Decision.UNDECIDED


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({**ALIAS, "when_none": "not_applicable"}, "not_applicable needs a reason"),
        ({**EXCUSED, "reason": " "}, "not_applicable needs a reason"),
        ({"metric": "accuracy", "when_none": "not_applicable", "reason": "new"}, "needs an alias"),
        ({**ALIAS, "when_none": "pass"}, "when_none"),
        ({**ALIAS, "reason": "new"}, "with when_none: not_applicable only"),
        ({"metric": "accuracy", "model": "credit"}, "there is none"),
        ({**ALIAS, "alias": "credit@champion"}, "is no alias"),
        ({**ALIAS, "by": ["g", "g"]}, "attribute is named twice"),
        ({**ALIAS, "by": ["g"], "bins": {"age": [25]}}, "no column of by"),
        ({**ALIAS, "by": ["age"], "bins": {"age": [25, 25]}}, "not ascending"),
        ({**ALIAS, "min_cell": 0}, "not a number of rows"),
        ({**ALIAS, "max_uncovered": 1.0}, "outside"),
    ],
)
def test_parameters_that_contradict_themselves_are_policy_errors(
    parameters: dict[str, Any], why: str
) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(parameters)


@pytest.mark.parametrize(
    ("require", "why"),
    [
        (None, "no conventional limit"),
        (Threshold(at_most=0.01), "wrong way round"),
        (Threshold(at_least=-1.0), "met by every value"),
    ],
)
def test_a_margin_that_cannot_refuse_is_a_policy_error(require: Threshold | None, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(ALIAS, require=require)


def test_one_policy_has_one_champion() -> None:
    rules = tuple(
        Rule(id=f"P-{n}", check="performance.champion", require=MARGIN, parameters=parameters)
        for n, parameters in enumerate([ALIAS, ALIAS, {**ALIAS, "alias": "shadow"}])
    )
    (problem,) = plan(Policy(id="p", version="1", rules=rules)).problems
    assert "P-0 compares with 'champion' already" in problem.what


@pytest.mark.parametrize(
    "broken",
    [
        {"id": [1, 2, 3], "q": [0, 1, 0]},
        {"id": [1, 2, 2, 4], "q": [0, 1, 0, 1]},
        {"id": [1, 2, 3, 5], "q": [0, 1, 0, 1]},
        {"id": [1, 2, 3, 4], "q": [0, 1, 0, None]},
        {"id": [1, 2, 3, 4], "q": ["0", "1", "0", "1"]},
        {"id": [1, 2, 3, 4], "q": [0, 1, 0, 1], "y": [1, 1, 1, 1]},
    ],
)
def test_other_rows_other_labels_and_unusable_answers_are_errors(broken: Any) -> None:
    columns = {"id": [1, 2, 3, 4], "y": [0, 1, 1, 0], "p": [0, 1, 1, 0]}
    ours = data(columns, label="y", prediction="p", positive=1, key="id")
    result = ruled({"metric": "accuracy"}, ours, champion(broken, score=None))
    assert (result.outcome, result.blocking) == (Outcome.ERROR, True)


def test_unusable_champion_data_are_an_error_even_if_none_is_excused() -> None:
    ours, _ = binary()
    made = inputs(ours)
    broken = replace(made.subject, unread={Role.CHAMPION: DataError("a broken file")})
    with pytest.raises(DataError, match="a broken file"):
        tuple(Champion(**EXCUSED).measure(replace(made, subject=broken)))


def test_a_champion_that_never_says_yes_has_no_precision_to_compare_with() -> None:
    ours, theirs = binary()
    columns = theirs.frame.table.to_pydict()  # type: ignore[attr-defined]
    never = champion({**columns, "q": [0] * len(columns["q"])})
    cell = only(Champion(metric="precision"), ours, never)
    assert (cell.lack, cell.value) == (Lack.UNDEFINED, None)


def test_the_candidate_is_no_worse_than_itself_if_it_can_be_measured() -> None:
    ours, _ = binary(rows=60)
    result = ruled(ALIAS, ours, found=ITSELF)
    assert result.outcome is Outcome.PASS
    (cell,) = [s for s in result.statistics if s.judged]
    assert cell.value == 0
    assert "the alias credit@champion is on the candidate itself (models:/credit/4)" in cell.reason
    assert ruled(ALIAS, found=ITSELF).outcome is Outcome.MISSING
    one_class = data({"y": [1] * 50, "s": [0.5] * 50}, label="y", score="s", positive=1)
    assert ruled({**ALIAS, "metric": "roc_auc"}, one_class, found=ITSELF).outcome is Outcome.ERROR


def test_handed_over_answers_count_whatever_the_alias_says() -> None:
    ours, theirs = binary(noise=2.0)
    for found in (None, NONE, ITSELF):
        result = ruled(ALIAS, ours, theirs, found=found)
        (cell,) = [s for s in result.statistics if s.judged]
        assert cell.value is not None
        assert cell.value > 0.02


# values


def expected(metric: str, y: Any, p: Any, s: Any) -> float:
    """What scikit-learn says of one side."""
    by_name = {
        "accuracy": lambda: sk.accuracy_score(y, p),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, p),
        "precision": lambda: sk.precision_score(y, p),
        "recall": lambda: sk.recall_score(y, p),
        "specificity": lambda: sk.recall_score(y, p, pos_label=0),
        "f1": lambda: sk.f1_score(y, p),
        "mcc": lambda: sk.matthews_corrcoef(y, p),
        "roc_auc": lambda: sk.roc_auc_score(y, s),
        "brier": lambda: sk.brier_score_loss(y, s),
        "log_loss": lambda: sk.log_loss(y, s),
    }
    return float(by_name[metric]())


BINARY = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc",
          "roc_auc", "brier", "log_loss")  # fmt: skip


@pytest.mark.parametrize("metric", BINARY)
@LAWS
@given(st.integers(0, 2**32 - 1))
def test_the_difference_is_scikit_learns_of_the_joined_rows(metric: Plain, seed: int) -> None:
    ours, theirs = binary(seed, rows=500)
    a = arrays(ours, theirs)
    value = expected(metric, a["y"], a["p"], a["s"]) - expected(metric, a["y"], a["q"], a["t"])
    cells = [s for s in Champion(metric=metric).measure(inputs(ours, theirs)) if s.judged]
    assert cells[0].value == pytest.approx(value, abs=1e-10)
    interval = cells[0].interval
    if interval is not None:
        assert interval.low <= value + 1e-10
        assert value - 1e-10 <= interval.high
        assert interval.level == pytest.approx(0.9)
        assert interval.method == METHODS[metric]


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse", "r2"])
def test_regression_metrics_are_compared_too(metric: Plain) -> None:
    ours, theirs = numbers()
    a = arrays(ours, theirs)
    functions = {
        "mae": sk.mean_absolute_error,
        "mse": sk.mean_squared_error,
        "rmse": sk.root_mean_squared_error,
        "r2": sk.r2_score,
    }
    value = functions[metric](a["y"], a["p"]) - functions[metric](a["y"], a["q"])
    cell = only(Champion(metric=metric), ours, theirs)
    assert cell.value == pytest.approx(value, abs=1e-10)
    assert (cell.interval is not None) is (metric in METHODS)


def test_classes_are_right_or_wrong() -> None:
    rng = np.random.default_rng(3)
    y = rng.choice(4, 900)
    columns = {"id": np.arange(900), "y": y, "p": np.where(rng.random(900) < 0.7, y, 0)}
    ours = data(columns, label="y", prediction="p", key="id")
    theirs = champion(
        {"id": np.arange(900), "q": np.where(rng.random(900) < 0.6, y, 1)}, score=None
    )
    cell = only(Champion(metric="accuracy"), ours, theirs)
    a = arrays(ours, theirs)
    assert cell.value == pytest.approx((a["y"] == a["p"]).mean() - (a["y"] == a["q"]).mean())
    assert cell.interval is not None


def several(seed: int, rows: int = 900) -> tuple[Data, Data]:
    """Three classes with a column of probabilities each, and a champion with others."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, rows)
    sides = []
    for sharpness in (2.0, 1.5):
        odds = np.exp(rng.normal(0, 1, (rows, 3)) + sharpness * np.eye(3)[y])
        sides.append(odds / odds.sum(axis=1, keepdims=True))
    ids = np.arange(rows)
    g = np.where(rng.random(rows) < 0.4, "a", "b")
    columns = {"id": ids, "y": y, "g": g} | {f"s{c}": sides[0][:, c] for c in range(3)}
    score = {str(c): f"s{c}" for c in range(3)}
    ours = data(columns, label="y", score=score, key="id", task=TaskKind.MULTICLASS)
    other = {"id": ids} | {f"t{c}": sides[1][:, c] for c in range(3)}
    return ours, champion(other, prediction=None, score={str(c): f"t{c}" for c in range(3)})


@pytest.mark.parametrize("metric", ["brier", "log_loss"])
def test_losses_of_several_classes_are_compared_row_by_row(metric: Plain) -> None:
    ours, theirs = several(4)
    a = arrays(ours, theirs)
    one_hot = np.eye(3)[a["y"]]
    p, q = (np.stack([a[f"{side}{c}"] for c in range(3)], axis=1) for side in "st")
    if metric == "brier":
        losses = [((one_hot - x) ** 2).sum(axis=1) / 2 for x in (p, q)]
    else:
        losses = [-np.log((one_hot * x).sum(axis=1)) for x in (p, q)]
    rows = losses[0] - losses[1]
    cells = judged(Champion(metric=metric, by=("g",)), ours, theirs)
    assert cells[""].value == pytest.approx(rows.mean())
    assert cells["g=a"].value == pytest.approx(rows[a["g"] == "a"].mean())
    interval = only(Champion(metric=metric), ours, theirs).interval
    assert interval is not None
    error = 1.6449 * rows.std(ddof=1) / np.sqrt(len(rows))
    assert interval.low == pytest.approx(rows.mean() - error, abs=0.1 * error)
    assert interval.high == pytest.approx(rows.mean() + error, abs=0.1 * error)


def test_rankings_are_compared_without_an_interval() -> None:
    rng = np.random.default_rng(2)
    rows = 600
    query, y = np.repeat(np.arange(60), 10), rng.integers(0, 3, rows)
    columns = {"id": np.arange(rows), "q": query, "y": y, "s": y + rng.normal(0, 1, rows)}
    columns["market"] = np.where(query < 25, "a", "b")
    spec: dict[str, Any] = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING}
    ours = data(columns, key="id", **spec)
    theirs = champion({"id": np.arange(rows), "t": y + rng.normal(0, 3, rows)}, prediction=None)
    cells = judged(Champion(metric="ndcg", by=("market",)), ours, theirs)
    assert set(cells) == {"", "market=a", "market=b"}
    assert all(cell.value is not None and cell.value > 0.02 for cell in cells.values())
    assert all(cell.interval is None for cell in cells.values())


@pytest.mark.parametrize("metric", ["accuracy", "recall", "roc_auc", "brier"])
def test_weighted_rows_are_repeated_rows(metric: Plain) -> None:
    """Keys are then those of the table's rows; the count of each is the evaluation's own."""
    ours, theirs = binary(5, rows=400)
    there = np.array(ours.frame.table.column("n").to_pylist()) > 0  # type: ignore[attr-defined]
    columns = {k: np.array(v)[there] for k, v in ours.frame.table.to_pydict().items()}  # type: ignore[attr-defined]
    a = theirs.frame.table.to_pydict()  # type: ignore[attr-defined]
    kept = np.isin(a["id"], columns["id"])
    answers = {k: np.array(v)[kept] for k, v in a.items()}
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "score": "s",
        "positive": 1,
        "key": "id",
    }
    weighted = only(Champion(metric=metric), data(columns, weight="n", **spec), champion(answers))
    place = {key: row for row, key in enumerate(answers["id"].tolist())}
    order = [place[key] for key in columns["id"].tolist()]
    both = {**columns, **{k: v[order] for k, v in answers.items() if k != "id"}}
    rows = {k: np.repeat(v, columns["n"]) for k, v in both.items()}
    rows["id"] = np.arange(len(rows["y"]))
    repeated = only(Champion(metric=metric), data(rows, **spec), champion(rows))
    assert weighted.value == pytest.approx(repeated.value, abs=1e-12)
    assert weighted.rows == repeated.rows
    assert weighted.interval is not None
    assert repeated.interval is not None
    assert weighted.interval.low == pytest.approx(repeated.interval.low, abs=1e-10)
    assert weighted.interval.high == pytest.approx(repeated.interval.high, abs=1e-10)


def test_rows_that_are_null_on_either_side_count_for_neither() -> None:
    ours, theirs = binary(2, rows=1_000)
    a = arrays(ours, theirs)
    p, q = a["p"].astype(object), a["q"].astype(object)
    p[:3], q[2:7] = None, None
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "positive": 1,
        "key": "id",
        "max_null_labels": 0.01,
    }
    holed = data({"id": a["id"], "y": a["y"], "p": p}, **spec)
    cell = only(Champion(metric="accuracy"), holed, champion({"id": a["id"], "q": q}, score=None))
    kept = slice(7, None)
    value = (a["y"] == a["p"])[kept].mean() - (a["y"] == a["q"])[kept].mean()
    assert cell.value == pytest.approx(value)
    assert cell.rows == 993


def test_a_reference_engine_that_fails_or_disagrees_leaves_no_value() -> None:
    class Broken:
        def score(self, *_: object) -> Answer:
            return Answer.none("both", "they disagree")

    ours, theirs = binary(rows=200)
    made = replace(inputs(ours, theirs), engine=Broken())  # type: ignore[arg-type]  # what is asked
    (cell,) = [s for s in Champion(metric="accuracy").measure(made) if s.judged]
    assert (cell.lack, cell.reason) == (Lack.UNDEFINED, "they disagree")


# slices


def test_every_slice_is_compared_and_shares_alpha() -> None:
    ours, theirs = binary(rows=4_000)
    check = Champion(metric="accuracy", by=("g", ("g", "age")), bins={"age": (40.0,)})
    cells = judged(check, ours, theirs)
    assert len(cells) == 1 + 3 + 6
    assert {"", "g=a", "g=b & age=[40,inf)"} < cells.keys()
    a = arrays(ours, theirs)
    part = (a["g"] == "b") & (a["age"] >= 40)
    value = (a["y"] == a["p"])[part].mean() - (a["y"] == a["q"])[part].mean()
    assert cells["g=b & age=[40,inf)"].value == pytest.approx(value)
    assert cells["g=b & age=[40,inf)"].rows == part.sum()
    alone = only(Champion(metric="accuracy"), ours, theirs)
    assert alone.interval is not None
    shared = cells[""].interval
    assert shared is not None
    assert shared.low < alone.interval.low
    assert shared.level == pytest.approx(1 - 2 * 0.05 / 10)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "recall", "f1"])
def test_every_metric_has_slices(metric: Plain) -> None:
    ours, theirs = binary(rows=1_500)
    cells = [
        s for s in Champion(metric=metric, by=("g",)).measure(inputs(ours, theirs)) if s.judged
    ]
    a = arrays(ours, theirs)
    part = a["g"] == "b"
    values = [
        expected(metric, a["y"][part], a[p][part], a[s][part]) for p, s in (("p", "s"), ("q", "t"))
    ]
    (cell,) = [s for s in cells if s.slice == "g=b"]
    assert cell.value == pytest.approx(values[0] - values[1], abs=1e-10)


def test_a_small_slice_is_named_and_not_judged_and_many_of_them_refuse() -> None:
    ours, theirs = binary(rows=300)
    check = Champion(metric="accuracy", by=("g",), min_cell=60)
    statistics = tuple(check.measure(inputs(ours, theirs)))
    small = [s for s in statistics if s.name == "small_slice"]
    assert [s.slice for s in small] == ["g=c"]
    (lack,) = [s for s in statistics if s.judged and s.lack]
    assert lack.lack is Lack.INSUFFICIENT
    assert "max_uncovered" in lack.reason
    kept = replace(check, max_uncovered=0.5)
    assert all(s.lack is None for s in kept.measure(inputs(ours, theirs)) if s.judged)


def test_a_slice_without_a_positive_keeps_its_accuracy_and_has_no_recall() -> None:
    ours, theirs = binary(rows=600)
    columns = ours.frame.table.to_pydict()  # type: ignore[attr-defined]
    columns["g"] = [
        "x" if y == 0 and p == 0 else "rest"
        for y, p in zip(columns["y"], columns["p"], strict=True)
    ]
    ours = replace(data(columns), spec=ours.spec)
    assert judged(Champion(metric="accuracy", by=("g",)), ours, theirs)["g=x"].value is not None
    cells = tuple(Champion(metric="recall", by=("g",)).measure(inputs(ours, theirs)))
    assert [s.slice for s in cells if s.name == "small_slice"] == ["g=x"]


def test_a_column_of_slices_that_is_not_there_or_cuts_into_rows_is_refused() -> None:
    ours, theirs = binary(rows=600)
    assert ruled({"metric": "accuracy", "by": ["gg"]}, ours, theirs).outcome is Outcome.MISSING
    result = ruled({"metric": "accuracy", "by": ["s"]}, ours, theirs)
    assert result.outcome is Outcome.ERROR
    assert "more than 250" in result.reason


# decisions


def counted(both: int, first: int, second: int) -> tuple[Data, Data]:
    """Rows that both, only the candidate, or only the champion gets right."""
    right = [(1, 1)] * both + [(1, 0)] * first + [(0, 1)] * second
    ids = list(range(len(right)))
    ours = data(
        {"id": ids, "y": [1] * len(ids), "p": [one for one, _ in right]},
        label="y",
        prediction="p",
        positive=1,
        key="id",
    )
    return ours, champion({"id": ids, "q": [other for _, other in right]}, score=None)


@pytest.mark.parametrize(
    ("cells", "decide_on", "outcome"),
    [
        ((9_000, 500, 500), None, Outcome.PASS),
        ((900, 50, 50), None, Outcome.INSUFFICIENT),
        ((9_000, 440, 560), None, Outcome.FAIL),
        ((880, 50, 70), DecideOn.ESTIMATE, Outcome.FAIL),
        ((900, 50, 50), DecideOn.ESTIMATE, Outcome.WARN),
        ((970, 10, 20), DecideOn.ESTIMATE, Outcome.WARN),
        ((1_980, 10, 10), None, Outcome.PASS),
        ((8_000, 400, 800), DecideOn.PROVEN_BREACH, Outcome.FAIL),
        ((900, 50, 50), DecideOn.PROVEN_BREACH, Outcome.INSUFFICIENT),
        ((9_000, 500, 500), DecideOn.PROVEN_BREACH, Outcome.PASS),
        ((2_701, 134, 165), DecideOn.PROVEN_BREACH, Outcome.WARN),
    ],
)
def test_non_inferiority_is_proven_refused_or_undecided(
    cells: tuple[int, int, int], decide_on: DecideOn | None, outcome: Outcome
) -> None:
    """At a margin of 0.01; (970, 10, 20) lies exactly on it and so meets it."""
    result = ruled({"metric": "accuracy"}, *counted(*cells), decide_on=decide_on)
    assert result.outcome is outcome, result.reason


def test_the_rows_that_would_prove_it_are_named() -> None:
    """(b + c) / n (2.486 / margin)^2 = 6,180 at a discordance of 0.1 (statistics 1.5)."""
    result = ruled({"metric": "accuracy"}, *counted(900, 50, 50))
    rows = int(result.reason.split("about ")[1].split(" rows")[0].replace(",", ""))
    assert rows == pytest.approx(6_180, rel=0.05)
    assert "if there is no effect" in result.reason


def test_losses_are_better_below_zero_and_a_champion_of_zero_is_no_special_case() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(0, 1, 500)
    ids = np.arange(500)
    ours = data(
        {"id": ids, "y": y, "p": y + rng.normal(0, 0.1, 500)}, label="y", prediction="p", key="id"
    )
    perfect = champion({"id": ids, "q": y}, score=None)
    mae = {"metric": "mae"}
    assert ruled(mae, ours, perfect, require=Threshold(at_most=0.01)).outcome is Outcome.FAIL
    assert ruled(mae, ours, perfect, require=Threshold(at_most=0.2)).outcome is Outcome.PASS
    with pytest.raises(PolicyError, match="wrong way round"):
        ruled(mae, require=MARGIN)


def test_too_few_rows_for_an_interval_are_insufficient_beside_the_value() -> None:
    ours, theirs = binary(rows=40)
    result = ruled({"metric": "roc_auc"}, ours, theirs)
    assert result.outcome in {Outcome.INSUFFICIENT, Outcome.FAIL}
    lacks = [s for s in result.statistics if s.judged and s.lack is Lack.INSUFFICIENT]
    assert "the rarer class has" in lacks[0].reason


def test_no_champion_pair_can_prove_what_has_no_interval() -> None:
    assert set(METHODS) <= set(get_args(Plain))
    with pytest.raises(PolicyError, match="no interval"):
        ruled({"metric": "f1"}, decide_on=DecideOn.PROVEN_PASS)


def test_without_evaluation_data_there_is_nothing_to_compare() -> None:
    _, theirs = binary(rows=100)
    with pytest.raises(NoDataError, match="no evaluation data"):
        tuple(Champion(metric="accuracy").measure(inputs(theirs)))


# two opinions


def test_scikit_learn_computes_both_sides_and_so_the_difference(engines: Engines) -> None:
    """With engine both, the value and the words of the line name the library that agreed."""
    ours, theirs = binary(rows=400)
    both = replace(inputs(ours, theirs), engine=engines["both"])
    metrics: tuple[Plain, ...] = ("accuracy", "roc_auc", "brier")
    for metric in metrics:
        found = Champion(metric=metric, by=("g",)).measure(both)
        cells = [s for s in found if s.judged and s.lack is None]
        plain = Champion(metric=metric, by=("g",)).measure(inputs(ours, theirs))
        expected = [s for s in plain if s.judged and s.lack is None]
        assert [s.value for s in cells] == [s.value for s in expected]
        assert all(re.search(r"native .*; scikit-learn .* agrees", s.engine) for s in cells)
    reference = replace(both, engine=engines["reference"])
    (cell, *_) = [s for s in Champion(metric="roc_auc").measure(reference) if s.judged]
    assert cell.engine.startswith("scikit-learn")
    assert cell.value == pytest.approx(
        only(Champion(metric="roc_auc"), ours, theirs).value, abs=1e-9
    )
