"""Whatever a check does, `measure` gives a judged cell that says so."""

from __future__ import annotations

import logging
import math
import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.checks.contract import About, Inputs, NoDataError, StatisticSpec
from aims_gate.engines import Engines
from aims_gate.engines.reference import Reference
from aims_gate.errors import CheckError, DataError, MissingColumnError
from aims_gate.facts import (
    DatasetIdentity,
    DigestKind,
    Interval,
    ModelIdentity,
    NoValue,
    Statistic,
)
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.opening import open_frame
from aims_gate.judge import judge
from aims_gate.measure import (
    AGE,
    cache_shared_columns,
    measure,
    prefetch_columns,
    unreported_columns,
)
from aims_gate.plan import Task, plan
from aims_gate.policy.model import DataSpec, OnInsufficient, Policy, Role, Rule
from aims_gate.sources.subject import Data, Subject
from aims_gate.verdict import Outcome

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "row of Ada Lovelace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rigged:
    """A check that does what it is told."""

    about: ClassVar[About] = About(name="x.y", summary="", definition="", roles=(Role.EVALUATION,))
    answer: Any

    def judged(self) -> StatisticSpec:
        return StatisticSpec(name="impact_ratio", low=0, high=1, higher_is_better=True)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        return ()

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        if isinstance(self.answer, BaseException):
            raise self.answer
        inputs.data(Role.EVALUATION)
        yield from self.answer


def subject(rows: int = 5, **fields: Any) -> Subject:
    """Give a subject with an evaluation frame of *rows* rows."""
    frame = open_frame({"y": list(range(rows))})
    identity = DatasetIdentity(
        role="evaluation",
        name="e",
        uri="file:e.csv",
        digest="0" * 64,
        digest_kind=DigestKind.FILE,
        rows=rows,
    )
    data = Data(role=Role.EVALUATION, frame=frame, spec=DataSpec(), identity=identity)
    fields.setdefault("data", {Role.EVALUATION: replace(data, created=NOW - timedelta(days=3))})
    return Subject(
        model=ModelIdentity(uri="file:m", name="m"),
        manifest=Manifest(entries=(ManifestEntry(path="w", sha256="0" * 64, bytes=1),)),
        folder=Path(),
        **fields,
    )


def task(answer: Any, **fields: Any) -> Task:
    """Give a task whose check is rigged to *answer*."""
    rule = Rule(id="BIAS-02", check="fairness.impact_ratio")
    (made,) = plan(Policy(id="p", version="1", rules=(rule,))).sound()
    return replace(made, check=Rigged(answer=answer), **fields)


def lacks(made: Task, of: Subject | None = None) -> list[tuple[NoValue | None, str]]:
    """Give the lack and reason of each judged cell."""
    measured = measure(made, of or subject(), now=NOW)
    return [(s.lack, s.reason) for s in measured if s.judged]


def cell(value: float | None, **fields: Any) -> Statistic:
    return Statistic(name="impact_ratio", value=value, judged=True, **fields)


@pytest.mark.parametrize(
    ("error", "lack", "words"),
    [
        (NoDataError("there are no evaluation data"), NoValue.MISSING, "no evaluation data"),
        (MissingColumnError("no column 'sex'"), NoValue.MISSING, "no column 'sex'"),
        (DataError("labels are null"), NoValue.UNDEFINED, "labels are null"),
        (CheckError("0/0"), NoValue.UNDEFINED, "0/0"),
        (ZeroDivisionError(SECRET), NoValue.UNDEFINED, "crashed: ZeroDivisionError in measure"),
        (RecursionError(SECRET), NoValue.UNDEFINED, "crashed: RecursionError"),
        (MemoryError(SECRET), NoValue.UNDEFINED, "crashed: MemoryError"),
    ],
)
def test_an_error_in_a_check_is_a_cell_with_its_reason(
    error: Exception, lack: NoValue, words: str
) -> None:
    """Nothing a check raises makes its rule disappear."""
    ((found, reason),) = lacks(task(error))
    assert found is lack
    assert words in reason


