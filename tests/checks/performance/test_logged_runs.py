"""Whose metric it is, on which data, and of which of several runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aims_gate.checks.performance.claims import MOST_RUNS, SCORERS
from aims_gate.errors import PolicyError, SourceError
from aims_gate.sources.subject import RunFacts
from aims_gate.verdict import Outcome
from tests.checks.performance.logged_metrics import (
    ENDED,
    cells,
    decided,
    on,
    point,
    run,
    subject,
    wanting,
)


def test_what_was_logged_for_the_model_comes_before_the_runs_own() -> None:
    """A run keeps one latest value over all models and data sets, whoever wrote it last."""
    own = point("auc", 0.6, model_id="m-1", run_id="eval")
    evaluation = run(point("auc", 0.6), run_id="eval")
    train = run(point("auc", 0.9))
    about = subject(train=train, logged=(own,), find_run=lambda _run, _key: evaluation)
    assert decided(about).outcome is Outcome.FAIL
    beside = replace(own, run_id="train")
    assert decided(subject(train=train, logged=(beside,))).outcome is Outcome.ERROR


def test_another_models_metric_in_the_same_run_is_not_ours() -> None:
    other = point("auc", 0.9, model_id="m-2")
    assert decided(subject(train=run(other))).outcome is Outcome.MISSING


def test_a_run_of_several_models_does_not_say_whose_metric_it_is() -> None:
    several = run(point("auc", 0.9), models=("m-1", "m-2"))
    result = decided(subject(train=several))
    assert result.outcome is Outcome.ERROR
    assert "model_id=" in result.reason
    assert decided(subject(train=run(point("auc", 0.9), models=("m-1",)))).outcome is Outcome.PASS


def test_data_set_and_digest_choose_among_the_models_metrics() -> None:
    about = subject(train=run(), logged=(on("hold", 0.8), on("train", 0.99, "d1")))
    assert decided(about).outcome is Outcome.ERROR
    measured, result = cells(about, wanting(dataset="hold"))
    assert (measured[0].value, result.outcome) == (0.8, Outcome.PASS)
    assert "data set hold@d0" in measured[0].reason
    assert decided(about, wanting(digest="d1")).outcome is Outcome.PASS
    other = decided(about, wanting(dataset="hold", digest="d1"))
    assert other.outcome is Outcome.MISSING
    assert "hold@d0, train@d1" in other.reason
    same_name = subject(train=run(), logged=(on("hold", 0.8), on("hold", 0.9, "d1")))
    assert decided(same_name, wanting(dataset="hold")).outcome is Outcome.ERROR


def test_a_run_that_evaluated_later_is_held_to_its_own_end() -> None:
    later = ENDED + timedelta(days=3)
    found = {"eval": run(run_id="eval", ended=later)}
    claim = on("hold", 0.8, run_id="eval", timestamp=later)
    about = subject(train=run(), logged=(claim,), find_run=lambda run_id, _key: found[run_id])
    assert decided(about).outcome is Outcome.PASS
    after = replace(claim, timestamp=later + timedelta(seconds=1))
    assert decided(replace(about, logged=(after,))).outcome is Outcome.ERROR
    running = {"eval": run(run_id="eval", status="RUNNING", ended=None)}
    assert (
        decided(replace(about, find_run=lambda run_id, _key: running[run_id])).outcome
        is Outcome.ERROR
    )


def test_a_run_that_cannot_be_looked_up_claims_nothing() -> None:
    def gone(run_id: str, _key: str) -> RunFacts:
        raise SourceError("no such run", where=run_id)

    about = subject(train=run(), logged=(on("hold", 0.8, run_id="eval"),))
    assert decided(about).outcome is Outcome.ERROR
    assert decided(replace(about, find_run=gone)).outcome is Outcome.ERROR
    nameless = replace(about, logged=(on("hold", 0.8, run_id=""),), find_run=gone)
    assert "does not say which run" in decided(nameless).reason


def test_endless_evaluations_are_refused_and_not_all_asked_about() -> None:
    asked: list[str] = []

    def find(run_id: str, _key: str) -> RunFacts:
        asked.append(run_id)
        return run(run_id=run_id)

    many = tuple(on("hold", 0.8, run_id=f"e{number}") for number in range(MOST_RUNS + 1))
    assert decided(subject(logged=many, find_run=find)).outcome is Outcome.ERROR
    assert not asked
    assert decided(subject(logged=many[:-1], find_run=find)).outcome is Outcome.PASS
    assert len(asked) == MOST_RUNS


PINNED = f"sha256:{'5c' * 32}"


@pytest.mark.parametrize(
    "tag",
    [
        *("", "sha256:other", "<b>\n", "[]", '{"digest": 1}'),
        '{"digest": "sha256:other", "hashed": 1, "total": 1}',
        f'{{"digest": "{PINNED}", "hashed": 1, "total": 2}}',
    ],
)
def test_other_scorers_than_the_rule_names_are_refused(tag: str) -> None:
    """Nor does a digest count that leaves a scorer out: that one could be any."""
    rule = wanting(scorers=PINNED)
    tags = {SCORERS: tag} if tag else {}
    result = decided(subject(train=run(point("auc", 0.8), tags=tags)), rule)
    assert result.outcome is Outcome.ERROR
    assert "\n" not in result.reason


@pytest.mark.parametrize("tag", [PINNED, f'{{"digest": "{PINNED}", "hashed": 2, "total": 2}}'])
def test_the_digest_inside_what_mlflow_logs_is_the_pin(tag: str) -> None:
    right = run(point("auc", 0.8), tags={SCORERS: tag})
    result = decided(subject(train=right), wanting(scorers=PINNED))
    assert result.outcome is Outcome.PASS


@pytest.mark.parametrize("pin", ["", "sha256:5c0", PINNED.upper(), "5c" * 32, f"{PINNED} "])
def test_a_pin_that_no_scorer_can_have_is_refused_with_the_policy(pin: str) -> None:
    with pytest.raises(PolicyError, match="is no digest of scorers; write sha256: and 64"):
        decided(subject(train=run(point("auc", 0.8))), wanting(scorers=pin))
