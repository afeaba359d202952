"""How statistics are called in reports."""

from __future__ import annotations

import pytest

from aims_gate.sentences import display


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