def test_the_message_of_a_crash_stays_out_of_evidence_and_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may hold a row of personal data: evidence names type and place, the log the stack."""
    with caplog.at_level(logging.ERROR):
        ((_lack, reason),) = lacks(task(ValueError(SECRET)))
    assert SECRET not in reason
    assert "test_measure.py" in reason
    assert SECRET not in caplog.text
    assert "ValueError" in caplog.text
    assert "raise self.answer" in caplog.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking(Rigged):
    """A check that asks a library, and notes which engine it was given."""

    about: ClassVar[About] = replace(Rigged.about, asks="scikit-learn")
    seen: list[str]

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        self.seen.append(type(inputs.engine).__name__)
        return Rigged.measure(self, inputs)


def begin_to_load(engines: Engines) -> None:
    """Start the child that loads a library, and stop it on its way, however fast it is."""
    engines["both"].start(["scikit-learn"])
    engine = engines["reference"]
    assert isinstance(engine, Reference)
    assert engine._process is not None
    engine._process._child.send_signal(signal.SIGSTOP)


def test_reading_ahead_measures_with_our_own_engine_while_a_library_loads_and_tells_nothing() -> (
    None
):
    """What it fails with is told where it counts; an interrupt is no failure of a check."""
    seen: list[str] = []
    asking = replace(task(None), check=Asking(answer=ZeroDivisionError(SECRET), seen=seen))
    with Engines(os.environ) as engines:
        prefetch_columns([replace(asking, engine="both")], subject(), now=NOW, engines=engines)
        assert not seen, "nothing loads yet"
        begin_to_load(engines)
        plain = task([], engine="both")
        prefetch_columns(
            [asking, plain, replace(asking, engine="both")], subject(), now=NOW, engines=engines
        )
        assert seen == ["Prefetch"]
        interrupted = Asking(answer=KeyboardInterrupt(), seen=seen)
        with pytest.raises(KeyboardInterrupt):
            prefetch_columns(
                [replace(asking, check=interrupted, engine="both")],
                subject(), now=NOW, engines=engines,
            )  # fmt: skip


def test_a_sandbox_that_forbids_a_lower_priority_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_arguments: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)
    seen: list[str] = []
    asking = replace(task(None), check=Asking(answer=[], seen=seen), engine="both")
    with Engines(os.environ) as engines:
        begin_to_load(engines)
        prefetch_columns([asking], subject(), now=NOW, engines=engines)
    assert seen == ["Prefetch"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([], "measured nothing"),
        ([Statistic(name="selection_rate", value=0.5)], "measured nothing"),
        ([cell(math.nan)], "not a number"),
        ([cell(math.inf)], "not a number"),
        ([cell(None)], "not a number"),
        ([cell(None, reason="0/0")], "0/0"),
        ([replace(cell(0.9), name="other")], "judged 'other', not 'impact_ratio'"),
    ],
)
def test_a_check_that_says_nothing_is_undefined(answer: list[Statistic], words: str) -> None:
    """No judged cell, another judged name, NaN and infinity can never be held to have passed."""
    ((lack, reason),) = lacks(task(answer))
    assert lack is NoValue.UNDEFINED
    assert words in reason


@pytest.mark.parametrize("value", [7.0, -0.001, 1.0000001])
def test_a_value_outside_of_the_statistics_own_range_is_undefined(value: float) -> None:
    """A library that answers 7 for a share is broken, and 7 is above every limit."""
    ((lack, reason),) = lacks(task([cell(value)]))
    assert lack is NoValue.UNDEFINED
    assert "which no impact_ratio can be" in reason
    assert lacks(task([cell(1 + 1e-12)])) == [(None, "")]


def test_a_good_cell_passes_through_beside_a_bad_one() -> None:
    """Cells are sealed one by one."""
    assert lacks(task([cell(0.9), cell(math.nan)])) == [
        (None, ""),
        (NoValue.UNDEFINED, "impact_ratio is not a number here"),
    ]


def test_an_empty_frame_is_missing_data() -> None:
    """The check is not even asked."""
    ((lack, reason),) = lacks(task(AssertionError("asked")), subject(rows=0))
    assert (lack, "have no rows" in reason) == (NoValue.MISSING, True)


def test_an_unreadable_role_is_an_error_and_an_absent_one_is_missing() -> None:
    """What was named and could not be used is told apart from what was never there."""
    unread: Mapping[Role, DataError] = {Role.EVALUATION: DataError("not UTF-8", where="e.csv")}
    ((lack, reason),) = lacks(task([cell(1.0)]), subject(data={}, unread=unread))
    assert (lack, reason) == (NoValue.UNDEFINED, "e.csv: not UTF-8")
    ((lack, reason),) = lacks(task([cell(1.0)]), subject(data={}))
    assert (lack, "log_evaluation" in reason) == (NoValue.MISSING, True)


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        *(({name: "yy"}, name) for name in ("label", "prediction", "score", "key", "query")),
        *(({name: "yy"}, name) for name in ("weight", "time")),
        ({"score": {"good": "y", "bad": "yy"}}, "score.bad"),
        ({"sensitive": {"y": None, "yy": (25.0,)}}, "sensitive"),
    ],
)
def test_a_column_that_is_named_and_not_there_is_missing_though_no_check_reads_it(
    stated: dict[str, Any], key: str
) -> None:
    """Unless a blocking rule that reads it says so: the others are about what is there."""
    found = subject()
    data = found.data[Role.EVALUATION]
    named = replace(found, data={Role.EVALUATION: replace(data, spec=DataSpec(**stated))})
    what = f"no column 'yy', which data.evaluation names as {key}; did you mean 'y'?"
    ((cell,),) = unreported_columns(named, []).values()
    assert cell.lack is NoValue.MISSING
    assert cell.reason.startswith("evaluation data")
    assert cell.reason.endswith(f": {what}")
    error = MissingColumnError.from_columns("yy", ["y"], where=f"evaluation data, {key}")
    reading = judge(
        task(error),
        measure(task(error), named, now=NOW),
        now=NOW,
        insufficient=OnInsufficient.BLOCK,
    )
    assert unreported_columns(named, [reading]) == {}
    for silent in (
        replace(reading, blocking=False),
        replace(reading, statistics=()),
    ):
        assert unreported_columns(named, [silent]).keys() == {Role.EVALUATION}


def test_fewer_rows_than_the_policy_asks_for_are_insufficient() -> None:
    """min_rows adds a cell of its own, beside what was measured."""
    made = task([cell(1.0)], min_rows={Role.EVALUATION: 6})
    assert lacks(made)[1] == (
        NoValue.INSUFFICIENT,
        "the evaluation data have 5 rows, fewer than min_rows 6",
    )
    assert len(lacks(task([cell(1.0)], min_rows={Role.EVALUATION: 5}))) == 1
    absent = lacks(task([cell(1.0)], min_rows={Role.CURRENT: 1}))
    assert absent[1:] == [
        (NoValue.INSUFFICIENT, "the current data have 0 rows, fewer than min_rows 1")
    ]


def test_the_age_of_data_is_told_where_it_matters() -> None:
    """In days since they were logged; an unknown age has no value."""
    made = task([cell(1.0)], max_age_days={Role.EVALUATION: 31})
    (age,) = [s for s in measure(made, subject(), now=NOW) if s.name == AGE]
    assert (age.value, age.slice, age.judged) == (3.0, "evaluation", False)
    (age,) = [s for s in measure(made, subject(data={}), now=NOW) if s.name == AGE]
    assert age.value is None


@pytest.mark.parametrize(("low", "high"), [(math.nan, 1.0), (0.0, math.nan)])
def test_a_bound_that_is_not_a_number_proves_nothing(low: float, high: float) -> None:
    """NaN is below no limit: without this, `proven_pass` would take it for proven."""
    interval = Interval(low=low, high=high, level=0.9, method="broken")
    cell = Statistic(name="impact_ratio", value=0.9, interval=interval, judged=True)
    assert lacks(task([cell])) == [
        (NoValue.UNDEFINED, "the interval of impact_ratio is not a number here")
    ]


def test_data_from_the_future_have_no_age() -> None:
    """Whoever logs a run states its end: data dated ahead would stay fresh until then."""
    cell = Statistic(name="impact_ratio", value=0.9, judged=True)
    made = task([cell], max_age_days={Role.EVALUATION: 31.0})
    of = subject()
    ahead = replace(of.data[Role.EVALUATION], created=NOW + timedelta(days=400))
    measured = measure(made, replace(of, data={Role.EVALUATION: ahead}), now=NOW)
    (age,) = [s for s in measured if s.name == AGE]
    assert (age.value, age.lack) == (None, NoValue.UNDEFINED)
    result = judge(made, measured, now=NOW, insufficient=OnInsufficient.BLOCK)
    assert result.outcome is Outcome.STALE
    assert "logged in the future" in result.reason


@pytest.mark.parametrize(
    ("checks", "kept"),
    [
        ([("drift.columns", {"categorical": "none"})], False),
        ([("drift.columns", {}), ("drift.columns", {"numeric": "none"})], False),
        ([("drift.columns", {}), ("fairness.impact_ratio", {})], False),
        ([("fairness.impact_ratio", {}), ("drift.columns", {})], True),
        ([("drift.columns", {}), ("drift.share", {})], True),
        ([("drift.share", {"categorical": "none"}), ("drift.new_value", {})], True),
        ([("drift.new_value", {}), ("evidently:ks", {})], True),
        ([("drift.new_value", {}), ("evidently:chisquare", {})], False),
    ],
)
def test_what_the_first_rule_sorts_is_kept_only_for_a_rule_that_goes_through_it_again(
    checks: list[tuple[str, dict[str, Any]]], kept: bool
) -> None:
    rules = tuple(
        Rule(id=f"R-{number}", check=check, parameters=parameters)
        for number, (check, parameters) in enumerate(checks)
    )
    first, *later = plan(Policy(id="p", version="1", rules=rules)).sound()
    of = subject()
    cache_shared_columns(first, later, of)
    frame = of.data[Role.EVALUATION].frame
    assert isinstance(frame, ArrowFrame)
    frame.distribution("y")
    assert (frame.cache.kept(("distribution", "y")) is not None) is kept
