"""Material change: what a document was assessed for is what the model and the policy are today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import COUNTS, chosen, counted, faults, missing, records_of
from aims_gate.errors import near
from aims_gate.facts import Statistic
from aims_gate.governance.contract import RecordDocument, Records
from aims_gate.governance.material import DEPENDS, moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What has moved since each document was assessed, by part."""

    about: ClassVar[About] = About(
        name="records.current",
        summary="Parts of the model, its data and its use that moved since a record was assessed.",
        definition=COUNTS
        + (
            "Per document: how many of the parts that it depends on are not what it was assessed "
            "for: flavour, names and types of inputs, data sources, intended use, tier, protected "
            "attributes, decision threshold, suppliers. Rows, patch versions and metrics are none "
            "of them, so a retrain on new rows asks nobody. MISSING: the document says not what "
            "it was assessed for."
        ),
        controls=("iso42001:6.3", "iso42001:8.2", "iso42001:8.4", "iso42001:A.5.2"),
        undecided=("a record is not there, or says not what it was assessed for",),
    )

    kinds: tuple[str, ...] = tuple(DEPENDS)
    """Kinds of records that depend on something."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of parts that moved."""
        return counted("moved_parts")

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse no kind, and one that depends on nothing."""
        if not self.kinds:
            yield "kinds", "names no kind", f"one or more of {', '.join(DEPENDS)}"
        for kind in self.kinds:
            if kind not in DEPENDS:
                yield "kinds", f"no part is that of {kind!r}", near(kind, DEPENDS)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compare each document with what is material today."""
        records = records_of(inputs)
        for found in chosen(records, self.kinds, "moved_parts"):
            yield found if isinstance(found, Statistic) else _cell(found, records)


def _cell(document: RecordDocument, records: Records) -> Statistic:
    parts = moved(document, records)
    if parts is None:
        what = "it says not what it was assessed for: aims-gate aims approve --evidence DIR"
        return missing(document.path, what, name="moved_parts")
    told = [f"{part} moved since it was assessed" for part in parts]
    return faults(document.path, told, name="moved_parts")
