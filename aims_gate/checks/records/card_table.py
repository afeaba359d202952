"""Generated text of the model card: its table row by row as the rules measured, and nothing else.

Approvals leave these lines out, so whoever writes a card could say anything in them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from aims_gate.checks.contract import Inputs
from aims_gate.facts import Interval, ModelIdentity, Statistic
from aims_gate.governance.contract import RecordDocument
from aims_gate.harmless import cell, code, plain
from aims_gate.policy.model import Role, Threshold
from aims_gate.sources.subject import RunFacts
from aims_gate.verdict import Decision, Outcome, Result

HEAD = "| rule | measured | value | interval | limit | rows | outcome |"
_NAMED = r"`[A-Za-z0-9_.:+@/-]{1,80}`"
_WORD = r"[A-Za-z0-9_.:+@/-]{1,80}"
_DECISION = "|".join(one.value for one in Decision)
_FORMS = re.compile(
    r"\| fact \| value \||\|( --- \|)+"
    r"|Nothing was measured yet\."
    rf"|Measured on [0-9-]{{10}} by policy {_NAMED} {_WORD}: \*\*({_DECISION})\*\* at {_NAMED}"
    rf"(, evaluation {_NAMED})?\."
)
"""Lines beside the table and the facts, with no room for a sentence."""
_UNKNOWN = re.compile(rf"\| training (run|started|ended|user|commit) \| {_WORD} \|")
"""Facts of a run where this one does not know the model's."""


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
    facts, title = set(_facts(inputs)), _title(inputs.subject.model)
    unknown = _UNKNOWN if inputs.subject.run is None else None
    seen = set()
    for line in card.generated:
        told, _, outcome = line.removesuffix(" |").rpartition(" ")
        result = rows.get(told)
        if result is not None and is_outcome(outcome, result):
            seen.add(told)
        elif line not in facts and not any(
            form.fullmatch(line) for form in (_FORMS, title, unknown) if form is not None
        ):
            yield f"this run does not say: {line[:80]}"
    for told, result in rows.items():
        if card.generated and told not in seen and result.check.partition(".")[0] in stated:
            yield f"it leaves out: {told[:80]}"


def trained(run: RunFacts | None) -> Iterator[tuple[str, str]]:
    """What MLflow says of the training run, by the names that a card has for it."""
    if run is None:
        return
    yield "run", run.run_id
    for name, when in (("started", run.started), ("ended", run.ended)):
        yield name, "" if when is None else f"{when:%Y-%m-%dT%H:%M:%SZ}"
    yield "user", plain(run.user)
    yield "commit", plain(run.commit)


def protected_row(names: Iterable[str]) -> str:
    """Protected attributes as a row of the facts, in an order of their own."""
    return f"| protected attributes | {', '.join(map(code, sorted(names)))} |"


def _facts(inputs: Inputs) -> Iterator[str]:
    """Rows of the facts that this run knows."""
    subject = inputs.subject
    yield HEAD
    yield f"| SHA-256 of the model's files | `{subject.model.digest}` |"
    for name, text in trained(subject.run):
        yield f"| training {name} | {cell(text)} |"
    for name, kind, _ in () if subject.signature is None else subject.signature.inputs:
        yield f"| input {code(name)} | {cell(kind)} |"
    data = subject.data.get(Role.EVALUATION)
    if data is not None:
        yield protected_row(data.spec.sensitive)
    elif subject.records is not None:  # evidence that is signed elsewhere has no data
        yield protected_row(subject.records.material.get("protected", ()))


def _title(model: ModelIdentity) -> re.Pattern[str]:
    """The line that says what the card is of; a run's model may have another name."""
    name = rf"(?:{re.escape(code(model.name))}|{_NAMED})"
    return re.compile(rf"\*\*{name} (?:{_WORD})?\*\*, {_WORD}(?: {_WORD})?")


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
