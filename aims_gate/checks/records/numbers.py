"""Numbers of the model card, held against what the rules measured in this very run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aims_gate.checks.contract import Inputs
from aims_gate.checks.record_cells import faults, keys_of, missing, records_of
from aims_gate.checks.records import card_table, sheet_table
from aims_gate.checks.rule_outcomes import of_rule
from aims_gate.facts import Statistic
from aims_gate.governance.contract import RecordDocument
from aims_gate.harmless import plain
from aims_gate.verdict import Result

DECIMALS = 4
"""Decimals to which a card states a number: it is rounded so, and compared so."""
_STATED = ("performance", "fairness")
"""Families of checks of which a card states each cell that was measured."""
_AGAIN = "write it anew: aims-gate aims docs build"


def numbers(card: RecordDocument, inputs: Inputs) -> Iterator[Statistic]:
    """A cell per number of the card, per rule of which it leaves one out, and per data sheet."""
    for sheet in records_of(inputs).of("data-sheet"):
        if sheet.generated:
            yield faults(f"{sheet.path} tables", sheet_table.wrong(sheet, inputs))
    digest = card.values.get("model_digest")
    if digest != inputs.subject.model.digest:
        told = "names no model_digest" if digest is None else "is about other bytes than these"
        yield missing(f"{card.path} model_digest", f"the card {told}; {_AGAIN}")
        return
    yield faults(f"{card.path} model_digest", ())
    stated = set()
    for number, metric in enumerate(_metrics(card.values)):
        args = keys_of(metric.get("args"))
        rule, where = str(args.get("rule", "")), f"{card.path} metrics[{number}]"
        stated.add((rule, str(metric.get("type")), str(args.get("slice", ""))))
        yield faults(where, _wrong(metric, args, of_rule(rule, inputs.results)))
    yield faults(f"{card.path} table", card_table.wrong(card, inputs, _STATED))
    for result in inputs.results:
        family = result.check.partition(".")[0]
        asked = {
            (result.rule, cell.name, plain(cell.slice)) for cell in card_table.measured(result)
        }
        if family in _STATED and (left := sorted(asked - stated)):
            _, name, of = left[0]
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            told = f"the card leaves out {f'{name} {of}'.rstrip()}{more}; {_AGAIN}"
            yield missing(f"{card.path} {result.rule}", told)


def _wrong(
    metric: Mapping[str, Any], args: Mapping[str, Any], result: Result | None
) -> Iterator[str]:
    """What is wrong with one number: nothing if its rule measured the same."""
    name, of, value = metric.get("type"), args.get("slice", ""), metric.get("value")
    told = f"{name} {of}".rstrip()
    if result is None:
        yield f"{told}: no rule {args.get('rule')!r} measured it in this run"
        return
    found = [
        cell.value
        for cell in result.statistics
        if cell.judged and (cell.name, plain(cell.slice)) == (name, of) and cell.value is not None
    ]
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{told} of {result.rule} is no number"
    elif not found:
        yield f"{result.rule} measured no {told} in this run"
    elif all(value != round(one, DECIMALS) for one in found):
        yield f"{told} of {result.rule} is {found[0]:.{DECIMALS}f}, and the card says {value}"


def _metrics(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every metric of `model-index`; what is malformed there is a metric without a rule."""
    for model in _listed(values.get("model-index")):
        for result in _listed(model.get("results")):
            yield from _listed(result.get("metrics"))


def _listed(value: object) -> Iterator[Mapping[str, Any]]:
    """Entries of a list; one that is no mapping, or something in the list's place, is empty."""
    yield from map(
        keys_of, value if isinstance(value, tuple) else () if value is None else (value,)
    )
