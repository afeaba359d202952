"""A bracket in signed evidence is looked at by `verify`: whoever holds the key can write any."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest.envelope import sign
from aims_gate.attest.statement import decode, encode, envelope_file, statement_file
from aims_gate.bracket import Bracket
from aims_gate.evidence.predicates import EVALUATION
from aims_gate.evidence.unsigned import MEASURED
from tests.conformance.test_statement_kind import SIGNER
from tests.evidence.refusals import refuses
from tests.support.proofs import Lab, Tree

SOUND = {"low": "0.81", "high": "0.9", "cells": 2048, "interval": None, "alone": None}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.make(tmp_path)


def _said(lab: Lab, rule: int = 0, **changes: Any) -> None:
    """The first cell of a rule with a value and a bracket; *changes* replace parts of these."""

    def change(said: Tree) -> None:
        cell = said["results"][rule]["statistics"][0]
        cell |= {"value": "0.85", "bracket": {**SOUND, **changes.pop("bracket", {})}, **changes}

    lab.forge("evaluation", change)


def test_a_bracket_that_lies_on_the_good_side_is_taken(lab: Lab) -> None:
    """And one of a rule that did not pass, wherever it lies."""
    _said(lab)
    _said(lab, 1, value="0.7", bracket={"low": "0.1"})
    assert lab.verify().passed


@pytest.mark.parametrize(
    "changes",
    [
        {"bracket": {"low": "0.91"}},
        {"bracket": {"low": "nan"}},
        {"bracket": {"high": "inf"}},
        {"bracket": {"low": 0.81}},
        {"bracket": {"cells": 0}},
        {"bracket": {"cells": True}},
        {"bracket": {"interval": [["0.7", "0.9"], ["0.6", "0.9"]]}},
        {"bracket": {"alone": [["0.9", "0.7"], ["0.9", "0.9"]]}},
        {"bracket": {"more": "1"}},
        {"bracket": {"low": None}, "value": None},
        {"value": "0.8"},
        {"value": "0.91"},
        {"value": "nan"},
        {"value": 0.85},
    ],
    ids=str,
)
def test_what_is_no_bracket_of_its_value_is_refused(lab: Lab, changes: dict[str, Any]) -> None:
    _said(lab, **changes)
    refuses(lab, "bracket|decimal")


@pytest.mark.parametrize("low", ["0.79999", "-1", None])
def test_no_rule_passes_whose_bracket_reaches_past_its_limit(lab: Lab, low: str | None) -> None:
    """The limit of this rule is at least 0.8; null is unbounded."""
    _said(lab, bracket={"low": low})
    refuses(lab, "PERF-01 passed, and its bracket reaches past the limit")


def test_nor_one_whose_bracket_reaches_past_what_is_allowed_at_most(lab: Lab) -> None:
    def limit(said: Tree) -> None:
        said["results"][0]["threshold"] |= {"atLeast": None, "atMost": "0.89"}

    _said(lab)
    lab.forge("evaluation", limit)
    refuses(lab, "PERF-01 passed, and its bracket reaches past the limit")


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["results"][0].pop("threshold"),
        lambda said: said["results"][0].update(threshold=None),
        lambda said: said["results"][0].update(threshold={"atLeast": None, "atMost": None}),
    ],
)
def test_nor_one_that_is_held_against_no_limit(lab: Lab, change: Callable[[Tree], object]) -> None:
    _said(lab)
    lab.forge("evaluation", change)
    refuses(lab, "PERF-01 passed, and its bracket reaches past the limit")


GOLDEN = Path(__file__).parents[1] / "golden" / "statements" / "bracket"
"""An evaluation with a bracket, signed with the key of `SEED`; never written anew."""


def test_the_golden_vector_with_a_bracket_is_read_and_signed_the_same() -> None:
    """By the strict reading and by that of `verify`; and the very bytes come out again."""
    payload = (GOLDEN / statement_file(EVALUATION.name)).read_bytes()
    statement = decode(payload, kind=EVALUATION, where=EVALUATION.name)
    assert encode(statement) == payload
    assert sign(payload, SIGNER) == (GOLDEN / envelope_file(EVALUATION.name)).read_bytes()
    (said,) = EVALUATION.read(statement.predicate, where="").results
    (whole,) = MEASURED.read(statement.predicate, where="").results
    bracket = whole.statistics[0].read().bracket
    assert said.statistics[0].bracket == bracket
    assert bracket == Bracket(
        low=0.0812345678901,
        high=0.0823456789012,
        cells=2048,
        interval=((0.0612345678901, 0.101234567890), (0.0623456789012, 0.102345678901)),
        alone=((0.0712345678901, 0.0912345678901), (0.0723456789012, math.inf)),
    )
