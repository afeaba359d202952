"""Generated text of the model card: its table row by row as the rules measured, and nothing else.

Approvals leave these lines out, so whoever writes a card could say anything in them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from aims_gate.checks.contract import Inputs
from aims_gate.facts import Interval, Statistic
from aims_gate.governance.contract import RecordDocument
from aims_gate.harmless import cell, code
from aims_gate.policy.model import Threshold
from aims_gate.verdict import Decision, Outcome, Result

HEAD = "| rule | measured | value | interval | limit | rows | outcome |"
_NAMED = r"`+ ?[^`|]+ ?`+"
_WORD = r"[A-Za-z0-9_.:+@/-]{1,80}"
_DECISION = "|".join(one.value for one in Decision)
_FORMS = re.compile(
    rf"\*\*{_NAMED} {_WORD}\*\*, {_WORD}( {_WORD})?"
    r"|\| fact \| value \||\|( --- \|)+"
    rf"|\| training (run|started|ended|user|commit) \| {_WORD} \|"
    rf"|\| protected attributes \| {_NAMED}(, {_NAMED})* \|"
    r"|Nothing was measured yet\."
    rf"|Measured on [0-9-]{{10}} by policy {_NAMED} {_WORD}: \*\*({_DECISION})\*\* at {_NAMED}"
    rf"(, evaluation {_NAMED})?\."
)
"""Lines beside the table, with no room for a sentence."""


def row(rule: Result, one: Statistic) -> str:
    """What a rule measured in one cell, as a row of the table without its outcome."""
    what = cell(f"{one.name} {one.slice}".strip())
    value = f"{round(one.value or 0.0, 4) + 0.0:.4f}"  # no minus zero
    limit = _limit(rule.threshold)
    return (
        f"| {code(rule.rule)} | {what} | {value} | {_interval(one.interval)} | {limit} | "
        f"{one.rows:,} |"
    )


def measured(result: Result) -> Iterator[Statistic]:
    """Cells that a card states: judged, and with a finite value."""
    for one in result.statistics:
        if one.judged and one.value is not None and math.isfinite(one.value):
            yield one


def wrong(card: RecordDocument, inputs: Inputs, stated: Iterable[str]) -> Iterator[str]:
    """What the generated text says otherwise than this run, or leaves out.

    Args:
        card: With its generated lines; without any nothing is wrong.
        inputs: Of this run, with the results of its rules.
        stated: Families of checks of which each cell has its row.
    """
    rows = {row(one, found): one for one in inputs.results for found in measured(one)}
    signature = inputs.subject.signature
    known = {HEAD, f"| SHA-256 of the model's files | `{inputs.subject.model.digest}` |"}
    known |= {
        f"| input {code(name)} | {cell(kind)} |"
        for name, kind, _ in (() if signature is None else signature.inputs)
    }
    seen = set()
    for line in card.generated:
        told, _, outcome = line.removesuffix(" |").rpartition(" ")
        result = rows.get(told)
        if result is not None and is_outcome(outcome, result):
            seen.add(told)
        elif line not in known and not _FORMS.fullmatch(line):
            yield f"this run does not say: {line[:80]}"
    for told, result in rows.items():
        if card.generated and told not in seen and result.check.partition(".")[0] in stated:
            yield f"it leaves out: {told[:80]}"


def is_outcome(told: str, result: Result) -> bool:
    """Tell whether a row's outcome may be a rule's; one that was waived since is no pass."""
    if told == Outcome.PASS.value:
        return Outcome.PASS in (result.outcome, result.raw_outcome)
    return told in [one.value for one in Outcome]


def _interval(found: Interval | None) -> str:
    if found is None or not math.isfinite(found.low + found.high):
        return "-"
    return f"{found.low:.4f} to {found.high:.4f} ({found.level:.0%})"


def _limit(threshold: Threshold | None) -> str:
    limit = threshold or Threshold()
    bounds = (("at least", limit.at_least), ("at most", limit.at_most))
    return ", ".join(f"{words} {value:g}" for words, value in bounds if value is not None) or "-"
