"""What a reviewer reads: golden comments, and what no length of names and numbers can spoil."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.facts import Interval, Statistic
from aims_gate.github.review import Around, review
from aims_gate.pages.strip import strips
from aims_gate.policy.model import Threshold
from aims_gate.verdict import Decision, Outcome, Result
from tests.reports.cases import BIAS, CASES, ROC, verdict_of
from tests.reports.conftest import golden  # noqa: F401  # the fixture
from tests.support.laws import law
from tests.support.markdown_page import page

AROUND = Around(
    evidence_digest=f"sha256:{'b0' * 32}",
    run_url="https://github.example/acme/credit/actions/runs/42",
)
CHAMPION = replace(
    ROC,
    rule="PERF-03",
    check="performance.champion",
    reason="ROC AUC difference 0.012 (90 % 0.004-0.02) >= -0.01, n=5,000",
    threshold=Threshold(at_least=-0.01),
    statistics=(
        Statistic(
            name="roc_auc_difference",
            value=0.012,
            interval=Interval(low=0.004, high=0.02, level=0.9, method="delong-paired"),
            rows=5_000,
            total=5_000,
            judged=True,
            reason="candidate 0.8431, champion 0.8311",
        ),
    ),
)


@pytest.mark.parametrize("case", ["passed", "refused", "undecided", "ended", "hostile"])
def test_reviews_are_as_they_were(case: str, golden: Callable[[str, str], None]) -> None:  # noqa: F811
    golden(f"{case}.review.md", review(CASES[case], AROUND, most=60_000))


def test_the_first_line_decides() -> None:
    first = {case: review(CASES[case], AROUND, most=60_000).splitlines()[0] for case in CASES}
    assert first["passed"] == "### ✓ aims-gate: `credit-risk 7` may go to `production`"
    assert first["refused"] == "### ✗ aims-gate: `credit-risk 7` may not go to `production`"
    assert "not decided" in first["undecided"]
    assert "not decided" in first["ended"]
    assert all(
        ("may go to" in first[case]) == CASES[case].passed or "not" in first[case] for case in CASES
    )


def test_what_changed_since_the_champion_is_told_where_it_was_measured() -> None:
    verdict = verdict_of(ROC, CHAMPION, decision=Decision.PASSED)
    told = review(verdict, AROUND, most=60_000)
    assert "**What changed since the champion**" in told
    assert "candidate 0.8431, champion 0.8311" in told
    assert "champion" not in review(CASES["passed"], AROUND, most=60_000)


def test_what_the_policy_changes_is_shown_in_a_block() -> None:
    around = Around(policy_diff="loosens BIAS-02\n  at_least: 0.8 -> 0.7\n```\n# owned")
    text = review(CASES["passed"], around, most=60_000)
    (block,) = [shown for shown in page(text).codes if "loosens" in shown]
    assert block == "loosens BIAS-02\n  at_least: 0.8 -> 0.7\n```\n# owned\n"
    assert page(text).tags.count("h3") == 1


@pytest.mark.parametrize("most", [2_000, 20_000, 60_000])
def test_it_is_cut_on_a_row_and_counts_what_it_left_out(most: int) -> None:
    many = [replace(BIAS, rule=f"BIAS-{n}", reason="wörd " * 200) for n in range(300)]
    text = review(verdict_of(*many, ROC, decision=Decision.REFUSED), AROUND, most=most)
    assert len(text.encode()) <= most
    assert text.startswith("### ✗ aims-gate:")
    assert "more do not fit here; report.json has them all." in text
    assert text.rstrip().endswith("</sub>")
    folded = text.partition("<details>")[2]
    assert all(row.endswith("|") for row in folded.splitlines() if row.startswith("|"))
    assert "</details>" in folded


def drawn(value: float | None, low: float, high: float, limit: Threshold) -> list[str]:
    cell = Statistic(
        name="gap",
        value=value,
        interval=Interval(low=low, high=high, level=0.9, method="m"),
        judged=True,
    )
    return strips([replace(ROC, threshold=limit, statistics=(cell,))], 6)


def test_a_strip_draws_value_interval_and_limit() -> None:
    head, row = drawn(0.7, 0.6, 0.9, Threshold(at_least=0.8))
    assert head.startswith("PERF-01 gap, must be ≥ 0.8")
    assert row.startswith("✗ all rows")
    drawing = row[-24:]
    assert (drawing[0], drawing[-1]) == ("├", "┤")
    assert drawing.index("●") < drawing.index("┊")
    assert drawing.index("┊") == round(23 * 2 / 3)
    (_, met), (_, near) = (
        drawn(0.9, 0.85, 0.95, Threshold(at_least=0.8)),
        drawn(0.9, 0.7, 0.95, Threshold(at_least=0.8)),
    )
    assert (met[0], near[0]) == ("✓", "?")


def test_an_interval_without_an_end_has_an_arrow() -> None:
    _, row = drawn(0.3, 0.25, math.inf, Threshold(at_most=0.2))
    assert row.endswith("►")
    _, row = drawn(0.3, -math.inf, 0.4, Threshold(at_most=0.5))
    assert "◄" in row


def test_what_has_no_value_or_no_limit_is_not_drawn() -> None:
    assert strips([replace(ROC, threshold=None)], 6) == []
    nothing = replace(ROC, statistics=(Statistic(name="x", judged=True, value=None),))
    assert strips([nothing], 6) == []


NUMBERS = st.none() | st.floats()


@law(200)
@given(
    value=NUMBERS,
    low=st.floats(),
    high=st.floats(),
    limit=st.floats(allow_nan=False, allow_infinity=False),
)
def test_no_number_breaks_a_strip(
    value: float | None, low: float, high: float, limit: float
) -> None:
    """Whatever was measured, lines of equal scale come out, and a miss is never a tick."""
    lines = drawn(value, low, high, Threshold(at_least=limit))
    for line in lines[1:]:
        assert len(line) < 200
        if value is not None and not value >= limit:
            assert not line.startswith("✓")
        if low < limit:
            assert not line.startswith("✓")


def test_columns_of_wide_letters_keep_their_place() -> None:
    cells = [replace(BIAS.statistics[0], slice=name) for name in ("性別=女", "sex=F")]
    _, first, second = strips([replace(BIAS, statistics=tuple(cells))], 6)
    assert len(first) + 3 == len(second)


def test_more_cells_than_are_drawn_are_counted() -> None:
    cells = tuple(
        replace(BIAS.statistics[0], slice=f"s={n}", value=0.7 + n / 100) for n in range(20)
    )
    result: Result = replace(BIAS, statistics=cells, outcome=Outcome.FAIL)
    lines = strips([result], 6)
    assert len(lines) == 1 + 6 + 1
    assert lines[1].startswith("✗ s=0 ")
    assert "and 14 more" in lines[-1]
