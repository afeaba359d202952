"""Numbers and measured cells in words: the one line that explains a result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aims_gate.facts import Interval, Statistic
from aims_gate.limits import Bar
from aims_gate.verdict import Outcome

_ACRONYMS = frozenset({"psi", "ks", "roc", "auc", "mcc", "f1", "r2", "mae", "mape", "mse", "rmse"})
_ACRONYMS |= {"ndcg", "map", "mrr"}
_NAMES = {
    "jensenshannon": "Jensen-Shannon distance",
    "hellinger": "Hellinger distance",
    "wasserstein": "Wasserstein distance",
    "brier": "Brier score",
    "brier_difference": "Brier difference",
    "cramers_v": "Cramér's V",
    "ks": "KS distance",
}
"""Names of statistics that are made of people's names, which no rule of spelling gives."""


def number(value: float) -> str:
    """Write a measured value for people: about three significant digits, counts in full."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 1 else "0"
    if abs(value) >= 100:
        return f"{value:,.1f}"
    return f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.2g}"


def display(name: str) -> str:
    """Write a statistic's name as people do: `roc_auc` is ROC AUC, `impact_ratio` impact ratio."""
    if name in _NAMES:
        return _NAMES[name]
    words = name.split("_")
    return " ".join(word.upper() if word in _ACRONYMS else word for word in words)


def cell_sentence(statistic: Statistic, bars: Sequence[Bar], outcome: Outcome, why: str) -> str:
    """Explain one judged cell, such as `impact ratio sex=F 0.71 (95 % 0.66-0.76) < 0.80, n=…`."""
    subject = f"{display(statistic.name)} {statistic.slice}".strip()
    if statistic.value is None or math.isnan(statistic.value):
        return f"{subject}: {why}" if why else subject
    if outcome is Outcome.PASS and statistic.value == 0 and all(not bar.limit for bar in bars):
        return f"no {display(statistic.name)}"
    parts = [subject, number(statistic.value)]
    if statistic.interval is not None:
        parts.append(f"({_interval(statistic.interval)})")
    parts.append(_against(statistic.value, bars, outcome))
    text = " ".join(part for part in parts if part)
    if statistic.rows:
        text += f", n={statistic.rows:,}"
        if statistic.total > statistic.rows:
            text += f" of {statistic.total:,}"
    told = "" if outcome is Outcome.PASS else statistic.reason
    notes = [note for note in (_second(statistic.engine), why, told) if note]
    return "; ".join([text, *dict.fromkeys(notes)])


def _second(engine: str) -> str:
    """Say which library agreed, or computed the value; of our own alone nothing is said."""
    ours, _, other = engine.partition("; ")
    if other or ours.startswith("native"):
        return other
    return f"by {ours}"


def _interval(interval: Interval) -> str:
    level = f"{100 * interval.level:.4g}"
    dash = " to " if interval.low < 0 else "-"
    return f"{level} % {number(interval.low)}{dash}{number(interval.high)}"


def _against(value: float, bars: Sequence[Bar], outcome: Outcome) -> str:
    """Write the comparison that decided: against the limit, else against the line."""
    told: list[str] = []
    for bar in bars:
        limit = f"{bar.limit:g}"
        if bar.higher_is_better:
            told.append(f"< {limit}" if value < bar.limit else f">= {limit}")
        else:
            told.append(f"> {limit}" if value > bar.limit else f"<= {limit}")
    broken = [text for text in told if text[0] in "<>" and text[1] != "="]
    if broken and outcome is not Outcome.PASS:
        return broken[0]
    return " and ".join(told)
