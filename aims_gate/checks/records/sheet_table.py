"""Generated tables of data sheets: where the data lay and their validation, and nothing else.

Approvals leave these lines out, so whoever writes a sheet could say anything in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from aims_gate.checks.contract import Inputs
from aims_gate.checks.records.card_table import is_outcome
from aims_gate.checks.records.data_sources import DataSource, SourcePart, data_sources
from aims_gate.governance.contract import RecordDocument
from aims_gate.harmless import cell, code
from aims_gate.verdict import Result

_AGES = "data.freshness"
"""Check whose finding is another one each day, and so is left out of a sheet."""
_PARTS = "| role | rows | columns | logged | digest |"
_VALIDATION = "| validation | outcome | found |"
_RULES = ("| --- | --- | --- | --- | --- |", "| --- | --- | --- |")


def tables(source: DataSource, results: Iterable[Result]) -> Iterator[str]:
    """Lines of Markdown on a source: the data of each role, and the rules that validated them."""
    yield ""
    yield from (_PARTS, _RULES[0])
    yield from map(_part, source.parts)
    found = list(_validating(source, results))
    if found:
        yield from ("", _VALIDATION, _RULES[1])
    for one in found:
        yield f"{_rule(one)} {one.outcome.value} {_finding(one)}"


def wrong(sheet: RecordDocument, inputs: Inputs) -> Iterator[str]:
    """What the generated lines of a sheet say otherwise than this run, or leave out.

    Args:
        sheet: With its generated lines; without any nothing is wrong.
        inputs: Of this run, with its data and the results of its rules.
    """
    name = PurePath(sheet.path).stem
    sources = [one for one in data_sources(inputs.subject) if one.name == name]
    parts = [_part(part) for source in sources for part in source.parts]
    rules = {_rule(one): one for source in sources for one in _validating(source, inputs.results)}
    left = {*parts, *rules}
    for line in sheet.generated:
        told = next((rule for rule in rules if line.startswith(f"{rule} ")), line)
        outcome, _, found = line.removeprefix(told).strip().partition(" ")
        one = rules.get(told)
        same = one is not None and found == _finding(one) and is_outcome(outcome, one)
        if same or line in parts:
            left.discard(told)
        elif line not in {_PARTS, _VALIDATION, *_RULES}:
            yield f"this run does not say: {line[:80]}"
    if sheet.generated:
        yield from (f"it leaves out: {one[:80]}" for one in (*parts, *rules) if one in left)


def _validating(source: DataSource, results: Iterable[Result]) -> Iterator[Result]:
    roles = {part.role for part in source.parts}
    yield from (one for one in results if one.check.startswith("data.") and roles & {*one.roles})


def _part(part: SourcePart) -> str:
    logged = "-" if part.logged is None else f"{part.logged:%Y-%m-%d}"
    return (
        f"| {part.role} | {part.rows:,} | {part.columns} | {logged} | "
        f"`{part.digest}` ({part.digest_kind}) |"
    )


def _rule(result: Result) -> str:
    return f"| {code(result.rule)} {cell(result.check)} |"


def _finding(result: Result) -> str:
    return f"| {'-' if result.check == _AGES else cell(result.reason)} |"
