"""Technical documentation, built from what ran: model card, data sheets and AI bill of materials.

Only lines between the markers are written; what people wrote around them stays as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aims_gate.checks.records.card_table import HEAD, protected_row, row
from aims_gate.checks.records.sheet_table import tables
from aims_gate.errors import RecordError, UsageError
from aims_gate.governance.generated import with_generated
from aims_gate.harmless import cell, code, plain
from aims_gate.operations.aims.bom import bill_of_materials, judged_cells
from aims_gate.operations.aims.known import Known
from aims_gate.policy.model import TaskKind
from aims_gate.policy.resolved_yaml import inline
from aims_gate.regular import read_regular, write_regular

CARD, SHEETS, BOM = "card.md", "data", "bom.cdx.json"
_MOST = 1 << 20
_TAGS = {
    TaskKind.BINARY: "tabular-classification",
    TaskKind.MULTICLASS: "tabular-classification",
    TaskKind.REGRESSION: "tabular-regression",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """A file of the documentation, and what became of it."""

    path: Path
    change: str
    """`written`, `changed` or `unchanged`."""


def build(known: Known, folder: Path) -> tuple[BuiltFile, ...]:
    """Write what is known into the card, into the sheet of each source, and the bill of materials.

    Raises:
        UsageError: (2) The card or a sheet is not there, or has no front matter.
        RecordError: (3) A file cannot be written.
    """
    texts = {CARD: _document(folder / CARD, tuple(_front(known)), tuple(_card(known)))}
    for source in known.sources:
        name = f"{SHEETS}/{source.name}.md"
        results = () if known.verdict is None else known.verdict.results
        texts[name] = _document(folder / name, (), tuple(tables(source, results)))
    texts[BOM] = json.dumps(bill_of_materials(known), indent=2, ensure_ascii=False) + "\n"
    return tuple(_write(folder / name, text) for name, text in texts.items())


def _document(path: Path, front: tuple[str, ...], body: tuple[str, ...]) -> str:
    hint = "aims-gate aims init writes a first one"
    try:
        text = read_regular(path, _MOST).decode("utf-8")
    except FileNotFoundError as error:
        raise UsageError("this record is not there", where=str(path), hint=hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read as text: {error}", where=str(path)) from error
    lines = text.replace("\r\n", "\n")
    if not (lines.startswith("---\n") and "\n---\n" in lines):
        raise UsageError("has no front matter between two lines of ---", where=str(path), hint=hint)
    built = with_generated(lines, front=front, body=body)
    return built if lines == text else built.replace("\n", "\r\n")


def _write(path: Path, text: str) -> BuiltFile:
    data = text.encode()
    try:
        there = os.path.lexists(path)
        if there and read_regular(path, len(data)) == data:
            return BuiltFile(path=path, change="unchanged")
        write_regular(path, data)
    except OSError as error:
        raise RecordError(
            f"cannot be written: {error.strerror or error}", where=str(path)
        ) from error
    return BuiltFile(path=path, change="changed" if there else "written")


def _front(known: Known) -> Iterator[str]:
    """Metadata as Hugging Face's model cards name them."""
    if known.flavor:
        yield f"library_name: {inline(known.flavor)}"
    tag = None if known.task is None else _TAGS.get(known.task)
    if tag is not None:
        yield f"pipeline_tag: {tag}"
    yield f"datasets: {inline([one.name for one in known.sources])}"
    yield f"model_digest: {inline(known.model.digest)}"
    yield f"model_version: {inline(known.model.version)}"
    cells = list(judged_cells(known))
    if not cells:
        return
    yield "model-index:"
    yield f"  - name: {inline(plain(known.model.name))}"
    yield "    results:"
    yield f"      - task: {inline({'type': tag or 'other'})}"
    yield f"        dataset: {inline({'type': 'evaluation', 'name': 'evaluation'})}"
    yield "        metrics:"
    for rule, one in cells:
        metric = {
            "type": one.name,
            "value": shown(one.value or 0.0),
            "args": {"rule": rule.rule, "slice": plain(one.slice)},
        }
        yield f"          - {inline(metric)}"


def shown(value: float) -> float:
    """A number as a card says it: to four places after the point, and compared so."""
    return round(value, 4) + 0.0  # no minus zero


def _card(known: Known) -> Iterator[str]:
    yield ""
    yield f"**{code(known.model.name)} {plain(known.model.version)}**, {plain(_kind(known))}"
    yield ""
    yield "| fact | value |"
    yield "| --- | --- |"
    yield f"| SHA-256 of the model's files | `{known.model.digest}` |"
    for name, text in known.trained:
        if text:
            yield f"| training {name} | {cell(text)} |"
    for name, kind in known.inputs:
        yield f"| input {code(name)} | {cell(kind)} |"
    if known.protected:
        yield protected_row(known.protected)
    if known.verdict is None:
        yield "\nNothing was measured yet."
        return
    yield from _measured(known)


def _kind(known: Known) -> str:
    words = (known.flavor, known.task.value if known.task is not None else "")
    return " ".join(filter(None, words)) or "model"


def _measured(known: Known) -> Iterator[str]:
    if known.verdict is None:
        return
    policy, evidence = known.verdict.policy, known.verdict.evidence
    yield ""
    yield (
        f"Measured on {known.verdict.finished:%Y-%m-%d} by policy {code(policy.id)} "
        f"{plain(policy.version)}: **{known.verdict.decision.value}** at "
        f"{code(known.verdict.stage)}"
        + (f", evaluation `{evidence.id}`." if evidence is not None else ".")
    )
    yield ""
    yield HEAD
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for rule, one in judged_cells(known):
        yield f"{row(rule, one)} {rule.outcome.value} |"
