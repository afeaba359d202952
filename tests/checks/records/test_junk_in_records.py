"""Whatever stands in a record, no check over records crashes, and junk makes nothing better."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aims_gate.governance import reader
from aims_gate.governance.contract import ProblemKind, RecordDocument, Records, frozen
from aims_gate.measure import measure
from tests.checks.records.test_exactly import MATERIAL, RESULTS, TASKS, TODAY
from tests.checks.records.written import problem, subject
from tests.support.laws import law
from tests.support.records import write_records

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=5),
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.integers()), max_size=2),
    st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
)
Place = tuple[str | int, ...]


@lru_cache
def sound() -> Records:
    with tempfile.TemporaryDirectory() as folder:
        read = reader.read(*write_records(Path(folder)))
    return replace(read, material=MATERIAL)


def places(tree: object, here: Place = ()) -> Iterator[Place]:
    """Every place in a tree of plain values."""
    inner: Any = ()
    if isinstance(tree, Mapping):
        inner = tree.items()
    elif isinstance(tree, tuple):
        inner = enumerate(tree)
    for key, value in inner:
        yield (*here, key)
        yield from places(value, (*here, key))


def changed(tree: Any, place: Place, junk: object) -> Any:
    """The tree with something else in a place."""
    if not place:
        return junk
    key, rest = place[0], place[1:]
    if isinstance(tree, Mapping):
        return {name: changed(v, rest, junk) if name == key else v for name, v in tree.items()}
    return [changed(v, rest, junk) if n == key else v for n, v in enumerate(tree)]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Records, RecordDocument]:
    records = sound()
    document = draw(st.sampled_from([one for one in records.documents if one.values]))
    place = draw(st.sampled_from(list(places(document.values))))
    values = frozen(changed(document.values, place, draw(JUNK)))
    # the reader says of a value that it is not of its type, and gives it all the same
    fault = problem(str(place[0]), ProblemKind.UNREADABLE, document.path)
    other = replace(document, values=values, problems=(fault,))
    documents = tuple(other if one is document else one for one in records.documents)
    return replace(records, documents=documents), other


@law(examples=60)
@given(spoilt())
def test_no_check_crashes_over_junk(found: tuple[Records, RecordDocument]) -> None:
    of = subject(found[0])
    for task in TASKS:
        cells = measure(task, of, now=TODAY, results=RESULTS)
        assert not [cell.reason for cell in cells if "crashed" in cell.reason], task.rule.check
        assert any(cell.judged for cell in cells)
