"""What the three checks that count violations have in common."""

from __future__ import annotations

from aims_gate.checks import CHECKS
from aims_gate.checks.contract import Check
from aims_gate.checks.integrity.data import DataDigests
from aims_gate.checks.integrity.model import Model
from aims_gate.checks.integrity.run import Run
from aims_gate.checks.parameters import problems_of


def test_the_three_checks_are_in_the_table_under_their_names() -> None:
    for name, kind in (
        ("integrity.model", Model),
        ("integrity.data", DataDigests),
        ("integrity.run", Run),
    ):
        assert CHECKS[name] is kind
        assert kind.about.name == name
        judged = kind().judged()
        assert (judged.name, judged.limit, judged.has_interval) == ("violations", 0.0, False)


def test_good_parameters_have_no_problems() -> None:
    checks: tuple[Check, ...] = (Model(deny=("pickle",), max_bytes=1), DataDigests(), Run())
    assert [list(problems_of(check)) for check in checks] == [[], [], []]
