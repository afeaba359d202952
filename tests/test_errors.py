"""The error tree and its exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aims_gate import errors
from aims_gate.errors import (
    GateError,
    MissingColumnError,
    MissingExtraError,
    PolicyError,
    Problem,
    near,
)


def subclasses(kind: type[GateError]) -> set[type[GateError]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def test_every_error_has_an_exit_code_of_the_table() -> None:
    """No error exits 0, and none exits 1, which is kept for "policy not met"."""
    assert {kind.exit_code for kind in subclasses(GateError)} == {2, 3, 4}


def test_the_tree_in_the_module_is_the_tree_that_is() -> None:
    """Names and codes drawn in the docstring of aims_gate.errors are true."""
    drawn = dict(re.findall(r"(\w+Error) +(\d)", errors.__doc__ or ""))
    here = {k for k in subclasses(GateError) if k.__module__ == errors.__name__}
    for kind in here - {MissingColumnError}:
        assert drawn[kind.__name__] == str(kind.exit_code)


def test_readme_holds_the_exit_codes() -> None:
    """The table in README names each code once, in the order in which they win."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d) \|", readme, flags=re.MULTILINE) == list("24130")


def test_an_error_says_what_where_and_what_next() -> None:
    """`where: what; hint`."""
    error = GateError("no such file", where="policy.yaml", hint="check the path")
    assert str(error) == "policy.yaml: no such file; check the path"
    assert str(GateError("alone")) == "alone"


def test_a_policy_error_says_every_problem_sorted_by_place() -> None:
    """`file:line: what; hint`, one a line."""
    late = Problem(file="p.yaml", line=10, what="b", hint="fix it")
    early = Problem(file="p.yaml", line=9, what="a")
    assert str(PolicyError([late, early])) == "p.yaml:9: a\np.yaml:10: b; fix it"
    assert str(Problem(file="p.yaml", line=0, what="whole")) == "p.yaml: whole"


def test_a_missing_column_names_the_near_ones() -> None:
    """A misspelt column is found at a glance."""
    error = MissingColumnError.from_columns("lable", ["label", "score"], where="evaluation")
    assert str(error) == "evaluation: no column 'lable'; did you mean 'label'?"


@pytest.mark.parametrize(
    ("wanted", "known", "hint"),
    [
        ("pred", ["approved", "income", "prediction"], "did you mean 'prediction'?"),
        ("pred", ["approved", "income"], "there are approved, income"),
        ("auc", ["f1", "roc_auc"], "did you mean 'roc_auc'?"),
        ("rnu", ["init", "run"], "did you mean 'run'?"),
        ("parity", ["fairness.odds", "fairness.parity"], "did you mean 'fairness.parity'?"),
        ("", ["a", "b"], "there are a, b"),
        ("x", [], "there are none"),
    ],
)
def test_a_suggestion_is_spelt_alike_and_as_long_or_goes_on_like_it(
    wanted: str, known: list[str], hint: str
) -> None:
    """`pred` is short for prediction and no `approved`; a silly guess is worse than none."""
    assert near(wanted, known) == hint


def test_a_missing_library_names_its_extra() -> None:
    """The install line stands in the message."""
    text = str(MissingExtraError.for_library("MLflow", "gate", "reading sqlite stores"))
    assert "pip install 'aims-gate[gate]'" in text


def test_near_lists_what_there_is_when_nothing_is_close() -> None:
    """At most a dozen names, then how many more."""
    assert errors.near("x", []) == "there are none"
    assert errors.near("zzz", ["aa", "bb"]) == "there are aa, bb"
    many = [f"n{i:02}" for i in range(20)]
    assert errors.near("zzz", many).endswith("n11 and 8 more")
