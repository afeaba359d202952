"""Executors and drivers of Spark that are killed: the answer is the right one, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.laws import nightly
from tests.support.spark_programs import told_by


@nightly
@pytest.mark.tool("spark")
@pytest.mark.timeout(1800)
def test_a_gate_whose_executors_die_says_the_same_or_nothing(tmp_path: Path) -> None:
    program = Path(__file__).with_name("spark_that_dies.py")
    whole, executors, copied, driver = told_by(program, tmp_path)
    assert (whole["decision"], whole["killed"]) == ("passed", 0)

    assert executors["killed"] >= 2
    # what varies is computed once, and no executor may make it up again
    assert copied["killed"] >= 2
    assert copied["exit"] == 3
    assert driver["killed"] == 1
    for after in (executors, driver):
        if "error" in after:
            assert after["exit"] in {2, 3}
            continue
        assert after["digest"] == whole["digest"]
        for rule, said in after["rules"].items():
            assert said == whole["rules"][rule] or said[0] == "ERROR"
        assert (after["decision"] == "passed") is (after["rules"] == whole["rules"])
    assert driver.get("decision") != "passed"
