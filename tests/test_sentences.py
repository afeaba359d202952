"""How statistics are called in reports."""

from __future__ import annotations

import pytest

from aims_gate.bracket import Bracket
from aims_gate.sentences import between, display


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("roc_auc", "ROC AUC"),
        ("macro_roc_auc_difference", "macro ROC AUC difference"),
        ("ndcg", "NDCG"),
        ("mrr", "MRR"),
        ("mape_drop", "MAPE drop"),
        ("f1_half_width", "F1 half width"),
        ("impact_ratio", "impact ratio"),
        ("jensenshannon", "Jensen-Shannon distance"),
        ("cramers_v", "Cramér's V"),
        ("ks", "KS distance"),
    ],
)
def test_a_statistic_has_the_name_that_people_give_it(name: str, told: str) -> None:
    """Acronyms are in capitals, and names of people are spelt as theirs."""
    assert display(name) == told


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.0199, 0.0205, "between 0.0199 and 0.0205 (1,024 cells)"),
        (0.716541, 0.716542, "between 0.716541 and 0.716542 (1,024 cells)"),
        (0.71654171149721, 0.71654171149722, "known to 9 digits (1,024 cells)"),
    ],
)
def test_a_bracket_is_told_to_the_digits_in_which_its_ends_differ(
    low: float, high: float, told: str
) -> None:
    assert between(Bracket(low=low, high=high, cells=1024)) == told
    assert between(None) == ""
