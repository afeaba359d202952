"""The fixture and the marker: the gate asked for by a test itself."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.repos import repo

TRAINED = """
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

@pytest.fixture(scope="module")
def frame():
    rows = {"x": [i // 2 % 10 for i in range(2000)], "sex": ["F", "M"] * 1000}
    frame = pd.DataFrame(rows)
    frame["y"] = (frame["x"] > 4).astype(int)
    return frame

@pytest.fixture(scope="module")
def model(frame):
    return LogisticRegression().fit(frame[["x"]], frame["y"])
"""


def test_the_fixture_carries_the_functions_of_the_module(pytester: pytest.Pytester) -> None:
    """`run`, `assert_passes` and the rest; verdicts are shown."""
    repo(pytester, "met")
    pytester.makepyfile(
        TRAINED
        + """
def test_policy(aims_gate):
    verdict = aims_gate.run("policy.yaml", "file:model", data={"evaluation": "evaluation.csv"})
    assert verdict.passed
    assert aims_gate.Outcome.PASS in {result.outcome for result in verdict.results}

def test_estimator(aims_gate, frame, model):
    verdict = aims_gate.run("policy.yaml", model, data={"evaluation": frame.assign(n=1)})
    assert verdict.passed, [r.reason for r in verdict.results]

def test_assertion(aims_gate, frame, model):
    result = aims_gate.assert_passes(
        "fairness.parity", frame, model=model, label="y", by=["sex"], at_most=0.1)
    assert result.outcome == "PASS"

def test_refused(aims_gate, frame):
    aims_gate.assert_passes("fairness.parity", frame, label="y", prediction="sex", by=["sex"])
"""
    )
    done = pytester.runpytest_inprocess("-W", "error::UserWarning", "-rA")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(
        [
            "E  *AssertionError: fairness.parity ERROR: *",
            "*aims-gate: verdicts in tests*",
            "*::test_policy: met@1.0.0: policy met*",
            "*::test_estimator: met@1.0.0: policy met*",
        ]
    )
    done.stdout.no_fnmatch_line("*raise AssertionError(f*")


def test_the_marker_lets_a_test_run_only_if_its_policy_is_met(pytester: pytest.Pytester) -> None:
    """One run however many tests carry it; a refusal fails them without a traceback."""
    repo(pytester, "biased")
    good = (
        "@pytest.mark.aims_gate(policy='{}', model='file:model', "
        "data={{'evaluation': 'evaluation.csv'}})\n"
    )
    lenient = (pytester.path / "policy.yaml").read_text("utf-8").replace("0.80", "0.30")
    (pytester.path / "lenient.yaml").write_text(lenient, encoding="utf-8")
    pytester.makepyfile(
        "import pytest\nfrom pathlib import Path\n"
        + good.format("policy.yaml")
        + "def test_a(): Path('ran-a').touch()\n"
        + good.format("lenient.yaml")
        + "def test_b(tmp_path, aims_gate): Path('ran-b').touch()\n"
        + "@pytest.mark.aims_gate(policy='policy.yaml')\ndef test_c(): pass\n"
        + good.format("policy.yaml").replace("model=", "modle=")
        + "def test_d(): pass\n"
        + good.format("nowhere.yaml")
        + "def test_e(): pass\n"
    )
    done = pytester.runpytest_inprocess("--strict-markers", "--strict-config")
    assert done.ret == 1
    done.assert_outcomes(passed=1, failed=4)
    assert not (pytester.path / "ran-a").exists()
    assert (pytester.path / "ran-b").exists()
    done.stdout.fnmatch_lines(
        [
            "policy not met: 1 of 2 rules stands in the way of production",
            "BIAS-02 FAIL: impact ratio*",
            "*needs policy= and model=*",
            "*has no 'modle'; did you mean 'model'?",
            "*nowhere.yaml cannot be read*",
            "*::test_b: biased@1.0.0: policy met*",
        ]
    )
    done.stdout.no_fnmatch_line("*fixture.py*")
    done.stdout.no_fnmatch_line("*During handling of*")


def test_the_marker_holds_for_every_kind_of_test(pytester: pytest.Pytester) -> None:
    """A method of unittest is no function to pytest, and is refused all the same."""
    repo(pytester, "biased")
    pytester.makepyfile(
        """
import unittest
import pytest

GATED = pytest.mark.aims_gate(
    policy="policy.yaml", model="file:model", data={"evaluation": "evaluation.csv"}
)

@GATED
class TestClass(unittest.TestCase):
    def test_a(self): pass

class TestMethod(unittest.TestCase):
    @GATED
    def test_b(self): pass
    def test_free(self): pass
"""
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1, failed=2)


def test_a_marked_test_gates_an_estimator(pytester: pytest.Pytester) -> None:
    """Objects that a module holds are handed over as they are."""
    repo(pytester, "met")
    pytester.makepyfile(
        TRAINED.replace('@pytest.fixture(scope="module")\n', "").replace("def model(", "def fit(")
        + """
FRAME = frame().assign(n=1)
@pytest.mark.aims_gate(policy="policy.yaml", model=fit(FRAME), data={"evaluation": FRAME})
def test_a(): pass
"""
    )
    done = pytester.runpytest_inprocess()
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*::test_a: met@1.0.0: policy met*"])
