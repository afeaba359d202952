"""The reference engine: real libraries in a real child, which may crash, hang or lie."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aims_gate.engines import (
    Answer,
    CalibrationError,
    CountedRows,
    DriftOfBins,
    DriftOfNumbers,
    Engine,
    Engines,
    LibraryValue,
    MetricValue,
    Question,
    RateComparison,
    Trials,
)
from aims_gate.engines.reference import MODULES, Reference, process, server, wire
from aims_gate.errors import CheckError, MissingExtraError
from aims_gate.frames import Distribution
from aims_gate.stats import bins, divergence, drift
from aims_gate.stats.disparity import Measure
from aims_gate.stats.tables import Confusion, OrderedErrors, Ranked

LOW = Trials(group="F", rows=100, successes=40)
HIGH = Trials(group="M", rows=80, successes=40)
PAIR = [(LOW, HIGH)]
GAP = RateComparison(measure=Measure.GAP, pairs=PAIR)


def one(engine: Engine, question: Question) -> Answer:
    (answer,) = engine.ask(question)
    return answer


def psi(engine: Engine, table: bins.Binned) -> Answer:
    return one(engine, DriftOfBins(method="psi", table=table))


def accuracy(engine: Engine) -> Answer:
    """Of a table that is its own sample."""
    table = Confusion(tp=3, fp=1, fn=1, tn=3)
    return one(
        engine,
        MetricValue(metric="accuracy", table=table, sample=lambda: pytest.fail("no sample")),
    )


def ordered(rows: np.typing.NDArray[np.float64], nulls: int = 0) -> Distribution:
    values, counts = np.unique(rows, return_counts=True)
    return Distribution(values=values, counts=counts.astype(np.int64), nulls=nulls)


@pytest.fixture
def lone() -> Iterator[Reference]:
    """An engine with a child of its own, which a test may harm."""
    engine = Reference(os.environ)
    yield engine
    engine.close()


def child_of(engine: Reference) -> subprocess.Popen[bytes]:
    assert engine._process is not None
    return engine._process._child


# --- what the libraries say ----------------------------------------------------------------------


def test_fairlearns_rates_of_weighted_cells_are_those_of_the_rows(engines: Engines) -> None:
    """An oracle without weights: Fairlearn on the 180 rows themselves."""
    from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio

    predictions = [1] * 40 + [0] * 60 + [1] * 40 + [0] * 40
    groups = ["F"] * 100 + ["M"] * 80
    ratio = demographic_parity_ratio(predictions, predictions, sensitive_features=groups)
    gap = demographic_parity_difference(predictions, predictions, sensitive_features=groups)
    reference = engines["reference"]
    found_ratio, found_gap = (
        one(reference, RateComparison(measure=measure, pairs=PAIR)) for measure in Measure
    )
    assert found_ratio.value == pytest.approx(ratio, rel=1e-12)
    assert found_gap.value == pytest.approx(gap, rel=1e-12)
    assert found_ratio.by.startswith("fairlearn ")


def test_a_value_on_the_limit_stays_on_it(engines: Engines) -> None:
    """0.4 / 0.5 is 0.8 whichever way floats are divided: 12 digits are kept, as in evidence."""
    limits = []
    for rows in (70, 90, 110, 130, 170, 190):
        low = Trials(group="a", rows=rows * 5, successes=rows * 2)
        high = Trials(group="b", rows=rows * 2, successes=rows)
        question = RateComparison(measure=Measure.RATIO, pairs=[(low, high)])
        answer = one(engines["reference"], question)
        limits.append(answer.value)
    assert limits == [0.8] * len(limits)


def test_a_group_without_rows_or_success_has_no_ratio(engines: Engines) -> None:
    nobody = Trials(group="x", rows=50, successes=0)
    empty = Trials(group="e", rows=0, successes=0)
    answers = engines["reference"].ask(
        RateComparison(measure=Measure.RATIO, pairs=[(LOW, nobody), (LOW, empty)])
    )
    assert all(math.isnan(answer.value) and not answer.problem for answer in answers)


@pytest.mark.parametrize("rows", [400, 300_000])
def test_evidentlys_psi_of_our_bins_is_ours(engines: Engines, rows: int) -> None:
    """Nulls and unseen values count too; from a million rows on shares under 1e-4 are raised."""
    rng = np.random.default_rng(rows)
    before = ordered(rng.normal(size=rows), nulls=rows // 50)
    after = ordered(rng.normal(0.3, 1.2, size=rows // 2), nulls=rows // 9)
    table = bins.numeric(before, after)
    found = psi(engines["reference"], table)
    ours = divergence.psi(table)
    assert found.value == pytest.approx(ours.value, rel=1e-9)
    assert found.plain == pytest.approx(ours.raw, rel=1e-9)
    assert found.by.startswith("evidently ")


def test_psi_of_more_rows_than_are_written_out_is_ours_to_one_in_a_thousand(
    engines: Engines,
) -> None:
    """Ten billion weighted rows of categories, one of which is rare."""
    before, after = (
        {name: count * 10**9 for name, count in zip("abc", counts, strict=True)}
        for counts in ([6, 3, 1], [3, 6, 1])
    )
    table = bins.categorical(before, after)
    found = psi(engines["both"], table)
    theirs = psi(engines["reference"], table)
    assert not found.problem
    assert theirs.value == pytest.approx(found.value, rel=1e-3)


def test_one_bin_is_nothing_to_ask_about(engines: Engines) -> None:
    constant = ordered(np.full(300, 7.0))
    for name in ("reference", "both"):
        answer = psi(engines[name], bins.numeric(constant, constant))
        assert (answer.value, answer.by) == (0.0, Engines()["native"].label)


def test_wasserstein_of_order_statistics_is_that_of_the_rows_within_a_ten_thousandth(
    engines: Engines,
) -> None:
    rng = np.random.default_rng(4)
    before, after = ordered(rng.normal(size=200_000)), ordered(rng.normal(0.4, 1, size=150_000))
    found = one(
        engines["reference"],
        DriftOfNumbers(method="wasserstein", reference=before, current=after),
    )
    assert found.value == pytest.approx(drift.wasserstein(before, after), abs=1e-4)


def test_what_a_library_cannot_do_is_a_problem_with_its_error_and_no_message(
    engines: Engines,
) -> None:
    """A message may hold a value of a row, so evidence gets the kind of error alone."""
    answer = one(
        engines["reference"],
        LibraryValue(library="fairlearn", name="no_such_metric", arguments={}),
    )
    assert math.isnan(answer.value)
    assert answer.problem == "the reference library failed with TypeError"


# --- a child that fails --------------------------------------------------------------------------


def test_rows_that_a_library_would_need_all_memory_for_are_not_written_out(lone: Reference) -> None:
    """Weights make billions of rows of a few; the child would be killed, or the machine hang."""
    many = np.array([2**40, 2**40])
    sample = CountedRows(truth=np.zeros(2), estimate=np.array([1.0, 2.0]), counts=many)
    table = OrderedErrors(values=sample.estimate, counts=many)
    errors = one(lone, MetricValue(metric="median_error", table=table, sample=lambda: sample))
    ranked = Ranked(scores=np.array([0.2, 0.7]), positives=many, negatives=many)
    for answer in (errors, one(lone, CalibrationError(table=ranked, bins=10))):
        assert math.isnan(answer.value)
        assert "the library takes each row by itself" in answer.problem


def test_a_child_that_is_killed_is_a_refusal_then_and_ever_after(lone: Reference) -> None:
    lone.start(["fairlearn"])
    assert not one(lone, GAP).problem
    child_of(lone).send_signal(signal.SIGKILL)
    for _again in range(2):
        answers = lone.ask(RateComparison(measure=Measure.GAP, pairs=PAIR * 3))
        assert len(answers) == 3
        assert all(math.isnan(answer.value) for answer in answers)
        assert "ended with exit code -9" in answers[0].problem


def test_a_child_that_hangs_is_given_up(lone: Reference) -> None:
    lone._timeout = 1.0
    lone.start(["scikit-learn"])
    child_of(lone).send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    answer = accuracy(lone)
    assert "did not answer within 1 s" in answer.problem
    assert time.monotonic() - begun < 60, "a limit of its own, and not the usual five minutes"


def test_it_is_ready_when_its_libraries_are_loaded_and_when_it_has_ended(lone: Reference) -> None:
    """And only then is it asked; a question that nobody can read is no end of it."""
    found = [lone.ready]
    lone.start(["scikit-learn"])
    found.append(lone.ready)
    assert accuracy(lone).value == 0.75
    found.append(lone.ready)
    unread = LibraryValue(library="fairlearn", name="x", arguments={"y": object()})
    assert "object cannot be asked about" in one(lone, unread).problem
    assert accuracy(lone).value == 0.75
    child_of(lone).kill()
    child_of(lone).wait()
    found.append(lone.ready)
    lone.close()
    assert [*found, lone.ready] == [True, False, True, True, True]


def test_a_child_that_begins_with_anything_else_is_given_up(
    lone: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "READY", b"something else\n")
    lone.start(["scikit-learn"])
    assert "ended with exit code" in one(lone, GAP).problem


def test_close_leaves_no_process_and_answers_nothing_more(lone: Reference) -> None:
    lone.start(["scikit-learn"])
    child = child_of(lone)
    lone.close()
    assert child.returncode is not None
    assert "was closed" in one(lone, GAP).problem


def test_nothing_is_started_before_it_is_needed() -> None:
    engine = Reference({})
    engine.start([])
    engine.close()
    assert engine._process is None
    assert engine.ask(RateComparison(measure=Measure.GAP, pairs=[])) == ()
    assert engine._process is None


def test_a_library_that_is_not_installed_is_named_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(MODULES, "evidently", "evidently_that_nobody_has_installed")
    with pytest.raises(MissingExtraError, match=r"pip install 'aims-gate\[gate\]'") as caught:
        Reference({}).start(["fairlearn", "evidently"])
    assert caught.value.exit_code == 2


def test_the_child_sees_no_secret_and_not_the_folder_the_gate_runs_in(tmp_path: Path) -> None:
    """A pull request that adds `sklearn.py` beside the policy must not run in the gate."""
    environ = {"PATH": "/bin", "AIMS_GATE_SIGNING_KEY": "s", "MLFLOW_TRACKING_TOKEN": "t"}
    given = process.environment(environ)
    assert given["PATH"] == "/bin"
    assert not {"AIMS_GATE_SIGNING_KEY", "MLFLOW_TRACKING_TOKEN"} & given.keys()
    (tmp_path / "sklearn.py").write_text("raise SystemExit(9)", encoding="utf-8")
    code = (
        "from aims_gate.engines import MetricValue\n"
        "from aims_gate.engines.reference import Reference\n"
        "from aims_gate.stats.tables import Confusion\n"
        "engine = Reference({})\n"
        "table = Confusion(tp=3, fp=1, fn=1, tn=3)\n"
        "(answer,) = engine.ask(MetricValue(metric='accuracy', table=table, sample=None))\n"
        "engine.close()\n"
        "print(answer.value, answer.by, answer.problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("0.75 scikit-learn ")


# --- the wire ------------------------------------------------------------------------------------


def asked(*arguments: Any) -> bytes:
    return b"".join(wire.question(*arguments))


def test_a_question_reads_back_as_it_was_asked() -> None:
    """Arrays may hold any bytes, line ends too, and may be empty or strided."""
    numbers = np.array([0.1, -2.5, 1e300, np.nan])
    counts = np.array([0x0A0A0A0A, 0, 2**40], dtype=np.int64)
    arguments = {
        "kind": "num", "reference": numbers, "before": counts, "none": counts[:0],
        "small": np.array([1, 2, 3], dtype=np.int32)[::2],
    }  # fmt: skip
    source = io.BytesIO(asked(7, "drift", arguments) + asked(8, "again", {}))
    found = wire.read_question(source)
    assert found is not None
    number, ask, read = found
    assert (number, ask, read["kind"]) == (7, "drift", "num")
    assert read["reference"].tobytes() == numbers.tobytes()
    assert [read[name].tolist() for name in ("before", "none", "small")] == [
        counts.tolist(), [], [1, 3]
    ]  # fmt: skip
    assert wire.read_question(source) == (8, "again", {})
    assert wire.read_question(source) is None


@pytest.mark.parametrize("argument", [object(), np.zeros((2, 2)), np.array(["x"]), 1, None])
def test_only_text_and_arrays_of_numbers_can_be_asked_about(argument: object) -> None:
    """And nothing has been written by then, so that the next question is understood."""
    pieces = wire.question(1, "rates", {"rows": np.zeros(3), "more": argument})
    with pytest.raises(CheckError, match="cannot be asked about"):
        next(pieces)


@pytest.mark.parametrize(
    "argument",
    [5, None, {"type": "f"}, {"type": "O", "length": 0}, {"type": [], "length": 0},
     {"type": "f", "length": "1"}, {"type": "f", "length": True}, {"type": "f", "length": -1},
     {"type": "f", "length": 2}],
)  # fmt: skip
def test_an_argument_that_is_no_array_is_refused(argument: object) -> None:
    line = json.dumps({"number": 1, "ask": "rates", "with": {"rows": argument}}).encode()
    with pytest.raises(CheckError, match="argument is"):
        wire.read_question(io.BytesIO(line + b"\n" + bytes(15)))


@pytest.mark.parametrize("line", [b"{", b"[]", b"5", b'{"number": 1}', b'{"number": 1, "with": 5}'])
def test_what_is_no_question_is_refused(line: bytes) -> None:
    with pytest.raises(CheckError, match="no question"):
        wire.read_question(io.BytesIO(line))


GOOD = {"number": 3, "library": "fairlearn 1", "values": [0.5]}


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {**GOOD, "number": 4},
        {**GOOD, "library": None},
        {**GOOD, "values": 0.5},
        {**GOOD, "values": [0.5, 0.5]},
        {**GOOD, "values": ["0.5"]},
        {**GOOD, "values": [True]},
        {"number": 3, "failure": "MemoryError", "message": "row of Ada Lovelace"},
    ],
)
def test_an_answer_that_is_not_exactly_one_is_refused(told: object) -> None:
    assert wire.read_answer(json.dumps(GOOD).encode(), 3, many=1) == ("fairlearn 1", [0.5])
    with pytest.raises(CheckError) as caught:
        wire.read_answer(json.dumps(told).encode(), 3, many=1)
    assert "Lovelace" not in str(caught.value)
    with pytest.raises(CheckError, match="JSON"):
        wire.read_answer(b"\xff{", 3, many=1)


def test_what_is_not_finite_arrives_as_no_number() -> None:
    line = wire.answer(1, "l 1", [math.nan, math.inf, -math.inf, 2.0])
    _library, values = wire.read_answer(line, 1, many=4)
    assert [math.isnan(value) for value in values] == [True, True, True, False]


def test_the_server_answers_failures_and_goes_on() -> None:
    rows = np.array([10, 0], dtype=np.int64)
    questions = [
        asked(1, "no such thing", {}),
        asked(2, "rates", {"rows": rows}),
        asked(3, "rates", {"rows": rows, "successes": rows // 2}),
    ]
    sink = io.BytesIO()
    server.serve(io.BytesIO(b"".join(questions)), sink)
    ready, *lines = sink.getvalue().splitlines(keepends=True)
    assert ready == wire.READY
    told = [json.loads(line) for line in lines]
    assert [one.get("failure") for one in told] == ["KeyError", "TypeError", None]
    assert told[2]["values"] == [0.5, None]
