"""Review cadences: how often a person or a measurement looks at each kind of record.

The organisation owns them (`cadences` of organisation.yaml); what it leaves out is as below. No
standard names a number of days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal

from aims_gate.checks.record_cells import keys_of
from aims_gate.governance.contract import RecordDocument, Records, day_count, plus_days

By = Literal["person", "measured"]
YEARLY = 365
"""Days until a person looks again at a document for which nobody said otherwise."""
SEED: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("architecture", "person"): 92,
        ("data-sheet", "measured"): 31,
        ("data-sheet", "person"): 92,
        ("impact", "person"): 365,
        ("performance", "measured"): 7,
        ("risks", "person"): 92,
    }
)
"""Days by what is looked at and by whom, until the organisation says otherwise."""
MEASURED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"data-sheet": ("data",), "performance": ("performance",)}
)
"""Families of checks whose rules measure what a cadence is of."""


def cadences(records: Records, by: By) -> Mapping[str, int]:
    """Days by what is looked at: the organisation's own over the seed."""
    return {
        **{of: days for (of, who), days in SEED.items() if who == by},
        **{of: days for of, who, days in _own(records) if who == by},
    }


def due(document: RecordDocument, records: Records, looked_at: date | None = None) -> date | None:
    """Last day on which a document is fresh by its person's cadence; None if it says no day.

    It counts from the day that the document says, or from *looked_at*, the day of a person's act on
    its bytes, where that is earlier. A document may ask for more than its cadence, never for less.
    """
    every = cadences(records, "person").get(document.kind, YEARLY)
    since = min((day for day in (document.effective, looked_at) if day is not None), default=None)
    if document.effective is None or since is None:
        return None
    return plus_days(since, min(every, document.review_every or every))


def _own(records: Records) -> Iterator[tuple[str, str, int]]:
    for document in records.of("organisation"):
        listed = document.values.get("cadences", ())
        for row in listed if isinstance(listed, tuple) else ():
            of, by, every = (keys_of(row).get(key) for key in ("of", "by", "days"))
            said = day_count(every)
            if isinstance(of, str) and isinstance(by, str) and said is not None:
                yield of, by, said
